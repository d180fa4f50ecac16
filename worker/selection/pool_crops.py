"""The crops of a pool, for the strategies that look at pictures."""

import numpy as np
from numpy.typing import NDArray

from worker.selection.pool import Pool


def crops_of(pool: Pool, name: str) -> NDArray[np.uint8]:
    """(n, h, w, 3) uint8. name: of the strategy. Raises ValueError where the pool brings none."""
    if pool.crops is None:
        raise ValueError(f"{name} looks at the crops themselves, and this pool has vectors only")
    return pool.crops
