"""A project with photos, boxes, a round and one token of each kind, on a live server."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.api_token import ApiToken, Scope
from models.base import utc_now
from models.box import Box
from models.clock import ClockCorrection
from models.clock_finding import ClockFinding
from models.deployment import Deployment
from models.event import Event
from models.image import Image
from models.imported import Import
from models.membership import Role
from models.project import Project
from models.site import Site as Place
from models.species import Species
from models.static import StaticGroup, StaticHit
from models.user import User
from tests import make
from tests.conftest import Site

ALL = tuple(Scope)


def key() -> str:
    """An idempotency key."""
    return uuid.uuid4().hex


def token_of(session: Session, who: User, *scopes: Scope, days: int = 30) -> str:
    """The text of a new token; without scopes it has all."""
    return ApiToken.make(session, who, "a script", scopes or ALL, days)[1]


def client_of(site: Site, token: str | None) -> httpx.Client:
    """A script with a token: no cookie, no origin."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(base_url=f"{site.address}/api/v1", headers=headers, timeout=30)


@dataclass
class Study:
    """What a test needs to know of it. people: role, stranger, site_admin -> user id."""

    site: Site
    project_id: int
    people: dict[str, int]
    photos: list[int]
    boxes: list[int]
    species: dict[str, int]
    batch_id: int
    round_id: int
    others: dict[str, int]  # the name of a path's field -> an id that there is

    def token(self, who: str, *scopes: Scope) -> str:
        """A new token."""
        with self.site.database.writing() as session:
            return token_of(session, session.get_one(User, self.people[who]), *scopes)

    @contextlib.contextmanager
    def calling(self, who: str = "admin", *scopes: Scope) -> Iterator[httpx.Client]:
        """A script of this person."""
        with client_of(self.site, self.token(who, *scopes)) as client:
            yield client

    @property
    def here(self) -> str:
        """The project's address."""
        return f"/projects/{self.project_id}"


def study_on(site: Site, photos: int = 6, **columns: Any) -> Study:
    """Photos of two cameras, a box each, all in one chosen round; the last photo has no time."""
    with site.database.writing() as session:
        people = {role.value: make.user(session) for role in Role}
        people |= {"stranger": make.user(session), "site_admin": make.user(session, is_admin=True)}
        project = make.project(session, *[(people[role.value], role) for role in Role], **columns)
        batch = make.batch(session, project)
        images: list[Image] = []
        boxes: list[Box] = []
        for number in range(photos):
            clock = None if number == photos - 1 else dt.datetime(2026, 3, 1, 6) + dt.timedelta(minutes=number)
            path = f"Camera {'AB'[number % 2]}/IMG_{number:04}.JPG"
            images.append(make.image(session, batch, path, captured_at=clock, taken_at=clock))
            boxes.append(make.box(session, images[-1], 0.95 - number / 1000))
        species = make.species(session, project, "Jaguar", "Ocelot")
        chosen = make.round_of(session, project, boxes)
        fixed = {each.kind: each.id for each in Species.open_in(session, project.id) if each.kind != "taxon"}
        place = Place.of_name(session, project.id, "Waterhole 1")
        place.latitude, place.longitude = -2.3, 34.8
        for image in images[:2]:
            session.add(
                Event(
                    project_id=project.id, deployment_id=image.deployment_id, species_id=species[0].id, first_image_id=image.id,
                    first_at=dt.datetime(2026, 3, 1, 6), last_at=dt.datetime(2026, 3, 1, 7), photos=1, max_count=1,
                )
            )  # fmt: skip
        return Study(
            site, project.id, {name: each.id for name, each in people.items()}, [each.id for each in images],
            [each.id for each in boxes], {each.name: each.id for each in species} | fixed, batch.id, chosen.id,
            beside(session, project, images, boxes, people["admin"]),
        )  # fmt: skip


def beside(session: Session, project: Project, images: list[Image], boxes: list[Box], by: User) -> dict[str, int]:
    """What the routes of places, clocks, checks and imports speak of: field -> id."""
    deployment = session.get_one(Deployment, images[0].deployment_id)
    correction = ClockCorrection(
        project_id=project.id, deployment_id=deployment.id, kind="shift", parameters={"seconds": 3600}, user_id=by.id,
        taken_back_at=utc_now(),
    )  # fmt: skip
    finding = ClockFinding(
        project_id=project.id, deployment_id=deployment.id, kind="future", mark="x", proposal={},
        figures={"photos": 1, "of": 3, "first": "2026-03-01T06:00:00", "last": "2026-03-01T06:00:00"},
    )  # fmt: skip
    group = StaticGroup(
        project_id=project.id,
        deployment_id=deployment.id,
        first_box_id=boxes[0].id,
        x_min=0.1,
        y_min=0.1,
        x_max=0.2,
        y_max=0.2,
    )
    import_ = Import(
        project_id=project.id, format="csv", name="a.csv", sha256="0" * 64, by_id=by.id, state="failed", error="no"
    )
    session.add_all([correction, finding, group, import_])
    session.flush()
    session.add(StaticHit(group_id=group.id, box_id=boxes[0].id))
    event = session.scalars(select(Event).where(Event.project_id == project.id)).first()
    place = session.scalars(select(Place).where(Place.project_id == project.id)).first()
    assert event is not None
    assert place is not None
    return {
        "deployment_id": deployment.id, "correction_id": correction.id, "finding_id": finding.id, "group_id": group.id,
        "import_id": import_.id, "event_id": event.id, "site_id": place.id,
    }  # fmt: skip
