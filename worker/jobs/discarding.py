"""The discard job: the files of an embedder that nobody uses go. The rows say so first, so no reader looks for them."""

from __future__ import annotations

import shutil
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import CHUNK_ROWS
from models.fine_tune import FineTune
from models.job import Job
from models.parts import VectorPart
from models.project import Project
from worker.jobs.bench import Bench, Step


def discard(bench: Bench, job: Job, step: Step) -> None:
    """Rows, then files."""
    work = Discarding(bench, job)
    step("rows", work.rows)
    step("files", work.files)


class Discarding:
    """One embedder's files in one project."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads nothing yet."""
        self._bench, self._project_id = bench, job.project_id
        self._embedder_id = int(job.arguments["checkpoint_id"])

    def rows(self) -> int:
        """Boxes and parts no longer name its vectors, a few at a time. How many boxes."""
        count = 0
        while some := self._bench.patiently(self._some_rows):
            self._bench.breathe()
            count += some
        return count

    def _some_rows(self) -> int:
        with self._bench.database.writing() as session:
            if not self._is_unused(session):
                return 0
            session.execute(
                delete(VectorPart).where(
                    VectorPart.project_id == self._project_id, VectorPart.embedder_id == self._embedder_id
                )
            )
            mine = (
                select(Box.id)
                .where(Box.project_id == self._project_id, Box.embedder_id == self._embedder_id, Box.vector_row >= 0)
                .limit(CHUNK_ROWS)
            )
            gone = update(Box).where(Box.id.in_(session.scalars(mine).all())).values(vector_file=None, vector_row=None)
            return int(session.execute(gone).rowcount)  # type: ignore[attr-defined]

    def files(self) -> int:
        """Vectors, matrix, classifiers with what they say, and the weights if they are this project's own."""
        with self._bench.database.reading() as session:
            if not self._is_unused(session):
                return 0
            embedder = session.get_one(Checkpoint, self._embedder_id)
            paths = [*self._folders(), *self._first_vectors(session), *self._of_classifiers(session)]
            if embedder.removed_at is not None:
                paths += self._of_weights(session, embedder)
        for path in paths:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        return len(paths)

    def _is_unused(self, session: Session) -> bool:
        """Not in use, as long as this transaction lasts."""
        in_use = select(Project.embedder_id).where(Project.id == self._project_id).with_for_update(read=True)
        return session.scalar(in_use) != self._embedder_id

    def _folders(self) -> list[Path]:
        store = self._bench.store
        return [
            store.vector_parts(self._embedder_id, self._project_id),
            store.matrix(self._embedder_id, self._project_id),
        ]

    def _first_vectors(self, session: Session) -> list[Path]:
        """Files that this project's jobs wrote; the folder of a shipped embedder holds those of others too."""
        jobs = set(session.scalars(select(Job.id).where(Job.project_id == self._project_id)))
        named = set(
            session.scalars(
                select(Box.vector_file)
                .where(Box.project_id == self._project_id, Box.embedder_id == self._embedder_id, Box.vector_row >= 0)
                .distinct()
            )
        )
        folder = self._bench.store.root / "vectors" / str(self._embedder_id)
        return [path for path in folder.glob("*.vectors") if path.name[:36] in jobs and path.name not in named]

    def _of_classifiers(self, session: Session) -> list[Path]:
        root = self._bench.store.root
        gone = session.scalars(
            select(Checkpoint).where(
                Checkpoint.project_id == self._project_id, Checkpoint.kind == CLASSIFIER,
                Checkpoint.parent_id == self._embedder_id, Checkpoint.removed_at.is_not(None),
            )
        )  # fmt: skip
        return [root / name for each in gone for name in (each.file, each.predictions) if name]

    def _of_weights(self, session: Session, embedder: Checkpoint) -> list[Path]:
        """Unless another embedder has the very same ones. With them goes the list of labels."""
        others = select(Checkpoint.id).where(Checkpoint.file == embedder.file, Checkpoint.removed_at.is_(None)).limit(1)
        weights = [self._bench.store.root / embedder.file] if embedder.file and not session.scalar(others) else []
        made_by = session.scalar(select(FineTune).where(FineTune.embedder_id == embedder.id))
        return weights + ([self._bench.store.tuning(made_by.job_id)] if made_by else [])
