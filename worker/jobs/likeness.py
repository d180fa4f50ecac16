"""Which crops look alike, written as rows for the pages: after a learn job, and given up when the next one waits.

The line through the crops is learnt once an embedder and again when there are twice as many; new crops only get their place
on it. Neighbours are asked for what people look at: the crops of rounds that are not full, and those that have a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session

from models.database import CHUNK_ROWS
from models.likeness import Likeness
from models.project import Project
from models.round import Pick, Round
from worker.jobs.bench import Bench
from worker.jobs.matrix import Matrix, MatrixCache
from worker.jobs.predicting import learns_again
from worker.jobs.scene import Scene, read_scene
from worker.learning.likeness import Line
from worker.learning.neighbours import opinions

AGAIN = 2.0  # times as many crops as the line was learnt from
Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """One row a crop, by rising id; near: 0 where the neighbours say nothing."""

    ids: Ids
    embedder: Ids
    place: NDArray[np.float64]
    near: Ids
    share: NDArray[np.float64]

    def changed(self, had: Rows) -> Ids:
        """Places in these rows of those that are not there, or not the same."""
        if not len(had.ids):
            return np.arange(len(self.ids))
        at = np.minimum(np.searchsorted(had.ids, self.ids), len(had.ids) - 1)
        same = (had.ids[at] == self.ids) & (had.embedder[at] == self.embedder) & (had.place[at] == self.place)
        same &= (had.near[at] == self.near) & (np.abs(had.share[at] - self.share) < 1e-6)
        return np.flatnonzero(~same)


def line_up(bench: Bench, project_id: int, label_max_id: int) -> int:
    """Place what has no place, ask the neighbours again. How many rows changed."""
    with bench.database.reading() as session:
        scene = read_scene(session, project_id, label_max_id, None)
        had = read_rows(session, project_id)
        rounds = [each.id for each in Round.unfinished(session, project_id)]
        picked = set(session.scalars(select(Pick.box_id).where(Pick.round_id.in_(rounds))))
    if scene is None or scene.project.embedder_id is None:
        return 0
    embedder_id = scene.project.embedder_id
    matrix = MatrixCache(bench, project_id, embedder_id).matrix()
    if not len(matrix.ids):
        return 0
    line, is_new = line_of(bench, project_id, embedder_id, matrix)
    places = known_places(had, matrix.ids, embedder_id) if not is_new else np.full(len(matrix.ids), np.nan)
    fresh = np.isnan(places)
    places[fresh] = line.places(matrix.vectors[fresh] if not fresh.all() else matrix.vectors)
    near, share = neighbours(scene, matrix, picked)
    now = Rows(matrix.ids, np.full(len(matrix.ids), embedder_id), places, near, share.astype(np.float64))
    return write(bench, project_id, now, now.changed(had))


def read_rows(session: Session, project_id: int) -> Rows:
    """As they stand."""
    columns = (Likeness.box_id, Likeness.embedder_id, Likeness.place, Likeness.near_species_id, Likeness.near_share)
    found = session.execute(select(*columns).where(Likeness.project_id == project_id).order_by(Likeness.box_id)).all()
    ids, embedders, places, near, share = zip(*found, strict=True) if found else ((), (), (), (), ())
    return Rows(
        np.array(ids, np.int64), np.array(embedders, np.int64), np.array(places, np.float64),
        np.array([name or 0 for name in near], np.int64), np.array([part or 0.0 for part in share], np.float64),
    )  # fmt: skip


def known_places(had: Rows, ids: Ids, embedder_id: int) -> NDArray[np.float64]:
    """(n,) the place of each box on this embedder's line, nan where it has none."""
    places = np.full(len(ids), np.nan)
    here, there = np.isin(ids, had.ids), np.isin(had.ids, ids)
    places[here] = np.where(had.embedder[there] == embedder_id, had.place[there], np.nan)
    return places


def line_of(bench: Bench, project_id: int, embedder_id: int, matrix: Matrix) -> tuple[Line, bool]:
    """The line of the project, and whether it is a new one, so that every place is too."""
    path = bench.store.line(embedder_id, project_id)
    try:
        with safe_open(path, "numpy") as file:
            kept = Line(*(file.get_tensor(name) for name in ("centers", "axes", "reach")))
            if len(matrix.ids) < AGAIN * int(file.metadata()["crops"]):
                return kept, False
    except (OSError, SafetensorError, KeyError, ValueError, TypeError):
        pass  # a cache: it is learnt again
    line = Line.through(matrix.vectors, np.random.default_rng([project_id, embedder_id]))
    tensors = {"centers": line.centers, "axes": line.axes, "reach": line.reach}
    bench.store.write(path, save(tensors, {"crops": str(len(matrix.ids))}))
    return line, True


def neighbours(scene: Scene, matrix: Matrix, picked: set[int]) -> tuple[Ids, NDArray[np.float32]]:
    """(n,) what the neighbours of each row of the matrix say, 0 where they are not asked; (n,) its share of them."""
    near, share = np.zeros(len(matrix.ids), np.int64), np.zeros(len(matrix.ids), np.float32)
    named = np.array(sorted(set(scene.names) & set(matrix.ids.tolist())), np.int64)
    asked = np.array(sorted((set(scene.snapshot.names) | picked) & set(matrix.ids.tolist())), np.int64)
    burst = dict(zip(scene.boxes.ids.tolist(), scene.boxes.sequence.tolist(), strict=True))
    alone = {box_id: burst.get(box_id) or -box_id for box_id in {*asked.tolist(), *named.tolist()}}
    rows, named_rows = matrix.rows_of(asked), matrix.rows_of(named)
    near[rows], share[rows] = opinions(
        matrix.vectors[rows],
        np.array([alone[box_id] for box_id in asked.tolist()], np.int64),
        matrix.vectors[named_rows],
        np.array([scene.names[box_id] for box_id in named.tolist()], np.int64),
        np.array([alone[box_id] for box_id in named.tolist()], np.int64),
    )
    return near, share


def write(bench: Bench, project_id: int, rows: Rows, changed: Ids) -> int:
    """In short transactions; the rest is left to the next learn job when one waits, or another embedder is in use by now."""
    for start in range(0, len(changed), CHUNK_ROWS):
        if learns_again(bench, project_id):
            return start
        bench.breathe()
        values = [
            {
                "box_id": int(rows.ids[row]), "project_id": project_id, "embedder_id": int(rows.embedder[row]),
                "place": float(rows.place[row]), "near_species_id": int(rows.near[row]) or None,
                "near_share": float(rows.share[row]) if rows.near[row] else None,
            }
            for row in changed[start : start + CHUNK_ROWS]
        ]  # fmt: skip
        if not bench.patiently(lambda values=values: write_chunk(bench, project_id, values)):  # type: ignore[misc]
            return start
    return len(changed)


def write_chunk(bench: Bench, project_id: int, rows: list[dict[str, Any]]) -> bool:
    """False when another embedder is in use by now."""
    with bench.database.writing() as session:
        if session.scalar(select(Project.embedder_id).where(Project.id == project_id)) != rows[0]["embedder_id"]:
            return False
        dialect = session.get_bind().dialect.name
        insert = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(Likeness)
        columns = ("embedder_id", "place", "near_species_id", "near_share")
        session.execute(
            insert.on_conflict_do_update(
                index_elements=["box_id"], set_={name: insert.excluded[name] for name in columns}
            ),
            rows,
        )
        return True
