"""A classifier taught on the vectors of one embedder: its weights and what it says about every crop, on the disk.

No row names these files yet; the transaction that switches to them does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.checkpoint import CLASSIFIER, Checkpoint
from models.label import Snapshot
from models.predictions import write_part
from worker.jobs.bench import Bench
from worker.jobs.classifiers import keep_classifier
from worker.jobs.matrix import Matrix
from worker.learning.classifier import Classifier, fit

PART = "learn"


@dataclass(frozen=True)
class Learnt:
    """A fitted classifier, what it says about every row of the matrix, and where it lies. checkpoint: when it is no new one."""

    classifier: Classifier
    probabilities: NDArray[np.float32]
    checkpoint_id: int | None = None
    file: str = ""
    sha256: str = ""


def teach(
    bench: Bench, job_id: str, matrix: Matrix, names: Mapping[int, int], seed: int, warm: Classifier | None = None
) -> Learnt | None:
    """names: box id -> species id. None when no named box has a vector. The files carry the job's id."""
    rows = matrix.rows_of(np.array(sorted(names), np.int64))
    if not len(rows):
        return None
    labels = np.array([names[int(box_id)] for box_id in matrix.ids[rows]], np.int64)
    classes = sorted(set(labels.tolist()))
    classifier = fit(matrix.vectors[rows], labels, classes=classes, seed=seed, warm=warm)
    probabilities = classifier.probabilities(matrix.vectors)
    file, sha256 = keep_classifier(bench.store, job_id, classifier)
    write_part(bench.store, bench.store.predictions(job_id), PART, matrix.ids, probabilities, classifier.classes)
    return Learnt(classifier, probabilities, None, file, sha256)


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
        file=learnt.file, parent_id=embedder_id, job_id=job_id, card=card, label_count=learnt.classifier.n_labels,
        labels_sha256=said.sha256, label_max_id=said.label_max_id, classes=learnt.classifier.classes,
        predictions=bench.store.relative(bench.store.predictions(job_id)),
    )  # fmt: skip
