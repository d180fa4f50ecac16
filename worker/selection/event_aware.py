"""Event-aware: any strategy, but one crop a burst and cameras in turn: near twins teach little, places teach much."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from worker.selection.pool import Pool, Rows

Select = Callable[[Pool, int, np.random.Generator], list[int]]


def event_aware(select: Select) -> Select:
    """The same strategy, held to one crop a sequence and round, and to each deployment's even share of the round.

    It is asked, in its own order, for what is allowed until k are picked; what a rule bars is shown to it as taken. When
    no row is left the even share goes first, then the one crop a sequence: k rows come always. Sequence 0 is no burst: a
    crop whose burst is not known is one by itself. Raises what the strategy raises. Ours.
    """

    def chosen(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
        rows = pool.open_rows(k)
        # asked more than once a round: fit once. What k-center keeps must not learn of rows that are only barred.
        asked = replace(pool, fit=cache(pool.fit), coverage=None)
        picks: list[int] = pool.picked.tolist()
        done, k = len(picks), len(picks) + k
        share = -(-k // max(len(np.unique(pool.deployment[rows])), 1))
        for once, most in [(True, share), (True, k), (False, k)]:
            while len(picks) < k and len(free := allowed(asked, rows, picks, once, most)):
                barred = np.setdiff1d(rows, free, assume_unique=True)
                shown = replace(asked, taken=np.concatenate([asked.taken, barred]))
                found = select(shown, min(2 * (k - len(picks)), len(free)), rng)
                picks += kept(asked, picks, found, once, most)[: k - len(picks)]
        return picks[done:]

    return chosen


def allowed(pool: Pool, rows: Rows, picks: list[int], once: bool, most: int) -> Rows:
    """The open rows, without picked ones, whose burst (if only once) and deployment (at most so often) have room."""
    barred = np.isin(rows, picks)
    if once:
        barred |= np.isin(pool.sequence[rows], pool.sequence[picks]) & (pool.sequence[rows] != 0)
    cameras, times = np.unique(pool.deployment[picks], return_counts=True)
    barred |= np.isin(pool.deployment[rows], cameras[times >= most])
    return rows[~barred]


def kept(pool: Pool, picks: list[int], found: list[int], once: bool, most: int) -> list[int]:
    """Those of the found rows, in order, that the rules allow after the picks and each other."""
    bursts = {int(burst) for burst in pool.sequence[picks]}
    cameras = Counter(pool.deployment[picks].tolist())
    good: list[int] = []
    for row in found:
        burst, camera = int(pool.sequence[row]), int(pool.deployment[row])
        if cameras[camera] < most and not (once and burst and burst in bursts):
            good.append(row)
            bursts.add(burst)
            cameras[camera] += 1
    return good
