"""The remove job: what a mark asks for (models/deletion). Hide, bring back, or let rows and files go for good.

One step that looks at the row and does what is left, a few photos a transaction: a stop at any moment loses nothing, and doing
it twice changes nothing. Rows go before files; a file goes only when nothing refers to it any more (models/unlinking).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import ColumnElement, or_, select, update

from models.base import utc_now
from models.batch import Batch
from models.box import Box
from models.checkpoint import Checkpoint
from models.deletion import BATCH, PHOTO, REMOVE, DeletedPhoto, Deletion, resume_batches, stop_work
from models.image import ERASED, GONE, REMOVED, Image
from models.job import ALIVE, RUNNING, Job
from models.project import Project
from models.queue import ask
from models.removal import (
    delete_batch,
    delete_empty,
    delete_photos,
    delete_rows,
    delete_some_of_project,
    hand_over,
    hide,
    next_photos,
    show,
)
from models.round import ask_if_idle
from models.unlinking import unlink_pictures
from worker.jobs.bench import Bench, Step
from worker.jobs.blanking import blank_vectors

TRAINING = ("finetune", "embed", "discard")  # kinds that cope with crops that go
WAIT_S = 0.5
FILES_AT_ONCE = 20


def remove(bench: Bench, job: Job, step: Step) -> None:
    """What the deletion's row says now."""
    step("as-marked", lambda: Removing(bench, job).run())


