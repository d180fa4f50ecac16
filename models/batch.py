"""One upload or import: its files by relative path, what became of each, and the photos that came of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once, utc_now
from models.database import CHUNK_ROWS
from models.errors import Conflict, Invalid
from models.folders import deployment_of
from models.image import ABSENT, ERASED, GONE, WAITING, Image
from models.job import Job
from models.project import Project
from models.queue import ask
from models.storage import Received
from models.words import say, written

SHARD_PHOTOS = 32  # DECISIONS 4
# What became of a file.
HERE, DUPLICATE, REFUSED, QUARANTINED = "here", "duplicate", "refused", "quarantined"
# Lies on camera cards and is no photo: passed over without a word (RELIABILITY section 7, group 25).
PASSED_OVER = re.compile(r"(^|/)(\.|Thumbs\.db$|desktop\.ini$|__MACOSX/)", re.IGNORECASE)


class Known(NamedTuple):
    """A file that was dealt with; without a hash it was refused."""

    size: int
    sha256: str | None


class Batch(Base):
    """One folder of photos that came in together."""

    __tablename__ = "batch"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[dt.datetime | None]  # the sender said that every file is here
    boxes_file: Mapped[str | None] = mapped_column(
        String(300)
    )  # a MegaDetector JSON in the store, instead of a detector
    deletion_id: Mapped[int | None]  # its mark (models/deletion.py): hidden, and its photos go

    @classmethod
    def resume_or_start(cls, session: Session, project_id: int, name: str, by: int | None) -> Batch:
        """The person's unfinished batch of this name goes on; else a new one begins. Raises Invalid for a bad name."""
        cleaned = clean_batch_name(name)
        take_turn(session, project_id)
        unfinished = session.scalar(
            select(cls)
            .where(cls.project_id == project_id, cls.name == cleaned, cls.by_id == by, cls.finished_at.is_(None))
            .where(cls.deletion_id.is_(None))
            .order_by(cls.id.desc())
            .limit(1)
        )
        return unfinished or cls.start(session, project_id, cleaned, by)

    @classmethod
    def start(cls, session: Session, project_id: int, name: str, by: int | None) -> Batch:
        """A new, empty batch."""
        batch = cls(project_id=project_id, name=clean_batch_name(name), by_id=by)
        session.add(batch)
        session.flush()
        return batch

    def known(self, session: Session, paths: Sequence[str] | None = None) -> dict[str, Known]:
        """What was already dealt with, by path: what a resumed upload need not send. paths: only these (some thousand)."""
        rows = select(BatchFile.path, BatchFile.size, BatchFile.sha256).where(BatchFile.batch_id == self.id)
        if paths is not None:
            rows = rows.where(BatchFile.path.in_(paths))
        return {path: Known(size, sha256) for path, size, sha256 in session.execute(rows)}

    def receive(self, session: Session, path: str, received: Received) -> BatchFile:
        """Record a stored file. The same bytes twice in a project become one photo; a path received before is replaced
        only by other bytes. Raises Invalid for a path that is none."""
        cleaned = clean_path(path)
        take_turn(session, self.project_id)
        image, fresh = self.photo_of(session, cleaned, received)
        if image.state in GONE:
            return self.record(session, cleaned, received.size, None, REFUSED, gone_words(session, image), None)
        state, reason = (HERE, "") if fresh else (DUPLICATE, written("the same photo as %(path)s", path=image.path))
        if image.state in (QUARANTINED, REFUSED):  # known to be broken since it came in first
            state, reason = image.state, image.reason
        return self.record(session, cleaned, received.size, received.sha256, state, reason, image.id)

    def refuse(self, session: Session, path: str, size: int, reason: str) -> BatchFile:
        """Record a file that is no photo; its bytes are not kept."""
        cleaned = clean_path(path)
        take_turn(session, self.project_id)
        return self.record(session, cleaned, size, None, REFUSED, reason, None)

    def duplicate(self, session: Session, path: str, size: int, sha256: str) -> BatchFile | None:
        """Record a file whose bytes the project has already, so that they need not be sent. None: it has them not."""
        if session.scalar(select(Image.id).where(Image.project_id == self.project_id, Image.sha256 == sha256)) is None:
            return None
        return self.receive(session, path, Received(sha256, size))

    def photo_of(self, session: Session, path: str, received: Received) -> tuple[Image, bool]:
        """The project's photo of these bytes and whether this file is the one that brought it."""
        come = self.absent_photo(session, path, received)
        if come is not None:
            return come, True
        deployment = deployment_of(session, self.project_id, path, otherwise=self.name)
        insert_once(
            session, Image, project_id=self.project_id, batch_id=self.id, deployment_id=deployment.id, path=path,
            sha256=received.sha256, size=received.size, state=WAITING, reason="", created_at=utc_now(),
        )  # fmt: skip
        image = session.scalars(
            select(Image).where(Image.project_id == self.project_id, Image.sha256 == received.sha256)
        ).one()
        return image, image.batch_id == self.id and image.path == path

    def absent_photo(self, session: Session, path: str, received: Received) -> Image | None:
        """A photo that an import named under this path (or below the batch's name), whose file is here now: its boxes, names
        and counts stay, and it is looked through. None where there is none, or another photo has these bytes."""
        names = [absent_sha256(self.project_id, name) for name in (path, f"{self.name}/{path}")]
        image = session.scalar(
            select(Image)
            .where(Image.project_id == self.project_id, Image.sha256.in_(names), Image.state == ABSENT)
            .order_by(Image.id)
            .limit(1)
        )
        if image is None:
            return None
        known = select(Image.id).where(Image.project_id == self.project_id, Image.sha256 == received.sha256)
        if session.scalar(known) is not None:
            return None
        image.sha256, image.size, image.path, image.batch_id = received.sha256, received.size, path, self.id
        image.state, image.reason, image.job_id, image.shard = WAITING, "", None, None
        session.flush()
        return image

    def record(
        self, session: Session, path: str, size: int, sha256: str | None, state: str, reason: str, image_id: int | None
    ) -> BatchFile:
        """Insert or replace the line of this path. A photo that lay under it with other bytes keeps a line of its own."""
        file = self.file(session, path)
        if file is not None and file.image_id not in (None, image_id):
            self.set_aside(session, file)
            file = None
        if file is None:
            file = BatchFile(batch_id=self.id, path=path)
            session.add(file)
        file.size, file.sha256, file.state, file.reason, file.image_id = size, sha256, state, reason[:300], image_id
        session.flush()
        return file

    def file(self, session: Session, path: str) -> BatchFile | None:
        """The line of this path."""
        return session.scalar(select(BatchFile).where(BatchFile.batch_id == self.id, BatchFile.path == path))

    def set_aside(self, session: Session, file: BatchFile) -> None:
        """Newer bytes came under this path: the older ones stay, under a path that says so if they have no other."""
        elsewhere = BatchFile.image_id == file.image_id, BatchFile.id != file.id
        if session.scalar(select(BatchFile.id).where(*elsewhere).limit(1)) is not None:
            session.delete(file)
            session.flush()
            return
        names = (f"{file.path[:1000]} (older, {number})" for number in itertools.count(1))
        file.path = next(name for name in names if self.file(session, name) is None)
        session.flush()

    def hold(self, session: Session) -> None:
        """Every file is here, and nobody looks through the photos: their boxes come from a file (models/bringing.py)."""
        take_turn(session, self.project_id)
        self.finished_at = utc_now()

    def finish(self, session: Session, project: Project) -> Job | None:
        """Every file is here: cut the waiting photos into shards and ask for their ingest. None when nothing waits.

        Photos that an unfinished batch brought first and that are in this one too do not wait for the other.
        """
        take_turn(session, self.project_id)
        self.expect_standing()
        self.finished_at = utc_now()
        waiting = self.waiting(session)
        if not waiting:
            return None
        shards = [waiting[start : start + SHARD_PHOTOS] for start in range(0, len(waiting), SHARD_PHOTOS)]
        job = ask(
            session, "ingest", project.id,
            {"batch_id": self.id, "shards": len(shards), "shard_photos": SHARD_PHOTOS},
            total=len(waiting), line=written("Finding animals in %(name)s", name=self.name),
        )  # fmt: skip
        for number, ids in enumerate(shards):
            session.execute(update(Image).where(Image.id.in_(ids)).values(job_id=job.id, shard=number))
        return job

    def expect_standing(self) -> None:
        """Raises Conflict when the batch is deleted: nothing comes into it any more."""
        if self.deletion_id is not None:
            raise Conflict(say("The batch %(name)s is deleted; nothing comes into it any more.", name=self.name))

    def waiting(self, session: Session) -> list[int]:
        """Photos among this batch's files that no job was asked for, in the order of their paths."""
        waits = select(Image.path, Image.id).where(Image.state == WAITING, Image.job_id.is_(None))
        found = set(session.execute(waits.where(Image.batch_id == self.id)))
        twice = select(BatchFile.image_id).where(BatchFile.batch_id == self.id, BatchFile.state == DUPLICATE)
        others = list(set(session.scalars(twice)))
        for start in range(0, len(others), CHUNK_ROWS):  # by id, since a join is planned badly before it was analysed
            found |= set(session.execute(waits.where(Image.id.in_(others[start : start + CHUNK_ROWS]))))
        return [image_id for _path, image_id in sorted(found)]

    def tally(self, session: Session) -> dict[str, int]:
        """How many files are in which state."""
        rows = session.execute(
            select(BatchFile.state, func.count()).where(BatchFile.batch_id == self.id).group_by(BatchFile.state)
        )
        return dict(rows.all())


