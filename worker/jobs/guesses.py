"""What the active classifier says about boxes: a part of its predictions file, then the guesses that pages filter by.

The part is written after the boxes are committed, for the classifier that is active by then, and a learn job looks for boxes
without a prediction after its switch: whoever comes second covers what lies between, and both say the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select, update

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.predictions import SUFFIX, write_part
from models.project import Project
from models.vectors import DamagedFile, read_vectors
from worker.jobs.bench import Bench, first_line
from worker.jobs.classifiers import classifier_of

log = structlog.get_logger()
NOTICEABLE = 0.05  # a probability that moved less is left as it stands: pages filter by it, exports read the file


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


def placed(embedder_id: int, found: Iterable[tuple[int, str | None, int | None]]) -> Placed:
    """found: (box id, vector file, vector row)."""
    whole = [(box_id, file, row) for box_id, file, row in found if file is not None and row is not None]
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


def name_boxes(bench: Bench, project_id: int, part: str, which: ColumnElement[bool]) -> int:
    """Predict these boxes with the project's active classifier, unless its part of this name is there; how many."""
    with bench.database.reading() as session:
        project = session.get_one(Project, project_id)
        checkpoint = session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
        if checkpoint is None or checkpoint.parent_id is None:
            return 0
        found = session.execute(
            select(Box.id, Box.vector_file, Box.vector_row)
            .where(which, Box.project_id == project_id, Box.embedder_id == checkpoint.parent_id)
            .order_by(Box.id)
        ).all()
    boxes, vectors = gathered(bench, placed(checkpoint.parent_id, found))
    if not len(vectors):
        return 0
    classifier = classifier_of(bench.store, checkpoint)
    probabilities = classifier.probabilities(vectors)
    folder = bench.store.root / checkpoint.predictions
    if not (folder / f"{part}{SUFFIX}").is_file():
        write_part(bench.store, folder, part, boxes.box_ids, probabilities, classifier.classes)
    best = probabilities.argmax(axis=1)
    species = np.array(classifier.classes, np.int64)[best]
    write_guesses(bench, project_id, checkpoint.id, boxes.box_ids, species, probabilities.max(axis=1))
    return len(boxes.box_ids)


def write_guesses(
    bench: Bench,
    project_id: int,
    classifier_id: int,
    box_ids: NDArray[np.int64],
    species: NDArray[np.int64],
    p: NDArray[np.float32],
) -> int:
    """Bring the guesses up to date where they changed, in short transactions; stops when another classifier is active.

    box_ids: (n,) in rising order. species, p: (n,), the most likely name and its probability. Returns how many changed.
    """
    with bench.database.reading() as session:
        had = session.execute(
            select(Box.id, Box.guess_species_id, Box.guess_p)
            .where(Box.project_id == project_id, Box.id >= int(box_ids[0]), Box.id <= int(box_ids[-1]))
            .order_by(Box.id)
        ).all()
    ids = np.array([row[0] for row in had], np.int64)
    at = np.searchsorted(ids, box_ids)
    old_species = np.array([row[1] or 0 for row in had], np.int64)[at]
    old_p = np.array([np.nan if row[2] is None else row[2] for row in had], np.float64)[at]
    changed = np.flatnonzero((old_species != species) | ~(np.abs(old_p - p) < NOTICEABLE))
    for start in range(0, len(changed), CHUNK_ROWS):
        chunk = changed[start : start + CHUNK_ROWS]
        values = [
            {
                "id": int(box_ids[row]),
                "guess_species_id": int(species[row]),
                "guess_p": float(p[row]),
                "guess_classifier_id": classifier_id,
            }
            for row in chunk
        ]
        bench.breathe()
        if not bench.patiently(lambda values=values: write_chunk(bench, project_id, classifier_id, values)):  # type: ignore[misc]
            break
    return len(changed)


def write_chunk(bench: Bench, project_id: int, classifier_id: int, values: list[dict[str, int | float]]) -> bool:
    """False when another classifier is active by now."""
    with bench.database.writing() as session:
        if session.scalar(select(Project.classifier_id).where(Project.id == project_id)) != classifier_id:
            return False
        session.execute(update(Box), values)
        return True
