"""Where the vectors of boxes lie under one embedder, and the vectors themselves."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select

from models.box import Box
from models.parts import Parts, parts_of
from models.vectors import DamagedFile, read_vectors
from worker.jobs.bench import Bench, first_line

log = structlog.get_logger()


@dataclass(frozen=True)
class Placed:
    """Boxes and where their vectors lie, all of one embedder."""

    embedder_id: int
    box_ids: NDArray[np.int64]
    files: list[str]
    rows: NDArray[np.int64]

    def only(self, mine: NDArray[np.bool_]) -> Placed:
        """Those of the mask."""
        files = [file for file, wanted in zip(self.files, mine, strict=True) if wanted]
        return Placed(self.embedder_id, self.box_ids[mine], files, self.rows[mine])


def find_placed(
    bench: Bench, project_id: int, embedder_id: int, which: ColumnElement[bool], parts: Parts | None = None
) -> Placed:
    """The boxes of `which` that have a vector of this embedder, by rising id: as their first one, else in a part.

    parts: all of them, for a caller who asks often.
    """
    with bench.database.reading() as session:
        found = session.execute(
            select(Box.id, Box.embedder_id, Box.vector_file, Box.vector_row)
            .where(which, Box.project_id == project_id, Box.embedder_id.is_not(None))
            .order_by(Box.id)
        ).all()
        first: dict[int, tuple[str, int]] = {
            box_id: (file, row)
            for box_id, of, file, row in found
            if of == embedder_id and file is not None and row is not None
        }
        others = np.array([row[0] for row in found if row[0] not in first], np.int64)
        if len(others):
            parts = parts or parts_of(session, bench.store, project_id, embedder_id)
            here, files, rows = parts.places(others)
            first |= dict(zip(others[here].tolist(), zip(files, rows.tolist(), strict=True), strict=True))
    return placed(embedder_id, ((box_id, *first[box_id]) for box_id in sorted(first)))


def placed(embedder_id: int, found: Iterable[tuple[int, str, int]]) -> Placed:
    """found: (box id, vector file, vector row)."""
    whole = list(found)
    return Placed(
        embedder_id,
        np.array([box_id for box_id, _file, _row in whole], np.int64),
        [file for _box_id, file, _row in whole],
        np.array([row for _box_id, _file, row in whole], np.int64),
    )


def gathered(bench: Bench, boxes: Placed) -> tuple[Placed, NDArray[np.float32]]:
    """The boxes with their vectors, (n, d) in their order; those of a damaged file are left out, and the log says so."""
    try:
        return boxes, vectors_of(bench, boxes)
    except DamagedFile:
        boxes = without_damaged(bench, boxes)
        return boxes, vectors_of(bench, boxes)


def vectors_of(bench: Bench, boxes: Placed) -> NDArray[np.float32]:
    """(n, d) in the order of the boxes. Raises DamagedFile."""
    parts = [np.empty((0, 0), np.float32)] if not boxes.files else []
    for name, run in itertools.groupby(range(len(boxes.files)), key=boxes.files.__getitem__):
        rows = boxes.rows[list(run)]
        vectors = read_vectors(bench.store.vectors(boxes.embedder_id, name))
        if rows.max() >= len(vectors):
            raise DamagedFile(f"{name} has {len(vectors)} rows, but a box points at row {rows.max()}")
        parts.append(vectors[rows])
    return np.concatenate(parts)


def without_damaged(bench: Bench, boxes: Placed) -> Placed:
    """Those whose file can be read."""
    names = np.array(boxes.files, object)
    sound = np.ones(len(names), bool)
    for name in dict.fromkeys(boxes.files):
        mine = names == name
        try:
            vectors_of(bench, boxes.only(mine))
        except DamagedFile as error:
            sound[mine] = False
            log.error("boxes without their vectors take no part", boxes=int(mine.sum()), error=first_line(error))
    return boxes.only(sound)
