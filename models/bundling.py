"""A project in one file, to be carried to another server: rows as lines of JSON, photos, and what was made of them.

Rows come from one snapshot and go through a temporary file each, so that memory does not grow with the project. What was made of
the photos (pictures, crops, vectors, predictions) goes along unless `derived` is off: the other server can make it again.
"""

from __future__ import annotations

import datetime as dt
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import Batch
from models.belonging import key_of, own_rows, tables, target_of
from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS, Database
from models.errors import Conflict
from models.image import ABSENT, ERASED, READY, REMOVED, Image
from models.pack import MANIFEST, Packer, packing
from models.parts import VectorPart
from models.predictions import SUFFIX
from models.project import Project
from models.schema import versions
from models.storage import Store
from models.user import User
from models.words import say

FORMAT = "waterhole-bundle-1"
Report = Callable[[str, int, int], None]


def bundle(
    database: Database, store: Store, project_id: int, out: Path, *, derived: bool = True, report: Report
) -> int:
    """Write it; how many members it has. Raises Conflict while something of the project is marked for deletion."""
    with database.reading() as session, tempfile.TemporaryDirectory(dir=out.absolute().parent) as folder:
        project = session.get_one(Project, project_id)
        expect_whole(session, project)
        rows = Rows(session, project_id, Path(folder))
        counts = {table.name: rows.write(table, report) for table in tables()}
        with packing(out) as packer:
            packer.text(MANIFEST, {
                "format": FORMAT, "schema": versions(database)[1], "project": project.name, "derived": derived,
                "made_at": utc_now().isoformat(), "rows": counts,
            })  # fmt: skip
            packer.content("people.jsonl", b"".join(rows.people()))
            packer.content("shared.jsonl", b"".join(rows.shared()))
            for table in tables():
                packer.file(f"rows/{table.name}.jsonl", Path(folder) / table.name)
            pack_photos(session, store, project_id, packer, derived, report)
            pack_networks(session, store, project_id, packer, derived)
            return packer.members


def expect_whole(session: Session, project: Project) -> None:
    """Raises Conflict."""
    hidden = select(Image.id).where(Image.project_id == project.id, Image.state == REMOVED).limit(1)
    marked = select(Batch.id).where(Batch.project_id == project.id, Batch.deletion_id.is_not(None)).limit(1)
    if project.deletion_id is not None or session.scalar(hidden) or session.scalar(marked):
        raise Conflict(
            say("Something of this project is deleted and not gone yet. Bring it back or delete it now first.")
        )


class Rows:
    """The rows of a project, each table in a file of its own."""

    def __init__(self, session: Session, project_id: int, folder: Path) -> None:
        self._session, self._project_id, self._folder = session, project_id, folder
        self._users: set[int] = set()

    def write(self, table: Table, report: Report) -> int:
        """By rising key; how many."""
        key, own = key_of(table), own_rows(table, self._project_id)
        assert own is not None  # tables() gives no others
        people = [column.name for column in table.columns if pointed(column) == User.__tablename__]
        count, last = 0, None
        with (self._folder / table.name).open("w") as file:
            while True:
                query = select(table).where(own).order_by(key).limit(CHUNK_ROWS)
                found = self._session.execute(query if last is None else query.where(key > last)).mappings().all()
                for row in found:
                    self._users |= {row[name] for name in people if row[name] is not None}
                    write_line(file, dict(row))
                if not found:
                    return count
                count, last = count + len(found), found[-1][key.name]
                report(say("Rows of %(table)s", table=table.name), count, count)

    def people(self) -> Iterator[bytes]:
        """Whom the rows name: address and name, nothing else."""
        wanted = select(User.id, User.email, User.name).order_by(User.id)
        for row in self._session.execute(wanted):
            if row.id in self._users:
                yield line({"id": row.id, "email": row.email, "name": row.name})

    def shared(self) -> Iterator[bytes]:
        """Networks of the installation, by what they are; the other one has its own rows of them."""
        for each in self._session.scalars(
            select(Checkpoint).where(Checkpoint.project_id.is_(None)).order_by(Checkpoint.id)
        ):
            yield line({"id": each.id, "kind": each.kind, "name": each.name, "sha256": each.sha256, "card": each.card})


