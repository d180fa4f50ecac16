"""Informative and diverse: the least certain crops, as many of each cluster as it has in the pool."""

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from worker.selection.candidates import drawn
from worker.selection.clustering import clusters_of
from worker.selection.learnt import margins_of, refuse
from worker.selection.nearest import nearest_centers
from worker.selection.pool import Floats, Pool, Rows
from worker.selection.ranking import lowest

SAMPLE = 4_000  # rows under the tree: it needs every distance between them


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows of the smallest margin, so many of each cluster that the picks are spread as the open rows are.

    Clusters: a hierarchical tree (Ward) over 4,000 open rows by chance, cut into as many as there are classes, at
    least 10; every other row joins the nearest mean. While fewer than two classes have a label, by chance inside a
    cluster. Raises NotEnough, and ValueError naming a row that is not finite. Norouzzadeh et al. 2019, S2.
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    gaps = margins_of(pool, rng)
    sample = drawn(rows, SAMPLE, rng)
    vectors = np.asarray(pool.vectors[sample], dtype=np.float32)
    refuse(vectors, sample)
    homes = nearest_centers(pool.vectors, means_of(vectors, clusters_of(pool)))[0][rows]
    picks: list[int] = []
    for home, quota in enumerate(shares(np.bincount(homes), k)):
        picks += lowest(gaps, rows[homes == home], quota)
    return picks


def means_of(vectors: Floats, clusters: int) -> Floats:
    """(u, d), u > 0 -> the means of the clusters of their tree (at most `clusters`, d)."""
    if len(vectors) <= clusters:
        return vectors
    homes = AgglomerativeClustering(clusters, linkage="ward").fit_predict(vectors)
    return np.stack([vectors[homes == home].mean(axis=0) for home in range(clusters)])


def shares(sizes: Rows, k: int) -> list[int]:
    """(c,) sizes, their sum >= k -> k picks spread alike, each within its size: whole parts, then the largest rests."""
    whole, rest = np.divmod(k * sizes, sizes.sum())
    largest = np.argsort(-rest, kind="stable")[: k - int(whole.sum())]
    whole[largest] += 1
    quotas: list[int] = whole.tolist()
    return quotas
