"""DMBAL: the least certain crops are clustered, weighed by their doubt, and one is picked at each centre."""

import numpy as np

from worker.selection.clustering import at_centers, k_means
from worker.selection.learnt import margins_of
from worker.selection.pool import Pool, Rows
from worker.selection.ranking import lowest

BETA = 10  # candidates a pick


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows: the 10 k most informative, k-means weighted by informativeness, the nearest to each centre.

    Informativeness is 1 - (p1 - p2); by chance while fewer than two classes have a label. Raises NotEnough.
    Zhdanov 2019, "Diverse mini-batch active learning", Alg. 2; Ren et al. 2021, sec. 3.1.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    gaps = margins_of(pool, rng)
    few: Rows = np.array(lowest(gaps, rows, min(BETA * k, len(rows))), dtype=np.int64)
    vectors = np.asarray(pool.vectors[few], dtype=np.float32)
    # a row that is quite sure still has a place: k-means cannot be given weights that are all 0
    _, centers = k_means(vectors, k, rng, np.maximum(1 - gaps[few], np.float32(1e-6)))
    return [int(few[point]) for point in at_centers(vectors, centers)]
