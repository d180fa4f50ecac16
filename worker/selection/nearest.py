"""The nearest centre of each row, or one that is near it: FAISS, on a GPU where it has one."""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Vectors = NDArray[np.floating]  # float32, or float16 where the store keeps halves

BLOCK = 4_096  # rows at a time in a pass over all vectors: 4 MB at d = 256
FLAT = 128  # up to so many centres are searched exhaustively, more through coarse cells
WORST, AGAIN = 16, 8  # for one row in so many, so many cells are searched


def nearest_centers(vectors: Vectors, centers: Floats) -> tuple[NDArray[np.int32], Floats]:
    """(n, d) and (m, d), m > 0 -> (n,) int32: a near, mostly the nearest, centre of each row; (n,) its squared distance.

    Few centres are searched exhaustively, and any number on a GPU; else through coarse cells. The distances are FAISS's,
    with its rounding; infinity where the cell is empty. Never an index of the rows: that would copy the matrix.
    """
    index = on_gpu(centers)
    if index is None:
        index = flat(centers) if len(centers) <= FLAT else Cells(centers)
    found, distances = np.empty(len(vectors), dtype=np.int32), np.empty(len(vectors), dtype=np.float32)
    for lo in range(0, len(vectors), BLOCK):
        block = np.ascontiguousarray(vectors[lo : lo + BLOCK], dtype=np.float32)
        reach, numbers = index.search(block, 1)
        found[lo : lo + BLOCK], distances[lo : lo + BLOCK] = numbers[:, 0], reach[:, 0]
    if isinstance(index, Cells):
        search_worst_again(vectors, index, found, distances)
    distances[found < 0] = np.inf
    return np.maximum(found, 0, out=found), distances


def on_gpu(centers: Floats) -> Any:
    """FAISS over all the centres on the first card; None where there is none, or where it has no room or no kernel for it."""
    if not faiss.get_num_gpus():
        return None
    try:
        return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, flat(centers))
    except RuntimeError:  # FAISS's own word for all of them; the processor finds the same
        return None


def flat(centers: Floats) -> Any:
    """FAISS over all the centres, each compared."""
    index = faiss.IndexFlatL2(centers.shape[1])
    index.add(centers)
    return index


class Cells:
    """FAISS's inverted file: the centres lie in 4 sqrt(m) cells, of which only the nearest are searched."""

    def __init__(self, centers: Floats) -> None:
        """centers: (m, d), m > 15."""
        d = centers.shape[1]
        self.index: Any = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, 4 * int(len(centers) ** 0.5))
        self.index.cp.min_points_per_centroid = 1  # so few centres a cell are meant: no warning
        self.index.cp.niter = 5
        self.index.train(centers)
        self.index.add(centers)
        means = self.index.quantizer.reconstruct_n(0, self.index.nlist)
        self._directions, self._sizes = np.ascontiguousarray(-2 * means.T), np.vecdot(means, means)

    def search(self, block: Floats, k: int) -> tuple[Floats, NDArray[np.int64]]:
        """(b, d) -> squared distances and numbers of the k nearest centres in the nearest cell, (b, k); -1 for none.

        The cell comes from one matrix product: FAISS's own search for it takes twice as long (measured).
        """
        rough = block @ self._directions
        rough += self._sizes
        cells = rough.argmin(axis=1)[:, None]
        found: tuple[Floats, NDArray[np.int64]]
        found = self.index.search_preassigned(block, k, cells, np.zeros(cells.shape, np.float32))
        return found


def search_worst_again(vectors: Vectors, cells: Cells, found: NDArray[np.int32], distances: Floats) -> None:
    """Search more cells for the rows that are farthest from what was found: some of them lie at the edge of a cell, and each
    would be compared with all centres later."""
    most = len(vectors) - len(vectors) // WORST
    worst = (
        np.flatnonzero(distances >= np.partition(distances, most)[most]) if most < len(vectors) else np.empty(0, int)
    )
    more: Any = faiss.SearchParametersIVF()
    more.nprobe = AGAIN
    for lo in range(0, len(worst), BLOCK):
        rows = worst[lo : lo + BLOCK]
        reach, numbers = cells.index.search(np.ascontiguousarray(vectors[rows], dtype=np.float32), 1, params=more)
        found[rows], distances[rows] = numbers[:, 0], reach[:, 0]
