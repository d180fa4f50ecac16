"""A photo's page: its time as shot with its zone, setup and fallen cameras, and the first and last hours of a camera."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from app.pages import camera_time
from models.audit import AuditEntry
from models.deployment import Deployment, ProblemPeriod
from models.image import Image, may_be_visit
from models.membership import Role
from models.project import Project
from tests import make
from tests.conftest import Site

NOON = dt.datetime(2026, 3, 1, 12)


def test_a_time_names_its_zone_and_what_was_shot() -> None:
    assert camera_time(NOON) == "1 March 2026, 12:00:00"
    assert camera_time(NOON, "America/Guyana") == "1 March 2026, 12:00:00, America/Guyana"
    assert camera_time(NOON, "America/Guyana", NOON) == camera_time(NOON, "America/Guyana")
    shot = dt.datetime(2025, 3, 1, 12)
    assert camera_time(NOON, "", shot) == "1 March 2026, 12:00:00 (as shot 1 March 2025, 12:00:00)"
    assert camera_time(None) == "no time in the photo"


class Trail:
    """Six photos of one camera, an hour apart, and three people."""

    def __init__(self, site: Site) -> None:
        with site.database.writing() as session:
            people = [make.user(session) for _ in range(3)]
            roles = (Role.expert, Role.annotator, Role.viewer)
            project = make.project(session, *zip(people, roles, strict=True))
            batch = make.batch(session, project)
            photos = [
                make.image(session, batch, f"A/{number}.jpg", captured_at=NOON + dt.timedelta(hours=number))
                for number in range(6)
            ]
            self.images = [each.id for each in photos]
            self.deployment_id = photos[0].deployment_id
            self.project_id = project.id
            self.expert, self.annotator, self.viewer = (make.token(session, each) for each in people)


@pytest.fixture
def trail(site: Site) -> Trail:
    return Trail(site)


def test_a_photo_is_marked_as_setup_and_is_no_visit(site: Site, trail: Trail) -> None:
    here = f"/photos/{trail.images[0]}"
    with site.client(trail.viewer, accept="text/html") as client:
        assert "Facts" in client.get(here).text
        assert client.post(f"{here}/setup", data={"setup": "setup"}).status_code == 403
    with site.client(trail.annotator, accept="text/html") as client:
        assert client.post(f"{here}/setup", data={"setup": "setup"}).status_code == 303
        assert client.post(f"{here}/setup", data={"setup": "lunch"}).status_code == 422
        with site.database.reading() as session:
            assert session.get_one(Image, trail.images[0]).setup == "setup"
            assert list(session.scalars(select(Image.id).where(may_be_visit()))) == trail.images[1:]
        client.post(f"{here}/setup", data={"setup": ""})
    with site.database.reading() as session:
        assert session.get_one(Image, trail.images[0]).setup == ""
        acts = list(session.scalars(select(AuditEntry.act)))
    assert acts.count("photo.setup") == 2


def test_the_first_and_last_hours_are_offered_and_marked(site: Site, trail: Trail) -> None:
    there = f"/projects/{trail.project_id}/setup"
    with site.client(trail.annotator, accept="text/html") as client:
        assert client.get(there).status_code == 200
        assert client.post(f"{there}/{trail.deployment_id}", data={"which": "first"}).status_code == 403
    with site.client(trail.expert, accept="text/html") as client:
        shown = client.get(there).text
        assert (
            '<td class="n maybe">6</td><td class="n">3</td><td class="n">3</td><td class="n maybe zero">0</td>' in shown
        )
        assert client.post(f"{there}/{trail.deployment_id}", data={"which": "first"}).status_code == 303
        bad = client.post(f"{there}/{trail.deployment_id}", data={"which": "first", "minutes": "0"})
        assert bad.status_code == 422 and "Between 1 and" in bad.text
    with site.database.reading() as session:
        marked = list(session.scalars(select(Image.id).where(Image.setup == "setup").order_by(Image.id)))
    assert marked == trail.images[:3]


def test_a_camera_that_fell_saw_nothing_from_then_on_and_that_can_be_taken_back(site: Site, trail: Trail) -> None:
    here = f"/photos/{trail.images[2]}"
    with site.client(trail.annotator, accept="text/html") as client:
        assert client.post(f"{here}/fell").status_code == 403
    with site.client(trail.expert, accept="text/html") as client:
        assert "The camera fell here" in client.get(here).text
        assert client.post(f"{here}/fell").status_code == 303
        with site.database.reading() as session:
            period = session.scalars(select(ProblemPeriod)).one()
            assert (period.kind, period.from_at, period.to_at) == (
                "knocked_down", NOON + dt.timedelta(hours=2), NOON + dt.timedelta(hours=5),
            )  # fmt: skip
        assert client.post(f"{here}/fell").status_code == 409
        assert "It lay on the ground" in client.get(here).text
        assert client.post(f"{here}/stands").status_code == 303
    with site.database.reading() as session:
        assert session.scalar(select(ProblemPeriod.id)) is None
        acts = set(session.scalars(select(AuditEntry.act)))
    assert {"camera.fell", "camera.stands"} <= acts


def test_the_photo_s_page_names_the_zone_and_the_time_as_shot(site: Site, trail: Trail) -> None:
    with site.database.writing() as session:
        session.get_one(Project, trail.project_id).zone = "America/Lima"
        image = session.get_one(Image, trail.images[1])
        image.taken_at = NOON + dt.timedelta(days=365)
    with site.client(trail.viewer, accept="text/html") as client:
        shown = client.get(f"/photos/{trail.images[1]}").text
        assert "1 March 2027, 12:00:00, America/Lima" in shown and "1 March 2026, 13:00:00" in shown
        with site.database.writing() as session:
            session.get_one(Deployment, trail.deployment_id).zone = "America/Guyana"
        assert "America/Guyana" in client.get(f"/photos/{trail.images[1]}").text
