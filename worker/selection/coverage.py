"""How far every crop is from the nearest chosen one, and which is farthest: exact greedy, done lazily.

m(x), the squared distance from row x to its nearest centre, only falls as centres are added. So an old m(x) is an upper
bound, and a row has to be compared with the newer centres only when its bound is the largest of all. Decisions:
* One distance, `squared_distance`, decides everything. Matrix products and FAISS only say which pairs need it, so the
  picks do not depend on their rounding, and ties go to the lowest row as in plain greedy.
* No heap: a shortlist of the largest bounds, remade when all of it has fallen below what lies outside.
* Newer centres are compared before those of the start: a pick in a new cluster puts the whole cluster out of the race,
  and only what is still on top after that is checked against the thousands that were there before.
* Matrix products are cut into tiles that BLAS does on one thread: under load its threads wait for each other, 50 ms for
  a product of 0.05 ms (measured).
* State is 13 bytes a row; it may be kept from round to round, until the vectors change.
"""

from __future__ import annotations

from collections.abc import Mapping

import faiss
import numpy as np
from numpy.typing import NDArray

from worker.selection.errors import NotEnough

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

BLOCK = 16_384  # rows at a time in a pass over all vectors: 16 MB at d = 256
PAIRS = 65_536  # exact distances at a time
TILE = 262_144  # OpenBLAS takes a second thread above so many multiplications
SMALLEST, LARGEST = 16, 1024  # rows compared at a time: doubled until the best row is known
SHORTLIST = 64  # one row in so many is on the shortlist
FLAT = 128  # up to so many centres are searched exhaustively, more through coarse cells
CHOSEN = np.float32(-1)  # the bound of a row that is itself a centre


def squared_distance(left: Floats, right: Floats) -> Floats:
    """(n, d) and (n, d) or (d,) -> (n,) squared Euclidean distances, row by row; the same bits in any company."""
    step = np.subtract(left, right, dtype=np.float32)
    distance: Floats = np.vecdot(step, step)
    return distance


