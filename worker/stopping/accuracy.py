"""How much of what nobody has looked at is named right, from the audited crops.

The estimand. R_t are the crops that nobody has looked at after round t, g_t the present guesses. Wanted is the share of
R_t that g_t names right: the names that stay if the person stops now. Both R_t and g_t change in each round.

The estimator. The picks are no fair sample of R_t: they are the hard ones. The audited crops are, if the strategy was
blind to them (draw.py): picks and guesses are then what they would have been had others been audited, so each crop that
is still here was audited with its known probability c, whatever happened. Every answer so far is compared with the
PRESENT guess. A crop audited with probability c stands for (1 - c) / c crops that were not (Horvitz & Thompson 1952;
as a ratio: Hajek 1971). With no new crops since the first draw all c are equal: the plain share of right answers.

The interval at one look. Wilson's, with the size of the simple sample that would be as exact: Kish 1965, sec. 11.7, for
unequal weights, and one over (1 / n + 1 / r), for R_t is not the whole but what the sample left over: its r crops have
an error of their own. The spread over cameras makes it a little safe.
"""

from dataclasses import dataclass
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

    rows: (a,) different rows of the project. answers: (a,) their class ids. chance: (a,) the probability of each to have
    been drawn so far (draw.chance_after). Crops that left the audit are not here, nor those that nobody could tell:
    the share is then of the crops that can be told. Raises ValueError where lengths differ, a row comes twice or a
    chance is not in (0, 1].
    """

    rows: Rows
    answers: Rows
    chance: Reals

    def __post_init__(self) -> None:
        if not len(self.rows) == len(self.answers) == len(self.chance):
            raise ValueError(f"{len(self.rows)} audited rows, {len(self.answers)} answers, {len(self.chance)} chances")
        if len(np.unique(self.rows)) != len(self.rows):
            raise ValueError("a row is audited twice")
        bad = ~((self.chance > 0) & (self.chance <= 1))
        if bad.any():
            raise ValueError(f"the chance of the audited row {self.rows[bad.argmax()]} is not in (0, 1]")


@dataclass(frozen=True)
class Share:
    """estimate, low, high: shares 0..1, NaN, 0 and 1 where nothing is known. n: audited crops behind it.

    effective: the size of the equally weighted sample that is as exact. of: how many crops of the rest it is about.
    """

    estimate: float
    low: float
    high: float
    n: int
    effective: float
    of: float


def accuracy_of_rest(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> Share:
    """The share of the rest that is guessed right.

    guesses: (n,) the class id that the present classifier gives to each crop. rest: (r,) rows that nobody has looked at;
    crops that came after the last draw are left out, for no audited crop can speak for them.
    Raises ValueError where an audited row is in the rest.
    """
    refuse_overlap(audit, rest)
    return share_of(guesses[audit.rows] == audit.answers, weights(audit), len(rest), alpha)


def accuracy_by_guess(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> dict[int, Share]:
    """Of the crops of the rest that are called so, the share that is so; for each class id with 30 audited crops.

    Arguments and errors as above. A simple sample of the rest is one of each of its parts (Cochran 1977, sec. 2.12).
    Each interval is right by itself with 1 - alpha, not all of them at once.
    """
    refuse_overlap(audit, rest)
    guessed, right, weight = guesses[audit.rows], guesses[audit.rows] == audit.answers, weights(audit)
    return {
        number: share_of(right[mine], weight[mine], int((guesses[rest] == number).sum()), alpha)
        for number, mine in often(guessed)
    }


def accuracy_by_answer(guesses: Rows, audit: Audit, rest: Rows, alpha: float = ALPHA) -> dict[int, Share]:
    """Of the crops of the rest that are so, the share that is called so; as above. How many there are is estimated."""
    refuse_overlap(audit, rest)
    right, weight = guesses[audit.rows] == audit.answers, weights(audit)
    return {
        number: share_of(right[mine], weight[mine], len(rest) * weight[mine].sum() / weight.sum(), alpha)
        for number, mine in often(audit.answers)
    }


def weights(audit: Audit) -> Reals:
    """(a,) how many crops that were not drawn each audited crop stands for; alike where all were drawn for certain."""
    if (audit.chance == 1).all():
        return np.ones(len(audit.chance))
    return (1 - audit.chance) / audit.chance


def share_of(right: NDArray[np.bool_], weight: Reals, rest: float, alpha: float) -> Share:
    """right: (a,) of the audited crops, weight: (a,). rest: how many crops they speak for."""
    n = len(right)
    if n == 0 or rest < 1 or not weight.sum():
        return Share(nan, 0.0, 1.0, n, 0.0, float(rest))
    estimate = float(weight @ right / weight.sum())
    effective = float(weight.sum() ** 2 / (weight @ weight))
    low, high = wilson(estimate, 1 / (1 / effective + 1 / rest), alpha)
    return Share(estimate, low, high, n, effective, float(rest))


def often(classes: Rows) -> list[tuple[int, NDArray[np.bool_]]]:
    """Each class id that comes at least LEAST times, and where."""
    numbers, counts = np.unique(classes, return_counts=True)
    return [(int(number), classes == number) for number in numbers[counts >= LEAST]]


def refuse_overlap(audit: Audit, rest: Rows) -> None:
    """Raise ValueError where somebody has looked at a row of the rest."""
    both = audit.rows[np.isin(audit.rows, rest)]
    if len(both):
        raise ValueError(f"row {both[0]} is audited, so it is not in the rest")
