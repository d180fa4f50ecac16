"""Photos that go, come back or are named by a file leave a mark, so that the page of events follows."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import Database
from models.event import Event, EventMark
from models.image import REMOVED, Image
from models.membership import Role
from models.project import Project
from models.records import event_lines
from models.removal import hide, show
from models.storage import Store
from models.upkeep import are_current
from tests import make
from tests.round_trips.trips import Place


def marked(session: Session, project_id: int) -> set[int | None]:
    """The deployments that wait; a mark of a photo counts for its deployment."""
    rows = session.scalars(select(EventMark).where(EventMark.project_id == project_id)).all()
    images = {row.image_id for row in rows if row.image_id}
    here = session.scalars(select(Image.deployment_id).where(Image.id.in_(images))).all()
    return {row.deployment_id for row in rows if row.deployment_id} | set(here)


def test_photos_that_are_hidden_and_come_back_mark_their_cameras(database: Database) -> None:
    with database.writing() as session:
        project = make.project(session, (make.user(session), Role.admin))
        batch = make.batch(session, project)
        photo = make.image(session, batch, "Cam 1/1.jpg", captured_at=dt.datetime(2026, 3, 1, 6))
        other = make.image(session, batch, "Cam 2/1.jpg", captured_at=dt.datetime(2026, 3, 1, 6))
        at = utc_now()
        for change in (
            lambda: hide(session, project, [photo.id], REMOVED, at),
            lambda: show(session, project.id, [photo.id], at),
        ):
            session.execute(delete(EventMark))
            change()
            assert marked(session, project.id) == {photo.deployment_id}
        assert other.deployment_id not in marked(session, project.id)


def test_what_a_table_names_marks_its_cameras_and_so_does_taking_it_back(database: Database, store: Store) -> None:
    place = Place(database, store)
    project_id, by = place.project()
    table = b"File,RelativePath,DateTime,Species,Count\n1.jpg,Cam 1,2026-03-01 06:00:00,Jaguar,2\n"
    columns = {"file": "File", "folder": "RelativePath", "time": "DateTime", "species": "Species", "count": "Count"}
    import_ = place.taken(
        project_id, by, {"a.csv": table}, columns=columns, confirmed=True, delimiter=",", encoding="utf-8"
    )
    with database.reading() as session:
        project = session.get_one(Project, project_id)
        (photo,) = session.scalars(select(Image).where(Image.project_id == project_id))
        assert marked(session, project_id) == {photo.deployment_id}
        assert not are_current(session, project)
        (event,) = event_lines(session, store, project)
        assert (event.max_count, event.named) == (2, 1)
        assert session.scalars(select(Event).where(Event.project_id == project_id)).all() == []
        deployment_id = photo.deployment_id
    with database.writing() as session:
        session.execute(delete(EventMark))
    place.taken_back(project_id, import_.id)
    with database.reading() as session:
        assert marked(session, project_id) == {deployment_id}
        assert list(event_lines(session, store, session.get_one(Project, project_id))) == []
