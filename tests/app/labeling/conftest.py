"""A project with a round on a live server, and people at their desks."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import func, select, update

from models.act import Act
from models.base import utc_now
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.job import Job
from models.label import Label
from models.lease import Lease
from models.membership import Membership, Role
from models.predictions import write_part
from models.project import Project
from models.round import Pick, Round
from models.species import Species
from tests import make
from tests.conftest import Site, fresh_postgres, running_site


@dataclass
class Person:
    """Somebody with a browser."""

    id: int
    client: httpx.Client
    project_id: int

    def lease(self, count: int = 20, **more: Any) -> dict[str, Any]:
        """The next crops."""
        answer = self.client.post(f"/projects/{self.project_id}/leases", json={"count": count, **more})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def crops(self, count: int = 20) -> list[dict[str, Any]]:
        """The crops on the desk."""
        crops: list[dict[str, Any]] = self.lease(count)["crops"]
        return crops

    def say(self, crop: dict[str, Any], species: int | str, key: str = "", **more: Any) -> httpx.Response:
        """Answer a crop."""
        body = {
            "species": species, "idempotency_key": key or new_key(), "lease_token": crop["lease_token"],
            "pick_id": crop["pick_id"],
        }  # fmt: skip
        return self.client.post(f"/boxes/{crop['box_id']}/labels", json=body | more)

    def act(self, crop: dict[str, Any], what: str, key: str = "") -> httpx.Response:
        """skip or empty-photo."""
        body = {"idempotency_key": key or new_key(), "lease_token": crop["lease_token"]}
        return self.client.post(f"/boxes/{crop['box_id']}/{what}", json=body)

    def undo(self, key: str = "", **more: Any) -> dict[str, Any]:
        """Take back."""
        return self.project_act("undo", key, **more)

    def redo(self, key: str = "") -> dict[str, Any]:
        """Do again."""
        return self.project_act("redo", key)

    def project_act(self, what: str, key: str = "", **more: Any) -> dict[str, Any]:
        """undo or redo."""
        answer = self.client.post(
            f"/projects/{self.project_id}/{what}", json={"idempotency_key": key or new_key(), **more}
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told


@dataclass
class Study:
    """One project with a round of boxes, each on a photo of its own."""

    site: Site
    project_id: int
    round_id: int
    boxes: list[int]
    species: dict[str, int]
    stack: ExitStack
    fixed: dict[str, int] = field(default_factory=dict)

    def person(self, role: Role | None = Role.annotator, name: str = "") -> Person:
        """A new member (or a stranger), signed in."""
        with self.site.database.writing() as session:
            who = make.user(session, name)
            if role is not None:
                Membership.grant(session, self.project_id, who.id, role)
            token, user_id = make.token(session, who), who.id
        return Person(user_id, self.stack.enter_context(self.site.client(token)), self.project_id)

    def labels(self, box_id: int | None = None) -> list[tuple[int, str, int | None]]:
        """(user, kind, species) of every row, oldest first."""
        wanted = select(Label.user_id, Label.kind, Label.species_id).order_by(Label.id)
        wanted = wanted.where(Label.project_id == self.project_id)
        if box_id is not None:
            wanted = wanted.where(Label.box_id == box_id)
        with self.site.database.reading() as session:
            return [tuple(row) for row in session.execute(wanted)]

    def settled(self, box_id: int) -> int | None:
        """The name of a box."""
        with self.site.database.reading() as session:
            return session.scalar(select(Box.settled_species_id).where(Box.id == box_id))

    def label(self) -> Label:
        """The only row there is."""
        with self.site.database.reading() as session:
            return session.scalars(select(Label).where(Label.project_id == self.project_id)).one()

    def expire_leases(self) -> None:
        """A quarter of an hour later."""
        mine = select(Pick.id).where(Pick.round_id == self.round_id)
        with self.site.database.writing() as session:
            session.execute(update(Lease).where(Lease.pick_id.in_(mine)).values(expires_at=utc_now()))
            session.execute(update(Membership).where(Membership.project_id == self.project_id).values(asked_at=None))

    def picks(self) -> dict[str, int]:
        """How many picks of the round are in which state."""
        with self.site.database.reading() as session:
            rows = session.execute(
                select(Pick.state, func.count()).where(Pick.round_id == self.round_id).group_by(Pick.state)
            )
            return dict(rows.all())

    def round_state(self) -> str:
        """chosen, open or full."""
        with self.site.database.reading() as session:
            return session.get_one(Round, self.round_id).state

    def learn_keys(self) -> list[str]:
        """The keys under which learn jobs were asked for, without the project."""
        wanted = select(Job.key).where(Job.project_id == self.project_id, Job.key.is_not(None)).order_by(Job.asked_at)
        with self.site.database.reading() as session:
            return [str(key).removeprefix(f"learn-{self.project_id}-") for key in session.scalars(wanted)]

    def guess(self, rows: dict[int, list[float]]) -> int:
        """Switch to a classifier that says this about these boxes (probabilities in the order of `species`); its id."""
        with self.site.database.writing() as session:
            project, classes = session.get_one(Project, self.project_id), list(self.species.values())
            learnt = Checkpoint(
                project_id=project.id, kind=CLASSIFIER, name="fake", sha256="0" * 64, parent_id=project.embedder_id,
                label_count=2700, classes=classes,
            )  # fmt: skip
            session.add(learnt)
            session.flush()
            folder = self.site.store.predictions(f"job-{learnt.id}")
            write_part(self.site.store, folder, "all", np.array(list(rows)), np.array(list(rows.values())), classes)
            learnt.predictions = self.site.store.relative(folder)
            project.classifier_id = learnt.id
            return learnt.id

    def acts(self) -> int:
        """How many acts there are."""
        with self.site.database.reading() as session:
            return session.scalar(select(func.count()).where(Act.project_id == self.project_id)) or 0


def new_key() -> str:
    """An idempotency key."""
    return uuid.uuid4().hex


def study_on(site: Site, stack: ExitStack, crops: int, boxes_a_photo: int = 1, **columns: Any) -> Study:
    """A project with a chosen round over all its boxes."""
    with site.database.writing() as session:
        project = make.project(session, **columns)
        batch = make.batch(session, project)
        boxes: list[Box] = []
        while len(boxes) < crops:
            photo = make.image(session, batch)
            boxes += [make.box(session, photo) for _ in range(min(boxes_a_photo, crops - len(boxes)))]
        species = make.species(session, project, "Jaguar", "Ocelot", "Lowland tapir")
        chosen = make.round_of(session, project, boxes)
        fixed = {each.kind: each.id for each in Species.open_in(session, project.id) if each.kind != "taxon"}
        return Study(
            site,
            project.id,
            chosen.id,
            [box.id for box in boxes],
            {each.name: each.id for each in species},
            stack,
            fixed,
        )


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One live server for all these tests: each makes a project of its own."""
    home = tmp_path_factory.mktemp("labeling")
    with running_site(f"sqlite:///{home / 'waterhole.sqlite'}", home) as site:
        yield site


@pytest.fixture(scope="session")
def postgres_house(tmp_path_factory: pytest.TempPathFactory, postgres_address: str) -> Iterator[Site]:
    """The same over PostgreSQL."""
    with fresh_postgres(postgres_address) as url, running_site(url, tmp_path_factory.mktemp("labeling")) as site:
        yield site


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Closes every client at the end."""
    with ExitStack() as made:
        yield made


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def make_study(request: pytest.FixtureRequest, stack: ExitStack) -> Callable[..., Study]:
    """Studies on a live server, over each kind of database."""
    site: Site = request.getfixturevalue(f"{request.param}_house")
    return lambda crops=5, boxes_a_photo=1, **columns: study_on(site, stack, crops, boxes_a_photo, **columns)


@pytest.fixture
def make_sqlite_study(sqlite_house: Site, stack: ExitStack) -> Callable[..., Study]:
    """The same, where the kind of database does not matter."""
    return lambda crops=5, boxes_a_photo=1, **columns: study_on(sqlite_house, stack, crops, boxes_a_photo, **columns)