class Removing:
    """One deletion."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads the row."""
        self._bench, self._job = bench, job
        with bench.database.reading() as session:
            self._deletion = session.get_one(Deletion, int(job.arguments["deletion_id"]))
        self._project_id = self._deletion.project_id

    def run(self) -> int:
        """How many photos were touched."""
        deletion = self._deletion
        if deletion.done_at is not None:
            return 0
        if deletion.kind == PHOTO:
            return self._erase()
        if deletion.taken_back_at is not None:
            return self._show()
        of_batch = deletion.kind == BATCH
        count = self._hide() if of_batch else 0
        if deletion.asked_at is None:
            return count
        self._wait_for_others()
        return self._delete_batch() if of_batch else self._delete_project()

    # --- hidden and back ---------------------------------------------------------------------------------------------------

    def _hide(self) -> int:
        def some(after: int) -> list[int]:
            with self._bench.database.writing() as session:
                batch = session.get(Batch, self._deletion.target_id)
                if batch is None or batch.deletion_id != self._deletion.id:
                    return []  # brought back meanwhile: the next job shows them again
                ids = next_photos(session, (Image.batch_id == batch.id, Image.state.not_in(GONE)), after)
                others = hand_over(session, batch, ids)
                project = session.get_one(Project, self._project_id)
                hide(session, project, [each for each in ids if each not in others], REMOVED, self._deletion.marked_at)
                return ids

        count = self._photo_by_photo(some)
        if count:
            self._afterwards()
        return count

    def _show(self) -> int:
        hidden = (Image.batch_id == self._deletion.target_id, Image.state == REMOVED)

        def some(after: int) -> list[int]:
            with self._bench.database.writing() as session:
                ids = next_photos(session, hidden, after)
                show(session, self._project_id, ids, self._deletion.marked_at)
                return ids

        count = self._photo_by_photo(some)
        self._afterwards()
        return count

    def _afterwards(self) -> None:
        """Photos that wait are looked at, bursts are grouped anew, and somebody has a round."""
        with self._bench.database.writing() as session:
            project = session.get_one(Project, self._project_id)
            if project.deletion_id is not None or project.archived_at is not None:
                return
            resume_batches(session, project)
            ask(session, "sequence", project.id, {}, line="Grouping the photos that are left into bursts")
            ask_if_idle(session, project)

    def _photo_by_photo(self, some: Callable[[int], list[int]]) -> int:
        """Chunk after chunk by rising id, each behind the last id of the one before."""
        count = after = 0
        while ids := self._bench.patiently(lambda after=after: some(after)):  # type: ignore[misc]
            self._bench.breathe()
            count, after = count + len(ids), ids[-1]
        return count

    def _all(self, some: Callable[[], int]) -> int:
        """Chunk after chunk until none is left."""
        count = 0
        while more := self._bench.patiently(some):
            self._bench.breathe()
            count += more
        return count

    # --- for good ----------------------------------------------------------------------------------------------------------

    def _wait_for_others(self) -> None:
        """No job of the project may be in the middle of something that it would leave behind."""
        while self._bench.patiently(self._others_run):
            self._bench.breathe()
            self._bench.stopping.wait(WAIT_S)

    def _others_run(self) -> bool:
        with self._bench.database.writing() as session:
            if self._deletion.kind != BATCH:
                stop_work(session, self._project_id)
            running = session.scalars(
                select(Job).where(Job.project_id == self._project_id, Job.state == RUNNING, Job.kind != REMOVE)
            ).all()
        return any(self._is_in_the_way(job) for job in running)

    def _is_in_the_way(self, job: Job) -> bool:
        if self._deletion.kind != BATCH:
            return True
        if job.kind == "ingest":
            return bool(job.arguments.get("batch_id") == self._deletion.target_id)
        return job.kind not in TRAINING

    def _delete_batch(self) -> int:
        batch_id = self._deletion.target_id
        hidden = (Image.batch_id == batch_id, Image.state == REMOVED)
        blank_vectors(self._bench, self._project_id, hidden, whole_files=False)
        count = self._delete_photos((Image.batch_id == batch_id, Image.state.in_(GONE)))
        self._unlink()
        self._remove_unnamed_vectors()
        self._bench.patiently(self._delete_batch_row)
        self._finish()
        return count

    def _delete_batch_row(self) -> None:
        while True:
            self._bench.breathe()
            with self._bench.database.writing() as session:
                batch = session.get(Batch, self._deletion.target_id)
                if batch is None or not delete_batch(session, batch):
                    delete_empty(session, self._project_id)
                    return

    def _delete_project(self) -> int:
        count = self._delete_photos((Image.project_id == self._project_id,))
        self._unlink()
        with self._bench.database.reading() as session:
            if session.get(Project, self._project_id) is not None:
                self._remove_networks()

        def some() -> int:
            with self._bench.database.writing() as session:
                return delete_some_of_project(session, self._project_id)

        self._all(some)
        self._finish()
        return count

    def _delete_photos(self, which: Sequence[ColumnElement[bool]]) -> int:
        """Rows, with the list of what is to be unlinked."""

        def some(after: int) -> list[int]:
            with self._bench.database.writing() as session:
                ids = next_photos(session, which, after)
                delete_photos(session, self._deletion, ids)
                return ids

        return self._photo_by_photo(some)

    def _unlink(self) -> None:
        """The files of photos whose rows are gone."""

        def some() -> int:
            with self._bench.database.writing() as session:
                left = (DeletedPhoto.deletion_id == self._deletion.id, DeletedPhoto.files_gone.is_(False))
                rows = session.scalars(select(DeletedPhoto).where(*left).limit(FILES_AT_ONCE)).all()
                for row in rows:
                    unlink_pictures(session, self._bench.store, self._project_id, row.sha256)
                    row.files_gone = True
                return len(rows)

        self._all(some)

    def _remove_unnamed_vectors(self) -> None:
        """Vectors files of jobs that ended, in which no box has a row any more."""
        with self._bench.database.reading() as session:
            ended = select(Job.id).where(Job.project_id == self._project_id, Job.state.not_in(ALIVE))
            jobs = set(session.scalars(ended))
            named = set(session.scalars(select(Box.vector_file).where(Box.project_id == self._project_id).distinct()))
        for path in (self._bench.store.root / "vectors").glob("*/*.vectors"):
            if path.name[:36] in jobs and path.name not in named:
                path.unlink(missing_ok=True)

    def _remove_networks(self) -> None:
        """What a project has beside photos: vectors, networks of its own, what they said, caches."""
        store = self._bench.store
        with self._bench.database.reading() as session:
            jobs = set(session.scalars(select(Job.id).where(Job.project_id == self._project_id)))
            own = session.scalars(select(Checkpoint).where(Checkpoint.project_id == self._project_id)).all()
            of_others = or_(Checkpoint.project_id.is_(None), Checkpoint.project_id != self._project_id)
            shared = set(session.scalars(select(Checkpoint.file).where(of_others)))
            boxes = set(session.scalars(select(Batch.boxes_file).where(Batch.project_id == self._project_id)))
            shared |= set(session.scalars(select(Batch.boxes_file).where(Batch.project_id != self._project_id)))
        named = {each.file for each in own} | {each.predictions for each in own} | boxes
        paths = [store.root / name for name in named - shared if name]
        paths += [path for path in (store.root / "vectors").glob("*/*.vectors") if path.name[:36] in jobs]
        paths += [store.tuning(job_id) for job_id in jobs]
        paths += (store.root / "vectors").glob(f"*/of-{self._project_id}")
        paths += (store.root / "cache" / "matrix").glob(f"*-{self._project_id}")
        paths += (store.root / "cache" / "lines").glob(f"*-{self._project_id}.safetensors")
        paths += [store.coverage(self._project_id), store.root / "cache" / "blurred" / str(self._project_id)]
        for path in paths:
            self._bench.breathe()
            unlink(path)

    def _finish(self) -> None:
        """Nothing is left but the tombstone. With a project its jobs go, this one too."""

        def end() -> None:
            with self._bench.database.writing() as session:
                if self._deletion.kind == BATCH or self._deletion.kind == PHOTO:
                    session.get_one(Deletion, self._deletion.id).done_at = utc_now()
                    return
                own = update(Deletion).where(Deletion.project_id == self._project_id, Deletion.done_at.is_(None))
                session.execute(own.values(done_at=utc_now(), asked_at=utc_now()))
                delete_rows(session, Project.__table__, [self._project_id])  # type: ignore[arg-type]

        self._bench.patiently(end)

    def _erase(self) -> int:
        """One photo: its row was hidden by the request; here its vectors, crops and pictures go."""
        image_id = self._deletion.target_id
        blank_vectors(self._bench, self._project_id, (Image.id == image_id, Image.state == ERASED))
        with self._bench.database.writing() as session:
            image = session.get(Image, image_id)
            if image is not None and image.state == ERASED:
                gone = update(Box).where(Box.image_id == image_id)
                session.execute(gone.values(embedder_id=None, vector_file=None, vector_row=None))
                unlink_pictures(session, self._bench.store, self._project_id, image.sha256)
        self._afterwards()
        self._finish()
        return 1


def unlink(path: Path) -> None:
    """A file or a folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
