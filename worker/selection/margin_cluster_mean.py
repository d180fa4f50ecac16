"""Margin cluster mean: the crops inside the margin are clustered, and one is picked at each centre."""

import numpy as np

from worker.selection.clustering import at_centers, k_means
from worker.selection.learnt import margins_of
from worker.selection.pool import Pool, Rows
from worker.selection.ranking import lowest

INSIDE = 0.5  # a gap p1 - p2 below it: of two classes, the better is less than three times as probable
SHARE, MOST = 3, 10_000  # at least so many points a pick, at most so many in all unless k needs more


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows: k-means over those with p1 - p2 < 0.5, the nearest to each centre.

    Of fewer than 3 k such rows the next by margin join them; of more than 10,000 those of the smallest margin stay.
    By chance while fewer than two classes have a label. Raises NotEnough. Norouzzadeh et al. 2019, S2; Xu et al. 2003,
    "Representative sampling for text classification using SVM", sec. 3.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    gaps = margins_of(pool, rng)
    inside = min(int((gaps[rows] < INSIDE).sum()), MOST)
    few: Rows = np.array(lowest(gaps, rows, min(max(inside, SHARE * k), len(rows))), dtype=np.int64)
    vectors = np.asarray(pool.vectors[few], dtype=np.float32)
    _, centers = k_means(vectors, k, rng)
    return [int(few[point]) for point in at_centers(vectors, centers)]