class BatchFile(Base):
    """One file of a batch and what became of it."""

    __tablename__ = "batch_file"
    __table_args__ = (UniqueConstraint("batch_id", "path"), Index("ix_batch_file_state", "batch_id", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(1024))
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str | None] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(300), default="")
    image_id: Mapped[int | None] = mapped_column(ForeignKey("image.id"), index=True)


def gone_words(session: Session, image: Image) -> str:
    """Why a photo that is gone is not taken in again."""
    if image.state == ERASED:
        return say("%(reason)s; it is not taken in again", reason=image.reason)
    batch = session.get_one(Batch, image.batch_id)
    return say("deleted with the batch %(name)s; bring that batch back, or send it once that is gone", name=batch.name)


def absent_sha256(project_id: int, path: str) -> str:
    """What stands in the column of the hash while the file of a photo is not here: unique in its project, and no file has it."""
    return hashlib.sha256(f"absent/{project_id}/{path}".encode()).hexdigest()


def take_turn(session: Session, project_id: int) -> None:
    """One at a time per project brings files in, until the transaction ends: else two who bring the same photos in another
    order would wait for each other. Readers and answers go on. (SQLite has one writer anyway and ignores it.)"""
    session.execute(select(Project.id).where(Project.id == project_id).with_for_update(key_share=True))


