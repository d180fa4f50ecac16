"""What the pages of batches ask: how many files became what, who brought them, how far the worker is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.act import Act
from models.batch import DUPLICATE, HERE, QUARANTINED, REFUSED, Batch, BatchFile
from models.checkpoint import Checkpoint
from models.deletion import DeletedPhoto, Deletion
from models.image import WAITING, Image, standing
from models.job import UNFINISHED, Job
from models.privacy import detector_words
from models.project import Project
from models.user import User
from models.words import mark, translated

BATCHES_A_PAGE = 30
FILES_A_PAGE = 100
MOST_UNFINISHED = 5
COMMAND_LINE = mark("the command line")
FIRST_BROKEN = 20  # on a batch's own page, before its list of files
# The filter's word in the address -> the state in the row.
FILTERS = {"here": HERE, "twice": DUPLICATE, "refused": REFUSED, "broken": QUARANTINED}


class Announced(NamedTuple):
    """What the sender's folder held: files and bytes."""

    files: int
    bytes: int


@dataclass(frozen=True)
class BatchRow:
    """One batch with its figures. waits: photos that nobody has looked through yet."""

    batch: Batch
    by: str
    here: int
    duplicates: int
    refused: int
    broken: int
    photos: int
    waits: int
    job: Job | None
    announced: Announced | None
    last_at: dt.datetime | None

    @property
    def files(self) -> int:
        """Every file that was dealt with."""
        return self.here + self.duplicates + self.refused + self.broken

    @property
    def looked(self) -> int:
        """Photos that the worker has looked through so far."""
        return self.photos - self.waits

    @property
    def of_files(self) -> int:
        """How many files there should be in the end."""
        return max(self.files, self.announced.files if self.announced else 0)


class FileRow(NamedTuple):
    """One file of a batch; for a file that came in twice, the photo that was here first and its batch."""

    path: str
    size: int
    state: str
    reason: str
    first_path: str | None
    first_batch_id: int | None
    first_batch: str | None


def batches(session: Session, project_id: int, before: int | None, limit: int = BATCHES_A_PAGE) -> list[BatchRow]:
    """The project's batches, newest first, one more than a page."""
    standing_ones = select(Batch).where(Batch.project_id == project_id, Batch.deletion_id.is_(None))
    newest = standing_ones.order_by(Batch.id.desc()).limit(limit + 1)
    if before is not None:
        newest = newest.where(Batch.id < before)
    return with_figures(session, list(session.scalars(newest)))


def unfinished(session: Session, project_id: int, user_id: int) -> list[BatchRow]:
    """The person's newest batches whose files are not all here."""
    open_ones = (
        select(Batch)
        .where(Batch.project_id == project_id, Batch.by_id == user_id, Batch.finished_at.is_(None))
        .where(Batch.deletion_id.is_(None))
        .order_by(Batch.id.desc())
        .limit(MOST_UNFINISHED)
    )
    return with_figures(session, list(session.scalars(open_ones)))


def with_figures(session: Session, found: list[Batch]) -> list[BatchRow]:
    """Each batch with its figures, in a fixed number of questions."""
    ids = [batch.id for batch in found]
    files = tally(session, BatchFile, ids)
    images = tally(session, Image, ids)
    open_ones = [batch for batch in found if batch.finished_at is None]
    told = announcements(session, open_ones)
    last = last_received(session, [batch.id for batch in open_ones])
    jobs = ingest_jobs(session, found)
    names = names_of(session, found)
    return [
        BatchRow(
            batch=batch,
            by=names[batch.by_id] if batch.by_id else translated(COMMAND_LINE),
            here=files.get((batch.id, HERE), 0),
            duplicates=files.get((batch.id, DUPLICATE), 0),
            refused=files.get((batch.id, REFUSED), 0),
            broken=files.get((batch.id, QUARANTINED), 0),
            photos=sum(count for (of, _state), count in images.items() if of == batch.id),
            waits=images.get((batch.id, WAITING), 0),
            job=jobs.get(batch.id),
            announced=told.get(batch.id),
            last_at=last.get(batch.id),
        )
        for batch in found
    ]


def tally(session: Session, table: type[BatchFile] | type[Image], ids: list[int]) -> dict[tuple[int, str], int]:
    """(batch, state) -> how many rows."""
    counts = (
        select(table.batch_id, table.state, func.count())
        .where(table.batch_id.in_(ids))
        .group_by(table.batch_id, table.state)
    )
    return {(batch_id, state): count for batch_id, state, count in session.execute(counts)}


