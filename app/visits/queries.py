"""A page of visits, newest first: a keyset over (time, id), so that the last page costs what the first one does."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from sqlalchemy import Select, func, literal, or_, select, tuple_, union_all
from sqlalchemy.orm import Session

from models.box import Box, counted
from models.deployment import Deployment
from models.event import Event, EventCount
from models.image import READY, CountCorrection, Image
from models.project import Project
from models.species import Species
from models.user import User

AT_ONCE = 25  # visits of a page
STRIP = 6  # photos shown of each


@dataclass(frozen=True)
class Filters:
    """What the address narrows the list down to. until: this day included. after: the visit that the page before ended with."""

    species: int | None = None
    camera: int | None = None
    since: dt.date | None = None
    until: dt.date | None = None
    after: int | None = None

    @property
    def narrows(self) -> bool:
        """Whether anything is left out."""
        return bool(self.species or self.camera or self.since or self.until)


@dataclass(frozen=True)
class Line:
    """One visit on the page. by: who gave the figure that stands for MaxN."""

    event: Event
    species: str
    camera: str
    said: EventCount | None
    by: str
    photos: list[tuple[int, dt.datetime]] = field(default_factory=list)  # (photo id, when) of the first few


def lines(session: Session, project: Project, filters: Filters) -> tuple[list[Line], int | None]:
    """The visits of one page, and the last one's id where older ones follow."""
    wanted = (
        select(Event, Species.name, Deployment.name)
        .join(Species, Species.id == Event.species_id)
        .join(Deployment, Deployment.id == Event.deployment_id)
        .where(Event.project_id == project.id)
        .order_by(Event.first_at.desc(), Event.id.desc())
    )
    if filters.species:
        wanted = wanted.where(Event.species_id == filters.species)
    if filters.camera:
        wanted = wanted.where(Event.deployment_id == filters.camera)
    if filters.since:
        wanted = wanted.where(Event.first_at >= dt.datetime.combine(filters.since, dt.time.min))
    if filters.until:
        wanted = wanted.where(Event.first_at < dt.datetime.combine(filters.until, dt.time.min) + dt.timedelta(days=1))
    last = session.get(Event, filters.after) if filters.after else None
    if last is not None and last.project_id == project.id:
        wanted = wanted.where(tuple_(Event.first_at, Event.id) < (last.first_at, last.id))
    rows = session.execute(wanted.limit(AT_ONCE + 1)).all()
    few, more = rows[:AT_ONCE], len(rows) > AT_ONCE
    said = EventCount.newest(session, project.id, {event.deployment_id for event, *_ in few})
    speakers = select(User.id, User.name).where(User.id.in_({each.user_id for each in said.values()}))
    names = dict(session.execute(speakers).all())
    strips = photos_of(session, project, [event for event, *_ in few])
    made = [
        Line(event, species, camera, mine, names.get(mine.user_id, "") if mine else "", strips.get(event.id, []))
        for event, species, camera in few
        for mine in (said.get(event.key),)
    ]
    return made, few[-1][0].id if more else None


def photos_of(session: Session, project: Project, events: list[Event]) -> dict[int, list[tuple[int, dt.datetime]]]:
    """The first photos of each visit in which its species counts, at the camera that it begins at: one question, which stops
    after a few photos of each, however long a visit is."""
    if not events:
        return {}
    kinds = select(Species.id, Species.kind).where(Species.id.in_({event.species_id for event in events}))
    kind_of = dict(session.execute(kinds).all())
    found: dict[int, list[tuple[int, dt.datetime]]] = {}
    for event_id, image_id, taken_at in session.execute(
        union_all(*(select(strip_of(project, event, kind_of[event.species_id]).subquery()) for event in events))
    ):
        found.setdefault(event_id, []).append((image_id, taken_at))
    return {event_id: sorted(strip, key=lambda photo: photo[1]) for event_id, strip in found.items()}


def strip_of(project: Project, event: Event, kind: str) -> Select[int, int, dt.datetime | None]:
    """(visit, photo, when) of its first photos. kind: of its species; the detector itself knows people and vehicles."""
    called = func.coalesce(Box.settled_species_id, Box.guess_species_id)
    named = select(Box.id).where(
        Box.image_id == Image.id, counted(project), or_(called == event.species_id, Box.kind == kind)
    )
    said = select(CountCorrection.id).where(
        CountCorrection.image_id == Image.id, CountCorrection.species_id == event.species_id, CountCorrection.count > 0
    )
    return (
        select(literal(event.id).label("event_id"), Image.id, Image.taken_at)
        .where(
            Image.deployment_id == event.deployment_id, Image.state == READY, Image.taken_at >= event.first_at,
            Image.taken_at < event.last_at + dt.timedelta(seconds=1),
            or_(named.correlate(Image).exists(), said.correlate(Image).exists()),
        )
        .order_by(Image.taken_at, Image.path, Image.id)
        .limit(STRIP)
    )  # fmt: skip


def species_of(session: Session, project_id: int) -> list[tuple[int, str]]:
    """(id, name) of what was recorded, by name."""
    there = (
        select(Event.id)
        .where(Event.project_id == project_id, Event.species_id == Species.id)
        .correlate(Species)
        .exists()
    )
    rows = session.execute(select(Species.id, Species.name).where(Species.project_id == project_id, there))
    return sorted(((id_, name) for id_, name in rows), key=lambda row: row[1].lower())


def cameras_of(session: Session, project_id: int) -> list[tuple[int, str]]:
    """(id, name) of the deployments, by name."""
    rows = session.execute(select(Deployment.id, Deployment.name).where(Deployment.project_id == project_id))
    return sorted(((id_, name) for id_, name in rows), key=lambda row: row[1].lower())


def event_of(session: Session, project_id: int, event_id: int) -> Event | None:
    """The visit, while it is there."""
    found = session.get(Event, event_id)
    return found if found is not None and found.project_id == project_id else None
