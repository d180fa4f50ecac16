"""Pages of photos at a cost that does not grow with the project: each begins in an index where the one before ended (keyset).

Without a camera or a time, photos come in the order of their ids. Else camera by camera, each by its clock, those without a
time last.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from models.box import Box
from models.deployment import Deployment
from models.image import Image

FIRST, LAST = dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)
DATED, UNDATED = 0, 1
Place = tuple[int, int, dt.datetime, int]  # camera, DATED or UNDATED, its clock, photo


@dataclass(frozen=True)
class Asked:
    """Which photos. since, until: the camera's clock, corrected, both included; photos without a time are then left out."""

    project_id: int
    state: str | None = None
    batch_id: int | None = None
    deployment_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None

    @property
    def by_time(self) -> bool:
        """Whether the order is that of cameras and their clocks."""
        return self.deployment_id is not None or self.has_times

    @property
    def has_times(self) -> bool:
        """Whether only photos with a time are asked for."""
        return self.since is not None or self.until is not None


def by_id(session: Session, asked: Asked, after: int, limit: int) -> list[Image]:
    """The next photos by rising id, at most limit."""
    wanted = filtered(asked).where(Image.project_id == asked.project_id, Image.id > after)
    return list(session.scalars(wanted.order_by(Image.id).limit(limit)))


def by_time(session: Session, asked: Asked, after: Place | None, limit: int) -> list[Image]:
    """The next photos camera by camera, at most limit."""
    found: list[Image] = []
    for deployment_id in cameras(session, asked, after[0] if after else 0):
        place = after if after and after[0] == deployment_id else (deployment_id, DATED, FIRST, 0)
        for part in parts(session, asked, place, limit):
            found += part[: limit - len(found)]
            if len(found) == limit:
                return found
    return found


def place_of_photo(photo: Image) -> Place:
    """Where a page ended."""
    dated = photo.taken_at is not None
    return photo.deployment_id, DATED if dated else UNDATED, photo.taken_at or FIRST, photo.id


def cameras(session: Session, asked: Asked, least: int) -> list[int]:
    """The project's cameras from an id on, or the one that is asked for; of times those alone that have a photo then."""
    wanted = select(Deployment.id).where(Deployment.project_id == asked.project_id, Deployment.id >= least)
    if asked.deployment_id is not None:
        wanted = wanted.where(Deployment.id == asked.deployment_id)
    if asked.has_times:
        since, until = asked.since or FIRST, asked.until or LAST
        then = exists().where(Image.deployment_id == Deployment.id, Image.taken_at.between(since, until))
        wanted = wanted.where(then.correlate(Deployment))
    return list(session.scalars(wanted.order_by(Deployment.id)))


def parts(session: Session, asked: Asked, place: Place, limit: int) -> Iterator[Sequence[Image]]:
    """One camera's photos with a time, then those without. The project is not asked for once more: it would lead SQLite to an
    index of the whole project."""
    deployment_id, part, clock, photo_id = place
    here = filtered(asked).where(Image.deployment_id == deployment_id)
    if part == DATED:
        since = max(clock, asked.since or FIRST)
        dated = here.where(
            Image.taken_at >= since, or_(Image.taken_at > clock, and_(Image.taken_at == clock, Image.id > photo_id))
        )
        if asked.until is not None:
            dated = dated.where(Image.taken_at <= asked.until)
        yield session.scalars(dated.order_by(Image.taken_at, Image.id).limit(limit)).all()
    if not asked.has_times:
        undated = here.where(Image.taken_at.is_(None), Image.id > (photo_id if part == UNDATED else 0))
        yield session.scalars(undated.order_by(Image.id).limit(limit)).all()


def filtered(asked: Asked) -> Select[Image]:
    """By state and batch."""
    wanted = select(Image)
    if asked.state is not None:
        wanted = wanted.where(Image.state == asked.state)
    if asked.batch_id is not None:
        wanted = wanted.where(Image.batch_id == asked.batch_id)
    return wanted


def boxes_in(session: Session, image_ids: Sequence[int]) -> dict[int, list[Box]]:
    """Photo id -> its boxes that nobody deleted, by ordinal."""
    found: dict[int, list[Box]] = defaultdict(list)
    wanted = select(Box).where(Box.image_id.in_(image_ids), Box.deleted_at.is_(None))
    for box in session.scalars(wanted.order_by(Box.image_id, Box.ordinal)):
        found[box.image_id].append(box)
    return found


def zones_of(session: Session, deployment_ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Camera id -> its name, and its zone where it has one of its own."""
    wanted = select(Deployment.id, Deployment.name, Deployment.zone).where(Deployment.id.in_(set(deployment_ids)))
    return {row.id: (row.name, row.zone) for row in session.execute(wanted)}
