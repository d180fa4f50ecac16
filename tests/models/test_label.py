"""Voices: append-only, the newest of each person counts, an expert's word settles."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.act import Act
from models.box import Box, take_back_labels
from models.database import Database
from models.label import Label, newest_label_id, snapshot
from models.membership import Role
from models.species import Species
from models.user import User
from tests import make


class Scene:
    """One box, two annotators, one expert, two species."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.ann, self.bob, self.eve = (make.user(session) for _ in range(3))
        self.project = make.project(session)
        self.fox, self.owl = make.species(session, self.project, "Fox", "Owl")
        self.box = make.box(session, make.image(session, make.batch(session, self.project)))

    def say(self, who: User, species: Species, role: Role = Role.annotator) -> Label:
        act, _fresh = Act.once(self.session, who.id, f"key-{next(make.numbers):08}", "answer", {}, self.project.id)
        return self.box.answer(self.session, species, by=who.id, role=role, act=act)

    def settled(self) -> str | None:
        species_id = self.session.get_one(Box, self.box.id).settled_species_id
        return None if species_id is None else self.session.get_one(Species, species_id).name


def test_the_newest_voice_settles_and_the_older_rows_stay(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        scene.say(scene.ann, scene.fox)
        assert scene.settled() == "Fox"
        scene.say(scene.bob, scene.owl)
        assert scene.settled() == "Owl"
        scene.say(scene.ann, scene.fox)
        assert scene.settled() == "Fox"
        assert session.scalar(select(func.count()).select_from(Label)) == 3


def test_an_experts_word_is_never_overruled_by_a_later_annotator(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        scene.say(scene.eve, scene.owl, Role.expert)
        scene.say(scene.ann, scene.fox)
        assert scene.settled() == "Owl"


def test_taking_back_brings_the_voice_before_and_then_none(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        first = scene.say(scene.ann, scene.fox)
        second = scene.say(scene.ann, scene.owl)
        act, _fresh = Act.once(session, scene.ann.id, "undo-0001", "undo", {}, scene.project.id)
        take_back_labels(session, {scene.box.id: scene.box}, [second], by=scene.ann.id, act=act)
        assert scene.settled() == "Fox"
        take_back_labels(session, {scene.box.id: scene.box}, [first], by=scene.ann.id, act=act)
        assert scene.settled() is None
        assert session.scalar(select(func.count()).select_from(Label)) == 4


def test_a_snapshot_sees_no_label_that_came_after_it(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        scene.say(scene.ann, scene.fox)
        until = newest_label_id(session, scene.project.id)
        before = snapshot(session, scene.project.id, until)
        scene.say(scene.bob, scene.owl)
        again = snapshot(session, scene.project.id, until)
        later = snapshot(session, scene.project.id, newest_label_id(session, scene.project.id))
    assert before == again
    assert before.names == {scene.box.id: scene.fox.id}
    assert later.names == {scene.box.id: scene.owl.id}
    assert later.sha256_of(later.names) != before.sha256_of(before.names) == again.sha256_of(again.names)
