"""All vectors of a project under one embedder in one memory-mapped matrix, in the order of the box ids: a cache over the
shards' files.

Three files in the store's cache folder: ids (int64), vectors (float32, or float16 where the operator wants half the memory),
and a header that is written last and says how many of their rows are good. It is stale when the last row is not where the
database says it is (the database came from a backup), or when a box without a row lies before the last one (a crop was made
later); then it is built anew. Else only the new rows are added.
"""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import and_

from models.box import Box
from models.parts import Parts, first_ids, parts_of
from models.vectors import DamagedFile
from worker.jobs.bench import Bench
from worker.jobs.placing import Placed, find_placed, gathered

MAGIC = "waterhole-matrix-2"
CHUNK = 20_000  # boxes gathered at a time: 20 MB at 256 numbers each


@dataclass(frozen=True)
class Header:
    """What is good in the files of this build. last: id, vector file and vector row of the last row."""

    rows: int = 0
    dim: int = 0
    last: tuple[int, str, int] | None = None
    kind: str = "<f4"  # of the numbers; those of the shards' files are float32
    build: str = field(default_factory=lambda: uuid.uuid4().hex[:8])  # in the file names: an open matrix is never cut
    magic: str = MAGIC

    @property
    def row_bytes(self) -> int:
        """How long a row of vectors is."""
        return self.dim * np.dtype(self.kind).itemsize


@dataclass(frozen=True)
class Matrix:
    """ids: (n,) rising. vectors: (n, d) float32 or float16, memory-mapped; one row a box."""

    ids: NDArray[np.int64]
    vectors: NDArray[np.floating]
    build: str  # another one: other vectors

    def rows_of(self, box_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows of those boxes that are in the matrix, in the order given."""
        at = np.searchsorted(self.ids, box_ids)
        there = at < len(self.ids)
        there[there] = self.ids[at[there]] == box_ids[there]
        return at[there]


class MatrixCache:
    """One project's matrix under one embedder."""

    def __init__(self, bench: Bench, project_id: int, embedder_id: int) -> None:
        """Opens nothing yet."""
        self._bench, self._project_id, self._embedder_id = bench, project_id, embedder_id
        self._kind = "<f2" if bench.halves else "<f4"
        self._parts: Parts | None = None
        self._folder = bench.store.matrix(embedder_id, project_id)

    def matrix(self) -> Matrix:
        """Every box that has a vector by now."""
        wanted = self._wanted()
        header = self._header()
        have = self._ids(header)
        fresh = np.setdiff1d(wanted, have, assume_unique=True)
        if len(fresh) and len(have) and fresh[0] < have[-1]:
            header, have, fresh = self._new(), have[:0], wanted
        for start in range(0, len(fresh), CHUNK):
            header = self._append(header, self._placed(fresh[start : start + CHUNK]))
        self._remove_other_builds(header)
        return self._open(header, wanted)

    def _wanted(self) -> NDArray[np.int64]:
        with self._bench.database.reading() as session:
            self._parts = parts_of(session, self._bench.store, self._project_id, self._embedder_id)
            return np.union1d(first_ids(session, self._project_id, self._embedder_id), self._parts.ids)

    def _header(self) -> Header:
        """The header as it stands; an empty one where the cache is missing, cut, of another time or of another kind."""
        try:
            said = json.loads((self._folder / "header.json").read_text())
            box_id, file, row = said["last"]
            header = Header(
                int(said["rows"]),
                int(said["dim"]),
                (box_id, file, row),
                said["kind"],
                str(said["build"]),
                said["magic"],
            )
            whole = (
                (header.magic, header.kind) == (MAGIC, self._kind)
                and self._ids_file(header).stat().st_size >= header.rows * 8
                and self._vectors_file(header).stat().st_size >= header.rows * header.row_bytes
            )
        except (OSError, ValueError, KeyError, TypeError):
            return self._new()
        now = self._placed(np.array([box_id], np.int64)) if whole else None
        there = now is not None and len(now.box_ids) == 1 and (box_id, now.files[0], int(now.rows[0])) == header.last
        return header if there else self._new()

    def _new(self) -> Header:
        return Header(kind=self._kind)

    def _ids(self, header: Header) -> NDArray[np.int64]:
        if not header.rows:
            return np.empty(0, np.int64)
        return np.fromfile(self._ids_file(header), "<i8", header.rows)

    def _placed(self, ids: NDArray[np.int64]) -> Placed:
        """Where the vectors of these boxes lie. ids: (n,) rising, no box with a vector between them left out."""
        between = and_(Box.id >= int(ids[0]), Box.id <= int(ids[-1]))
        return find_placed(self._bench, self._project_id, self._embedder_id, between, self._parts)

    def _append(self, header: Header, boxes: Placed) -> Header:
        """Rows behind the good ones, then the header that makes them good. Boxes of a damaged file are left out."""
        boxes, vectors = gathered(self._bench, boxes)
        if not len(vectors):
            return header
        if header.rows and header.dim != vectors.shape[1]:
            raise DamagedFile(f"vectors of {header.dim} and of {vectors.shape[1]} numbers under one embedder")
        self._folder.mkdir(parents=True, exist_ok=True)
        write_at(self._ids_file(header), header.rows * 8, boxes.box_ids.astype("<i8").tobytes())
        write_at(
            self._vectors_file(header),
            header.rows * header.row_bytes,
            packed(vectors, self._kind),
        )
        last = (int(boxes.box_ids[-1]), boxes.files[-1], int(boxes.rows[-1]))
        header = Header(header.rows + len(vectors), vectors.shape[1], last, header.kind, header.build)
        self._bench.store.write(self._folder / "header.json", json.dumps(asdict(header)).encode())
        return header

    def _ids_file(self, header: Header) -> Path:
        return self._folder / f"{header.build}.ids"

    def _vectors_file(self, header: Header) -> Path:
        return self._folder / f"{header.build}.vectors"

    def _remove_other_builds(self, header: Header) -> None:
        for path in self._folder.glob("*.*"):
            if path.name != "header.json" and path.stem != header.build:
                path.unlink(missing_ok=True)

    def _open(self, header: Header, wanted: NDArray[np.int64]) -> Matrix:
        if not header.rows:
            return Matrix(np.empty(0, np.int64), np.empty((0, 0), np.float32), header.build)
        ids = self._ids(header)
        vectors: NDArray[np.floating] = np.memmap(
            self._vectors_file(header), header.kind, "r", shape=(header.rows, header.dim)
        )
        still = np.isin(ids, wanted, assume_unique=True)
        if not still.all():
            ids, vectors = ids[still], vectors[still]
        return Matrix(ids, vectors, header.build)


def packed(vectors: NDArray[np.float32], kind: str) -> bytes:
    """(n, d) -> its bytes as numbers of this kind; what float16 cannot hold is cut to the largest that it can."""
    most = np.finfo(kind).max
    return np.ascontiguousarray(np.clip(vectors, -most, most), kind).tobytes()


def write_at(path: Path, offset: int, content: bytes) -> None:
    """Put bytes there and cut what was behind; on the disk when this returns."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        os.ftruncate(handle, offset)
        os.lseek(handle, offset, os.SEEK_SET)
        with os.fdopen(os.dup(handle), "wb") as file:
            file.write(content)
            file.flush()
        os.fsync(handle)
    finally:
        os.close(handle)
