"""A line through all crops on which those that look alike lie near each other, for people who name many at once.

The vectors fall into cells; the cells stand in the order of the leaves of their dendrogram (average linkage; Sokal & Michener
1958), which keeps whole families together; within a cell a crop lies along the way from the cell before to the cell after.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage

from worker.selection.clustering import k_means

Floats = NDArray[np.float32]
Vectors = NDArray[np.floating]

EXACT = 1_024  # up to so many crops each is a cell of its own
CELLS = 2_048  # the most
A_CELL = 16  # crops, where there are not too many
A_SAMPLE = 32  # crops a cell, to learn the cells from
OPTIMAL = (
    512  # up to so many cells the branches are turned so that neighbours are nearest (quadratic in memory, slow beyond)
)
BLOCK = 8_192  # rows at a time


@dataclass(frozen=True)
class Line:
    """centers: (c, d), in the order of the line. axes: (c, d), from the centre before to the one after, of length 1.

    reach: (c,) how far the crops of a cell spread along it.
    """

    centers: Floats
    axes: Floats
    reach: Floats

    @classmethod
    def through(cls, vectors: Vectors, rng: np.random.Generator) -> Line:
        """vectors: (n, d), n > 0."""
        cells = len(vectors) if len(vectors) <= EXACT else min(CELLS, max(EXACT, len(vectors) // A_CELL))
        sample = np.sort(rng.choice(len(vectors), min(len(vectors), cells * A_SAMPLE), replace=False))
        points = np.ascontiguousarray(vectors[sample], np.float32)
        centers = points if cells == len(points) else k_means(points, cells, rng)[1]
        centers = in_order(centers)
        padded = np.concatenate([centers[:1], centers, centers[-1:]])
        axes = padded[2:] - padded[:-2]
        axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-12)
        mine = nearest(points, centers)
        along = np.abs(np.vecdot(points - centers[mine], axes[mine]))
        sums = np.bincount(mine, along, minlength=cells)
        counts = np.bincount(mine, minlength=cells)
        return cls(centers, axes, np.maximum(sums / np.maximum(counts, 1), 1e-6).astype(np.float32))

    def places(self, vectors: Vectors) -> NDArray[np.float64]:
        """(n, d) -> (n,) from 0 to the number of cells; the same for the same vector, whatever else there is."""
        found = np.empty(len(vectors), np.float64)
        for lo in range(0, len(vectors), BLOCK):
            block = np.ascontiguousarray(vectors[lo : lo + BLOCK], np.float32)
            mine = nearest(block, self.centers)
            along = np.vecdot(block - self.centers[mine], self.axes[mine]) / self.reach[mine]
            found[lo : lo + BLOCK] = mine + 0.5 + 0.499 * np.tanh(along)
        return found


def in_order(centers: Floats) -> Floats:
    """(c, d) -> the same rows, alike ones near each other."""
    if len(centers) < 3:
        return centers
    tree = linkage(centers, "average", optimal_ordering=len(centers) <= OPTIMAL)
    return np.ascontiguousarray(centers[leaves_list(tree)])


def nearest(block: Floats, centers: Floats) -> NDArray[np.int64]:
    """(b, d), (c, d) -> (b,) the nearest centre of each row; ties to the lowest."""
    rough = block @ (-2 * centers.T)
    rough += np.vecdot(centers, centers)
    return np.asarray(rough.argmin(axis=1))
