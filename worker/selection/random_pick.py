"""Random: the baseline that every other strategy has to beat, and the first pool."""

import numpy as np

from worker.selection.pool import Pool


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k unlabelled rows with equal chances. Raises NotEnough. Norouzzadeh et al. 2019, sec. 4.3.2."""
    chosen: list[int] = rng.choice(pool.open_rows(k), size=k, replace=False).tolist()
    return chosen
