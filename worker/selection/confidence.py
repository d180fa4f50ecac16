"""Least confidence: the crops whose best guess is the least probable."""

import numpy as np

from worker.selection import random_pick
from worker.selection.pool import Pool
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k unlabelled rows with the lowest max p.

    By chance while one class is known: every row is as sure of it. Raises NotEnough. Norouzzadeh et al. 2019, sec. 4.3.2.
    """
    rows = pool.open_rows(k)
    if pool.probabilities().shape[1] == 1:
        return random_pick.select(pool, k, rng)
    return lowest(pool.probabilities().max(axis=1), rows, k)
