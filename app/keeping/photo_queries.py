"""What the page of one photo asks, and the list of cameras with the photos of their first and last hours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, case, false, func, or_, select
from sqlalchemy.orm import Session

from models.batch import Batch
from models.deployment import Deployment
from models.errors import NotYours
from models.image import Image, standing
from models.project import Project
from models.words import say
from models.zone import said_zone

CAMERAS_A_PAGE = 50


@dataclass(frozen=True)
class Facts:
    """Where a photo comes from."""

    camera: str
    batch: str
    zone: str


@dataclass(frozen=True)
class Ends:
    """One camera: photos in the first and the last minutes, and how many are marked."""

    id: int
    name: str
    photos: int
    first: int
    last: int
    marked: int


def facts(session: Session, image: Image) -> Facts:
    """Of one photo."""
    row = session.execute(
        select(Deployment.name, Batch.name, said_zone())
        .select_from(Image)
        .join(Deployment, Deployment.id == Image.deployment_id)
        .join(Batch, Batch.id == Image.batch_id)
        .join(Project, Project.id == Image.project_id)
        .where(Image.id == image.id)
    ).one()
    return Facts(*row)


def ends(session: Session, project_id: int, minutes: int, after: str) -> list[Ends]:
    """The next cameras by name, one more than a page. Two passes over an index of the photos of these cameras."""
    page = select(Deployment.id, Deployment.name, Deployment.starts_at, Deployment.ends_at)
    page = page.where(Deployment.project_id == project_id, Deployment.name > after).order_by(Deployment.name)
    shown = session.execute(page.limit(CAMERAS_A_PAGE + 1)).all()
    ids = [row.id for row in shown]
    mine = (Image.deployment_id.in_(ids), standing())
    spans = select(
        Image.deployment_id.label("id"), func.min(Image.taken_at).label("first"), func.max(Image.taken_at).label("last")
    )
    found = {row.id: row for row in session.execute(spans.where(*mine).group_by(Image.deployment_id))}
    length = dt.timedelta(minutes=minutes)
    early, late = [], []
    for row in shown:
        span = found.get(row.id)
        first, last = row.starts_at or (span.first if span else None), row.ends_at or (span.last if span else None)
        if first is not None and last is not None:
            early.append(and_(Image.deployment_id == row.id, Image.taken_at <= first + length))
            late.append(and_(Image.deployment_id == row.id, Image.taken_at >= last - length))
    tallies = select(
        Image.deployment_id, func.count(), func.count(case((or_(false(), *early), 1))),
        func.count(case((or_(false(), *late), 1))), func.count(case((Image.setup != "", 1))),
    )  # fmt: skip
    counts = {row[0]: row[1:] for row in session.execute(tallies.where(*mine).group_by(Image.deployment_id))}
    return [Ends(row.id, row.name, *counts.get(row.id, (0, 0, 0, 0))) for row in shown]


def deployment_of(session: Session, project_id: int, deployment_id: int) -> Deployment:
    """Raises NotYours."""
    found = session.get(Deployment, deployment_id)
    if found is None or found.project_id != project_id:
        raise NotYours(say("This page does not exist, or is not yours to see."))
    return found
