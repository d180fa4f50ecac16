"""The k lowest scores, ties to the lowest row."""

import numpy as np

from worker.selection.pool import Floats, Rows


def lowest(scores: Floats, rows: Rows, k: int) -> list[int]:
    """scores: (n,), one a row of the pool; rows: (u,) ascending, those to choose from; k <= u. Lowest score first."""
    if k == 0:
        return []
    mine = scores[rows]
    cut = np.partition(mine, k - 1)[k - 1]
    few = np.flatnonzero(mine <= cut)
    best = few[np.argsort(mine[few], kind="stable")][:k]
    chosen: list[int] = rows[best].tolist()
    return chosen
