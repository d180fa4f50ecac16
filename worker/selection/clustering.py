"""Clusters of rows, by scikit-learn: k-means, its mini-batch form for many points, and the rows at the centres."""

import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

from worker.selection.coverage import squared_distance
from worker.selection.pool import Floats, Pool, Rows

MANY = 10_000  # points from which on k-means looks at some of them a step
FEWEST = 10  # clusters where few classes are known


def k_means(
    vectors: Floats, clusters: int, rng: np.random.Generator, weights: Floats | None = None
) -> tuple[Rows, Floats]:
    """(u, d), 0 < clusters <= u, weights (u,) > 0 -> the cluster of each point (u,) and the centres (clusters, d).

    Where points are equal some clusters may be empty. Raises ValueError on vectors that are not finite.
    """
    seed = int(rng.integers(2**31))
    if len(vectors) > MANY:
        found = MiniBatchKMeans(clusters, n_init=1, batch_size=max(1024, 2 * clusters), random_state=seed)
    else:
        found = KMeans(clusters, n_init=1, max_iter=100, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # equal points give fewer clusters: that is meant
        found.fit(vectors, sample_weight=weights)
    return found.labels_.astype(np.int64), found.cluster_centers_.astype(np.float32)


def clusters_of(pool: Pool) -> int:
    """How many kinds a pool may hold: the classes that have a label, or 10 where that is more."""
    return max(len(np.unique(pool.labels)), FEWEST)


def at_centers(vectors: Floats, centers: Floats) -> list[int]:
    """(u, d) and (k, d), k <= u -> k different points: each centre in turn takes the nearest that is left."""
    free = np.ones(len(vectors), dtype=bool)
    points: list[int] = []
    for center in centers:
        point = int(np.where(free, squared_distance(vectors, center), np.inf).argmin())
        free[point] = False
        points.append(point)
    return points
