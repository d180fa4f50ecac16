"""Bring a folder of this machine in: the same store and the same rows as an upload, without a browser.

Every file is made durable first and its row comes after, at most ROWS files a transaction; so a stop at any moment leaves at
most some files without rows, which the next run finds and names.
"""

from __future__ import annotations

import hashlib
import os
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batch import DUPLICATE, HERE, PASSED_OVER, REFUSED, Batch, Known, clean_batch_name, clean_path
from models.database import Database
from models.errors import Invalid, NotYours, TooLarge
from models.project import Project
from models.storage import NotAPhoto, Received, Store, file_chunks
from models.words import say, written

ROWS = 100


@dataclass(frozen=True)
class Progress:
    """How far an import is; given after every file."""

    done: int
    total: int
    bytes_done: int
    bytes_total: int
    refused: int


@dataclass
class ImportResult:
    """What came of an import. known: files that an earlier run had brought and that were not read again."""

    batch_id: int
    name: str
    here: int = 0
    duplicates: int = 0
    known: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    job_id: str | None = None

    @property
    def words(self) -> str:
        """For the terminal: the figures, then every refused file with its reason."""
        lines = [f"{self.name}: {self.here:,} photos are here"]
        if self.duplicates:
            lines[0] += f", {self.duplicates:,} were here already and count once"
        if self.known:
            lines[0] += f", {self.known:,} were known from an earlier run"
        if self.refused:
            lines.append(f"{len(self.refused):,} files could not be taken, the others are fine:")
            lines += [f"  {path}: {reason}" for path, reason in self.refused]
        return "\n".join(lines)


class Found(NamedTuple):
    """A file on the disk. place: relative to the folder. path: the same for the row. trouble: why it is not even opened."""

    place: str
    path: str
    size: int
    trouble: str


class Unreadable(Exception):
    """The disk or its permissions do not give the file."""


class Arrival(NamedTuple):
    """What became of one file. received: safely in the store; else the reason why not."""

    path: str
    size: int
    received: Received | None
    reason: str


def import_folder(
    database: Database,
    store: Store,
    project_id: int,
    folder: Path,
    *,
    name: str,
    by: int | None,
    progress: Callable[[Progress], None],
    boxes_file: Path | None = None,
) -> ImportResult:
    """Copy the photos of a folder into the store and ask for their ingest.

    A batch of this name, finished or not, goes on: files that it knows by path and size are not read again. Raises Invalid
    for a folder that is none, NoSpace before anything is copied when the disk is too small.
    """
    files = list(walk(folder, passing_by=store.root))
    kept_boxes = keep_boxes(store, boxes_file) if boxes_file else None
    with database.writing() as session:
        batch = batch_named(session, project_id, name, by)
        batch.boxes_file = kept_boxes or batch.boxes_file
        known = batch.known(session)
        result = ImportResult(batch.id, batch.name)
    new = [file for file in files if not is_known(file, known)]
    result.known = len(files) - len(new)
    store.check_space(sum(file.size for file in new))
    if new:
        bring(database, store, folder, new, result, progress)
    with database.writing() as session:
        job = session.get_one(Batch, result.batch_id).finish(session, session.get_one(Project, project_id))
        result.job_id = job.id if job else None
    return result


def is_known(file: Found, known: dict[str, Known]) -> bool:
    """Whether an earlier run brought a file of this path and size. Refused ones are looked at again: that is cheap."""
    earlier = known.get(file.path)
    return earlier is not None and earlier.sha256 is not None and earlier.size == file.size


def bring(
    database: Database,
    store: Store,
    folder: Path,
    files: list[Found],
    result: ImportResult,
    progress: Callable[[Progress], None],
) -> None:
    """Store the files in order and write their rows. On Ctrl-C what was stored so far is written down first."""
    with database.writing() as session:
        session.get_one(Batch, result.batch_id).finished_at = None
    total = sum(file.size for file in files)
    bytes_done = 0
    arrived: list[Arrival] = []
    try:
        for number, file in enumerate(files, start=1):
            arrived.append(take_in(store, folder, file))
            bytes_done += file.size
            if len(arrived) == ROWS:
                write_down(database, result, arrived)
            progress(Progress(number, len(files), bytes_done, total, len(result.refused)))
    finally:
        write_down(database, result, arrived)


def take_in(store: Store, folder: Path, file: Found) -> Arrival:
    """Copy one file into the store, or say why not. Raises NoSpace."""
    if file.trouble:
        return Arrival(file.path, file.size, None, file.trouble)
    return arrive(store, file.path, file.size, readable_chunks(folder / file.place))


