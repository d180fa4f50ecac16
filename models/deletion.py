"""What was deleted: a project, a batch or one photo. The row is the mark first and the tombstone afterwards; it never goes.

Decisions: a deletion is a mark that hides and stops everything at once; rows and files go once it is due (Settings.
deleted_kept_days, or "delete now"), until then it can be taken back. A photo of a person that is erased is due at once and cannot
be. Whoever deletes rows writes their hashes into DeletedPhoto in the same transaction: that list is what the worker still has to
remove, and what tells a person who brings the same photos again. No foreign keys to what is deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import BigInteger, ForeignKey, Index, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.audit import note
from models.base import Base, utc_now
from models.batch import Batch
from models.box import Box
from models.errors import Conflict, Invalid
from models.image import Image, standing
from models.job import ALIVE, Job
from models.label import Label
from models.project import Project
from models.queue import ask, cancel
from models.round import ask_if_idle
from models.user import User
from models.words import say

PROJECT, BATCH, PHOTO = "project", "batch", "photo"
REMOVE = "remove"  # the kind of job


class Deletion(Base):
    """Who deleted what. photos, answers, bytes: as counted when it was marked. target_id: of the project, batch or photo."""

    __tablename__ = "deletion"
    __table_args__ = (Index("ix_deletion_project", "project_id", "kind"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(10))
    project_id: Mapped[int]
    target_id: Mapped[int]
    name: Mapped[str] = mapped_column(String(1024))
    by_id: Mapped[int | None]
    by_name: Mapped[str] = mapped_column(String(200), default="")
    photos: Mapped[int] = mapped_column(default=0)
    answers: Mapped[int] = mapped_column(default=0)
    bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    marked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    due_at: Mapped[dt.datetime]
    asked_at: Mapped[dt.datetime | None]  # the job that removes rows and files
    taken_back_at: Mapped[dt.datetime | None]
    done_at: Mapped[dt.datetime | None]  # nothing of it is left

    @property
    def waits(self) -> bool:
        """Marked, and it can still be taken back."""
        return self.kind != PHOTO and self.taken_back_at is None and self.asked_at is None

    @classmethod
    def of(cls, session: Session, project_id: int) -> list[Deletion]:
        """Of one project, the newest first."""
        return list(session.scalars(select(cls).where(cls.project_id == project_id).order_by(cls.id.desc())))


class DeletedPhoto(Base):
    """The hash of a photo whose row is gone. files_gone: the worker has removed what nothing refers to any more."""

    __tablename__ = "deleted_photo"
    __table_args__ = (
        Index("ix_deleted_photo_sha256", "project_id", "sha256"),
        Index("ix_deleted_photo_left", "deletion_id", "files_gone"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    deletion_id: Mapped[int] = mapped_column(ForeignKey("deletion.id", ondelete="CASCADE"))
    project_id: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    files_gone: Mapped[bool] = mapped_column(default=False)


def mark_batch(session: Session, batch: Batch, by: User | None, typed: str, days: float) -> Deletion:
    """Hide a batch at once, stop all work on it, and let its rows and files go after so many days.

    typed: the name, as a person typed it. Raises Invalid for another one, Conflict when it is marked already.
    """
    expect_name(typed, batch.name)
    session.refresh(batch, with_for_update=True)
    if batch.deletion_id is not None:
        raise Conflict(say("This batch is deleted already."))
    photos, size = tally(session, batch.project_id, batch.id)
    made = begin(session, BATCH, batch.project_id, batch.id, batch.name, by, days)
    made.photos, made.bytes, made.answers = photos, size, answers_in(session, batch.project_id, batch.id)
    batch.deletion_id = made.id
    for job in session.scalars(select(Job).where(Job.project_id == batch.project_id, Job.state.in_(ALIVE))):
        if job.kind == "ingest" and job.arguments.get("batch_id") == batch.id:
            cancel(session, job.id)
    ask_remove(session, made, say("Hiding %(name)s", name=batch.name))
    tell(session, "batch.deleted", made, by)
    return made


def mark_project(session: Session, project: Project, by: User | None, typed: str, days: float) -> Deletion:
    """The same for a whole project: nobody sees it any more, and no job goes on."""
    expect_name(typed, project.name)
    session.refresh(project, with_for_update=True)
    if project.deletion_id is not None:
        raise Conflict(say("This project is deleted already."))
    photos, size = tally(session, project.id)
    made = begin(session, PROJECT, project.id, project.id, project.name, by, days)
    made.photos, made.bytes, made.answers = photos, size, answers_in(session, project.id)
    project.deletion_id = made.id
    stop_work(session, project.id)
    tell(session, "project.deleted", made, by)
    return made


def take_back(session: Session, deletion: Deletion, by: User | None) -> None:
    """What was marked is there again. Raises Conflict when its files have begun to go."""
    session.refresh(deletion, with_for_update=True)
    if not deletion.waits:
        raise Conflict(say("It is too late: the files have begun to go."))
    deletion.taken_back_at = utc_now()
    if deletion.kind == BATCH:
        batch = session.get_one(Batch, deletion.target_id)
        batch.deletion_id = None
        ask_remove(session, deletion, say("Bringing back %(name)s", name=batch.name))
    else:
        project = session.get_one(Project, deletion.target_id)
        project.deletion_id = None
        if project.archived_at is None:
            resume_work(session, project)
    tell(session, f"{deletion.kind}.taken_back", deletion, by)


def go_now(session: Session, deletion: Deletion, by: User | None) -> None:
    """Do not wait for the day. Raises Conflict when it was taken back or goes already."""
    session.refresh(deletion, with_for_update=True)
    if not deletion.waits:
        raise Conflict(say("It was brought back, or its files go already."))
    deletion.due_at = utc_now()
    ask_due(session, deletion)
    tell(session, f"{deletion.kind}.deleted_now", deletion, by)


def due(session: Session) -> list[Deletion]:
    """Those whose day has come and whose job nobody has asked for."""
    waits = (Deletion.asked_at.is_(None), Deletion.taken_back_at.is_(None), Deletion.done_at.is_(None))
    return list(session.scalars(select(Deletion).where(Deletion.due_at <= utc_now(), *waits).order_by(Deletion.id)))


def ask_due(session: Session, deletion: Deletion) -> Job | None:
    """The job that removes rows and files; from now on nobody can take it back. None where nothing is left to remove."""
    deletion.asked_at = deletion.asked_at or utc_now()
    if session.get(Project, deletion.project_id) is None:
        deletion.done_at = utc_now()
        return None
    return ask_remove(session, deletion, say("Deleting %(name)s", name=deletion.name))


def ask_remove(session: Session, deletion: Deletion, line: str) -> Job:
    """The job that does what the row says now: hide, bring back, or remove."""
    return ask(session, REMOVE, deletion.project_id, {"deletion_id": deletion.id}, line=line, total=deletion.photos)


def begin(
    session: Session, kind: str, project_id: int, target_id: int, name: str, by: User | None, days: float
) -> Deletion:
    """The row of the mark."""
    now = utc_now()
    made = Deletion(
        kind=kind, project_id=project_id, target_id=target_id, name=name, by_id=by.id if by else None,
        by_name=by.name if by else "", marked_at=now, due_at=now + dt.timedelta(days=days),
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def expect_name(typed: str, name: str) -> None:
    """Raises Invalid unless the person typed what is to go."""
    if " ".join(typed.split()) != name:
        raise Invalid(say("name: type %(name)s to delete it", name=name))


def tell(session: Session, act: str, deletion: Deletion, by: User | None) -> None:
    """The history; that of a project that is deleted stays with the installation."""
    project_id = None if deletion.kind == PROJECT else deletion.project_id
    said = {"name": deletion.name, "photos": deletion.photos, "answers": deletion.answers}
    note(session, act, user=by, project_id=project_id, **said)


def tally(session: Session, project_id: int, batch_id: int | None = None) -> tuple[int, int]:
    """Photos and their bytes, of a project or of what a batch brought first."""
    wanted = select(func.count(), func.sum(Image.size)).where(Image.project_id == project_id, standing())
    if batch_id is not None:
        wanted = wanted.where(Image.batch_id == batch_id)
    count, size = session.execute(wanted).one()
    return count, int(size or 0)


def answers_in(session: Session, project_id: int, batch_id: int | None = None) -> int:
    """What people said about these photos, taken back or not."""
    wanted = select(func.count()).select_from(Label).where(Label.project_id == project_id)
    if batch_id is not None:
        wanted = wanted.join(Box, Box.id == Label.box_id).join(Image, Image.id == Box.image_id)
        wanted = wanted.where(Image.batch_id == batch_id)
    return session.scalar(wanted) or 0


def stop_work(session: Session, project_id: int) -> None:
    """Every job of a project ends at its next step."""
    alive = (Job.project_id == project_id, Job.state.in_(ALIVE), Job.kind != REMOVE)
    for job in session.scalars(select(Job).where(*alive)).all():
        cancel(session, job.id)
        job.key = None  # the same may be asked again once the project is back


def resume_work(session: Session, project: Project) -> None:
    """The project is open again: photos that wait are asked for, crops and vectors that lack, and a round where none is."""
    resume_batches(session, project)
    if project.embedder_id is not None:
        line = say("Looking for crops that are missing")
        ask(session, "crop", project.id, {"classify_above": project.classify_above}, line=line)
    ask_if_idle(session, project)


def resume_batches(session: Session, project: Project) -> None:
    """Photos that wait in batches that are here to stay are asked for: a job that was stopped may have had them in hand."""
    finished = (Batch.project_id == project.id, Batch.finished_at.is_not(None), Batch.deletion_id.is_(None))
    for batch in session.scalars(select(Batch).where(*finished).order_by(Batch.id)).all():
        if batch.waiting(session):
            batch.finish(session, project)


def marked(session: Session, batch_ids: Iterable[int]) -> set[int]:
    """Which of these batches are marked, held so until the transaction ends: a mark that comes now waits for us."""
    held = select(Batch.id, Batch.deletion_id).where(Batch.id.in_(sorted(set(batch_ids)))).order_by(Batch.id)
    return {row.id for row in session.execute(held.with_for_update(read=True)) if row.deletion_id is not None}
