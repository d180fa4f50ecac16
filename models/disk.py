"""What takes how much of the disk: measured by the worker now and then and kept in one small file, since a walk takes long.

At a million photos a walk over the store takes minutes of a disk's time; the page reads the file and says when it was measured.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import Database
from models.deletion import Deletion
from models.image import Image
from models.project import Project
from models.storage import Store

EVERY = dt.timedelta(hours=6)
# folder of the store -> what it is called on the page, the largest kinds first
KINDS = ("originals", "previews", "thumbnails", "crops", "vectors", "predictions", "checkpoints", "tuning", "cache")
VECTORS = "vectors"


@dataclass(frozen=True)
class Measured:
    """bytes: kind -> how much; files: how many. embedders: id -> bytes of its vectors. projects: id -> [photos, bytes]."""

    at: dt.datetime
    bytes: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    embedders: dict[int, int] = field(default_factory=dict)
    projects: dict[int, list[int]] = field(default_factory=dict)
    database: int = 0


def measure(database: Database, store: Store, breathe: Callable[[], None]) -> Measured:
    """Walk over the store and keep what was found. breathe: called for every folder; may raise to stop."""
    sizes: dict[str, int] = defaultdict(int)
    files: dict[str, int] = defaultdict(int)
    embedders: dict[int, int] = defaultdict(int)
    for kind in KINDS:
        for size, parts in walk(store.root / kind, breathe):
            sizes[kind] += size
            files[kind] += 1
            if kind == VECTORS and parts and parts[0].isdigit():
                embedders[int(parts[0])] += size
    with database.reading() as session:
        found = Measured(
            utc_now(), dict(sizes), dict(files), dict(embedders), by_project(session), database_bytes(database, session)
        )
    said = asdict(found) | {"at": found.at.isoformat()}
    store.write_cheaply(place(store), json.dumps(said).encode())
    wish(store).unlink(missing_ok=True)
    return found


def walk(folder: Path, breathe: Callable[[], None]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """(size, folders below the first) of every file; what goes meanwhile is passed over."""
    waiting: list[tuple[Path, tuple[str, ...]]] = [(folder, ())]
    while waiting:
        here, parts = waiting.pop()
        breathe()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append((Path(entry.path), (*parts, entry.name)))
                    else:
                        yield entry.stat(follow_symlinks=False).st_size, parts
        except FileNotFoundError:
            continue


def by_project(session: Session) -> dict[int, list[int]]:
    """Project id -> [photos, bytes of originals]; a photo that two projects have is in both."""
    rows = session.execute(select(Image.project_id, func.count(), func.sum(Image.size)).group_by(Image.project_id))
    return {row[0]: [row[1], int(row[2] or 0)] for row in rows}


def database_bytes(database: Database, session: Session) -> int:
    """Of the database itself."""
    if database.is_sqlite:
        pages = session.scalar(sa.text("select page_count * page_size from pragma_page_count(), pragma_page_size()"))
        return int(pages or 0)
    return int(session.scalar(sa.text("select pg_database_size(current_database())")) or 0)


def measured(store: Store) -> Measured | None:
    """What was found last; None before the first time."""
    try:
        said: dict[str, Any] = json.loads(place(store).read_bytes())
        return Measured(
            at=dt.datetime.fromisoformat(said["at"]), bytes=said["bytes"], files=said["files"],
            embedders={int(key): size for key, size in said["embedders"].items()},
            projects={int(key): row for key, row in said["projects"].items()}, database=said["database"],
        )  # fmt: skip
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def is_due(store: Store) -> bool:
    """Whether the worker should measure now: somebody asked, or the last time is long ago."""
    last = measured(store)
    return last is None or wish(store).exists() or utc_now() - last.at > EVERY


def ask_measure(store: Store) -> None:
    """Have the worker measure at its next look."""
    wish(store).parent.mkdir(parents=True, exist_ok=True)
    wish(store).touch()


def place(store: Store) -> Path:
    """Where it is kept."""
    return store.root / "cache" / "disk.json"


def wish(store: Store) -> Path:
    """Lies there while somebody waits for a new measurement."""
    return store.root / "cache" / "disk.asked"


def free_bytes(store: Store) -> int:
    """What is left, now."""
    return shutil.disk_usage(store.root).free


def waiting_to_go(session: Session) -> list[tuple[Deletion, str]]:
    """Deletions whose files are still there, with the project's name."""
    left = select(Deletion, Project.name).join(Project, Project.id == Deletion.project_id)
    rows = session.execute(
        left.where(Deletion.done_at.is_(None), Deletion.taken_back_at.is_(None)).order_by(Deletion.due_at)
    )
    return [(row[0], row[1]) for row in rows]
