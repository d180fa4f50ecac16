"""TA-VAAL: VAAL whose decoder and discriminator are told how wrong the classifier will be about each crop."""

import numpy as np

from worker.learning.adversarial import likeness
from worker.learning.loss_prediction import logistic_ranking
from worker.selection import initial
from worker.selection.learning_loss import losses_of
from worker.selection.pool import Floats, Pool
from worker.selection.pool_crops import crops_of
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k open rows with the lowest D; VAAL's with one label, SRAAL's first pool with none.

    Raises NotEnough, and ValueError where the pool has no crops, or naming a row that is not finite. Kim et al. 2021, sec. 3.
    Falls below random on CIFAR-10 with frozen vectors and the recipe for a CPU, by 0.8 points (docs/lab-log.md).
    """
    rows = pool.open_rows(k)
    crops = crops_of(pool, "TA-VAAL")
    if k == 0 or not len(pool.labelled):
        return initial.select(pool, k, rng)
    ranks = ranks_of(pool, rng) if len(pool.labelled) > 1 else None
    scores = likeness(crops, pool.labelled, rows, rng, condition=ranks)
    chosen: list[int] = rows[lowest(scores, np.arange(len(rows)), k)].tolist()
    return chosen


def ranks_of(pool: Pool, rng: np.random.Generator) -> Floats:
    """(n,) the place of each row's predicted loss among all rows, 0 the least, 1 the largest.

    The paper takes a sigmoid of the prediction; the place is as monotone and can neither saturate nor stick to one value.
    """
    n = len(pool.vectors)
    wrong = losses_of(pool, np.arange(n, dtype=np.int64), rng, logistic_ranking)
    ranks = np.empty(n, dtype=np.float32)
    ranks[np.argsort(wrong, kind="stable")] = np.arange(n, dtype=np.float32) / max(n - 1, 1)
    return ranks
