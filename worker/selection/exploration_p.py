"""Exploration-P: doubt less likeness to what is picked already, and some picks by chance while labels are few."""

import numpy as np

from worker.selection.candidates import drawn
from worker.selection.entropy import entropies
from worker.selection.learnt import classifier_of, layers_of
from worker.selection.pool import Floats, Pool

ALPHA = 1.0


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows S: greedily the largest I(S) = E(S) - alpha / |S| R(S), after a share by pure chance.

    E(S) is the sum of the entropies, R(S) the sum over all pairs of S, a row with itself too, of the cosine between
    their hidden layers. By chance: k^2 / (k + labels) rows, all of the first round and fewer in each later one (the
    paper lets chance decay too; this schedule is ours). They come first and count in R. Raises NotEnough, and
    ValueError naming a row that is not finite. Yin et al. 2017, "Deep similarity-based batch mode active learning with
    exploration-exploitation"; Ren et al. 2021, eq. 6 and 7.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    chosen = drawn(np.arange(len(rows)), round(k * k / (k + len(pool.labelled))), rng)
    if len(chosen) == k:
        return [int(row) for row in rows[chosen]]
    inner, chances = layers_of(classifier_of(pool, rng), pool.vectors, rows)
    inner /= np.maximum(np.linalg.norm(inner, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return [int(row) for row in rows[grown(chosen.tolist(), entropies(chances), inner, k)]]


def grown(points: list[int], doubts: Floats, unit: Floats, k: int) -> list[int]:
    """The points and as many more as make k, each the one that leaves I(S) the largest; ties to the lowest.

    doubts: (u,) entropies. unit: (u, h) rows of length 1. With x in it, R(S) grows by 1 + 2 (x . sum of S).
    """
    points = list(points)
    whole = unit[points].sum(axis=0)
    left = doubts.copy()
    left[points] = -np.inf
    while len(points) < k:
        point = int((left - 2 * ALPHA / (len(points) + 1) * (unit @ whole)).argmax())
        points.append(point)
        whole += unit[point]
        left[point] = -np.inf
    return points
