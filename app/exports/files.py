"""An export into a folder: every table of one snapshot and a manifest that says what it is. For `waterhole export`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from app.exports.cells import TextSink, write_csv
from app.exports.columns import COLUMNS
from app.exports.queries import checkpoints_of, snapshot_of
from app.exports.rows import ROWS
from models.database import Database
from models.project import Project
from models.storage import Store

BLOCK = 1 << 16  # characters that are written together


@dataclass(frozen=True)
class Written:
    """One file of an export."""

    name: str
    rows: int
    size: int
    sha256: str


class HashedFile:
    """A UTF-8 file that knows its size and hash. What is written waits until there is a block of it, or flush()."""

    def __init__(self, file: BinaryIO) -> None:
        """file: open for writing. rows: whoever writes a table says how many."""
        self._file, self._hash, self.size, self.rows = file, hashlib.sha256(), 0, 0
        self._waiting: list[str] = []
        self._letters = 0

    def write(self, text: str, /) -> None:
        """Take the next piece."""
        self._waiting.append(text)
        self._letters += len(text)
        if self._letters >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Put down what waits."""
        content = "".join(self._waiting).encode()
        self._waiting.clear()
        self._letters = 0
        self._file.write(content)
        self._hash.update(content)
        self.size += len(content)

    @property
    def sha256(self) -> str:
        """Of all that was put down."""
        return self._hash.hexdigest()


def write_table(session: Session, store: Store, project: Project, name: str, stream: TextSink) -> int:
    """One table into a stream; how many rows. name: species.csv or counts.csv."""
    return write_csv(ROWS[name](session, store, project), COLUMNS[name], stream)


def write_all(database: Database, store: Store, project_id: int, folder: Path) -> dict[Path, int]:
    """Every table of this moment into a folder; file -> how many rows."""
    with database.reading() as session:
        made = export_folder(session, store, session.get_one(Project, project_id), folder)
    return {folder / file["name"]: file["rows"] for file in made["files"]}


def export_folder(session: Session, store: Store, project: Project, folder: Path) -> dict[str, Any]:
    """Write every table and manifest.json; returns the manifest. session: one snapshot, as Database.reading() gives.

    A file appears under its name only when it is whole.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in COLUMNS:
        partial = folder / f".{name}.partial"
        with partial.open("wb") as file:
            hashed = HashedFile(file)
            rows = write_table(session, store, project, name, hashed)
            hashed.flush()
        partial.replace(folder / name)
        written.append(Written(name, rows, hashed.size, hashed.sha256))
    made = manifest(session, project, written)
    (folder / "manifest.json").write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return made


def manifest(session: Session, project: Project, written: list[Written]) -> dict[str, Any]:
    """What the files show: the snapshot, the thresholds, the networks, and each file's rows, size and hash. Equal states,
    equal manifests: it holds no time of its own."""
    known = checkpoints_of(session, project)
    active = {"detector": project.detector_id, "embedder": project.embedder_id, "classifier": project.classifier_id}
    return {
        "format": "waterhole-export-1",
        "project": {"id": project.id, "name": project.name},
        "snapshot": snapshot_of(session, project),
        "classify_above": project.classify_above,
        "count_above": project.count_above,
        "checkpoints": {
            kind: {"id": found.id, "name": found.name, "sha256": found.sha256}
            if (found := known.get(checkpoint_id or 0))
            else None
            for kind, checkpoint_id in active.items()
        },
        "files": [
            {"name": each.name, "rows": each.rows, "bytes": each.size, "sha256": each.sha256} for each in written
        ],
    }
