"""How far every crop is from the nearest chosen one, and which is farthest: exact greedy, done lazily.

m(x), the squared distance from row x to its nearest centre, only falls as centres are added. So an old m(x) is an upper
bound, and a row has to be compared with the newer centres only when its bound is the largest of all. Decisions:
* One distance, `squared_distance`, decides everything. Matrix products and FAISS only say which pairs need it, so the
  picks do not depend on their rounding, and ties go to the lowest row as in plain greedy.
* No heap: a shortlist of the largest bounds is made exact, and plain greedy picks among it while its best beats every
  bound outside; then it is remade. So NumPy is enough: a pick is one small pass, no loop over rows.
* Newer centres are compared before those of the start: a pick in a new cluster puts the whole cluster out of the race,
  and only what is still on top after that is checked against the thousands that were there before.
* Matrix products are cut into tiles that BLAS does on one thread: under load its threads wait for each other, 50 ms for
  a product of 0.05 ms (measured).
* State is 13 bytes a row; it may be kept from round to round, until the vectors change.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from worker.selection.errors import NotEnough
from worker.selection.nearest import BLOCK, Floats, Vectors, nearest_centers

Rows = NDArray[np.int64]

PAIRS = 65_536  # exact distances at a time
TILE, HIGH = 262_144, 16  # OpenBLAS takes a second thread above so many multiplications; rows of a tile
SMALLEST = 16  # rows checked at a time: doubled until the best row is known
SMALL = 1_024  # rows at a time where pairs lie side by side: they stay in the cache
SHORTLIST = 512  # rows among which plain greedy picks: 1 MB at d = 256, they stay in the cache
SAMPLE = 16_384  # bounds that say where the shortlist begins
ROOM = 512  # centres to come
CHOSEN = np.float32(-1)  # the bound of a row that is itself a centre


def squared_distance(left: Vectors, right: Vectors) -> Floats:
    """(n, d) and (n, d) or (d,) -> (n,) squared Euclidean distances, row by row; the same bits in any company."""
    step = np.subtract(left, right, dtype=np.float32)
    distance: Floats = np.vecdot(step, step)
    return distance


class Coverage:
    """The rows of one matrix, its centres so far, and an upper bound of every row's distance to the nearest centre.

    vectors: (n, d) float32 or float16, may be memory-mapped. centers: (m, d), given first; picked rows are appended.
    bound: (n,) squared distance to centers[nearest] or a little more, -1 for a picked row. A row is exact when it has
    seen[row] = m centres, counted from the first, and checked[row]: compared with all of the `started` centres of the
    start too. Distances are those of the numbers as stored, counted in float32.
    rows: the row of each centre, -1 for a centre that is no row. compared: how often a row was compared with a centre, the
    start's search aside.
    """

    def __init__(self, vectors: Vectors, centers: Vectors, nearest: NDArray[np.int32] | None = None) -> None:
        """Start cold, or from a guess of each row's nearest centre (n,) int32: any guess gives the same picks.

        Raises ValueError on shapes or types that do not fit, and naming a row that is not finite.
        """
        if vectors.ndim != 2 or centers.ndim != 2 or (len(centers) and centers.shape[1] != vectors.shape[1]):
            raise ValueError(f"vectors {vectors.shape} and centers {centers.shape} must be (n, d) and (m, d)")
        if vectors.dtype not in (np.float32, np.float16):
            raise ValueError(f"vectors must be float32 or float16, not {vectors.dtype}")
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
        self.compared = 0
        if len(centers):
            self.started = len(centers)
            self._start(0, nearest)

    @classmethod
    def of_rows(cls, vectors: Vectors, rows: Rows, nearest: NDArray[np.int32] | None = None) -> Coverage:
        """Start with the centres at these rows, which are then never picked."""
        coverage = cls(vectors, vectors[rows], nearest)
        coverage.rows = np.array(rows, dtype=np.int64)
        coverage.bound[rows] = CHOSEN
        return coverage

    @classmethod
    def resumed(cls, vectors: Vectors, arrays: Mapping[str, NDArray[np.generic]]) -> Coverage:
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
            refuse_endless(self.vectors, "vector")
            picks.append(farthest_from_mean(self.vectors))
            self.add(np.array(picks, dtype=np.int64))
        while len(picks) < k:
            picks += self._pick_from_shortlist(k - len(picks))
        return picks

    def _start(self, low: int, nearest: NDArray[np.int32] | None = None) -> None:
        """Give the rows from `low` on a bound: the distance to a centre that is near them. Raises ValueError."""
        refuse_endless(self.vectors, "vector", low)
        if nearest is None:
            self.nearest[low:], distances = nearest_centers(self.vectors[low:], self.centers)
            # |x|^2 <= 2 |c|^2 + 2 |x - c|^2, so this is above squared_distance, whatever the rounding of FAISS
            per_size, largest = rounding(self.vectors.shape[1]), np.vecdot(self.centers, self.centers).max()
            self.bound[low:] = distances * (1 + 2 * per_size) + 3 * per_size * largest
        else:
            self.nearest[low:] = nearest
            for lo in range(low, len(self.vectors), SMALL):
                block = slice(lo, lo + SMALL)
                self.bound[block] = squared_distance(self.vectors[block], self.centers[self.nearest[block]])
        self.seen[low:] = self.started

    def _append(self, rows: Rows) -> None:
        m = len(self.rows)
        if m + len(rows) > len(self._room):
            more = np.empty((len(rows) + ROOM, self._room.shape[1]), dtype=np.float32)
            self._room = np.concatenate([self.centers, more])
        self._room[m : m + len(rows)] = self.vectors[rows]
        self.rows = np.concatenate([self.rows, rows])
        self.bound[rows] = CHOSEN

    def _pick_from_shortlist(self, k: int) -> list[int]:
        """Up to k picks: plain greedy among the rows of the largest bounds, while its best beats what is outside."""
        rows, cut, outside = self._shortlist()
        self._catch_up(rows)
        rows = rows[self.bound[rows] >= cut]
        vectors = np.asarray(self.vectors[rows], dtype=np.float32)
        picks: list[int] = []
        batch = SMALLEST
        while len(picks) < k and len(rows):
            bound = self.bound[rows]
            best = int(bound.argmax())
            if (bound[best], -rows[best]) <= (cut, -outside):
                break
            if not self.checked[rows[best]]:
                unsure = np.flatnonzero(~self.checked[rows] & (bound >= cut))
                self._check(rows[unsure[np.argsort(-bound[unsure], kind="stable")[:batch]]])
                batch *= 2
                continue
            picks.append(int(rows[best]))
            reach = squared_distance(vectors, vectors[best])
            self.compared += len(rows)
            nearer = reach < bound
            self.bound[rows[nearer]], self.nearest[rows[nearer]] = reach[nearer], len(self.rows)
            self._append(rows[best : best + 1])
            batch = SMALLEST
        self.seen[rows] = len(self.rows)
        return picks

    def _shortlist(self) -> tuple[Rows, np.float32, int]:
        """The rows of the largest bounds, ascending, at most SHORTLIST; the largest bound outside, the lowest row that has it."""
        n = len(self.bound)
        some = self.bound[:: max(n // SAMPLE, 1)]
        wanted = min(2 * SHORTLIST * len(some) // n, len(some) - 1)  # a guess of where to look, twice too far down
        floor = max(np.partition(some, -1 - wanted)[-1 - wanted], np.float32(0))
        rows = np.flatnonzero(self.bound >= floor)
        if len(rows) <= SHORTLIST:
            return rows, floor, n
        bound = self.bound[rows]
        cut = np.partition(bound, -SHORTLIST)[-SHORTLIST]
        tied = rows[bound == cut]
        room = SHORTLIST - int(np.count_nonzero(bound > cut))
        outside = int(tied[room]) if room < len(tied) else n
        return rows[(bound > cut) | ((bound == cut) & (rows < outside))], cut, outside

    def _catch_up(self, rows: Rows) -> None:
        """Compare these rows with the centres that were added since they were last compared."""
        behind = np.frexp(len(self.rows) - self.seen[rows])[1]
        for few in [rows[behind == far] for far in np.unique(behind) if far]:  # none is twice as far behind as another
            self._compare(few, int(self.seen[few].min()), len(self.rows))
            self.seen[few] = len(self.rows)

    def _check(self, rows: Rows) -> None:
        """Compare these rows with all the centres of the start: their bound came from a guess."""
        self._compare(rows, 0, self.started)
        self.checked[rows] = True

    def _compare(self, rows: Rows, first: int, last: int) -> None:
        """Bring the bounds of these rows down to their least distance to the centres first..last-1."""
        self.compared += len(rows) * (last - first)
        x, c = np.asarray(self.vectors[rows], dtype=np.float32), self.centers[first:last]
        bound = self.bound[rows]
        x_size, c_size = np.vecdot(x, x), np.vecdot(c, c)
        slack = rounding(x.shape[1]) * (x_size + c_size.max())
        rough = tiled_product(-2 * x, c)  # |x - c|^2 - |x|^2
        rough += c_size
        limit = np.minimum(bound - x_size, rough.min(axis=1) + slack) + slack
        i, j = np.divmod(np.flatnonzero(rough <= limit[:, None]), len(c))
        for lo in range(0, len(i), PAIRS):
            left, right = i[lo : lo + PAIRS], j[lo : lo + PAIRS]
            exact = squared_distance(x[left], c[right])
            np.minimum.at(bound, left, exact)
            hit = exact == bound[left]
            self.nearest[rows[left[hit]]] = first + right[hit]
        self.bound[rows] = bound


def rounding(d: int) -> np.float32:
    """So often |x|^2 + |c|^2 is more than the rounding of squared_distance and of a matrix product together, u = 2^-24."""
    return np.float32(6 * (d + 4) * 2.0**-24)


def tiled_product(x: Floats, y: Floats) -> Floats:
    """(r, d) and (c, d) -> (r, c) x @ y.T, in tiles of one thread."""
    d = x.shape[1]
    tiles = np.zeros((-(-len(x) // HIGH), HIGH, d), dtype=np.float32)
    tiles.reshape(-1, d)[: len(x)] = x
    product = np.empty((len(tiles), HIGH, len(y)), dtype=np.float32)
    wide = max(TILE // (HIGH * max(d, 1)), 1)
    for left in range(0, len(y), wide):
        np.matmul(tiles, y[left : left + wide].T, out=product[:, :, left : left + wide])
    whole: Floats = product.reshape(-1, len(y))[: len(x)]
    return whole


def farthest_from_mean(vectors: Vectors) -> int:
    """The row farthest from the mean of all rows, the lowest such row; (n, d) with n > 0."""
    total = np.zeros(vectors.shape[1])
    for lo in range(0, len(vectors), BLOCK):
        total += vectors[lo : lo + BLOCK].sum(axis=0, dtype=np.float64)
    mean = (total / len(vectors)).astype(np.float32)
    blocks = [squared_distance(vectors[lo : lo + BLOCK], mean) for lo in range(0, len(vectors), BLOCK)]
    return int(np.concatenate(blocks).argmax())


def refuse_endless(vectors: Vectors, name: str, low: int = 0) -> None:
    """Raise ValueError naming the first row, from `low` on, with NaN, infinity, or numbers too large to square in float32."""
    for lo in range(low, len(vectors), BLOCK):
        block = np.asarray(vectors[lo : lo + BLOCK], dtype=np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            bad = ~(np.vecdot(block, block) < np.finfo(np.float32).max / 8)
        if bad.any():
            raise ValueError(f"{name} of row {lo + int(bad.argmax())} is not finite")
