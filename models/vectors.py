"""Vectors are data: one immutable file a shard, written once, with its own header and hash (DECISIONS 5).

File: one line of JSON (magic, rows, dim, sha256 of the body), then rows x dim float32, little endian. Boxes name file and row.

A crop has more than one vector once another embedder takes over. Those lie in that embedder's parts (models/parts.py): the
same file with `ids` in its header and the rows' box ids (int64, rising) before the vectors. So a switch touches no box.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.errors import DomainError
from models.storage import Store

MAGIC = "waterhole-vectors-1"

Ids = npt.NDArray[np.int64]


class DamagedFile(DomainError):
    """A file of ours is missing, cut or altered; doctor names it."""


def write_vectors(store: Store, path: Path, vectors: npt.NDArray[np.float32], *, ids: Ids | None = None) -> None:
    """vectors: (n, d) float32. ids: (n,) box ids in rising order, for a part. Durable when this returns."""
    body = b"" if ids is None else np.ascontiguousarray(ids, "<i8").tobytes()
    body += np.ascontiguousarray(vectors, dtype="<f4").tobytes()
    header = {"magic": MAGIC, "rows": len(vectors), "dim": vectors.shape[1], "sha256": hashlib.sha256(body).hexdigest()}
    header |= {} if ids is None else {"ids": True}
    store.write(path, json.dumps(header).encode() + b"\n" + body)


def read_vectors(path: Path, *, check: bool = False) -> npt.NDArray[np.float32]:
    """(n, d) float32, memory-mapped. check also compares the hash. Raises DamagedFile naming the path."""
    header = read_header(path)
    if check and hash_of_body(path, header) != header.sha256:
        raise DamagedFile(f"{path}: its bytes changed since they were written")
    if header.rows == 0:
        return np.zeros((0, header.dim), np.float32)
    return np.memmap(path, "<f4", "r", offset=header.vectors_at, shape=(header.rows, header.dim))


def read_ids(path: Path) -> Ids:
    """(n,) the box ids of a part. Raises DamagedFile naming the path."""
    header = read_header(path)
    if not header.has_ids:
        raise DamagedFile(f"{path}: it names no boxes")
    return np.fromfile(path, "<i8", header.rows, offset=header.body_at)


@dataclass(frozen=True)
class Header:
    """The first line of a vectors file. body_at: where the line ends, in bytes."""

    rows: int
    dim: int
    sha256: str
    has_ids: bool
    body_at: int

    @property
    def vectors_at(self) -> int:
        """Where the vectors begin, in bytes."""
        return self.body_at + (8 * self.rows if self.has_ids else 0)


def read_header(path: Path) -> Header:
    """Raises DamagedFile when the file is missing, foreign, or not as long as it says."""
    try:
        with path.open("rb") as file:
            line = file.readline(4096)
        said: dict[str, Any] = json.loads(line)
        header = Header(int(said["rows"]), int(said["dim"]), said["sha256"], bool(said.get("ids")), len(line))
        if said["magic"] != MAGIC or path.stat().st_size != header.vectors_at + header.rows * header.dim * 4:
            raise DamagedFile(f"{path}: not a whole vectors file")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"{path}: not a readable vectors file ({error})") from error
    return header


def hash_of_body(path: Path, header: Header) -> str:
    """SHA-256 of everything behind the first line."""
    with path.open("rb") as file:
        file.seek(header.body_at)
        return hashlib.file_digest(file, "sha256").hexdigest()
