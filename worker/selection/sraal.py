"""SRAAL: the crops that a discriminator takes least for labelled, where uncertain ones were relabelled as less so."""

import numpy as np

from worker.learning.state_relabeling import likeness
from worker.selection import initial
from worker.selection.pool import Pool
from worker.selection.pool_crops import crops_of
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k open rows with the lowest D after a round of training; without a label, the first pool of the paper.

    Raises NotEnough, and ValueError where the pool has no crops. Zhang et al. 2020, Alg. 2; eq. 1 to 7 are those of
    worker/learning/state_relabeling.
    Falls below random on CIFAR-10 with frozen vectors and the recipe for a CPU, by 0.9 points (docs/lab-log.md).
    """
    rows = pool.open_rows(k)
    crops = crops_of(pool, "SRAAL")
    if k == 0 or not len(pool.labelled):
        return initial.select(pool, k, rng)
    scores = likeness(crops, pool.labelled, pool.labels, rows, rng)
    chosen: list[int] = rows[lowest(scores, np.arange(len(rows)), k)].tolist()
    return chosen
