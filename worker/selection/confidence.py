"""Least confidence: the crops whose best guess is the least probable."""

import numpy as np

from worker.selection.pool import Pool
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:  # noqa: ARG001, no chance in it
    """Choose the k unlabelled rows with the lowest max p. Raises NotEnough. Norouzzadeh et al. 2019, sec. 4.3.2."""
    rows = pool.open_rows(k)
    return lowest(pool.probabilities().max(axis=1), rows, k)
