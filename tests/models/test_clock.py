"""Standing corrections and the times that follow; bursts keep their rows, and a second look finds what it found."""

from __future__ import annotations

import datetime as dt
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models.clock import ClockCorrection, settle_times, standing
from models.clock_finding import ClockFinding
from models.correcting import SHIFT, SWAP, Correction
from models.database import Database
from models.deployment import Deployment
from models.errors import Conflict, NotYours
from models.examining import examine
from models.image import Image
from models.project import Project
from models.sequence import Sequence
from models.site import Site
from models.user import User
from tests import make

NOON = dt.datetime(2026, 3, 1, 12)


def field(database: Database, *seconds: int) -> tuple[int, int]:
    """(deployment, user) with photos so many seconds after noon, in bursts."""
    with database.writing() as session:
        who, project = make.user(session), make.project(session)
        batch = make.batch(session, project)
        for number, second in enumerate(seconds):
            make.image(session, batch, f"A/{number:03}.JPG", captured_at=NOON + dt.timedelta(seconds=second))
        deployment = session.scalars(select(Deployment)).one()
        settle_times(session, project, [deployment.id])
        return deployment.id, who.id


def change(database: Database, deployment_id: int, user_id: int, *corrections: Correction) -> list[int]:
    """Apply them, and let the times follow."""
    with database.writing() as session:
        deployment, by = session.get_one(Deployment, deployment_id), session.get_one(User, user_id)
        made = [ClockCorrection.make(session, deployment, each, by).id for each in corrections]
        settle_times(session, session.get_one(Project, deployment.project_id), [deployment_id])
        return made


def take_back(database: Database, user_id: int, *correction_ids: int) -> None:
    with database.writing() as session:
        for each in correction_ids:
            correction = session.get_one(ClockCorrection, each)
            correction.take_back(session, session.get_one(User, user_id))
            project = session.get_one(Project, correction.project_id)
            settle_times(session, project, [correction.deployment_id])


def rows(database: Database) -> list[tuple[dt.datetime | None, int | None]]:
    with database.reading() as session:
        return [tuple(row) for row in session.execute(select(Image.taken_at, Image.sequence_id).order_by(Image.path))]


def test_times_follow_bursts_keep_their_rows_and_their_spans_follow_too(database: Database) -> None:
    deployment_id, user_id = field(database, 0, 20, 500)
    before = rows(database)
    (correction,) = change(database, deployment_id, user_id, Correction(SHIFT, {"seconds": 60}))
    after = rows(database)
    assert [row[0] for row in after] == [row[0] + dt.timedelta(minutes=1) for row in before if row[0]]
    assert [row[1] for row in after] == [row[1] for row in before]
    with database.reading() as session:
        spans = session.execute(select(Sequence.first_at, Sequence.last_at).order_by(Sequence.first_at)).all()
        assert [tuple(span) for span in spans] == [(after[0][0], after[1][0]), (after[2][0], after[2][0])]
    take_back(database, user_id, correction)
    assert rows(database) == before


def test_a_correction_of_some_photos_cuts_a_burst_and_undo_joins_it_again(database: Database) -> None:
    deployment_id, user_id = field(database, 0, 20, 40)
    bounded = Correction(SHIFT, {"seconds": 3600}, NOON + dt.timedelta(seconds=30))
    (correction,) = change(database, deployment_id, user_id, bounded)
    assert len({row[1] for row in rows(database)}) == 2
    take_back(database, user_id, correction)
    assert len({row[1] for row in rows(database)}) == 1


shifts_of = st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=4, unique=True)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shifts_of, st.randoms(use_true_random=False))
def test_whatever_is_applied_and_taken_back_in_any_order_gives_the_old_times(
    sqlite_database: Database, shifts: list[int], order: random.Random
) -> None:
    with sqlite_database.writing() as session:
        session.query(Image).delete()
        session.query(Deployment).delete()
    deployment_id, user_id = field(sqlite_database, 0, 20, 500)
    before = [row[0] for row in rows(sqlite_database)]
    corrections = [*(Correction(SHIFT, {"seconds": each}) for each in shifts), Correction(SWAP)]
    made = change(sqlite_database, deployment_id, user_id, *corrections)
    order.shuffle(made)
    take_back(sqlite_database, user_id, *made)
    assert [row[0] for row in rows(sqlite_database)] == before


def test_the_same_correction_does_not_stand_twice_and_comes_again_after_undo(database: Database) -> None:
    deployment_id, user_id = field(database, 0)
    (correction,) = change(database, deployment_id, user_id, Correction(SWAP))
    with pytest.raises(Conflict, match="stands already"):
        change(database, deployment_id, user_id, Correction(SWAP))
    take_back(database, user_id, correction, correction)
    change(database, deployment_id, user_id, Correction(SWAP))
    with database.reading() as session:
        assert standing(session, [deployment_id])[deployment_id] == [Correction(SWAP)]
        with pytest.raises(NotYours):
            ClockCorrection.of(session, session.get_one(Deployment, deployment_id), 10**6)


def test_looking_twice_finds_the_same_rows(database: Database) -> None:
    deployment_id, _user = field(database, 0, 86400)
    with database.writing() as session:
        session.get_one(Deployment, deployment_id).starts_at = NOON + dt.timedelta(days=1)
        examine(session, deployment_id)
        first = session.scalars(select(ClockFinding.id)).one()
        examine(session, deployment_id)
        assert session.scalars(select(ClockFinding.id)).all() == [first]
        session.get_one(Deployment, deployment_id).starts_at = NOON
        examine(session, deployment_id)
        assert session.scalars(select(ClockFinding.id)).all() == []


def test_cameras_of_one_site_are_compared_and_mending_one_silences_the_other(database: Database) -> None:
    seconds = [number * number * 4000 for number in range(1, 20)]
    with database.writing() as session:
        who, project = make.user(session), make.project(session)
        batch = make.batch(session, project)
        site = Site.of_name(session, project.id, "Creek")
        for camera, off in (("A", 0), ("B", 7200)):
            for number, second in enumerate(seconds):
                at = NOON + dt.timedelta(seconds=second + off)
                make.image(session, batch, f"{camera}/{number:03}.JPG", captured_at=at)
        cameras = session.scalars(select(Deployment).order_by(Deployment.name)).all()
        for camera in cameras:
            camera.site_id = site.id
        session.flush()
        settle_times(session, project, [camera.id for camera in cameras])
        found = session.scalars(select(ClockFinding).order_by(ClockFinding.deployment_id)).all()
        assert [(each.kind, each.figures["seconds"]) for each in found] == [("pair", 7200), ("pair", -7200)]
        mended, user_id = cameras[1].id, who.id
    change(database, mended, user_id, Correction(SHIFT, {"seconds": -7200}))
    with database.reading() as session:
        assert session.scalars(select(ClockFinding)).all() == []