class Coverage:
    """The rows of one matrix, its centres so far, and an upper bound of every row's distance to the nearest centre.

    vectors: (n, d) float32, may be memory-mapped. centers: (m, d), given first; picked rows are appended.
    bound: (n,) squared distance to centers[nearest], -1 for a picked row. A row is exact when it has seen[row] = m
    centres, counted from the first, and checked[row]: compared with all of the `started` centres of the start too.
    rows: the row of each centre, -1 for a centre that is no row.
    """

    def __init__(self, vectors: Floats, centers: Floats, nearest: NDArray[np.int32] | None = None) -> None:
        """Start cold, or from a guess of each row's nearest centre (n,) int32: any guess gives the same picks.

        Raises ValueError on shapes or types that do not fit, and naming a row that is not finite.
        """
        if vectors.ndim != 2 or centers.ndim != 2 or (len(centers) and centers.shape[1] != vectors.shape[1]):
            raise ValueError(f"vectors {vectors.shape} and centers {centers.shape} must be (n, d) and (m, d)")
        if vectors.dtype != np.float32:
            raise ValueError(f"vectors must be float32, not {vectors.dtype}")
        refuse_endless(vectors, "vector")
        refuse_endless(centers, "centre")
        n = len(vectors)
        self.vectors = vectors
        self._room = np.array(centers, dtype=np.float32).reshape(len(centers), vectors.shape[1])
        self.rows = np.full(len(centers), -1, dtype=np.int64)
        self.bound = np.full(n, np.inf, dtype=np.float32)
        self.nearest = np.zeros(n, dtype=np.int32)
        self.seen = np.zeros(n, dtype=np.int32)
        self.checked = np.zeros(n, dtype=bool)
        self.started = 0
        if len(centers):
            self.started = len(centers)
            self._start(0, nearest)

    @classmethod
    def of_rows(cls, vectors: Floats, rows: Rows, nearest: NDArray[np.int32] | None = None) -> Coverage:
        """Start with the centres at these rows, which are then never picked."""
        coverage = cls(vectors, vectors[rows], nearest)
        coverage.rows = np.array(rows, dtype=np.int64)
        coverage.bound[rows] = CHOSEN
        return coverage

    @classmethod
    def resumed(cls, vectors: Floats, arrays: Mapping[str, NDArray[np.generic]]) -> Coverage:
        """Go on from to_arrays() with the same vectors, to which new rows may have been appended.

        Whether the first rows are the same is for the caller to know. Raises ValueError where the arrays do not fit.
        """
        rows = np.array(arrays["rows"], dtype=np.int64)
        known = len(arrays["bound"])
        if known > len(vectors) or not len(rows) or rows.min() < 0 or rows.max() >= known:
            raise ValueError(f"a coverage of {known} rows does not fit {len(vectors)} vectors")
        coverage = cls(vectors, vectors[:0])
        coverage._append(rows)
        coverage.started = int(np.array(arrays["started"])[0])
        for name in ["bound", "nearest", "seen", "checked"]:
            getattr(coverage, name)[:known] = arrays[name]
        if known < len(vectors):
            coverage._start(known)
        return coverage

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """What to keep beside the vectors until they change: 13 bytes a row. Only where the centres are rows."""
        if (self.rows < 0).any():
            raise ValueError("a centre that is no row cannot be kept")
        return {
            "rows": self.rows,
            "bound": self.bound,
            "nearest": self.nearest,
            "seen": self.seen,
            "checked": self.checked,
            "started": np.array([self.started], dtype=np.int64),
        }

    @property
    def centers(self) -> Floats:
        """(m, d) the centres so far."""
        return self._room[: len(self.rows)]

    def add(self, rows: Rows) -> None:
        """Make centres of rows that somebody else chose."""
        rows = np.setdiff1d(rows, self.rows)
        self._append(rows)
        if not self.started and len(rows):
            self.started = len(rows)
            self._start(0)
            self.bound[rows] = CHOSEN

    def farthest(self, k: int) -> list[int]:
        """Pick k rows, each the farthest from all centres before it, ties to the lowest; they become centres.

        With no centre yet, the first pick is the row farthest from the mean of all rows. Raises NotEnough.
        """
        left = int(np.count_nonzero(self.bound != CHOSEN))
        if k < 0:
            raise ValueError(f"cannot pick {k} rows")
        if k > left:
            raise NotEnough(f"{k} rows asked for, {left} are unlabelled")
        picks: list[int] = []
        if k and not len(self.centers):
            picks.append(farthest_from_mean(self.vectors))
            self.add(np.array(picks, dtype=np.int64))
        while len(picks) < k:
            picks += self._pick_from_shortlist(k - len(picks))
        return picks

    def _start(self, low: int, nearest: NDArray[np.int32] | None = None) -> None:
        """Give the rows from `low` on a bound: the distance to a centre that is near them."""
        guess = nearest_centers(self.vectors[low:], self.centers) if nearest is None else nearest
        self.nearest[low:] = guess
        for lo in range(low, len(self.vectors), BLOCK):
            block = slice(lo, lo + BLOCK)
            self.bound[block] = squared_distance(self.vectors[block], self.centers[self.nearest[block]])
        self.seen[low:] = self.started
        self.checked[low:] = len(self.centers) == 1

    def _append(self, rows: Rows) -> None:
        m = len(self.rows)
        if m + len(rows) > len(self._room):
            self._room = np.concatenate([self._room, np.empty((m + len(rows), self._room.shape[1]), dtype=np.float32)])
        self._room[m : m + len(rows)] = self.vectors[rows]
        self.rows = np.concatenate([self.rows, rows])
        self.bound[rows] = CHOSEN

    def _pick_from_shortlist(self, k: int) -> list[int]:
        """Up to k picks: until the best row of the shortlist may be worse than one outside it."""
        size = max(4 * k, len(self.bound) // SHORTLIST)
        outside = max(len(self.bound) - size, 0)
        # every row outside is strictly below the cut, so that a tie is never split
        cut = max(np.partition(self.bound, outside)[outside], np.float32(0))
        rows = np.flatnonzero(self.bound >= cut)
        bound = self.bound[rows]
        picks: list[int] = []
        batch = SMALLEST
        while len(picks) < k and bound[best := int(bound.argmax())] >= cut:
            row = rows[best]
            behind = self.seen[row] < len(self.centers)
            if bound[best] == 0 or (self.checked[row] and not behind):
                picks.append(int(row))
                self._append(rows[best : best + 1])
                bound[best] = CHOSEN
                batch = SMALLEST
                continue
            top = np.argpartition(bound, -batch)[-batch:] if batch < len(bound) else np.arange(len(bound))
            late = self.seen[rows[top]] < len(self.centers)
            late = late if behind else ~late & ~self.checked[rows[top]]
            chosen = np.union1d(top[late & (bound[top] > 0)], best)
            (self._catch_up if behind else self._check)(rows[chosen])
            bound[chosen] = self.bound[rows[chosen]]
            batch = min(2 * batch, LARGEST)
        return picks

    def _catch_up(self, rows: Rows) -> None:
        """Compare these rows with the centres that were added since they were last compared."""
        self._compare(rows, int(self.seen[rows].min()), len(self.centers))
        self.seen[rows] = len(self.centers)

    def _check(self, rows: Rows) -> None:
        """Compare these rows with all the centres of the start: their bound came from a guess."""
        self._compare(rows, 0, self.started)
        self.checked[rows] = True

    def _compare(self, rows: Rows, first: int, last: int) -> None:
        """Bring the bounds of these rows down to their least distance to the centres first..last-1."""
        x, c = self.vectors[rows], self.centers[first:last]
        bound = self.bound[rows]
        x_size, c_size = np.vecdot(x, x), np.vecdot(c, c)
        # 6 (d + 4) u (|x|^2 + |c|^2) is more than the rounding of `rough` and of squared_distance together, u = 2^-24
        slack = np.float32(6 * (x.shape[1] + 4) * 2.0**-24) * (x_size + c_size.max())
        rough = tiled_product(x, -2 * c.T)  # |x - c|^2 - |x|^2
        rough += c_size
        limit = np.minimum(bound - x_size, rough.min(axis=1) + slack) + slack
        i, j = np.nonzero(rough <= limit[:, None])
        for lo in range(0, len(i), PAIRS):
            left, right = i[lo : lo + PAIRS], j[lo : lo + PAIRS]
            exact = squared_distance(x[left], c[right])
            np.minimum.at(bound, left, exact)
            hit = exact == bound[left]
            self.nearest[rows[left[hit]]] = first + right[hit]
        self.bound[rows] = bound


def tiled_product(x: Floats, y: Floats) -> Floats:
    """(r, d) and (d, c) -> (r, c) x @ y, in tiles of one thread."""
    product = np.empty((len(x), y.shape[1]), dtype=np.float32)
    high = 16
    wide = max(TILE // (high * max(len(y), 1)), 1)
    for top in range(0, len(x), high):
        for left in range(0, y.shape[1], wide):
            product[top : top + high, left : left + wide] = x[top : top + high] @ y[:, left : left + wide]
    return product


def nearest_centers(vectors: Floats, centers: Floats) -> NDArray[np.int32]:
    """(n, d) and (m, d), m > 0 -> (n,) int32: a near, mostly the nearest, centre of each row.

    Few centres are searched exhaustively, many through the nearest of 2 sqrt(m) cells. On a GPU where FAISS has one.
    """
    found = np.empty(len(vectors), dtype=np.int32)
    index = center_index(centers)
    for lo in range(0, len(vectors), BLOCK):
        block = np.ascontiguousarray(vectors[lo : lo + BLOCK], dtype=np.float32)
        found[lo : lo + BLOCK] = index.search(block, 1)[1][:, 0]
    return np.maximum(found, 0)  # an empty cell answers -1


def center_index(centers: Floats) -> faiss.Index:
    """FAISS over the centres (never over the rows: that would copy the matrix)."""
    d = centers.shape[1]
    index = faiss.IndexFlatL2(d) if len(centers) <= FLAT else coarse_index(centers)
    index.add(centers)
    if faiss.get_num_gpus():
        try:
            return faiss.index_cpu_to_gpu(faiss.StandardGpuResources(), 0, index)
        except RuntimeError:
            return index
    return index


def coarse_index(centers: Floats) -> faiss.Index:
    """FAISS with 2 sqrt(m) cells, of which one is searched for each row."""
    d = centers.shape[1]
    index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, 2 * int(len(centers) ** 0.5))
    index.cp.min_points_per_centroid = 1  # so few centres a cell are meant: no warning
    index.cp.niter = 5
    index.train(centers)
    return index


def farthest_from_mean(vectors: Floats) -> int:
    """The row farthest from the mean of all rows, the lowest such row; (n, d) with n > 0."""
    total = np.zeros(vectors.shape[1])
    for lo in range(0, len(vectors), BLOCK):
        total += vectors[lo : lo + BLOCK].sum(axis=0, dtype=np.float64)
    mean = (total / len(vectors)).astype(np.float32)
    blocks = [squared_distance(vectors[lo : lo + BLOCK], mean) for lo in range(0, len(vectors), BLOCK)]
    return int(np.concatenate(blocks).argmax())


def refuse_endless(vectors: Floats, name: str) -> None:
    """Raise ValueError naming the first row with NaN, infinity, or numbers too large to square in float32."""
    for lo in range(0, len(vectors), BLOCK):
        block = vectors[lo : lo + BLOCK]
        with np.errstate(over="ignore", invalid="ignore"):
            bad = ~(np.vecdot(block, block) < np.finfo(np.float32).max / 8)
        if bad.any():
            raise ValueError(f"{name} of row {lo + int(bad.argmax())} is not finite")
