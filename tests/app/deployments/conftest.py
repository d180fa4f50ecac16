"""An expert, and a viewer, in front of the deployments of a project with photos."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import select

from models.deployment import Deployment
from models.image import Image
from models.membership import Role
from models.project import Project
from tests import make
from tests.conftest import Site

START = dt.datetime(2026, 3, 1, 10)


class Field:
    """A project seen by an expert."""

    def __init__(self, site: Site, role: Role = Role.expert) -> None:
        self.site = site
        with site.database.writing() as session:
            who = make.user(session)
            project = make.project(session, (who, role))
            self.batch_id = make.batch(session, project, "Field trip").id
            self.project_id, token = project.id, make.token(session, who)
        self.client = site.client(token, accept="text/html")
        self.path = f"/projects/{self.project_id}/deployments"

    def photos(self, folder: str, *times: dt.datetime) -> list[int]:
        """Photos of a folder with these times; their ids."""
        with self.site.database.writing() as session:
            batch = make.batch(session, session.get_one(Project, self.project_id))
            return [
                make.image(
                    session, batch, f"{folder}/IMG_{number:04}.JPG", captured_at=at,
                    sha256=hashlib.sha256(f"{self.project_id}{folder}{number}".encode()).hexdigest(),
                ).id
                for number, at in enumerate(times, start=1)
            ]  # fmt: skip

    def deployment(self, name: str) -> int:
        """Its id."""
        with self.site.database.reading() as session:
            here = Deployment.project_id == self.project_id, Deployment.name == name
            return session.scalars(select(Deployment.id).where(*here)).one()

    def row(self, name: str) -> Deployment:
        """As it stands."""
        with self.site.database.reading() as session:
            return session.get_one(Deployment, self.deployment(name))

    def times(self, name: str) -> list[dt.datetime | None]:
        """Corrected times of its photos, by path."""
        here = select(Image.taken_at).where(Image.deployment_id == self.deployment(name)).order_by(Image.path)
        with self.site.database.reading() as session:
            return list(session.scalars(here))

    def show(self, path: str = "", **query: str) -> str:
        """A page that is there."""
        answer = self.client.get(self.path + path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str = "", **form: str) -> httpx.Response:
        """Send a form as a browser does."""
        return self.client.post(self.path + path, data=form)

    def save(self, name: str, **fields: str) -> httpx.Response:
        """The form of a deployment, with the version that stands."""
        return self.send(f"/{self.deployment(name)}", **({"version": str(self.row(name).version)} | fields))


@pytest.fixture
def field(sqlite_site: Site) -> Iterator[Field]:
    """On SQLite, where the kind does not matter."""
    made = Field(sqlite_site)
    yield made
    made.client.close()


@pytest.fixture
def both_fields(site: Site) -> Iterator[Field]:
    """Once on each kind of database."""
    made = Field(site)
    yield made
    made.client.close()


@pytest.fixture
def days() -> Callable[[int], list[dt.datetime]]:
    """One photo a day from the start on."""
    return lambda count: [START + dt.timedelta(days=number) for number in range(count)]
