"""The crops of boxes, read from the store when they are asked for: a fine-tune or a new embedder sees thousands of them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from models.box import Box
from models.database import CHUNK_ROWS
from models.image import Image
from models.vectors import DamagedFile
from worker.images.crops import CROP_PX, NotACrop, from_jpeg
from worker.jobs.bench import Bench

READERS = 4  # threads; Pillow lets go of the interpreter while it decodes

Crops = NDArray[np.uint8]


class StoredCrops:
    """Looks like an array of crops, (n, 256, 256, 3) uint8, and holds only what was asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """paths: of the crops, in the order of the rows."""
        self._paths = list(paths)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="crops")

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, rows: NDArray[np.int64]) -> Crops:
        """rows: (m,) -> (m, 256, 256, 3). Raises DamagedFile naming the first crop that cannot be read."""
        cuts = self.readable(rows)
        lost = next((row for row, cut in zip(rows, cuts, strict=True) if cut is None), None)
        if lost is not None:
            raise DamagedFile(f"{self._paths[lost]}: not a readable crop")
        return stacked(cuts)

    def readable(self, rows: NDArray[np.int64]) -> list[Crops | None]:
        """Each crop, None where it is missing or damaged."""
        return list(self._readers.map(lambda row: read_crop(self._paths[row]), rows.tolist()))

    def close(self) -> None:
        """Let the threads go."""
        self._readers.shutdown(wait=False, cancel_futures=True)


def read_crop(path: Path) -> Crops | None:
    """(256, 256, 3), None when it is missing or damaged."""
    try:
        return from_jpeg(path.read_bytes())
    except (OSError, NotACrop):
        return None


def stacked(cuts: Sequence[Crops | None]) -> Crops:
    """The readable ones, (m, 256, 256, 3)."""
    there = [cut for cut in cuts if cut is not None]
    return np.stack(there) if there else np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)


def crops_of(bench: Bench, box_ids: NDArray[np.int64]) -> StoredCrops:
    """The crops of these boxes, in their order; a box that is gone has one that cannot be read."""
    sha256: dict[int, str] = {}
    with bench.database.reading() as session:
        for start in range(0, len(box_ids), CHUNK_ROWS):
            few = box_ids[start : start + CHUNK_ROWS].tolist()
            found = session.execute(
                select(Box.id, Image.sha256).join(Image, Image.id == Box.image_id).where(Box.id.in_(few))
            )
            sha256 |= dict(found.all())
    return StoredCrops([bench.store.crop(sha256.get(box_id, "gone"), box_id) for box_id in box_ids.tolist()])
