"""Crops of which some have a name: what a classifier learns from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from worker.learning.descent import Floats, Ids


@dataclass(frozen=True, eq=False)
class NamedCrops:
    """vectors: (n, d) of all crops, may be memory-mapped. rows: (m,) those with a name.

    labels, deployment, sequence: (m,) class ids and whole numbers of the named ones; sequence 0: not known.
    number: of the round that they were named in last, from 1.
    """

    vectors: Floats
    rows: Ids
    labels: Ids
    deployment: Ids
    sequence: Ids
    number: int = 1
    aside: Ids = field(default_factory=lambda: np.empty(0, np.int64))

    def only(self, mine: Ids) -> NamedCrops:
        """With the names of these, numbers into the m; the others are crops without a name."""
        return replace(
            self,
            rows=self.rows[mine],
            labels=self.labels[mine],
            deployment=self.deployment[mine],
            sequence=self.sequence[mine],
        )

    def unnamed(self) -> Ids:
        """Rows, ascending: all but the named ones and those that are kept aside."""
        return np.setdiff1d(np.arange(len(self.vectors)), np.concatenate([self.rows, self.aside]))
