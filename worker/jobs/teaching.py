"""A classifier taught on the vectors of one embedder: its weights and what it says about every crop, on the disk.

No row names these files yet; the transaction that switches to them does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.image import Image
from models.label import Snapshot
from models.predictions import write_part
from worker.jobs.bench import Bench
from worker.jobs.classifiers import keep_classifier
from worker.jobs.matrix import Matrix
from worker.learning.classifier import Classifier
from worker.learning.named_crops import NamedCrops
from worker.learning.ways import learn

PART = "learn"
AT_A_TIME = 5_000  # boxes asked for at once


@dataclass(frozen=True)
class Learnt:
    """A fitted classifier, what it says about every row of the matrix, and where it lies. checkpoint: when it is no new one.

    taught: the boxes that taught a new one. report: what crops of unseen cameras or bursts say of it, as the card keeps it
    (worker/learning/report.py).
    """

    classifier: Classifier
    probabilities: NDArray[np.float32]
    checkpoint_id: int | None = None
    file: str = ""
    sha256: str = ""
    taught: tuple[int, ...] = ()
    report: dict[str, Any] = field(default_factory=dict)


def teach(
    bench: Bench, job_id: str, matrix: Matrix, names: Mapping[int, int], seed: int, warm: Classifier | None = None
) -> Learnt | None:
    """names: box id -> species id. None when no named box has a vector. The files carry the job's id."""
    rows = matrix.rows_of(np.array(sorted(names), np.int64))
    if not len(rows):
        return None
    labels = np.array([names[int(box_id)] for box_id in matrix.ids[rows]], np.int64)
    with bench.database.reading() as session:
        deployment, sequence = groups_of(session, matrix.ids[rows])
    classifier, report = learn(NamedCrops(matrix.vectors, rows, labels, deployment, sequence), seed, warm)
    probabilities = classifier.probabilities(matrix.vectors)
    file, sha256 = keep_classifier(bench.store, job_id, classifier)
    write_part(bench.store, bench.store.predictions(job_id), PART, matrix.ids, probabilities, classifier.classes)
    return Learnt(classifier, probabilities, None, file, sha256, tuple(matrix.ids[rows].tolist()), report.told())


def groups_of(session: Session, box_ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(m,) rising ids -> deployment and sequence of each, (m,) and (m,); sequence 0: not known."""
    found = np.zeros((2, len(box_ids)), np.int64)
    for start in range(0, len(box_ids), AT_A_TIME):
        few = box_ids[start : start + AT_A_TIME]
        rows = session.execute(
            select(Box.id, Image.deployment_id, Image.sequence_id)
            .join(Image, Image.id == Box.image_id)
            .where(Box.id.in_(few.tolist()))
        ).all()
        ids, deployments, sequences = (np.array([row[at] or 0 for row in rows], np.int64) for at in range(3))
        found[:, start + np.searchsorted(few, ids)] = deployments, sequences
    return found[0], found[1]


def row_of(
    bench: Bench,
    job_id: str,
    project_id: int,
    embedder_id: int | None,
    learnt: Learnt,
    said: Snapshot,
    card: dict[str, Any],
) -> Checkpoint:
    """The row that names the files of teach(); the caller adds it."""
    return Checkpoint(
        project_id=project_id, kind=CLASSIFIER, name=f"{learnt.classifier.n_labels:,} labels", sha256=learnt.sha256,
        file=learnt.file, parent_id=embedder_id, job_id=job_id, card=card | {"report": learnt.report},
        label_count=learnt.classifier.n_labels,
        labels_sha256=said.sha256_of(learnt.taught), label_max_id=said.label_max_id, classes=learnt.classifier.classes,
        predictions=bench.store.relative(bench.store.predictions(job_id)),
    )  # fmt: skip
