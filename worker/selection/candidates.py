"""Some rows by chance, for strategies that would compare every row with every other."""

import numpy as np

from worker.selection.pool import Rows

CANDIDATES = 10_000
SHARE = 10  # at least so many candidates a pick


def candidates(rows: Rows, k: int, rng: np.random.Generator) -> Rows:
    """(u,) ascending -> 10,000 of them by chance, ascending; more where k picks need more; all where there are fewer."""
    return drawn(rows, max(CANDIDATES, SHARE * k), rng)


def drawn(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    """(u,) ascending -> at most so many of them, by chance, ascending."""
    if len(rows) <= most:
        return rows
    return np.sort(rng.choice(rows, size=most, replace=False))
