"""How much of what nobody has looked at is named right, from the audited crops.

The estimand. R_t are the crops that nobody has looked at after round t, g_t the present guesses. Wanted is the share of
R_t that g_t names right: the names that stay if the person stops now. Both R_t and g_t change in each round.

The estimator. The picks are no fair sample of R_t: they are the hard ones. The audited crops are, if the strategy was
blind to them (draw.py): picks and guesses are then what they would have been had others been audited, so each crop that
is still here was audited with its known probability c, whatever happened. Every answer so far is compared with the
PRESENT guess. A crop audited with probability c stands for (1 - c) / c crops that were not (Horvitz & Thompson 1952;
as a ratio: Hajek 1971). With no new crops since the first draw all c are equal: the plain share of right answers.

Crops that came later had fewer draws. A batch of other cameras may be harder than all before, and its few audited crops
with their great weights then decide: an interval that takes the weights for luck is far too sure (benchmarks.audit --late
--harder). So the rest is parted by c, each part within a factor of 2, and each has an estimate and an interval of its own,
all or nothing where none was drawn; a part counts by its crops (Cochran 1977, sec. 5.3).

The interval at one look. In a part Wilson's, with the size of the simple sample that would be as exact: Kish 1965,
sec. 11.7, for unequal weights, and one over (1 / n + 1 / r), for R_t is not the whole but what the sample left over: its r
crops have an error of their own. The parts' ends are put together as their squared distances (Zou & Donner 2008, sec. 2;
for Wilson's: Yan & Su 2010). The spread over cameras makes it a little safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from worker.selection.pool import Rows
from worker.stopping.intervals import Reals, wilson

ALPHA = 0.05
LEAST = 30  # below it the interval of a species is wider than 20 points even where 9 of 10 are right


@dataclass(frozen=True, eq=False)
class Audit:
    """The crops that were drawn by chance and that a person has named.

    rows: (a,) different rows of the project. answers: (a,) their class ids. chance: (n,) the probability of every crop of
    the project to have been drawn so far (draw.chance_after). Crops that left the audit are not here, nor those that
    nobody could tell: the share is then of the crops that can be told. Raises ValueError where lengths differ, a row
    comes twice or an audited crop's chance is not in (0, 1].
    """

    rows: Rows
    answers: Rows
    chance: Reals

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.answers):
            raise ValueError(f"{len(self.rows)} audited rows, {len(self.answers)} answers")
        if len(np.unique(self.rows)) != len(self.rows):
            raise ValueError("a row is audited twice")
        bad = ~((self.chance[self.rows] > 0) & (self.chance[self.rows] <= 1))
        if bad.any():
            raise ValueError(f"the chance of the audited row {self.rows[bad.argmax()]} is not in (0, 1]")


@dataclass(frozen=True)
class Part:
    """Crops of the rest that were about as likely to be drawn, and what the audited ones among their like say.

    estimate: 0..1, NaN where none was audited. effective: the size of the equally weighted sample that is as exact.
    of: how many crops of the rest.
    """

    estimate: float
    effective: float
    of: float


@dataclass(frozen=True)
class Share:
    """estimate, low, high: shares 0..1, NaN, 0 and 1 where nothing is known. n: audited crops behind it.

    effective: the size of the simple sample of the rest that is as exact. of: how many crops of the rest it is about.
    parts: what it is put together of.
    """

    estimate: float
    low: float
    high: float
    n: int
    effective: float
    of: float
    parts: tuple[Part, ...] = ()


def accuracy_of_rest(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> Share:
    """The share of the rest that is guessed right.

    guesses: (n,) the class id that the present classifier gives to each crop. rest: (r,) rows that nobody has looked at,
    those that came after the last draw among them. Raises ValueError where an audited row is in the rest.
    """
    refuse_overlap(audit, rest)
    right = guesses[audit.rows] == audit.answers
    return share_of([part_of(right, part) for part in apart(audit, rest)], len(right), alpha)


def accuracy_by_guess(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> dict[int, Share]:
    """Of the crops of the rest that are called so, the share that is so; for each class id with 30 audited crops.

    Arguments and errors as above. A simple sample of the rest is one of each of its parts (Cochran 1977, sec. 2.12).
    Each interval is right by itself with 1 - alpha, not all of them at once.
    """
    refuse_overlap(audit, rest)
    guessed, right = guesses[audit.rows], guesses[audit.rows] == audit.answers
    parts = apart(audit, rest)

    def of_class(number: int, mine: NDArray[np.bool_]) -> Share:
        there = [replace(part, mine=part.mine & mine, of=float((guesses[part.rest] == number).sum())) for part in parts]
        return share_of([part_of(right, part) for part in there], int(mine.sum()), alpha)

    return {number: of_class(number, mine) for number, mine in often(guessed)}


def accuracy_by_answer(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> dict[int, Share]:
    """Of the crops of the rest that are so, the share that is called so; as above. How many there are is estimated."""
    refuse_overlap(audit, rest)
    right = guesses[audit.rows] == audit.answers
    parts, weight = apart(audit, rest), weights(audit)

    def of_class(mine: NDArray[np.bool_]) -> Share:
        everywhere = float(weight[mine].sum() / weight.sum())
        there = [replace(part, mine=part.mine & mine, of=part.of * part.portion(mine, everywhere)) for part in parts]
        return share_of([part_of(right, part) for part in there], int(mine.sum()), alpha)

    return {number: of_class(mine) for number, mine in often(audit.answers)}


@dataclass(frozen=True, eq=False)
class Likes:
    """A part of the rest before anything is said of it. mine: (a,) which audited crops are of its like; weight: (a,).

    rest: its rows. of: how many of them count.
    """

    mine: NDArray[np.bool_]
    weight: Reals
    rest: Rows
    of: float

    def portion(self, mine: NDArray[np.bool_], everywhere: float) -> float:
        """The share of the part that these audited crops stand for; where none was audited, as everywhere."""
        whole = float(self.weight[self.mine].sum())
        return float(self.weight[self.mine & mine].sum()) / whole if whole else everywhere


def apart(audit: Audit, rest: Rows) -> list[Likes]:
    """The rest by the chance to have been drawn, each part within a factor of 2; last what no draw has reached."""
    chance = audit.chance[audit.rows]
    highest = max(chance.max(initial=0.0), audit.chance[rest].max(initial=0.0))
    if not highest:
        return [Likes(np.ones(len(chance), bool), weights(audit), rest, len(rest))]
    with np.errstate(divide="ignore"):
        of_audited = np.floor(np.log2(highest / chance) + 1e-9)
        of_rest = np.floor(np.log2(highest / audit.chance[rest]) + 1e-9)
    weight = weights(audit)
    return [
        Likes(of_audited == number, weight, rest[of_rest == number], float((of_rest == number).sum()))
        for number in np.unique(of_rest)
    ]


def weights(audit: Audit) -> Reals:
    """(a,) how many crops that were not drawn each audited crop stands for; alike where all were drawn for certain."""
    chance = audit.chance[audit.rows]
    return np.ones(len(chance)) if (chance == 1).all() else (1 - chance) / chance


def part_of(right: NDArray[np.bool_], part: Likes) -> Part:
    """right: (a,) of all audited crops."""
    weight = part.weight[part.mine]
    if not weight.sum():
        return Part(nan, 0.0, part.of)
    return Part(float(weight @ right[part.mine] / weight.sum()), float(weight.sum() ** 2 / (weight @ weight)), part.of)


def share_of(parts: Sequence[Part], n: int, alpha: float) -> Share:
    """The parts together, without those of which nothing is left. n: audited crops."""
    parts = tuple(part for part in parts if part.of > 0)
    of = sum(part.of for part in parts)
    known = [part for part in parts if part.effective]
    if not known or of < 1:
        return Share(nan, 0.0, 1.0, n, 0.0, of)
    estimate = sum(part.of * part.estimate for part in known) / sum(part.of for part in known)
    effective = 1 / sum((part.of / of) ** 2 / max(part.effective, 1) for part in parts)

    def at_this_look(part: Part) -> tuple[float, float]:
        return wilson(part.estimate, 1 / (1 / part.effective + 1 / part.of), alpha)

    return Share(estimate, *together(parts, at_this_look), n, effective, of, parts)


def together(parts: Sequence[Part], ends: Callable[[Part], tuple[float, float]]) -> tuple[float, float]:
    """(low, high) of the whole from the ends of the parts that are known (Zou & Donner 2008, eq. 3); the others may be all wrong
    or all right. At least one is known.
    """
    known = [(part, *ends(part)) for part in parts if part.effective]
    of = sum(part.of for part in parts)
    right = sum(part.of * part.estimate for part, _low, _high in known)
    below = sum((part.of * (part.estimate - low)) ** 2 for part, low, _high in known)
    above = sum((part.of * (high - part.estimate)) ** 2 for part, _low, high in known)
    unknown = of - sum(part.of for part, _low, _high in known)
    return max((right - below**0.5) / of, 0.0), min((right + above**0.5 + unknown) / of, 1.0)


def often(classes: Rows) -> list[tuple[int, NDArray[np.bool_]]]:
    """Each class id that comes at least LEAST times, and where."""
    numbers, counts = np.unique(classes, return_counts=True)
    return [(int(number), classes == number) for number in numbers[counts >= LEAST]]


def refuse_overlap(audit: Audit, rest: Rows) -> None:
    """Raise ValueError where somebody has looked at a row of the rest."""
    both = audit.rows[np.isin(audit.rows, rest)]
    if len(both):
        raise ValueError(f"row {both[0]} is audited, so it is not in the rest")
