"""Two species that are one: nothing that was said changes, everything that reads it follows, and undoing gives all of it back."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.act import Act
from models.answering import answer
from models.box import Box
from models.consensus import RULES
from models.database import Database
from models.desk import Desk
from models.errors import Changed, Invalid
from models.invariants import Scene as Doctor
from models.invariants import settled_names
from models.job import Job
from models.label import Label, snapshot
from models.meaning import Meanings, meanings
from models.membership import Role
from models.merging import merge, unmerge
from models.names import other_names
from models.predictions import Predictions, fold, predictions_of, write_part
from models.project import Project
from models.species import Species
from models.storage import Store
from tests import make

NAMES = ("Ocelot", "Margay", "Oncilla", "Puma")


class Scene:
    """A project with some boxes and people."""

    def __init__(self, session: Session, boxes: int = 3, **columns: object) -> None:
        self.session = session
        self.people = [make.user(session) for _ in range(3)]
        self.project = make.project(session, **columns)
        self.species = make.species(session, self.project, *NAMES)
        photo = make.image(session, make.batch(session, self.project))
        self.boxes = [make.box(session, photo) for _ in range(boxes)]

    def say(self, person: int, box: int, species: int, guess: int | None = None, role: Role = Role.annotator) -> None:
        """One voice."""
        who = self.people[person].id
        act, _fresh = Act.once(self.session, who, f"said-{next(make.numbers):08}", "answer", {}, self.project.id)
        said = {"species_id": self.species[guess].id, "p": 0.9} if guess is not None else {}
        self.boxes[box].answer(self.session, self.species[species], by=who, role=role, act=act, guess=said)

    def state(self) -> list[tuple[object, ...]]:
        """Everything that a merge may touch, as the database has it."""
        self.session.flush()
        boxes = select(Box.id, Box.settled_species_id, Box.settled_label_id, Box.waits_for)
        species = select(
            Species.id, Species.name, Species.hotkey, Species.retired_at, Species.merged_into_id, Species.parent_id
        )
        labels = select(Label.id, Label.box_id, Label.species_id, Label.kind)
        found = [boxes.where(Box.project_id == self.project.id).order_by(Box.id)]
        found += [species.where(Species.project_id == self.project.id).order_by(Species.id)]
        found += [labels.where(Label.project_id == self.project.id).order_by(Label.id)]
        return [tuple(row) for each in found for row in self.session.execute(each)]

    def settled(self) -> list[str | None]:
        """What each box is called."""
        names = {each.id: each.name for each in self.species}
        return [names[box.settled_species_id] if box.settled_species_id else None for box in self.boxes]


def test_a_merged_species_is_read_as_the_other_and_comes_back_as_it_was(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        ocelot, margay = scene.species[:2]
        for box, species in enumerate((0, 1, 3)):
            scene.say(0, box, species)
        before, key = scene.state(), margay.hotkey
        assert merge(session, scene.project, margay, ocelot) and not merge(session, scene.project, margay, ocelot)
        assert scene.settled() == ["Ocelot", "Ocelot", "Puma"]
        assert (margay.hotkey, margay.retired_at is None) == (None, False)
        assert [row.species_id for row in session.scalars(select(Label).order_by(Label.id))][-2] == margay.id
        assert list(snapshot(session, scene.project.id, 10**6).names.values()) == [
            ocelot.id,
            ocelot.id,
            scene.species[3].id,
        ]
        assert other_names(session, scene.project.id)[ocelot.id] == ["Margay"]
        assert session.scalar(select(Job.kind).where(Job.project_id == scene.project.id)) == "settle"
        assert unmerge(session, scene.project, margay, ocelot.id) and not unmerge(
            session, scene.project, margay, ocelot.id
        )
        assert scene.state() == before and margay.hotkey == key


def test_two_voices_that_said_two_names_agree_once_they_are_one(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session, consensus="two-of-three")
        scene.say(0, 0, 0)
        scene.say(1, 0, 1)
        assert scene.settled()[0] is None and scene.boxes[0].waits_for == "voice"
        merge(session, scene.project, scene.species[1], scene.species[0])
        assert scene.settled()[0] == "Ocelot" and scene.boxes[0].waits_for is None
        unmerge(session, scene.project, scene.species[1], scene.species[0].id)
        assert scene.settled()[0] is None and scene.boxes[0].waits_for == "voice"


VOICE = st.tuples(
    st.integers(0, 2), st.integers(0, 2), st.integers(0, 3), st.none() | st.integers(0, 3),
    st.sampled_from((Role.annotator, Role.annotator, Role.expert)),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    voices=st.lists(VOICE, max_size=10),
    rule=st.sampled_from(sorted(RULES)),
    steps=st.lists(st.permutations(range(4)), min_size=1, max_size=3),
)
def test_merge_then_unmerge_gives_the_same_settled_names(
    sqlite_database: Database, voices: list[tuple[int, int, int, int | None, Role]], rule: str, steps: list[list[int]]
) -> None:
    with sqlite_database.writing() as session:
        scene = Scene(session, consensus=rule)
        for person, box, species, guess, role in voices:
            scene.say(person, box, species, guess, role)
        before = scene.state()
        labels = [row for row in before if len(row) == 4]
        done: list[tuple[Species, int]] = []
        for one, other, *_ in steps:
            species, into = scene.species[one], scene.species[other]
            if species.merged_into_id is None and into.merged_into_id is None:
                merge(session, scene.project, species, into)
                done.append((species, into.id))
                meant = meanings(session, scene.project.id)
                assert all(meant.of(box.settled_species_id) == box.settled_species_id for box in scene.boxes)
                session.query(Job).update({"state": "done"})
                mine = {f"box {box.id}" for box in scene.boxes}
                assert [
                    each for each in settled_names(Doctor(session, scene_store(), False)) if each.split(":")[0] in mine
                ] == []
        for species, into_id in reversed(done):
            unmerge(session, scene.project, species, into_id)
        after = scene.state()
        assert [row for row in after if len(row) == 4] == labels
        assert after == before


def scene_store() -> Store:
    """No file is looked for."""
    return None  # type: ignore[return-value]


def test_what_cannot_be_merged_says_so(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        one, two, three, _puma = scene.species
        person = Species.of_kind(session, scene.project.id, "person")
        stranger = make.species(session, make.project(session), "Ocelot")[0]
        for species, into, words in (
            (one, one, "into itself"), (one, person, "belongs to every project"), (person, one, "belongs to every project"),
            (one, stranger, "belongs to every project"),
        ):  # fmt: skip
            with pytest.raises(Invalid, match=words):
                merge(session, scene.project, species, into)
        merge(session, scene.project, one, two)
        for species, into in ((one, three), (three, one), (two, one)):
            with pytest.raises(Invalid, match="was merged into another already"):
                merge(session, scene.project, species, into)
        with pytest.raises(Invalid, match="Undo the merge instead"):
            one.bring_back()
        with pytest.raises(Changed, match="meanwhile"):
            unmerge(session, scene.project, one, three.id)
        three.retire()
        with pytest.raises(Invalid, match="Bring it back first"):
            merge(session, scene.project, two, three)


def test_a_key_that_somebody_else_has_by_now_does_not_come_back(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        one, two, three, _puma = scene.species
        key = one.hotkey
        merge(session, scene.project, one, two)
        three.set_hotkey(session, key)
        unmerge(session, scene.project, one, two.id)
        assert one.hotkey is None and three.hotkey == key


def desk_of(scene: Scene, store: Store) -> Desk:
    """An annotator at work."""
    meant = meanings(scene.session, scene.project.id)
    said = predictions_of(store.root / "none").meaning(meant)
    return Desk(scene.session, scene.project, scene.people[0].id, Role.annotator, said)


def test_a_tab_that_was_open_before_the_merge_says_the_old_name_and_is_understood(
    database: Database, store: Store
) -> None:
    with database.writing() as session:
        scene = Scene(session)
        ocelot, margay = scene.species[:2]
        merge(session, scene.project, margay, ocelot)
        desk = desk_of(scene, store)
        told = answer(desk, scene.boxes[0], margay.id, key="late-tab-0001").answer
        assert (told["name"], told["species_id"]) == ("Ocelot", ocelot.id)
        typed = answer(desk, scene.boxes[1], "margay", key="late-tab-0002").answer
        assert typed["species_id"] == ocelot.id
        assert scene.settled()[:2] == ["Ocelot", "Ocelot"]
        assert {
            label.species_id for label in session.scalars(select(Label).where(Label.project_id == scene.project.id))
        } == {margay.id}
        unmerge(session, scene.project, margay, ocelot.id)
        assert scene.settled()[:2] == ["Margay", "Margay"]
        merge(session, scene.project, margay, ocelot)
        ocelot.retire()
        with pytest.raises(Invalid, match="Ocelot was taken off the list"):
            answer(desk, scene.boxes[2], margay.id, key="late-tab-0003")


def test_chains_end_at_the_last_and_circles_do_not_hang() -> None:
    meant = Meanings({1: 2, 2: 3, 5: 6})
    assert [meant.of(each) for each in (1, 2, 3, 5, None)] == [3, 3, 3, 6, None]
    assert meant.said_as(3) == {1, 2, 3}
    assert Meanings({1: 2, 2: 1}).of(1) in (1, 2)


def test_guesses_of_merged_classes_are_summed(store: Store) -> None:
    folder = store.predictions("merged")
    rows = np.array([[0.3, 0.45, 0.25], [0.1, 0.2, 0.7]])
    write_part(store, folder, "all", np.array([7, 9]), rows, [1, 2, 3])
    said = Predictions(folder).meaning(Meanings({3: 1}))
    assert said.top(7, 1)[0] == (1, pytest.approx(0.55, abs=1e-3))
    assert said.firsts([7, 9]) == {7: (1, pytest.approx(0.55, abs=1e-3)), 9: (1, pytest.approx(0.8, abs=1e-3))}
    assert sum(said.every(9).values()) == pytest.approx(1, abs=2e-3)
    assert Predictions(folder).top(7, 1)[0][0] == 2
    classes, folded = fold([1, 2], rows[:, :2], Meanings({2: 99}))
    assert classes == [1, 99] and folded.shape == (2, 2)


def test_projects_do_not_see_each_others_merges(database: Database) -> None:
    with database.writing() as session:
        scene, other = Scene(session), Scene(session)
        merge(session, scene.project, scene.species[0], scene.species[1])
        assert not meanings(session, other.project.id)
        assert session.get_one(Project, other.project.id) is other.project


def test_when_it_was_settled_stays_when_only_the_meaning_moves(database: Database) -> None:
    with database.writing() as session:
        scene = Scene(session)
        scene.say(0, 0, 0)
        at = scene.boxes[0].settled_at = scene.boxes[0].settled_at - dt.timedelta(days=2)  # type: ignore[operator]
        session.flush()
        merge(session, scene.project, scene.species[0], scene.species[1])
        assert scene.settled()[0] == "Margay" and scene.boxes[0].settled_at == at