def arrive(store: Store, path: str, size: int, chunks: Iterator[bytes]) -> Arrival:
    """Store one file, or say why it is refused. Raises NoSpace."""
    try:
        received = store.receive(chunks)
    except (NotAPhoto, TooLarge, Unreadable) as error:
        return Arrival(path, size, None, str(error))
    return Arrival(path, received.size, received, "")


def readable_chunks(path: Path) -> Iterator[bytes]:
    """The file in pieces. Raises Unreadable, so that a broken card is not taken for a full disk."""
    try:
        yield from file_chunks(path)
    except OSError as error:
        raise Unreadable(
            written("the file cannot be read: %(why)s", why=error.strerror or written("it broke off"))
        ) from error


def write_down(database: Database, result: ImportResult, arrived: list[Arrival]) -> None:
    """The rows of some files in one short transaction; `arrived` is empty afterwards."""
    if not arrived:
        return
    with database.writing() as session:
        states = record(session, session.get_one(Batch, result.batch_id), arrived)
    result.here += states.count(HERE)
    result.duplicates += states.count(DUPLICATE)
    result.refused += [(arrival.path, arrival.reason) for arrival in arrived if arrival.received is None]
    arrived.clear()


def record(session: Session, batch: Batch, arrived: list[Arrival]) -> list[str]:
    """The state of each file's row, in the order of the files. A refused one may have a name that no photo could have."""
    return [
        (
            batch.receive(session, arrival.path, arrival.received)
            if arrival.received
            else batch.record(session, arrival.path, arrival.size, None, REFUSED, arrival.reason, None)
        ).state
        for arrival in arrived
    ]


def batch_named(session: Session, project_id: int, name: str, by: int | None) -> Batch:
    """The newest batch of this name, whoever began it, or a new one. Raises NotYours when there is no such project."""
    project = session.get(Project, project_id)
    if project is None or project.deletion_id is not None:
        raise NotYours("There is no such project.")
    project.expect_open()
    found = session.scalar(
        select(Batch)
        .where(Batch.project_id == project_id, Batch.name == clean_batch_name(name), Batch.deletion_id.is_(None))
        .order_by(Batch.id.desc())
        .limit(1)
    )
    return found or Batch.start(session, project_id, name, by)


def keep_boxes(store: Store, path: Path) -> str:
    """Keep a MegaDetector JSON file under its hash; its place relative to the store. The worker reads and checks it."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Invalid(
            "boxes: " + say("%(path)s cannot be read: %(strerror)s", path=path, strerror=error.strerror)
        ) from error
    place = store.root / "boxes" / f"{hashlib.sha256(content).hexdigest()}.json"
    if not place.exists():
        store.write(place, content)
    return store.relative(place)


def walk(folder: Path, *, passing_by: Path) -> Iterator[Found]:
    """Every file below the folder, in order; links are not followed, side files of cameras passed over.

    passing_by: our own store, should it lie inside. Raises Invalid when the folder itself cannot be read.
    """
    if folder.resolve().is_relative_to(passing_by.resolve()):
        raise Invalid(say("%(folder)s is Waterhole's own store", folder=folder))
    try:
        entries = entries_of(folder)
    except OSError as error:
        raise Invalid(say("%(folder)s cannot be read: %(strerror)s", folder=folder, strerror=error.strerror)) from error
    yield from walk_below(entries, "", passing_by.resolve())


def walk_below(entries: list[os.DirEntry[str]], above: str, passing_by: Path) -> Iterator[Found]:
    """The files among these entries and below them. above: the path so far, with its slash."""
    for entry in entries:
        place = above + entry.name
        if entry.is_dir(follow_symlinks=False):
            if PASSED_OVER.search(f"{place}/") or Path(entry.path).resolve() == passing_by:
                continue
            try:
                inside = entries_of(entry.path)
            except OSError as error:
                yield Found(place, shown(place), 0, written("the folder cannot be read: %(why)s", why=error.strerror))
                continue
            yield from walk_below(inside, f"{place}/", passing_by)
        elif not PASSED_OVER.search(place):
            yield found(entry, place)


def found(entry: os.DirEntry[str], place: str) -> Found:
    """One file, with what keeps it from being opened."""
    if entry.is_symlink():
        return Found(place, shown(place), 0, written("this is a link to another place; links are not followed"))
    if not entry.is_file(follow_symlinks=False):
        return Found(place, shown(place), 0, written("this is no ordinary file"))
    try:
        return Found(place, clean_path(place), entry.stat(follow_symlinks=False).st_size, "")
    except Invalid as error:
        return Found(place, shown(place), 0, str(error))


def entries_of(folder: Path | str) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name. Raises OSError."""
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def shown(path: str) -> str:
    """A name that may come from any disk, so that it can be shown and stored."""
    printable = ("\N{REPLACEMENT CHARACTER}" if unicodedata.category(each) in ("Cc", "Cs") else each for each in path)
    return "".join(printable)[:1024]
