"""Static detections: boxes that lie in one place of a camera again and again become groups, as batches land.

A group that is there keeps its place and takes in what comes later; a new one begins with FEWEST boxes. Both rules look only at
boxes that no group has yet, so a second look, or one after a crash, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.box import Box
from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.image import Image
from models.job import Job
from models.project import Project
from models.static import FEWEST, LARGEST, StaticGroup, StaticHit
from worker.jobs.bench import Bench, Step
from worker.recurring import places

Row = tuple[int, float, float, float, float]  # box id, corners


def statics(bench: Bench, job: Job, step: Step) -> None:
    """Every camera of the project."""
    with bench.database.reading() as session:
        cameras = list(
            session.scalars(
                select(Deployment.id).where(Deployment.project_id == job.project_id).order_by(Deployment.id)
            )
        )
    step("statics", lambda: group_cameras(bench, job.project_id, cameras))


def group_batch(bench: Bench, project_id: int, job_id: str) -> int:
    """The cameras that an ingest job brought photos of. How many boxes found a group."""
    with bench.database.reading() as session:
        touched = select(Image.deployment_id).where(Image.job_id == job_id).distinct().order_by(Image.deployment_id)
        cameras = list(session.scalars(touched))
    return group_cameras(bench, project_id, cameras)


def group_cameras(bench: Bench, project_id: int, deployment_ids: Iterable[int]) -> int:
    """How many boxes found a group."""
    grouped = 0
    for deployment_id in deployment_ids:
        bench.breathe()
        grouped += group_camera(bench, project_id, deployment_id)
    return grouped


def group_camera(bench: Bench, project_id: int, deployment_id: int) -> int:
    """One camera: read, compare, write."""
    with bench.database.reading() as session:
        groups = session.execute(
            select(StaticGroup.id, StaticGroup.x_min, StaticGroup.y_min, StaticGroup.x_max, StaticGroup.y_max)
            .where(StaticGroup.deployment_id == deployment_id)
            .order_by(StaticGroup.id)
        ).all()  # fmt: skip
        loose = loose_boxes(session, project_id, deployment_id)
    if len(loose) < FEWEST and not groups:
        return 0
    found = places(corners(loose), corners(groups))
    sizes = np.bincount(found, minlength=len(groups) + len(loose))
    hits: dict[int, list[int]] = {}  # place -> its boxes
    for row, place in enumerate(found.tolist()):
        if place < len(groups) or sizes[place] >= FEWEST:
            hits.setdefault(place, []).append(loose[row][0])
    for place, box_ids in hits.items():
        group_id = groups[place][0] if place < len(groups) else None
        leader = loose[place - len(groups)] if group_id is None else None
        for start in range(0, len(box_ids), CHUNK_ROWS):
            few = box_ids[start : start + CHUNK_ROWS]
            group_id = bench.patiently(lambda: write(bench, project_id, deployment_id, group_id, leader, few))  # noqa: B023
            bench.breathe()
    return sum(map(len, hits.values()))


def loose_boxes(session: Session, project_id: int, deployment_id: int) -> list[Row]:
    """The detector's boxes of a camera that may be asked about, are small enough and lie in no group, by rising id."""
    project = session.get_one(Project, project_id)
    wide, high = Box.x_max - Box.x_min, Box.y_max - Box.y_min
    rows = session.execute(
        select(Box.id, Box.x_min, Box.y_min, Box.x_max, Box.y_max)
        .join(Image, Image.id == Box.image_id)
        .outerjoin(StaticHit, StaticHit.box_id == Box.id)
        .where(
            Image.deployment_id == deployment_id, Box.deleted_at.is_(None), ~Box.drawn, Box.score >= project.classify_above,
            StaticHit.box_id.is_(None), wide > 0, high > 0, wide * high <= LARGEST,
        )
        .order_by(Box.id)
    )  # fmt: skip
    return list(rows)


def corners(rows: Iterable[Row]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """(n, 4)."""
    return np.array([row[1:] for row in rows], np.float64).reshape(-1, 4)


def write(
    bench: Bench, project_id: int, deployment_id: int, group_id: int | None, leader: Row | None, box_ids: list[int]
) -> int:
    """One transaction: a new group where there is none, and some of its boxes. The group's id."""
    with bench.database.writing() as session:
        if group_id is None:
            assert leader is not None
            x_min, y_min, x_max, y_max = leader[1:]
            group = StaticGroup(
                project_id=project_id, deployment_id=deployment_id, x_min=x_min, y_min=y_min, x_max=x_max, y_max=y_max,
                first_box_id=leader[0],
            )  # fmt: skip
            session.add(group)
            session.flush()
            group_id = group.id
        session.execute(insert(StaticHit), [{"box_id": box_id, "group_id": group_id} for box_id in box_ids])
        return group_id
