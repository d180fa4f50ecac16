"""Entropy: the crops whose guesses are spread the widest."""

import numpy as np

from worker.selection import random_pick
from worker.selection.pool import Floats, Pool
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k unlabelled rows of highest entropy.

    By chance while one class is known: every row is as sure of it. Raises NotEnough. Norouzzadeh et al. 2019, sec. 4.3.2.
    """
    rows = pool.open_rows(k)
    if pool.probabilities().shape[1] == 1:
        return random_pick.select(pool, k, rng)
    return lowest(-entropies(pool.probabilities()), rows, k)


def entropies(probabilities: Floats) -> Floats:
    """(n, C) -> (n,) -sum p log p in nats, with 0 log 0 = 0. Ren et al. 2021, eq. 5."""
    safe = np.maximum(probabilities, np.finfo(np.float32).tiny)
    entropy: Floats = -np.einsum("ij,ij->i", probabilities, np.log(safe), dtype=np.float32)
    return entropy
