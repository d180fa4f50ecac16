"""ProbCover: the crops whose balls cover the most crops that no labelled crop's ball covers."""

import numpy as np
from numpy.typing import NDArray

from worker.selection.candidates import candidates
from worker.selection.clustering import clusters_of, k_means
from worker.selection.pool import Floats, Pool, Rows

PURE = 0.95  # so many balls hold one cluster only
BLOCK = 1_000  # rows of a table of distances at a time


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows, each with the most uncovered rows nearer than delta; ties to the lowest, by chance once none is left.

    delta is the largest radius at which 95% of the balls hold rows of one cluster only (k-means, as many clusters as
    classes, at least 10). Labelled and taken rows cover too. All over 10,000 open rows by chance, 10 k where that is
    more. Raises NotEnough, and ValueError on vectors that are not finite. Yehuda et al. 2022, "Active learning through
    a covering lens", Alg. 1, sec. 3.2.
    Falls below random on frozen vectors of CIFAR-10, by 3.2 points (docs/lab-log.md).
    """
    rows = pool.open_rows(k)
    if not k:
        return []
    few = candidates(rows, k, rng)
    vectors = np.asarray(pool.vectors[few], dtype=np.float32)
    homes, _ = k_means(vectors, min(clusters_of(pool), len(few)), rng)
    reach = radius(vectors, homes)
    covered = np.zeros(len(few), dtype=bool)
    gone = pool.gone()
    for lo in range(0, len(gone), BLOCK):
        seen = np.asarray(pool.vectors[gone[lo : lo + BLOCK]], dtype=np.float32)
        covered |= (squared_distances(vectors, seen) < reach).any(axis=1)
    points = cover(vectors, covered, reach, k)
    rest = np.setdiff1d(np.arange(len(few)), points)
    points += rng.choice(rest, size=k - len(points), replace=False).tolist()
    return [int(few[point]) for point in points]


def radius(vectors: Floats, homes: Rows) -> float:
    """(u, d), (u,) clusters -> delta squared: nearer than it, at least 95% of the rows have only their own cluster."""
    nearest = np.empty(len(vectors), dtype=np.float32)
    for lo in range(0, len(vectors), BLOCK):
        away = squared_distances(vectors[lo : lo + BLOCK], vectors)
        away[homes[lo : lo + BLOCK, None] == homes] = np.inf
        nearest[lo : lo + BLOCK] = away.min(axis=1)
    nearest.sort()
    return float(nearest[int((1 - PURE) * len(nearest))])


def cover(vectors: Floats, covered: NDArray[np.bool_], reach: float, k: int) -> list[int]:
    """At most k points, greedily those that cover the most; fewer where all is covered before.

    Only the number that a point would cover is kept; it falls as points are covered, and each is covered once: two
    passes over all pairs, whatever k, and no table of them.
    """
    covered = covered.copy()
    degrees = np.zeros(len(vectors), dtype=np.int64)
    open_points = np.flatnonzero(~covered)
    for lo in range(0, len(open_points), BLOCK):
        degrees += within(vectors, open_points[lo : lo + BLOCK], reach).sum(axis=1)
    points: list[int] = []
    while len(points) < k and degrees.max() > 0:
        point = int(degrees.argmax())
        points.append(point)
        degrees[point] = 0
        fresh = np.flatnonzero(within(vectors, np.array([point]), reach)[:, 0] & ~covered)
        covered[fresh] = True
        for lo in range(0, len(fresh), BLOCK):
            degrees -= within(vectors, fresh[lo : lo + BLOCK], reach).sum(axis=1)
    return points


def within(vectors: Floats, points: Rows, reach: float) -> NDArray[np.bool_]:
    """(u, b) which rows are nearer than delta to these points; a point is near itself, whatever delta."""
    near = squared_distances(vectors, vectors[points]) < reach
    near[points, np.arange(len(points))] = True
    return near


def squared_distances(left: Floats, right: Floats) -> Floats:
    """(a, d) and (b, d) -> (a, b)."""
    found: Floats = left @ (-2 * right.T)
    found += np.vecdot(left, left)[:, None]
    found += np.vecdot(right, right)
    return np.maximum(found, 0, out=found)
