"""What the nearest named crops are called: a second opinion on a name, apart from the classifier's.

k nearest neighbours with a vote (Cover & Hart 1967); named crops whose neighbours say something else are the suspected label
errors of edited nearest neighbours (Wilson 1972).
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
Vectors = NDArray[np.floating]

ASKED = 5  # neighbours
AGREE = 3  # so many must say the same
SEEN = 16  # looked at, to find so many of other bursts: photos of one burst are near twins and say nothing new
FLAT = 10_000  # up to so many named crops are compared with each other; more through coarse cells
PROBED = 8  # cells


def opinions(
    vectors: Vectors, sequence: Ids, named: Vectors, names: Ids, named_sequence: Ids
) -> tuple[Ids, NDArray[np.float32]]:
    """(n, d) crops of sequences (n,), (m, d) named crops with names (m,) and sequences (m,) -> (n,) the name that at least 3 of
    the 5 nearest of other sequences have, 0 where they do not agree or there are too few; (n,) its share of those asked.
    """
    said, share = np.zeros(len(vectors), np.int64), np.zeros(len(vectors), np.float32)
    if len(named) < AGREE or not len(vectors):
        return said, share
    index = index_of(np.ascontiguousarray(named, np.float32))
    _distances, found = index.search(np.ascontiguousarray(vectors, np.float32), min(SEEN, len(named)))
    foreign = (found >= 0) & (named_sequence[found] != sequence[:, None])
    asked = foreign & (np.cumsum(foreign, axis=1) <= ASKED)
    votes = np.where(asked, names[found], 0)
    for row in np.flatnonzero(asked.sum(axis=1) >= AGREE):
        spoken = votes[row][votes[row] > 0]
        values, counts = np.unique(spoken, return_counts=True)
        most = int(counts.argmax())
        if counts[most] >= AGREE:
            said[row], share[row] = values[most], counts[most] / len(spoken)
    return said, share


def index_of(named: NDArray[np.float32]) -> Any:
    """(m, d) -> FAISS over them."""
    index: Any = faiss.IndexFlatL2(named.shape[1])
    if len(named) > FLAT:
        index = faiss.IndexIVFFlat(index, named.shape[1], 4 * int(len(named) ** 0.5))
        index.cp.min_points_per_centroid = 1  # so few names a cell are meant: no warning
        index.cp.niter = 5
        index.train(named)
        index.nprobe = PROBED
    index.add(named)
    return index
