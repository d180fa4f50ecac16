"""Complete what the active classifier says: boxes that it never saw, and the guesses that pages filter by.

After a learn job, for boxes that came in while it computed; as a job of its own (kind "predict"), after a roll-back to a
classifier that was put aside before the newest photos came.
"""

from __future__ import annotations

import numpy as np
from sqlalchemy import select

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.job import ASKED, Job
from models.meaning import meanings
from models.parts import vector_ids
from models.predictions import Part, Predictions, fold
from models.project import Project
from worker.jobs.bench import Bench, Step
from worker.jobs.guesses import name_boxes, write_guesses

AT_A_TIME = 20_000  # boxes whose guesses are compared at once


def predict(bench: Bench, job: Job, step: Step) -> None:
    """The predict job."""
    step("late-boxes", lambda: predict_missing(bench, job.project_id))
    step("guesses", lambda: follow(bench, job.project_id))


def predict_missing(bench: Bench, project_id: int) -> int:
    """Predict every box that has a vector and no prediction of the active classifier. How many."""
    active = active_classifier(bench, project_id)
    if active is None:
        return 0
    parts = parts_of(bench, active)
    known = np.concatenate([np.empty(0, np.int64), *(part.box_ids for part in parts)])
    with bench.database.reading() as session:
        there = vector_ids(session, bench.store, project_id, active.parent_id or 0)
    missing = np.setdiff1d(there, known).tolist()
    for start in range(0, len(missing), CHUNK_ROWS):
        few = missing[start : start + CHUNK_ROWS]
        bench.breathe()
        name_boxes(bench, project_id, f"late-{few[0]}", Box.id.in_(few))
    return len(missing)


def follow(bench: Bench, project_id: int) -> int:
    """Bring the guesses up to date, unless the next learn job is about to do that. How many boxes changed."""
    active = active_classifier(bench, project_id)
    with bench.database.reading() as session:
        meant = meanings(session, project_id)
    changed = 0
    for part in parts_of(bench, active) if active else ():
        for start in range(0, len(part.box_ids), AT_A_TIME):
            if active is None or learns_again(bench, project_id):
                return changed
            rows = slice(start, start + AT_A_TIME)
            classes, probabilities = fold(part.classes, np.asarray(part.probabilities[rows], np.float32), meant)
            species = np.array(classes, np.int64)[probabilities.argmax(axis=1)]
            box_ids = np.asarray(part.box_ids[rows])
            changed += write_guesses(bench, project_id, active.id, box_ids, species, probabilities.max(axis=1))
    return changed


def active_classifier(bench: Bench, project_id: int) -> Checkpoint | None:
    """The project's classifier, if it has one."""
    with bench.database.reading() as session:
        classifier_id = session.get_one(Project, project_id).classifier_id
        return session.get(Checkpoint, classifier_id) if classifier_id else None


def parts_of(bench: Bench, classifier: Checkpoint) -> list[Part]:
    """The files of its predictions."""
    return Predictions(bench.store.root / classifier.predictions).parts


def learns_again(bench: Bench, project_id: int) -> bool:
    """Whether a learn job waits: its classifier will bring all guesses up to date again."""
    waits = select(Job.id).where(Job.project_id == project_id, Job.kind == "learn", Job.state == ASKED).limit(1)
    with bench.database.reading() as session:
        return session.scalar(waits) is not None
