"""What every strategy is given: the crops of a project as arrays (DECISIONS 11)."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.learning.classifier import Classifier
from worker.selection.coverage import Coverage
from worker.selection.errors import NotEnough
from worker.selection.nearest import Vectors

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]


def no_rows() -> Rows:
    """The empty list of rows."""
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Pool:
    """All crops of a project, one row each, and what is known about them.

    vectors: (n, d) float32 or float16, may be memory-mapped and read-only. sequence, deployment: (n,) whole numbers, equal where
    two crops come from one burst, one camera; sequence 0: not known, a crop by itself.
    labelled: (m,) rows with a settled name; labels: (m,) their classes.
    taken: rows that are gone from the pool without a name (chosen but not answered yet, skipped, "cannot tell"). picked: those of
    them that this very round picked already, in order: it is asked for more.
    fit: trains on the labels when called and returns (n, C) probabilities; strategies that need none never call it.
    crops: (n, height, width, 3) uint8 or None. coverage: what k-center knew after the last round, or None; it is a
    cache that k-center brings up to date in place, and it changes the time, never the picks. classifier: the network
    behind fit(), its outputs are the columns; None where it is not at hand.
    Raises ValueError where shapes disagree or a labelled or taken row does not exist or comes twice.
    """

    vectors: Vectors
    labelled: Rows
    labels: Rows
    fit: Callable[[], Floats]
    sequence: Rows
    deployment: Rows
    crops: NDArray[np.uint8] | None = None
    taken: Rows = field(default_factory=no_rows)
    picked: Rows = field(default_factory=no_rows)
    coverage: Coverage | None = None
    classifier: Classifier | None = None

    def __post_init__(self) -> None:
        n = len(self.vectors)
        if self.vectors.ndim != 2:
            raise ValueError(f"vectors must be (n, d), not {self.vectors.shape}")
        if len(self.labels) != len(self.labelled):
            raise ValueError(f"{len(self.labelled)} labelled rows but {len(self.labels)} labels")
        if len(self.sequence) != n or len(self.deployment) != n:
            raise ValueError("sequence and deployment must have one number a row")
        if self.crops is not None and len(self.crops) != n:
            raise ValueError(f"{n} vectors but {len(self.crops)} crops")
        gone = self.gone()
        if len(gone) and (gone.min() < 0 or gone.max() >= n):
            raise ValueError(f"labelled and taken rows must lie in 0..{n - 1}")
        if len(np.unique(gone)) != len(gone):
            raise ValueError("a row is labelled or taken twice")

    def gone(self) -> Rows:
        """(m + t,) rows that no strategy may pick: the labelled ones, then the taken ones."""
        return np.concatenate([self.labelled, self.taken]).astype(np.int64, copy=False)

    def open_rows(self, k: int) -> Rows:
        """The rows to choose from, ascending. Raises NotEnough if there are fewer than k, ValueError if k < 0."""
        free = np.ones(len(self.vectors), dtype=bool)
        free[self.gone()] = False
        rows = np.flatnonzero(free)
        if k < 0:
            raise ValueError(f"cannot pick {k} rows")
        if k > len(rows):
            raise NotEnough(f"{k} rows asked for, {len(rows)} are unlabelled")
        return rows

    def probabilities(self) -> Floats:
        """fit(), checked: (n, C). Raises ValueError on another shape, or naming the first row that is not finite."""
        found = self.fit()
        if found.ndim != 2 or len(found) != len(self.vectors) or found.shape[1] == 0:
            raise ValueError(f"probabilities must be ({len(self.vectors)}, classes), not {found.shape}")
        bad = ~np.isfinite(found.sum(axis=1, dtype=np.float32))
        if bad.any():
            raise ValueError(f"the probabilities of row {int(bad.argmax())} are not finite")
        return found
