"""The events job: everything that changes a name, a time or a rule is followed, and rows that stay the same stay."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from models.act import Act
from models.answering import answer, count_animals
from models.box import Box
from models.database import Database
from models.desk import Desk
from models.drawing import Drawing, draw
from models.event import LAST_RECORD, Event, EventMark
from models.job import DONE, Job
from models.membership import Role
from models.predictions import Predictions
from models.project import Project
from models.species import Species
from models.taking_back import redo, undo
from models.upkeep import are_current, ask_events, outdated
from tests import make
from tests.worker.jobs.scenes import NAMES, Scene
from worker.jobs import events as job_of_events

NOON = dt.datetime(2026, 3, 1, 12)


@pytest.fixture
def boxes(scene: Scene) -> list[int]:
    """Five photos, 20 minutes apart, with a box each; two cameras."""
    with scene.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, scene.project_id))
        made = []
        for camera, number in (("A", 0), ("A", 1), ("A", 2), ("A", 3), ("B", 0)):
            at = NOON + dt.timedelta(minutes=20 * number)
            made.append(make.box(session, make.image(session, batch, f"{camera}/{number}.JPG", captured_at=at)).id)
        return made


def follow(scene: Scene) -> bool:
    """As the worker does; whether there was anything to do."""
    with scene.database.writing() as session:
        old = outdated(session)
        for project_id in old:
            ask_events(session, project_id)
    assert scene.run_all() == ["events"] * len(old)
    with scene.database.reading() as session:
        assert are_current(session, session.get_one(Project, scene.project_id))
    return bool(old)


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker does not rest between two jobs here."""
    monkeypatch.setattr("models.upkeep.REST", 0)


class Person:
    """Somebody at the desk; every act in a transaction of its own."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.number = scene, 0

    def __call__(self, do, *about, **more):  # type: ignore[no-untyped-def]
        self.number += 1
        with self.scene.database.writing() as session:
            project = session.get_one(Project, self.scene.project_id)
            desk = Desk(session, project, self.scene.user_id, Role.expert, Predictions(self.scene.store.root))
            about = tuple(session.get_one(Box, box_id) if isinstance(box_id, int) else box_id for box_id in about)
            return do(desk, *about, key=f"act-{self.number:08}", **more).id


def visits(scene: Scene) -> list[tuple[str, str, int, int]]:
    """(species, HH:MM of the first photo, photos, MaxN)."""
    with scene.database.reading() as session:
        rows = session.execute(
            select(Species.name, Event.first_at, Event.photos, Event.max_count)
            .join(Species, Species.id == Event.species_id)
            .where(Event.project_id == scene.project_id)
            .order_by(Event.deployment_id, Event.first_at, Species.name)
        )
        return [(name, f"{first_at:%H:%M}", photos, most) for name, first_at, photos, most in rows]


def test_an_answer_is_followed_and_so_is_taking_it_back(scene: Scene, boxes: list[int]) -> None:
    act = Person(scene)
    assert not follow(scene)
    for box_id in boxes[:2]:
        act(answer, box_id, NAMES[0])
    assert follow(scene)
    assert visits(scene) == [(NAMES[0], "12:00", 2, 1)]
    assert not follow(scene)
    act(count_animals, boxes[1], count=6)
    assert follow(scene) and visits(scene) == [(NAMES[0], "12:00", 2, 6)]
    act(undo)
    assert follow(scene) and visits(scene) == [(NAMES[0], "12:00", 2, 1)]
    act(redo)
    assert follow(scene) and visits(scene) == [(NAMES[0], "12:00", 2, 6)]
    act(draw, boxes[0], Drawing(deleted=[boxes[0]]))
    assert follow(scene) and visits(scene) == [(NAMES[0], "12:20", 1, 6)]
    act(undo)
    assert follow(scene) and visits(scene) == [(NAMES[0], "12:00", 2, 6)]


def test_another_rule_and_another_threshold_change_every_place(scene: Scene, boxes: list[int]) -> None:
    act = Person(scene)
    for box_id in boxes:
        act(answer, box_id, NAMES[0])
    follow(scene)
    assert [row[1:] for row in visits(scene)] == [("12:00", 2, 1), ("12:40", 2, 1), ("12:00", 1, 1)]
    scene.change(event_rule=LAST_RECORD)
    assert follow(scene)
    assert [row[1:] for row in visits(scene)] == [("12:00", 4, 1), ("12:00", 1, 1)]
    scene.change(event_gap_minutes=20)
    assert follow(scene) and len(visits(scene)) == 5
    scene.change(count_above=0.99)  # what a person named counts all the same
    assert follow(scene) and len(visits(scene)) == 5


def test_only_the_touched_camera_is_looked_at_and_rows_that_stay_keep_their_ids(
    scene: Scene, boxes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Person(scene)
    for box_id in boxes:
        act(answer, box_id, NAMES[0])
    follow(scene)
    before = scene.all(select(Event.id).order_by(Event.id))
    looked = []
    anew = job_of_events.place_anew
    monkeypatch.setattr(job_of_events, "place_anew", lambda *about: looked.append(about[2].name) or anew(*about))
    act(answer, boxes[4], NAMES[1])
    follow(scene)
    assert looked == ["B"]
    after = scene.all(select(Event.id).order_by(Event.id))
    assert set(before[:2]) <= set(after) and len(after) == 3


def test_what_changes_while_the_job_runs_is_followed_by_the_next(
    scene: Scene, boxes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Person(scene)
    act(answer, boxes[0], NAMES[0])
    anew = job_of_events.place_anew

    def late(*about):  # type: ignore[no-untyped-def]
        changed = anew(*about)
        act(answer, boxes[3], NAMES[0])
        return changed

    monkeypatch.setattr(job_of_events, "place_anew", late)
    job_of_events.refresh(scene.bench, scene.project_id)
    monkeypatch.undo()
    monkeypatch.setattr("models.upkeep.REST", 0)
    assert visits(scene) == [(NAMES[0], "12:00", 1, 1)]
    assert follow(scene) and len(visits(scene)) == 2


def test_a_job_that_dies_leaves_its_marks(scene: Scene, boxes: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    Person(scene)(answer, boxes[0], NAMES[0])

    def die(*_about):  # type: ignore[no-untyped-def]
        raise KeyboardInterrupt

    monkeypatch.setattr(job_of_events, "strike_off", die)
    with pytest.raises(KeyboardInterrupt):
        job_of_events.refresh(scene.bench, scene.project_id)
    monkeypatch.undo()
    assert scene.count(EventMark) and follow(scene)
    assert len(visits(scene)) == 1


def test_one_row_of_jobs_is_asked_again_and_again_and_rests_between(
    scene: Scene, boxes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    act = Person(scene)
    for name in NAMES[:2]:
        act(answer, boxes[0], name)
        follow(scene)
    monkeypatch.setattr("models.upkeep.REST", 10**9)
    assert scene.all(select(Job.state).where(Job.kind == "events")) == [DONE]
    act(answer, boxes[1], NAMES[1])
    with scene.database.reading() as session:
        assert outdated(session) == []


def test_an_answer_costs_one_small_row(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.expert))
        species = make.species(session, project, "Jaguar")[0]
        box = make.box(session, make.image(session, make.batch(session, project)))
        act, _fresh = Act.once(session, user.id, "answer-1", "answer", {}, project.id)
        box.answer(session, species, by=user.id, role=Role.expert, act=act)
        box.answer(session, species, by=user.id, role=Role.expert, act=act)
        assert session.scalars(select(EventMark.image_id)).all() == [box.image_id, box.image_id]
