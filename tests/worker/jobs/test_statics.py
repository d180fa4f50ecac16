"""Static groups: they form as batches land, are decided once, and come back whole."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from models.answering import MOST_AT_ONCE, answer
from models.box import Box
from models.deciding import decide, reopen_group
from models.deployment import Deployment
from models.desk import Desk
from models.errors import Invalid, NotAllowed
from models.label import TAKEN_BACK, Label
from models.membership import Membership, Role
from models.predictions import Predictions
from models.project import Project
from models.queue import ask
from models.species import Species
from models.static import ANIMAL, FEWEST, NOTHING, StaticGroup, StaticHit
from models.taking_back import redo, undo
from tests import make
from tests.worker.jobs.scenes import NAMES, Scene
from worker.jobs.statics import group_camera

NOON = dt.datetime(2026, 3, 1, 12)
STONE = {"x_min": 0.1, "y_min": 0.1, "x_max": 0.3, "y_max": 0.25}


def photos(scene: Scene, count: int, start: int = 0, **columns: Any) -> list[int]:
    """Photos of one camera, a box each."""
    with scene.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, scene.project_id))
        made = []
        for number in range(start, start + count):
            photo = make.image(session, batch, f"A/{number}.JPG", captured_at=NOON + dt.timedelta(minutes=number))
            shift = 0.0005 * (number % 3)
            place = STONE | {"x_min": STONE["x_min"] + shift, "x_max": STONE["x_max"] + shift}
            made.append(make.box(session, photo, **(place | columns)).id)
        return made


def look(scene: Scene) -> int:
    """As an ingest job does at its end."""
    with scene.database.reading() as session:
        camera = session.scalars(select(Deployment.id).where(Deployment.project_id == scene.project_id)).first()
    assert camera is not None
    return group_camera(scene.bench, scene.project_id, camera)


def groups(scene: Scene) -> list[StaticGroup]:
    return scene.all(select(StaticGroup).where(StaticGroup.project_id == scene.project_id).order_by(StaticGroup.id))


class At:
    """A person who does one thing in a transaction of its own."""

    def __init__(self, scene: Scene, user_id: int | None = None) -> None:
        self.scene, self.user_id, self.number = scene, user_id or scene.user_id, 0

    def __call__(self, do: Any, *about: Any, **more: Any) -> Any:
        self.number += 1
        with self.scene.database.writing() as session:
            project = session.get_one(Project, self.scene.project_id)
            desk = Desk(session, project, self.user_id, Role.expert, Predictions(self.scene.store.root))
            fresh = [
                session.get_one(type(each), each.id) if isinstance(each, (Box, StaticGroup)) else each for each in about
            ]
            return do(desk, *fresh, key=f"act-{self.user_id}-{self.number:04}", **more).answer


def names(scene: Scene) -> dict[int, str | None]:
    wanted = select(Box.id, Species.name).outerjoin(Species, Species.id == Box.settled_species_id)
    with scene.database.reading() as session:
        return dict(session.execute(wanted.where(Box.project_id == scene.project_id).order_by(Box.id)).all())


def test_twenty_boxes_in_one_place_are_a_group_that_takes_later_ones_in(scene: Scene) -> None:
    first = photos(scene, FEWEST - 1)
    photos(scene, 3, 100, x_min=0.5, x_max=0.7)  # somewhere else
    photos(scene, 30, 200, x_min=0.0, y_min=0.0, x_max=0.9, y_max=0.9)  # too large
    photos(scene, 30, 300, score=0.2)  # not asked about
    assert (look(scene), groups(scene)) == (0, [])
    later = photos(scene, 1, 50)
    assert look(scene) == FEWEST
    (group,) = groups(scene)
    assert group.first_box_id == first[0]
    assert scene.all(select(StaticHit.box_id).order_by(StaticHit.box_id)) == sorted([*first, *later])
    assert look(scene) == 0
    photos(scene, 2, 60)
    assert look(scene) == 2 and len(groups(scene)) == 1


def test_one_word_names_every_box_but_those_that_a_person_named_and_comes_back_whole(scene: Scene) -> None:
    boxes = photos(scene, 30)
    act = At(scene)
    with scene.database.reading() as session:
        two = [session.get_one(Box, box_id) for box_id in boxes[:2]]
    for box in two:
        act(answer, box, NAMES[0])
    look(scene)
    (group,) = groups(scene)
    said = act(decide, group, NOTHING)
    assert said["name"] == "Not an animal, 28 crops" and len(said["boxes"]) == 28
    assert list(names(scene).values()) == [NAMES[0]] * 2 + ["Not an animal"] * 28
    act(reopen_group, group)
    assert list(names(scene).values()) == [NAMES[0]] * 2 + [None] * 28
    assert scene.count(Label, Label.kind == TAKEN_BACK) == 28
    assert scene.all(select(StaticGroup.id).where(~StaticGroup.is_decided())) == [group.id]
    act(redo)
    assert list(names(scene).values()) == [NAMES[0]] * 2 + ["Not an animal"] * 28
    act(undo)
    assert list(names(scene).values()) == [NAMES[0]] * 2 + [None] * 28
    act(decide, group, NOTHING)  # again, after all
    assert list(names(scene).values()) == [NAMES[0]] * 2 + ["Not an animal"] * 28


def test_what_was_said_of_a_box_since_stays_when_the_decision_is_taken_back(scene: Scene) -> None:
    boxes = photos(scene, 20)
    act = At(scene)
    look(scene)
    (group,) = groups(scene)
    act(decide, group, NOTHING)
    with scene.database.reading() as session:
        corrected = session.get_one(Box, boxes[7])
    act(answer, corrected, NAMES[1])
    act(reopen_group, group)
    assert {box_id: name for box_id, name in names(scene).items() if name} == {boxes[7]: NAMES[1]}


def test_an_animal_is_laid_aside_without_a_word_about_its_boxes(scene: Scene) -> None:
    photos(scene, 20)
    act = At(scene)
    look(scene)
    (group,) = groups(scene)
    act(decide, group, ANIMAL)
    assert scene.count(Label) == 0
    assert scene.all(select(StaticGroup.id).where(StaticGroup.is_decided())) == [group.id]
    with pytest.raises(Invalid):
        act(decide, group, "perhaps")


def test_later_hits_of_a_decided_group_wait_for_another_word(scene: Scene) -> None:
    photos(scene, 20)
    act = At(scene)
    look(scene)
    (group,) = groups(scene)
    act(decide, group, NOTHING)
    later = photos(scene, 2, 40)
    look(scene)
    assert [names(scene)[box_id] for box_id in later] == [None, None]
    assert act(decide, group, NOTHING)["boxes"] == later


def test_only_who_decided_takes_it_back(scene: Scene) -> None:
    photos(scene, 20)
    with scene.database.writing() as session:
        other = make.user(session)
        Membership.grant(session, scene.project_id, other.id, Role.expert)
        other_id = other.id
    look(scene)
    (group,) = groups(scene)
    At(scene)(decide, group, NOTHING)
    with pytest.raises(NotAllowed):
        At(scene, other_id)(reopen_group, group)


def test_a_large_group_takes_several_words(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.deciding.MOST_AT_ONCE", 15)
    photos(scene, 20)
    act = At(scene)
    look(scene)
    (group,) = groups(scene)
    assert [len(act(decide, group, NOTHING)["boxes"]) for _ in range(2)] == [15, 5]
    assert MOST_AT_ONCE >= 2000


def test_the_job_looks_through_every_camera(scene: Scene) -> None:
    photos(scene, 20)
    with scene.database.writing() as session:
        ask(session, "statics", scene.project_id, {})
    assert scene.run_all() == ["statics"]
    assert len(groups(scene)) == 1
