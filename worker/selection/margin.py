"""Margin: the crops between two classes."""

import numpy as np

from worker.selection import random_pick
from worker.selection.pool import Floats, Pool
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k unlabelled rows with the smallest margin.

    By chance while one class is known: every row is as sure of it. Raises NotEnough. Norouzzadeh et al. 2019, sec. 4.3.2.
    """
    rows = pool.open_rows(k)
    if pool.probabilities().shape[1] == 1:
        return random_pick.select(pool, k, rng)
    return lowest(margins(pool.probabilities()), rows, k)


def margins(probabilities: Floats) -> Floats:
    """(n, C) -> (n,) p1 - p2 of the two most probable classes; p1 where there is one. Ren et al. 2021, sec. 3.1."""
    if probabilities.shape[1] == 1:
        return probabilities[:, 0]
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    gap: Floats = two[:, 1] - two[:, 0]
    return gap