def clean_batch_name(name: str) -> str:
    """One line, normalised (NFC), 1 to 255 characters, no control characters. Raises Invalid."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(cleaned) <= 255:
        raise Invalid("name: " + say("a batch needs a name of 1 to 255 characters"))
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in cleaned):
        raise Invalid("name: " + say("it has a character that cannot be shown"))
    return cleaned


def clean_path(path: str) -> str:
    """A path from outside as data: forward slashes, relative, no `..`, no drive, nothing unprintable (FORMATS 1.4).

    Raises Invalid, naming the path. The path is never opened: the bytes lie under their hash.
    """
    normal = unicodedata.normalize("NFC", path.replace("\\", "/"))
    parts = normal.split("/")
    shown = repr(path[:120])
    if not normal or len(normal) > 1024:
        raise Invalid("path: " + written("%(shown)s is empty or longer than 1,024 characters", shown=shown))
    if normal.startswith(("/", "~")) or re.match(r"^[A-Za-z]:", normal):
        raise Invalid("path: " + written("%(shown)s must be relative to the folder", shown=shown))
    if any(part in ("", ".", "..") for part in parts):
        raise Invalid("path: " + written("%(shown)s has an empty, '.' or '..' part", shown=shown))
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in normal):
        raise Invalid("path: " + written("%(shown)s has a character that cannot be shown", shown=shown))
    if any(len(part.encode()) > 255 for part in parts):
        raise Invalid("path: " + written("%(shown)s has a name longer than 255 bytes", shown=shown))
    return normal
