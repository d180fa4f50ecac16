"""What the active classifier says about boxes: a part of its predictions file, then the guesses that pages filter by.

The part is written after the boxes are committed, for the classifier that is active by then, and a learn job looks for boxes
without a prediction after its switch: whoever comes second covers what lies between, and both say the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, select, update

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.event import mark_deployments
from models.image import Image
from models.meaning import meanings
from models.predictions import SUFFIX, fold, write_part
from models.project import Project
from worker.jobs.bench import Bench
from worker.jobs.classifiers import classifier_of
from worker.jobs.placing import find_placed, gathered

NOTICEABLE = 0.05  # a probability that moved less is left as it stands: pages filter by it, exports read the file


def name_boxes(bench: Bench, project_id: int, part: str, which: ColumnElement[bool]) -> int:
    """Predict these boxes with the project's active classifier, unless its part of this name is there; how many."""
    with bench.database.reading() as session:
        project = session.get_one(Project, project_id)
        checkpoint = session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
        if checkpoint is None or checkpoint.parent_id is None:
            return 0
        meant = meanings(session, project_id)
    boxes, vectors = gathered(bench, find_placed(bench, project_id, checkpoint.parent_id, which))
    if not len(vectors):
        return 0
    classifier = classifier_of(bench.store, checkpoint)
    probabilities = classifier.probabilities(vectors)
    folder = bench.store.root / checkpoint.predictions
    if not (folder / f"{part}{SUFFIX}").is_file():
        write_part(bench.store, folder, part, boxes.box_ids, probabilities, classifier.classes)
    classes, folded = fold(classifier.classes, probabilities, meant)
    species = np.array(classes, np.int64)[folded.argmax(axis=1)]
    write_guesses(bench, project_id, checkpoint.id, boxes.box_ids, species, folded.max(axis=1))
    bench.patiently(lambda: mark_places(bench, project_id, which))
    return len(boxes.box_ids)


def mark_places(bench: Bench, project_id: int, which: ColumnElement[bool]) -> None:
    """The events of the cameras that these boxes are of follow."""
    with bench.database.writing() as session:
        cameras = (
            select(Image.deployment_id).join(Box, Box.image_id == Image.id).where(Box.project_id == project_id, which)
        )
        mark_deployments(session, project_id, session.scalars(cameras.distinct()))


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
    there = np.isin(box_ids, ids)  # a photo may have been deleted since its vectors were read
    box_ids, species, p = box_ids[there], species[there], p[there]
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
        there = select(Box.id).where(Box.id.in_([each["id"] for each in values])).order_by(Box.id)
        still = set(session.scalars(there.with_for_update(key_share=True)))
        if values := [each for each in values if each["id"] in still]:
            session.execute(update(Box), values)
        return True
