"""The first pool of SRAAL: crops that lie far apart in the codes of an autoencoder. No label is needed."""

import numpy as np

from worker.learning.adversarial import latents
from worker.selection.coverage import Coverage
from worker.selection.pool import Pool
from worker.selection.pool_crops import crops_of

RANDOM_SHARE = 0.1  # of the picks, before k-center; "a few" in the paper


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose a few open rows by chance, then each the farthest from everything chosen, labelled or taken.

    Raises NotEnough, and ValueError where the pool has no crops. Zhang et al. 2020, Alg. 1.
    """
    rows = pool.open_rows(k)
    crops = crops_of(pool, "the k-center first pool")
    if k == 0:
        return []
    few = rng.permutation(rows)[: max(1, int(RANDOM_SHARE * k))]
    everything = np.arange(len(pool.vectors), dtype=np.int64)
    coverage = Coverage.of_rows(latents(crops, everything, rng), np.concatenate([pool.gone(), few]))
    first: list[int] = few.tolist()
    return first + coverage.farthest(k - len(few))
