"""Vectors of photos that go: zeroed in the files that hold those of others too, left out of the parts.

A shard's file keeps its name and its rows, so nobody who names it notices; a part that loses rows gets a new name, since what was
read of the old one is remembered by its path.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sqlalchemy import ColumnElement, func, select

from models.box import Box
from models.database import CHUNK_ROWS
from models.image import Image
from models.parts import SUFFIX, VectorPart
from models.storage import Store
from models.vectors import DamagedFile, Ids, read_ids, read_vectors, write_vectors
from worker.jobs.bench import Bench


def blank_vectors(
    bench: Bench, project_id: int, which: Sequence[ColumnElement[bool]], *, whole_files: bool = True
) -> None:
    """which: the photos, as conditions on Image. Doing it again changes nothing.

    whole_files: also those in which nobody else has a row; else they are left to who removes them whole.
    """
    with bench.database.reading() as session:
        crops = (
            select(Box.id, Box.embedder_id, Box.vector_file, Box.vector_row)
            .join(Image, Image.id == Box.image_id)
            .where(*which, Box.project_id == project_id, Box.embedder_id.is_not(None))
        )
        rows: dict[tuple[int, str], list[int]] = defaultdict(list)
        ids: list[int] = []
        for box_id, embedder_id, name, row in session.execute(crops):
            ids.append(box_id)
            if embedder_id is not None and name is not None and row is not None:
                rows[embedder_id, name].append(row)
        named = named_rows(bench, {name for _embedder, name in rows})
    for (embedder_id, name), gone in rows.items():
        bench.breathe()
        if whole_files or named[name] > len(gone):
            blank(bench, bench.store.vectors(embedder_id, name), gone)
    box_ids = np.sort(np.array(ids, np.int64))
    leave_out(bench, project_id, box_ids)
    blank_packed(bench.store, project_id, box_ids)


def named_rows(bench: Bench, names: set[str]) -> dict[str, int]:
    """Vectors file -> how many boxes have a row in it."""
    every = sorted(names)
    found: dict[str, int] = {}
    with bench.database.reading() as session:
        for start in range(0, len(every), CHUNK_ROWS):
            some = Box.vector_file.in_(every[start : start + CHUNK_ROWS])
            counts = select(Box.vector_file, func.count()).where(some).group_by(Box.vector_file)
            found |= {row[0]: row[1] for row in session.execute(counts) if row[0] is not None}
    return found


def blank(bench: Bench, path: Path, rows: Sequence[int]) -> None:
    """Zeros in these rows of one file, which is replaced in one move. A file that is lost has nothing to hide."""
    try:
        vectors = np.array(read_vectors(path))
    except DamagedFile:
        return
    wanted = [row for row in rows if row < len(vectors)]
    if vectors[wanted].any():
        vectors[wanted] = 0
        write_vectors(bench.store, path, vectors)


def leave_out(bench: Bench, project_id: int, box_ids: Ids) -> None:
    """The parts of the project without the rows of these boxes."""
    with bench.database.reading() as session:
        parts = session.scalars(select(VectorPart).where(VectorPart.project_id == project_id)).all()
    for part in parts:
        bench.breathe()
        path = bench.store.vector_parts(part.embedder_id, project_id) / part.name
        try:
            ids = read_ids(path)
            keep = ~np.isin(ids, box_ids)
            if keep.all():
                continue
            vectors = np.array(read_vectors(path))[keep]
        except DamagedFile:
            continue
        name = f"{ids[0]:010}-{uuid.uuid4().hex[:8]}{SUFFIX}"
        fresh = path.with_name(name)
        if keep.any():
            write_vectors(bench.store, fresh, vectors, ids=ids[keep])
        with bench.database.writing() as session:
            if keep.any():
                size = fresh.stat().st_size
                session.add(
                    VectorPart(
                        project_id=project_id, embedder_id=part.embedder_id, name=name, rows=len(vectors), size=size
                    )
                )
            session.delete(session.get_one(VectorPart, part.id))
        path.unlink(missing_ok=True)


def blank_packed(store: Store, project_id: int, box_ids: Ids) -> None:
    """Zeros in the packed caches, where they lie: whoever has one open goes on with it (worker/jobs/matrix.py)."""
    for known in (store.root / "cache" / "matrix").glob(f"*-{project_id}/*.ids"):
        vectors, ids = known.with_suffix(".vectors"), np.fromfile(known, "<i8")
        rows = np.flatnonzero(np.isin(ids, box_ids))
        if not len(rows) or not vectors.is_file():
            continue
        row_bytes, left = divmod(vectors.stat().st_size, len(ids))
        if left:  # cut while it was written: it is packed anew
            vectors.unlink()
            continue
        with vectors.open("r+b") as file:
            for row in rows.tolist():
                file.seek(row * row_bytes)
                file.write(bytes(row_bytes))
