"""Which row of a bundle became which row here: sixteen bytes a row, since a project may have millions."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

import numpy as np
import numpy.typing as npt


class OldNew:
    """Numbers in rising order."""

    def __init__(self) -> None:
        self._old, self._new = array("q"), array("q")

    def add(self, old: int, new: int) -> None:
        """The next one; old is larger than all before."""
        self._old.append(old)
        self._new.append(new)

    def get(self, old: int | None) -> int | None:
        """None for nothing and for what did not come along."""
        if old is None:
            return None
        at = bisect_left(self._old, old)
        return self._new[at] if at < len(self._old) and self._old[at] == old else None

    def up_to(self, old: int | None) -> int | None:
        """The last one that is not larger: for a bound that names no row of its own."""
        if old is None:
            return None
        at = bisect_right(self._old, old)
        return self._new[at - 1] if at else 0

    @property
    def first(self) -> int:
        """The new one of the first."""
        return self._new[0]

    def many(self, old: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """old: (n,). Which of them came along (n,), and what those are here."""
        known, new = np.array(self._old, np.int64), np.array(self._new, np.int64)
        at = np.searchsorted(known, old)
        here = at < len(known)
        here[here] = known[at[here]] == old[here]
        return here, new[at[here]]
