"""VAAL: the crops whose codes a discriminator takes least for labelled."""

import numpy as np

from worker.learning.adversarial import likeness
from worker.selection import initial
from worker.selection.pool import Pool
from worker.selection.pool_crops import crops_of
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k open rows with the lowest D; without a label, the first pool of SRAAL.

    Raises NotEnough, and ValueError where the pool has no crops. Sinha et al. 2019, Alg. 2.
    Falls below random on CIFAR-10 with frozen vectors and the recipe for a CPU, by 1.0 points (docs/lab-log.md).
    """
    rows = pool.open_rows(k)
    crops = crops_of(pool, "VAAL")
    if k == 0 or not len(pool.labelled):
        return initial.select(pool, k, rng)
    scores = likeness(crops, pool.labelled, rows, rng)
    chosen: list[int] = rows[lowest(scores, np.arange(len(rows)), k)].tolist()
    return chosen
