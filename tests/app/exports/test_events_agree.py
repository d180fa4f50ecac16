"""Visits and the tables say the same of every photo: which species counts, how many, and whether a person says so."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.act import Act
from models.answering import keep_count
from models.database import Database
from models.deployment import Deployment
from models.desk import Desk
from models.event import LAST_RECORD
from models.membership import Role
from models.predictions import Predictions
from models.records import EventLine, event_lines
from models.site import Site
from models.storage import Store
from tests.app.exports.scene import Scene, scene

NOON = dt.datetime(2026, 3, 1, 12)


@pytest.fixture
def here(database: Database, store: Store) -> Iterator[Scene]:
    """An empty project in an open session, on both kinds of database."""
    with database.writing() as session:
        yield scene(session, store)


def at(minutes: float) -> dt.datetime:
    return NOON + dt.timedelta(minutes=minutes)


def lines(here: Scene) -> list[EventLine]:
    return list(event_lines(here.session, here.store, here.project))


def short(here: Scene) -> list[tuple[str, int, int, int]]:
    names = {
        here.jaguar.id: "Jaguar",
        here.ocelot.id: "Ocelot",
        **{here.kind(k).id: k for k in ("person", "cannot_tell")},
    }
    return [(names[line.species_id], line.photos, line.max_count, line.named) for line in lines(here)]


def test_a_visit_counts_the_most_animals_of_any_one_photo_and_a_persons_figure_wins(here: Scene) -> None:
    first, second = here.photo("A/1.jpg", captured_at=at(0)), here.photo("A/2.jpg", captured_at=at(5))
    for photo in (first, second, second):
        here.box(photo, here.jaguar)
    assert short(here) == [("Jaguar", 2, 2, 2)]
    desk = Desk(here.session, here.project, here.user.id, Role.expert, Predictions(here.store.root))
    act, _fresh = Act.once(here.session, here.user.id, "count-0001", "count", {}, here.project.id)
    keep_count(desk, act, here.box(first, here.jaguar), here.jaguar.id, 7)
    assert short(here) == [("Jaguar", 2, 7, 2)]
    act.taken_back = True
    here.session.flush()
    assert short(here) == [("Jaguar", 2, 2, 2)]


def test_names_come_from_people_then_the_classifier_then_the_detector(here: Scene) -> None:
    named, guessed = (
        here.box(here.photo("A/1.jpg", captured_at=at(0))),
        here.box(here.photo("A/2.jpg", captured_at=at(1))),
    )
    here.box(here.photo("A/3.jpg", captured_at=at(2)), kind="person")
    here.box(here.photo("A/4.jpg", captured_at=at(3)))  # nobody named it
    here.say(named, here.jaguar)
    here.classifier_says({named.id: {here.ocelot: 0.9}, guessed.id: {here.ocelot: 0.8}})
    assert sorted(short(here)) == [("Jaguar", 1, 1, 1), ("Ocelot", 1, 1, 0), ("person", 1, 1, 0)]


def test_what_is_no_record(here: Scene) -> None:
    for number, columns in enumerate(
        (
            {"captured_at": None},
            {"setup": "setup"},
            {"setup": "calibration"},
            {"capture_method": "timeLapse"},
            {"state": "waiting"},
        )
    ):
        here.box(here.photo(f"A/{number}.jpg", **columns), here.jaguar)  # type: ignore[arg-type]
    here.box(here.photo("A/low.jpg"), score=0.3)
    here.box(here.photo("A/stone.jpg"), here.kind("not_animal"))
    assert lines(here) == []
    here.box(here.photo("A/named.jpg"), here.jaguar, score=0.3)
    assert short(here) == [("Jaguar", 1, 1, 1)]


@pytest.mark.parametrize(("alone", "visits"), [(True, 2), (False, 1)])
def test_cameras_of_one_site_have_timers_of_their_own_when_the_project_says_so(
    here: Scene, alone: bool, visits: int
) -> None:
    site = Site(project_id=here.project.id, name="waterhole", title="")
    here.session.add(site)
    here.session.flush()
    for path, minute in (("A/1.jpg", 0), ("B/1.jpg", 10)):
        photo = here.photo(path, captured_at=at(minute))
        here.box(photo, here.jaguar)
        deployment = here.session.get_one(Deployment, photo.deployment_id)
        deployment.site_id = site.id
    here.project.cameras_independent = alone
    here.session.flush()
    assert len(lines(here)) == visits


def test_the_time_since_the_last_record_is_told_as_the_rule_says(here: Scene) -> None:
    for number, minute in enumerate((0, 20, 40, 100)):
        here.box(here.photo(f"A/{number}.jpg", captured_at=at(minute)), here.jaguar)
    assert [line.delta_s for line in lines(here)] == [0, 2400, 3600]
    here.project.event_rule = LAST_RECORD
    assert [line.delta_s for line in lines(here)] == [0, 3600]


SAID = st.lists(
    st.tuples(
        st.integers(0, 5), st.sampled_from(["jaguar", "ocelot", "person", "not_animal", "cannot_tell", None]),
        st.sampled_from(["jaguar", "ocelot", None]),
    ),
    max_size=10,
)  # fmt: skip


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SAID)
def test_every_photo_of_species_csv_is_one_record(
    sqlite_database: Database, store: Store, said: list[tuple[int, str | None, str | None]]
) -> None:
    with sqlite_database.writing() as session:
        here = scene(session, store)
        photos = [here.photo(f"A/{number}.jpg", captured_at=at(number)) for number in range(6)]
        species = {"jaguar": here.jaguar, "ocelot": here.ocelot}
        guesses = {}
        for number, word, guess in said:
            box = here.box(photos[number], species.get(word) or here.kind(word) if word else None)
            if guess:
                guesses[box.id] = {species[guess]: 0.9}
        if guesses:
            here.classifier_says(guesses)
        here.project.event_gap_minutes = 0  # every photo is a visit
        session.flush()
        names = {
            here.jaguar.id: "Jaguar",
            here.ocelot.id: "Ocelot",
            here.kind("person").id: "person",
            here.kind("cannot_tell").id: "unknown",
        }
        records = {(line.first_image_id, names[line.species_id]): (line.max_count, line.named) for line in lines(here)}
        table: dict[tuple[int, str], tuple[int, int]] = {}
        paths = {f"A/{number}.jpg": photo.id for number, photo in enumerate(photos)}
        for row in here.table():
            if row["species"] not in ("empty", "unclassified"):
                key = paths[row["file"]], row["species"]
                had = table.get(key, (0, 0))
                table[key] = had[0] + int(row["count"]), had[1] | (row["source"] == "human")
        assert records == table
        session.rollback()