def names_of(session: Session, found: list[Batch]) -> dict[int, str]:
    """User id -> name of those who brought these batches."""
    ids = {batch.by_id for batch in found if batch.by_id is not None}
    return dict(session.execute(select(User.id, User.name).where(User.id.in_(ids))).all())


def last_received(session: Session, ids: list[int]) -> dict[int, dt.datetime]:
    """When the last new photo of each batch came."""
    newest = select(Image.batch_id, func.max(Image.created_at)).where(Image.batch_id.in_(ids)).group_by(Image.batch_id)
    return dict(session.execute(newest).all())


def ingest_jobs(session: Session, found: list[Batch]) -> dict[int, Job]:
    """Batch id -> its unfinished ingest job."""
    if not found:
        return {}
    jobs = session.scalars(
        select(Job)
        .where(Job.project_id == found[0].project_id, Job.kind == "ingest", Job.state.in_(UNFINISHED))
        .order_by(Job.asked_at.desc())
    )
    return {job.arguments["batch_id"]: job for job in jobs}


def people_words(session: Session, project: Project, batch_id: int) -> list[str]:
    """What the detectors that looked at the batch's photos (else the project's) mean for the people on them."""
    looked = select(Image.detector_id).where(Image.batch_id == batch_id, Image.detector_id.is_not(None)).distinct()
    ids = set(session.scalars(looked)) or {project.detector_id}
    return [detector_words(project, session.get(Checkpoint, each) if each else None) for each in ids]


def photos_in(session: Session, project_id: int) -> int:
    """How many photos the project has, whatever became of them."""
    return (
        session.scalar(select(func.count()).select_from(Image).where(Image.project_id == project_id, standing())) or 0
    )


def files(session: Session, batch_id: int, state: str | None, after: str, limit: int = FILES_A_PAGE) -> list[FileRow]:
    """The batch's files in the order of their paths, one more than a page. state: only these. after: the last path seen."""
    first = aliased(Batch)
    found = (
        select(
            BatchFile.path, BatchFile.size, BatchFile.state, BatchFile.reason, Image.path, Image.batch_id, first.name
        )
        .outerjoin(Image, Image.id == BatchFile.image_id)
        .outerjoin(first, first.id == Image.batch_id)
        .where(BatchFile.batch_id == batch_id, BatchFile.path > after)
        .order_by(BatchFile.path)
        .limit(limit + 1)
    )
    if state is not None:
        found = found.where(BatchFile.state == state)
    return [FileRow(*row) for row in session.execute(found)]


def broken_files(session: Session, batch_ids: Sequence[int], limit: int) -> list[BatchFile]:
    """The first files of these batches that could not be taken or cannot be opened."""
    return list(
        session.scalars(
            select(BatchFile)
            .where(BatchFile.batch_id.in_(batch_ids), BatchFile.state.in_((REFUSED, QUARANTINED)))
            .order_by(BatchFile.batch_id.desc(), BatchFile.path)
            .limit(limit)
        )
    )


def deleted_before(session: Session, batch: Batch) -> list[tuple[Deletion, int]]:
    """Which deletions had taken photos that came with this batch, and how many of them, the newest first."""
    rows = session.execute(
        select(DeletedPhoto.deletion_id, func.count(DeletedPhoto.sha256.distinct()))
        .join(BatchFile, BatchFile.sha256 == DeletedPhoto.sha256)
        .where(BatchFile.batch_id == batch.id, DeletedPhoto.project_id == batch.project_id)
        .group_by(DeletedPhoto.deletion_id)
        .order_by(DeletedPhoto.deletion_id.desc())
    )
    return [(session.get_one(Deletion, deletion_id), count) for deletion_id, count in rows]


def announce(session: Session, batch: Batch, user_id: int, announced: Announced) -> None:
    """Remember how much the sender's folder holds, so that "1,204 of 1,862" can be said on any computer."""
    key = announcement_key(batch)
    act = session.scalar(select(Act).where(Act.user_id == user_id, Act.key == key))
    if act is None:
        act = Act(user_id=user_id, project_id=batch.project_id, key=key, kind="form", body_sha256="")
        session.add(act)
    act.answer = announced._asdict()


def announcements(session: Session, found: list[Batch]) -> dict[int, Announced]:
    """Batch id -> what its sender announced last."""
    by_key = {announcement_key(batch): batch for batch in found if batch.by_id is not None}
    acts = session.scalars(
        select(Act).where(Act.user_id.in_({batch.by_id for batch in by_key.values()}), Act.key.in_(by_key))
    )
    return {by_key[act.key].id: Announced(**act.answer) for act in acts if act.user_id == by_key[act.key].by_id}


def announcement_key(batch: Batch) -> str:
    """The key of the act that keeps it."""
    return f"announced:{batch.id}"
