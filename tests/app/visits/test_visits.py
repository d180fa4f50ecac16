"""The page of visits: what it lists, filters and pages; a person's count stays when the events are made anew."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import select

from app.visits import queries
from models.database import Database
from models.event import Event, EventCount, mark_photos
from models.image import CountCorrection
from models.membership import Role
from models.project import Project
from models.storage import Store
from tests import make
from tests.app.projects.actors import answered, around, expected
from tests.conftest import Site
from tests.fakes import FakeShelf
from worker.jobs.bench import Bench
from worker.jobs.events import refresh
from worker.jobs.networks import Networks

NOON = dt.datetime(2026, 3, 1, 12)


def follow(database: Database, store: Store, project_id: int) -> None:
    """As the worker does."""
    refresh(Bench("worker-test", database, store, Networks(store, FakeShelf())), project_id)


class Pages:
    """An annotator at the visits of a project: a jaguar and an ocelot at A, a jaguar at B a day later."""

    def __init__(self, site: Site, client: httpx.Client, project_id: int) -> None:
        self.site, self.client, self.project_id = site, client, project_id

    def show(self, query: str = "") -> str:
        return self.client.get(f"/projects/{self.project_id}/events{query}").text

    def names(self, query: str = "") -> list[str]:
        """Species and camera of the rows."""
        return [
            f"{a} {b}"
            for a, b in re.findall(r"<h2><bdi>(.*?)</bdi></h2>\s*<p class=\"small\"><bdi>(.*?)</bdi>", self.show(query))
        ]

    def save(self, event_id: int, count: str, unseen: str = "", key: str = "") -> httpx.Response:
        data = {"count": count, "unseen": unseen, "idempotency_key": key or f"{event_id:08}-{count}-{unseen}"}
        return self.client.post(f"/projects/{self.project_id}/events/{event_id}/count", data=data)

    def events(self) -> list[Event]:
        with self.site.database.reading() as session:
            return list(
                session.scalars(
                    select(Event).where(Event.project_id == self.project_id).order_by(Event.first_at, Event.species_id)
                )
            )


@pytest.fixture
def pages(site: Site) -> Iterator[Pages]:
    with site.database.writing() as session:
        who = make.user(session, "Maria Silva")
        project = make.project(session, (who, Role.annotator))
        jaguar, ocelot = make.species(session, project, "Jaguar", "Ocelot")
        batch = make.batch(session, project)
        for path, minutes, species, boxes in (
            ("A/1.jpg", 0, jaguar, 1), ("A/2.jpg", 5, jaguar, 3), ("A/3.jpg", 6, ocelot, 1), ("B/1.jpg", 1440, jaguar, 1),
        ):  # fmt: skip
            photo = make.image(session, batch, path, captured_at=NOON + dt.timedelta(minutes=minutes))
            for _ in range(boxes):
                make.box(session, photo, settled_species_id=species.id)
            mark_photos(session, project.id, [photo.id])
        token, project_id = make.token(session, who), project.id
    follow(site.database, site.store, project_id)
    with site.client(token, accept="text/html") as client:
        yield Pages(site, client, project_id)


def test_visits_come_newest_first_and_the_address_narrows_them_down(pages: Pages) -> None:
    assert pages.names() == ["Jaguar B", "Ocelot A", "Jaguar A"]
    jaguar, camera = pages.events()[0].species_id, pages.events()[0].deployment_id
    assert pages.names(f"?species={jaguar}") == ["Jaguar B", "Jaguar A"]
    assert pages.names(f"?camera={camera}") == ["Ocelot A", "Jaguar A"]
    assert pages.names("?since=2026-03-02") == ["Jaguar B"]
    assert pages.names("?until=2026-03-01") == ["Ocelot A", "Jaguar A"]
    assert pages.names("?species=none&since=yesterday") == ["Jaguar B", "Ocelot A", "Jaguar A"]
    assert "No event matches the filter." in pages.show("?since=2027-01-01")


def test_older_ones_follow_on_the_next_page(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "AT_ONCE", 2)
    assert pages.names() == ["Jaguar B", "Ocelot A"]
    older = re.search(r'href="([^"]*)" rel="next"', pages.show())
    assert older is not None
    assert pages.names(older.group(1).partition("events")[2].replace("&amp;", "&")) == ["Jaguar A"]


def test_a_persons_count_stands_beside_maxn_and_outlives_the_rows(pages: Pages) -> None:
    event = pages.events()[0]
    assert event.max_count == 3
    assert pages.save(event.id, "12", "2").status_code == 303
    shown = pages.show()
    assert "MaxN 3, 12 by Maria Silva, 2 unseen" in re.sub(r"\s+", " ", shown)
    assert '<span class="figure-l">14</span>' in shown and "bin 11-50" in shown
    with pages.site.database.writing() as session:
        session.get_one(Project, pages.project_id).event_gap_minutes = 1
    follow(pages.site.database, pages.site.store, pages.project_id)
    assert len(pages.events()) == 4 and "12 by Maria Silva" in pages.show()  # the visit still begins with that photo
    with pages.site.database.writing() as session:
        session.get_one(Project, pages.project_id).event_gap_minutes = 30
    follow(pages.site.database, pages.site.store, pages.project_id)
    again = pages.events()[0]
    assert "12 by Maria Silva" in pages.show()
    assert pages.save(again.id, "", "").status_code == 303
    assert "by Maria Silva" not in pages.show() and "MaxN 3" in pages.show()
    with pages.site.database.reading() as session:
        assert [row.count for row in session.scalars(select(EventCount).order_by(EventCount.id))] == [12, None]


def test_a_second_click_is_the_same_count_and_nonsense_is_refused_at_its_field(pages: Pages) -> None:
    event = pages.events()[0]
    for _ in range(2):
        assert pages.save(event.id, "5", key="one-and-the-same").status_code == 303
    with pages.site.database.reading() as session:
        assert len(session.scalars(select(EventCount)).all()) == 1
    for count, unseen, field in (("many", "", "count"), ("-1", "", "count"), ("1", "1000000", "unseen")):
        answer = pages.save(event.id, count, unseen)
        assert answer.status_code == 422, (count, unseen)
        assert f'id="visit-{event.id}-{field}-error"' in answer.text


def test_the_page_says_when_something_changed_since(pages: Pages) -> None:
    assert "Something changed since" not in pages.show()
    with pages.site.database.writing() as session:
        session.get_one(Project, pages.project_id).count_above = 0.5
    assert "Something changed since" in pages.show()


def test_who_may_look_and_who_may_count(sqlite_site: Site) -> None:
    with around(sqlite_site) as (project_id, clients):
        assert answered(clients, "GET", f"/projects/{project_id}/events") == expected(Role.viewer, 200)
        got = answered(clients, "POST", f"/projects/{project_id}/events/77/count")
        assert got == expected(Role.annotator, 404)


def test_what_is_counted_in_photos_without_boxes_is_a_visit_with_its_picture_where_the_file_is_here(
    sqlite_site: Site, store: Store
) -> None:
    with sqlite_site.database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.annotator))
        batch = make.batch(session, project)
        (jaguar,) = make.species(session, project, "Jaguar")
        here = make.image(session, batch, "A/1.jpg", captured_at=NOON)
        away = make.image(session, batch, "A/2.jpg", captured_at=NOON + dt.timedelta(days=1), state="absent")
        for image in (here, away):
            session.add(CountCorrection(image_id=image.id, species_id=jaguar.id, count=2, user_id=user.id))
        token, project_id, here_id = make.token(session, user), project.id, here.id
    follow(sqlite_site.database, store, project_id)
    page = sqlite_site.client(token, accept="text/html").get(f"/projects/{project_id}/events").text
    assert page.count("<h2><bdi>Jaguar</bdi></h2>") == 2
    assert page.count(f"/images/{here_id}/") >= 1
    assert page.count("the files of its photos are not here") == 1
