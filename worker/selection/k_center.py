"""k-center: choose crops so that no crop is far from a chosen one (the best strategy of Norouzzadeh et al. 2019)."""

import numpy as np

from worker.selection.coverage import Coverage
from worker.selection.nearest import Vectors
from worker.selection.pool import Pool


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:  # noqa: ARG001, no chance in it
    """Choose k rows of the pool, in order, each the farthest from the labelled, taken and chosen ones.

    Taken rows are centres too: somebody has looked there. Uses pool.coverage if it fits, and brings it up to date: it
    must have been made from the same vectors. Raises NotEnough, and ValueError naming a row that is not finite.
    """
    pool.open_rows(k)
    gone = pool.gone()
    coverage = pool.coverage
    if coverage is None or coverage.vectors is not pool.vectors or not np.isin(coverage.rows, gone).all():
        coverage = Coverage.of_rows(pool.vectors, gone)
    coverage.add(gone)
    return coverage.farthest(k)


def k_center(vectors: Vectors, centers: Vectors, k: int) -> list[int]:
    """Choose k rows, each the farthest from everything chosen before it (greedy 2-approximation).

    vectors: (n, d) float32 or float16, the unlabelled crops. centers: (m, d), the labelled ones. Ties go to the lowest row; with
    no centre the first is the row farthest from the mean. Raises NotEnough if k > n, ValueError naming a row that is
    not finite. Norouzzadeh et al. 2019, sec. 4.3.2; Sener & Savarese 2018, Alg. 1.
    """
    return Coverage(vectors, centers, None).farthest(k)
