"""Vectors that crops got later than their first ones, from another embedder: files with box ids, each with a row here.

A file counts only through its row: a database that came from a backup must not find vectors of boxes that it never had.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import BigInteger, ForeignKey, Index, String, exists, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.box import Box
from models.storage import Store
from models.vectors import DamagedFile, Ids, read_ids

SUFFIX = ".part"


class VectorPart(Base):
    """One file of vectors of one embedder, of crops of one project."""

    __tablename__ = "vector_part"
    __table_args__ = (Index("ix_vector_part_project_embedder", "project_id", "embedder_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    embedder_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id"))
    name: Mapped[str] = mapped_column(String(80))
    rows: Mapped[int]
    size: Mapped[int] = mapped_column(BigInteger)  # bytes
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


@dataclass(frozen=True)
class Parts:
    """Every vector of one embedder that lies in its parts. ids: (n,) rising, each once; file, row: (n,) where it lies."""

    ids: Ids
    names: list[str]  # as Store.vectors() takes them
    file: npt.NDArray[np.int32]
    row: npt.NDArray[np.int32]

    def places(self, box_ids: Ids) -> tuple[npt.NDArray[np.bool_], list[str], Ids]:
        """box_ids: (m,). Which of them lie here (m,), and of those file name and row."""
        at = np.searchsorted(self.ids, box_ids)
        here = at < len(self.ids)
        here[here] = self.ids[at[here]] == box_ids[here]
        at = at[here]
        return here, [self.names[number] for number in self.file[at]], self.row[at].astype(np.int64)


def parts_of(session: Session, store: Store, project_id: int, embedder_id: int) -> Parts:
    """What is there now; damaged parts are left out (doctor names them)."""
    folder = store.vector_parts(embedder_id, project_id)
    names = session.scalars(
        select(VectorPart.name)
        .where(VectorPart.project_id == project_id, VectorPart.embedder_id == embedder_id)
        .order_by(VectorPart.id)
    )
    found = [(name, ids) for name in names if (ids := whole_ids(folder / name)) is not None]
    every = np.concatenate([np.empty(0, np.int64), *(ids for _name, ids in found)])
    file = np.repeat(np.arange(len(found), dtype=np.int32), [len(ids) for _name, ids in found])
    row = np.concatenate([np.empty(0, np.int32), *(np.arange(len(ids), dtype=np.int32) for _name, ids in found)])
    ids, first = np.unique(every, return_index=True)  # two workers may have embedded the same crop; both are right
    return Parts(ids, [f"{folder.name}/{name}" for name, _ids in found], file[first], row[first])


def whole_ids(path: Path) -> Ids | None:
    """The box ids of a part, None for a damaged one."""
    try:
        return known_ids(path)
    except DamagedFile:
        return None


@lru_cache(maxsize=16_384)
def known_ids(path: Path) -> Ids:
    """Parts are never changed once written, so what was read stays good. Raises DamagedFile."""
    return read_ids(path)


def vector_ids(session: Session, store: Store, project_id: int, embedder_id: int) -> Ids:
    """(n,) rising: every box of the project that has a vector of this embedder, as its first one or in a part."""
    parts = parts_of(session, store, project_id, embedder_id)
    return np.union1d(first_ids(session, project_id, embedder_id), parts.ids)


def first_ids(session: Session, project_id: int, embedder_id: int) -> Ids:
    """(n,) the boxes whose first vector is of this embedder and still there, in any order."""
    first = session.scalars(
        select(Box.id).where(Box.project_id == project_id, Box.embedder_id == embedder_id, Box.vector_row >= 0)
    )
    return np.fromiter(first, np.int64)


def crop_ids(session: Session, project_id: int) -> Ids:
    """(n,) rising: every box of the project that has a crop."""
    found = session.scalars(select(Box.id).where(Box.project_id == project_id, Box.embedder_id > 0))
    return np.sort(np.fromiter(found, np.int64))


def has_vectors(session: Session, project_id: int, embedder_id: int) -> bool:
    """Whether crops of the project have vectors of this embedder."""
    first = exists().where(Box.project_id == project_id, Box.embedder_id == embedder_id, Box.vector_row >= 0)
    later = exists().where(VectorPart.project_id == project_id, VectorPart.embedder_id == embedder_id)
    return bool(session.scalar(select(first | later)))


def vector_bytes(session: Session, project_id: int, embedder_id: int, dim: int) -> int:
    """What they take on the disk. First vectors by their rows, since the folder of a shipped embedder is shared."""
    first = select(func.count()).where(
        Box.project_id == project_id, Box.embedder_id == embedder_id, Box.vector_row >= 0
    )
    later = select(func.sum(VectorPart.size)).where(
        VectorPart.project_id == project_id, VectorPart.embedder_id == embedder_id
    )
    return (session.scalar(first) or 0) * dim * 4 + int(session.scalar(later) or 0)
