"""Vectors are data: one immutable file a shard, written once, with its own header and hash (DECISIONS 5).

File: one line of JSON (magic, rows, dim, sha256 of the body), then rows x dim float32, little endian.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.errors import DomainError
from models.storage import Store

MAGIC = "waterhole-vectors-1"


class DamagedFile(DomainError):
    """A file of ours is missing, cut or altered; doctor names it."""


def write_vectors(store: Store, path: Path, vectors: npt.NDArray[np.float32]) -> None:
    """vectors: (n, d) float32. Durable when this returns."""
    body = np.ascontiguousarray(vectors, dtype="<f4").tobytes()
    header = {"magic": MAGIC, "rows": len(vectors), "dim": vectors.shape[1], "sha256": hashlib.sha256(body).hexdigest()}
    store.write(path, json.dumps(header).encode() + b"\n" + body)


def read_vectors(path: Path, *, check: bool = False) -> npt.NDArray[np.float32]:
    """(n, d) float32, memory-mapped. check also compares the hash. Raises DamagedFile naming the path."""
    try:
        with path.open("rb") as file:
            line = file.readline(4096)
        header = json.loads(line)
        rows, dim = int(header["rows"]), int(header["dim"])
        if header["magic"] != MAGIC or path.stat().st_size != len(line) + rows * dim * 4:
            raise DamagedFile(f"{path}: not a whole vectors file")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"{path}: not a readable vectors file ({error})") from error
    if rows == 0:
        return np.zeros((0, dim), np.float32)
    vectors = np.memmap(path, dtype="<f4", mode="r", offset=len(line), shape=(rows, dim))
    if check and hashlib.sha256(vectors.tobytes()).hexdigest() != header["sha256"]:
        raise DamagedFile(f"{path}: its bytes changed since they were written")
    return vectors
