"""Label propagation: names flow from the crops that have one to their neighbours, and to theirs.

The graph joins each crop to its nearest ones, W = exp(-|x - y|^2 / 2 sigma^2), sigma the median distance to the last of them.
Zhou et al. 2004, "Learning with local and global consistency", sec. 2; the sparse graph and conjugate gradients as in
Iscen et al. 2019, "Label propagation for deep semi-supervised learning", sec. 4.1.
"""

from __future__ import annotations

import faiss
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import cg

from worker.learning.descent import Floats, Ids

NEIGHBOURS = 10
ALPHA = 0.99  # how much a crop believes its neighbours (both papers)
STEPS, NEAR = 200, 1e-4  # of conjugate gradients


def propagate(vectors: Floats, rows: Ids, columns: Ids, classes: int) -> Floats:
    """(n, d), the named rows (m,) with their classes 0..C-1 (m,) -> (n, C) shares of each name, all 0 out of reach.

    F = (I - alpha S)^-1 Y with S = D^-1/2 W D^-1/2 (Zhou et al. 2004, sec. 2), each row then divided by its sum.
    """
    n = len(vectors)
    start = np.zeros((n, classes))
    start[rows, columns] = 1
    system = sparse.identity(n, format="csr") - ALPHA * joined(vectors)
    flow = np.stack([cg(system, start[:, column], rtol=NEAR, maxiter=STEPS)[0] for column in range(classes)], axis=1)
    flow = np.maximum(flow, 0)
    total = flow.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(flow, total, out=np.zeros_like(flow), where=total > 0), np.float32)


def joined(vectors: Floats) -> sparse.csr_matrix:
    """S, (n, n): who is near whom, symmetric, made even between crops of many and of few neighbours."""
    n, k = len(vectors), min(NEIGHBOURS, len(vectors) - 1)
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors))
    squares, found = index.search(np.ascontiguousarray(vectors), k + 1)
    squares = np.maximum(squares, 0).astype(np.float64)
    width = max(float(np.median(squares[:, -1])), 1e-12)
    weights = np.exp(-squares / (2 * width))
    weights[found == np.arange(n)[:, None]] = 0  # nobody is a neighbour of itself
    near = sparse.csr_matrix((weights.ravel(), (np.repeat(np.arange(n), k + 1), found.ravel())), shape=(n, n))
    near = near.maximum(near.T)
    degree = np.maximum(np.asarray(near.sum(axis=1)).ravel(), 1e-12)
    half = sparse.diags(degree**-0.5)
    return (half @ near @ half).tocsr()
