"""Margin, spread: among the closest calls, crops that are unlike each other."""

import numpy as np

from worker.selection.coverage import squared_distance
from worker.selection.learnt import margins_of
from worker.selection.pool import Floats, Pool
from worker.selection.ranking import lowest

SHARE = 5  # the so many times k closest calls take part


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows among the 5 k smallest margins: the closest call, then each the largest (1 - margin) d^2.

    d is the distance to the nearest pick of this round between vectors of length 1, so that a round does not ask the same
    doubt a hundred times; labelled rows play no part, the classifier knows them already. By chance while fewer than two
    classes have a label. Raises NotEnough. Ours: k-center (Sener & Savarese 2018, Alg. 1) on margin's picks.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    gaps = margins_of(pool, rng)
    few = np.array(lowest(gaps, rows, min(SHARE * k, len(rows))), dtype=np.int64)
    vectors = lengthened(np.asarray(pool.vectors[few], dtype=np.float32))
    before = lengthened(np.asarray(pool.vectors[pool.picked], dtype=np.float32))
    return [int(few[point]) for point in spread(1 - gaps[few], vectors, k, before)]


def spread(doubts: Floats, vectors: Floats, k: int, before: Floats) -> list[int]:
    """(u,) > 0 or 0 and (u, d), k <= u -> k different points, greedily; ties go to the lower point.

    before: (b, d) of this round's picks so far.
    """
    free = np.ones(len(doubts), dtype=bool)
    away = np.ones(len(doubts), dtype=np.float32)
    for place, vector in enumerate(before):
        distances = squared_distance(vectors, vector)
        away = np.minimum(away, distances) if place else distances
    points: list[int] = []
    for _ in range(k):
        point = int(np.where(free, doubts * away, -1).argmax())
        distances = squared_distance(vectors, vectors[point])
        away = np.minimum(away, distances) if points or len(before) else distances
        free[point] = False
        points.append(point)
    return points


def lengthened(vectors: Floats) -> Floats:
    """(u, d) -> the same at length 1; a vector of zeros stays."""
    lengths: Floats = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    return vectors / lengths