def pointed(column: Any) -> str:
    """The name of the table that a column points at, or nothing."""
    target = target_of(column)
    return target.name if target is not None else ""


def write_line(file: IO[str], row: dict[str, Any]) -> None:
    """One row."""
    file.write(line(row).decode())


def line(row: dict[str, Any]) -> bytes:
    """One row of JSON; moments as ISO 8601."""
    return json.dumps(row, default=as_text, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def as_text(value: object) -> str:
    """Raises TypeError for what no column holds."""
    if isinstance(value, dt.datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a row")


def pack_photos(session: Session, store: Store, project_id: int, packer: Packer, derived: bool, report: Report) -> None:
    """Originals under their hashes; with what was made of them. A file that is lost is left out: doctor names it."""
    last, done = 0, 0
    while True:
        query = select(Image.id, Image.sha256, Image.state).where(Image.project_id == project_id, Image.id > last)
        found = session.execute(query.order_by(Image.id).limit(CHUNK_ROWS)).all()
        if not found:
            return
        crops = crops_of(session, [row.id for row in found]) if derived else {}
        for row in found:
            if row.state in (ERASED, ABSENT):
                continue
            pack_if_there(packer, f"originals/{row.sha256}", store.original(row.sha256), row.sha256)
            if derived and row.state == READY:
                pack_if_there(packer, f"thumbnails/{row.sha256}", store.thumbnail(row.sha256))
                pack_if_there(packer, f"previews/{row.sha256}", store.preview(row.sha256))
            for box_id in crops.get(row.id, ()):
                pack_if_there(packer, f"crops/{row.sha256}/{box_id}", store.crop(row.sha256, box_id))
        last, done = found[-1].id, done + len(found)
        report(say("Photos"), done, done)


def crops_of(session: Session, image_ids: list[int]) -> dict[int, list[int]]:
    """Image id -> its boxes that have a crop."""
    found: dict[int, list[int]] = {}
    wanted = select(Box.image_id, Box.id).where(Box.image_id.in_(image_ids), Box.embedder_id.is_not(None))
    for image_id, box_id in session.execute(wanted.order_by(Box.id)):
        found.setdefault(image_id, []).append(box_id)
    return found


def pack_networks(session: Session, store: Store, project_id: int, packer: Packer, derived: bool) -> None:
    """Networks of its own, files of boxes, vectors, and what the classifiers say."""
    for batch in session.scalars(select(Batch).where(Batch.project_id == project_id, Batch.boxes_file.is_not(None))):
        pack_if_there(packer, f"boxes/{batch.id}", store.root / str(batch.boxes_file))
    own = select(Checkpoint).where(Checkpoint.project_id == project_id, Checkpoint.removed_at.is_(None))
    for network in session.scalars(own.order_by(Checkpoint.id)).all():
        if network.file:
            pack_if_there(packer, f"weights/{network.id}", store.root / network.file)
        if network.predictions and derived:
            for path in sorted((store.root / network.predictions).glob(f"*{SUFFIX}")):
                pack_if_there(packer, f"predictions/{network.id}/{path.name}", path)
    if not derived:
        return
    first = select(Box.embedder_id, Box.vector_file).where(Box.project_id == project_id, Box.vector_row >= 0)
    for embedder_id, name in session.execute(first.distinct().order_by(Box.embedder_id, Box.vector_file)).all():
        if embedder_id is not None and name is not None:
            pack_if_there(packer, f"vectors/{embedder_id}/{name}", store.vectors(embedder_id, name))
    for part in session.scalars(select(VectorPart).where(VectorPart.project_id == project_id).order_by(VectorPart.id)):
        place = store.vector_parts(part.embedder_id, project_id) / part.name
        pack_if_there(packer, f"parts/{part.embedder_id}/{part.name}", place)


def pack_if_there(packer: Packer, name: str, path: Path, sha256: str | None = None) -> None:
    """sha256: where the store is sure of it."""
    if path.is_file():
        packer.file(name, path, sha256)
