"""BADGE: k-means++ over the gradients that each crop would send into the last layer, were its best guess right."""

import numpy as np
from numpy.typing import NDArray

from worker.selection.learnt import classifier_of, layers_of
from worker.selection.pool import Floats, Pool


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows by k-means++ over gradient embeddings: doubtful ones (long gradients) and different ones.

    The embedding of a row is (p - onehot(argmax p)) outer its hidden layer, 100 C numbers that are never written
    down. Every open row takes part: 400 bytes each. Raises NotEnough, and ValueError naming a row that is not finite.
    Ash et al. 2020, "Deep batch active learning by diverse, uncertain gradient lower bounds", Alg. 1 and eq. 1.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    inner, slopes = layers_of(classifier_of(pool, rng), pool.vectors, rows)
    slopes[np.arange(len(rows)), slopes.argmax(axis=1)] -= 1
    return [int(rows[point]) for point in far_apart(slopes, inner, k, rng)]


def far_apart(left: Floats, right: Floats, k: int, rng: np.random.Generator) -> list[int]:
    """k-means++ over the outer products of left (u, C) and right (u, h), k <= u: k different points.

    The first is the longest (as in the authors' program), each next one has a chance that is proportional to its squared
    distance from the nearest before it; where all are 0, equal chances. Arthur & Vassilvitskii 2007, sec. 2.2.
    """
    sizes = np.vecdot(left, left) * np.vecdot(right, right)
    least = np.full_like(sizes, np.inf)
    free = np.ones(len(left), dtype=bool)
    points: list[int] = []
    for _ in range(k):
        point = draw(least, free, rng) if points else int(sizes.argmax())
        points.append(point)
        free[point] = False
        # |a x b - c x d|^2 = |a|^2 |b|^2 + |c|^2 |d|^2 - 2 (a . c) (b . d)
        away = sizes + sizes[point] - 2 * (left @ left[point]) * (right @ right[point])
        np.minimum(least, np.maximum(away, 0), out=least)
        least[point] = 0
    return points


def draw(weights: Floats, free: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """One point, its chance proportional to its weight (u,) >= 0; where all weigh 0, any that is free."""
    ladder = np.cumsum(weights, dtype=np.float64)
    if not ladder[-1] > 0:
        return int(rng.choice(np.flatnonzero(free)))
    point = int(np.searchsorted(ladder, rng.random() * ladder[-1], side="right"))
    return min(point, int(np.flatnonzero(weights)[-1]))
