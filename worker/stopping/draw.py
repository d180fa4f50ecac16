"""Which crops are asked for the audit: each with the same chance, spread over cameras and bursts.

The strategy must not know who was drawn. Then the audited crops stay a fair sample of every later rest (accuracy.py):
* Audited crops stay OPEN to the strategy: they are neither labelled nor taken in its Pool.
* It ranks more crops than a round needs; `unaudited` walks down the ranking and serves those that are not audited.
* An audited crop that was passed on the way would have been picked. It has left the rest, so it leaves the audit, and
  is taken from then on. A crop further down was not looked at, so who is in the audit says nothing about who is left.
"""

from collections.abc import Collection, Sequence

import numpy as np

from worker.selection.errors import NotEnough
from worker.selection.pool import Rows
from worker.stopping.intervals import Reals

PICKS_PER_AUDIT = 14  # one crop in 15 of what a person is asked
CHECK = 300  # crops of a check at the stop: at 90% right, 95% lies within 3.5 points to either side


def draw(rows: Rows, deployment: Rows, sequence: Rows, m: int, rng: np.random.Generator) -> Rows:
    """Draw m of the given rows, each with probability m / len(rows); ascending.

    rows: (u,) different rows that nobody has looked at. deployment, sequence: (n,) of all crops. The rows are laid in
    a ring by deployment and sequence, by chance within a sequence; the ring is cut at a random place into m arcs of
    equal length (to one crop), and each arc gives one crop. So two crops of a burst are rarely drawn together.
    Raises NotEnough if m > u, ValueError if m < 0. Cochran 1977, sec. 5A.8 (one unit a stratum, against systematic).
    """
    if m < 0:
        raise ValueError(f"cannot draw {m} crops for the audit")
    if m > len(rows):
        raise NotEnough(f"{m} crops asked for the audit, {len(rows)} are left")
    if m == 0:
        return np.empty(0, dtype=np.int64)
    ring = rows[np.lexsort((rng.random(len(rows)), sequence[rows], deployment[rows]))]
    ends = np.arange(m + 1) * len(rows) // m
    # an arc of s crops gives each of them 1 / s, and the turn puts a crop into that arc with s / u: together m / u
    places = ends[:-1] + rng.integers(0, np.diff(ends)) + rng.integers(len(rows))
    return np.sort(ring[places % len(rows)])


def audits_of_round(picks: int, rng: np.random.Generator) -> int:
    """How many crops are audited beside so many picks: one in 15 in the long run, by chance where it does not divide."""
    return int(picks / PICKS_PER_AUDIT + rng.random())


def audits_among(crops: int, rng: np.random.Generator) -> int:
    """How many of the crops of a round are audited, so that the round is no longer than without; as above."""
    return int(crops / (PICKS_PER_AUDIT + 1) + rng.random())


def chance_after(chance: Reals, unseen: Rows, audited: Rows, m: int) -> Reals:
    """(n,) -> (n,) the probability of each crop to have been drawn by now, once m of the unseen ones are drawn.

    chance: before the draw, 0 at the start and for crops that came since. unseen: (u,) the rows drawn from. audited: the
    rows in the audit before the draw: had they not been drawn, they would be among the unseen. So crops that came
    together have the same chance, drawn or not; those that came later had fewer draws and weigh more (accuracy.py).
    """
    after = chance.copy()
    if len(unseen):
        exposed = np.concatenate([unseen, audited]).astype(np.int64)
        after[exposed] += (1 - after[exposed]) * m / len(unseen)
    return after


def unaudited(ranked: Sequence[int], audited: Collection[int], k: int) -> tuple[list[int], list[int]]:
    """(picks, left): the first k crops of the ranking that are not audited, and the audited ones passed on the way.

    ranked: what the strategy chose with the audited crops open, first pick first, k + len(audited) rows if there are so
    many. left: these leave the audit and are taken. Fewer than k picks where the ranking ends.
    """
    known = set(audited)
    picks: list[int] = []
    left: list[int] = []
    for row in ranked:
        if len(picks) == k:
            break
        (left if row in known else picks).append(row)
    return picks, left


def mixed(picks: Sequence[int], drawn: Sequence[int], rng: np.random.Generator) -> list[int]:
    """The order in which a person sees them: picks in their order, drawn crops at random places among them."""
    is_drawn = np.zeros(len(picks) + len(drawn), dtype=bool)
    is_drawn[rng.choice(len(is_drawn), size=len(drawn), replace=False)] = True
    shuffled = iter(rng.permutation(np.asarray(drawn, dtype=np.int64)).tolist())
    in_order = iter(picks)
    return [int(next(shuffled) if here else next(in_order)) for here in is_drawn]
