"""species.csv: who said what is in each photo, and the four ways in which a photo can have no species."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import Database
from models.image import CountCorrection, Image
from models.imported import Import, ImportedName
from models.label import Label
from models.species import Species
from models.storage import Store
from tests import make
from tests.app.exports.scene import Scene, scene


@pytest.fixture
def here(sqlite_database: Database, store: Store) -> Iterator[Scene]:
    """An empty project in an open session."""
    with sqlite_database.writing() as session:
        yield scene(session, store)


def short(rows: list[dict[str, str]]) -> list[tuple[str, str, str]]:
    return [(row["species"], row["count"], row["source"]) for row in rows]


def test_the_four_states_are_told_apart(here: Scene) -> None:
    here.photo("A/1.jpg")
    here.box(here.photo("A/2.jpg"))
    here.photo("A/3.jpg", state="quarantined", captured_at=None)
    here.photo("A/4.jpg", state="refused", captured_at=None)
    here.photo("A/5.jpg", state="waiting", captured_at=None)
    assert [(row["file"], row["species"], row["count"]) for row in here.table()] == [
        ("A/1.jpg", "empty", "0"),
        ("A/2.jpg", "unclassified", "1"),
        ("A/3.jpg", "failed", ""),
        ("A/4.jpg", "failed", ""),
        ("A/5.jpg", "not_yet_processed", ""),
    ]


def test_people_and_the_classifier_stand_in_rows_of_their_own(here: Scene) -> None:
    photo = here.photo("Cam 1/IMG_1.JPG", captured_at=dt.datetime(2014, 7, 10, 4, 16, 55))
    named = here.box(photo)
    label = here.say(named, here.jaguar)
    guessed, other = here.box(photo), here.box(photo)
    here.classifier_says(
        {
            named.id: {here.jaguar: 0.1, here.ocelot: 0.9},
            guessed.id: {here.jaguar: 0.75, here.ocelot: 0.25},
            other.id: {here.jaguar: 0.25, here.ocelot: 0.625},
        }
    )
    human, jaguar, ocelot = here.table()
    assert (human["species"], human["source"], human["count"], human["probability"]) == ("Jaguar", "human", "1", "")
    assert human["scientific_name"] == "Panthera onca"
    assert human["who"] == here.user.name
    assert human["when"] == f"{label.created_at:%Y-%m-%dT%H:%M:%SZ}"
    assert human["time"] == "2014-07-10T04:16:55"
    assert (human["file"], human["deployment"]) == ("Cam 1/IMG_1.JPG", "Cam 1")
    assert (jaguar["species"], jaguar["source"], jaguar["probability"]) == ("Jaguar", "predicted", "0.750")
    assert (ocelot["species"], ocelot["source"], ocelot["probability"]) == ("Ocelot", "predicted", "0.625")
    assert jaguar["who"] == jaguar["when"] == ""
    assert jaguar["checkpoint"] == f"classifier {here.project.classifier_id}: learn-1"


def test_predictions_come_from_the_file_and_not_from_the_filter_column(here: Scene) -> None:
    box = here.box(here.photo(), guess_species_id=here.jaguar.id, guess_p=0.99)
    here.classifier_says({box.id: {here.ocelot: 0.5}})
    assert short(here.table()) == [("Ocelot", "1", "predicted")]


def test_a_guess_without_an_active_classifier_says_nothing(here: Scene) -> None:
    here.box(here.photo(), guess_species_id=here.jaguar.id, guess_p=0.99)
    assert short(here.table()) == [("unclassified", "1", "predicted")]


def test_the_probability_of_several_boxes_is_the_lowest(here: Scene) -> None:
    photo = here.photo()
    sure, doubtful = here.box(photo), here.box(photo)
    here.classifier_says({sure.id: {here.jaguar: 0.875}, doubtful.id: {here.jaguar: 0.5}})
    (row,) = here.table()
    assert (row["count"], row["probability"]) == ("2", "0.500")


def test_boxes_that_nobody_named_stay_beside_those_with_a_name(here: Scene) -> None:
    photo = here.photo()
    here.box(photo, here.jaguar)
    here.box(photo)
    assert short(here.table()) == [("Jaguar", "1", "human"), ("unclassified", "1", "predicted")]


def test_people_vehicles_and_what_nobody_could_tell_have_their_words(here: Scene) -> None:
    photo = here.photo()
    for kind in ("person", "vehicle", "cannot_tell"):
        here.box(photo, here.kind(kind))
    assert short(here.table()) == [("person", "1", "human"), ("unknown", "1", "human"), ("vehicle", "1", "human")]


def test_a_person_that_only_the_detector_saw_is_a_person(here: Scene) -> None:
    here.box(here.photo(), kind="person")
    (row,) = here.table()
    assert (row["species"], row["source"], row["probability"]) == ("person", "predicted", "")


def test_not_an_animal_counts_nowhere(here: Scene) -> None:
    nothing = here.photo("A/1.jpg")
    here.box(nothing, here.kind("not_animal"))
    both = here.photo("A/2.jpg")
    here.box(both, here.kind("not_animal"))
    here.box(both, here.jaguar)
    empty, jaguar = here.table()
    assert (empty["species"], empty["count"], empty["source"], empty["who"]) == ("empty", "0", "human", here.user.name)
    assert (jaguar["species"], jaguar["count"]) == ("Jaguar", "1")


def test_a_person_too_weak_to_count_leaves_the_word_empty_to_people(here: Scene) -> None:
    photo = here.photo()
    here.project.count_above, here.project.classify_above = 0.5, 0.2
    here.box(photo, here.kind("not_animal"), score=0.9)
    here.box(photo, kind="person", score=0.3)
    assert short(here.table()) == [("empty", "0", "human")], "nobody is asked about a person"


def test_a_box_that_the_classifier_calls_no_animal_does_not_count(here: Scene) -> None:
    box = here.box(here.photo())
    here.classifier_says({box.id: {here.kind("not_animal"): 0.75, here.jaguar: 0.25}})
    (row,) = here.table()
    assert (row["species"], row["source"], row["who"]) == ("empty", "predicted", "")
    assert row["checkpoint"] == f"classifier {here.project.classifier_id}: learn-1"


def test_only_boxes_at_or_above_count_above_count_unless_a_person_named_them(here: Scene) -> None:
    here.project.count_above = 0.5
    here.box(here.photo("A/1.jpg"), score=0.49)
    here.box(here.photo("A/2.jpg"), score=0.5)
    here.box(here.photo("A/3.jpg"), here.jaguar, score=0.1)
    assert [row["species"] for row in here.table()] == ["empty", "unclassified", "Jaguar"]


def test_of_several_answers_in_a_photo_the_newest_is_named(here: Scene) -> None:
    photo = here.photo()
    first, second = here.box(photo), here.box(photo)
    here.say(first, here.jaguar).created_at = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    other = make.user(here.session, "Jonas Weber")
    here.say(second, here.jaguar, other).created_at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    (row,) = here.table()
    assert (row["count"], row["who"], row["when"]) == ("2", here.user.name, "2026-01-02T00:00:00Z")


def test_a_name_like_a_formula_is_guarded(here: Scene) -> None:
    (evil,) = make.species(here.session, here.project, "=1+1")
    here.box(here.photo("+A/@b,c.jpg"), evil)
    (row,) = here.table()
    assert (row["species"], row["file"], row["deployment"]) == ("'=1+1", "'+A/@b,c.jpg", "'+A")


def test_a_retired_species_keeps_its_name(here: Scene) -> None:
    here.box(here.photo(), here.jaguar)
    here.jaguar.retire()
    assert short(here.table()) == [("Jaguar", "1", "human")]


def test_photos_of_another_project_stay_out(here: Scene) -> None:
    scene(here.session, here.store).photo()
    assert here.table() == []


def test_a_word_about_one_box_is_no_word_about_the_photo(here: Scene) -> None:
    photo = here.photo()
    here.project.classify_above, here.project.count_above = 0.2, 0.6
    here.box(photo, here.kind("not_animal"))
    unasked = here.box(photo, score=0.3)  # a round may still ask about it
    (row,) = here.table()
    assert (row["species"], row["source"], row["who"]) == ("empty", "predicted", "")
    unasked.score = 0.1  # no round ever asks about it
    here.session.flush()
    (row,) = here.table()
    assert (row["species"], row["source"], row["who"]) == ("empty", "human", here.user.name)


def test_who_was_not_certain_is_not_exported_as_certain(here: Scene) -> None:
    sure, unsure = here.box(here.photo("A/1.jpg"), here.jaguar), here.box(here.photo("A/2.jpg"), here.jaguar)
    here.session.get_one(Label, unsure.settled_label_id).certain = False
    here.session.flush()
    here.box(here.photo("A/3.jpg"))
    assert sure.settled_label_id
    assert [row["certain"] for row in here.table()] == ["yes", "no", ""]


def test_sex_age_and_behaviour_stand_in_the_row_and_are_counted_where_boxes_differ(here: Scene) -> None:
    photo = here.photo()
    fields = [("female", "adult", "eating"), ("male", "adult", ""), ("female", "", ""), ("", "", "")]
    for sex, life_stage, behaviour in fields:
        label = here.say(here.box(photo), here.jaguar)
        label.sex, label.life_stage, label.behaviour = sex, life_stage, behaviour
    here.box(photo, here.ocelot)
    jaguar, ocelot = here.table()
    assert [jaguar[name] for name in ("count", "sex", "life_stage", "behaviour")] == [
        "4", "female: 2; male: 1", "adult", "eating",
    ]  # fmt: skip
    assert [ocelot[name] for name in ("count", "sex", "life_stage", "behaviour")] == ["1", "", "", ""]


def counted(here: Scene, photo: Image, species: Species | None, count: int) -> None:
    """A person counts in a photo as a whole."""
    here.session.add(
        CountCorrection(
            image_id=photo.id, species_id=species.id if species else None, count=count, user_id=here.user.id
        )
    )
    here.session.flush()


def test_what_a_person_counts_in_a_photo_without_boxes_is_no_empty_photo(here: Scene) -> None:
    named = here.photo("A/1.jpg", captured_at=dt.datetime(2026, 3, 1, 6))
    for species, count in ((here.ocelot, 5), (here.jaguar, 1), (here.ocelot, 2)):
        counted(here, named, species, count)
    counted(here, here.photo("A/2.jpg"), None, 0)
    boxed = here.photo("A/3.jpg")
    here.box(boxed, here.jaguar)
    counted(here, boxed, here.ocelot, 3)
    rows = [(row["file"], row["species"], row["count"], row["source"], row["who"]) for row in here.table()]
    who = here.user.name
    assert sorted(rows) == [
        ("A/1.jpg", "Jaguar", "1", "human", who), ("A/1.jpg", "Ocelot", "2", "human", who),
        ("A/2.jpg", "empty", "0", "human", who), ("A/3.jpg", "Jaguar", "1", "human", who),
    ]  # fmt: skip
    counts = {(row["level"], row["file"], row["species"]): row for row in here.table("counts.csv")}
    assert counts["image", "A/1.jpg", ""]["state"] == "named"
    assert counts["image", "A/1.jpg", ""]["corrected"] == "3"
    assert {key[2]: row["count"] for key, row in counts.items() if key[0] == "event"} == {"Jaguar": "1", "Ocelot": "2"}


def test_a_machine_of_another_tool_names_photos_without_boxes_until_a_person_counts_there(here: Scene) -> None:
    photo = here.photo("A/1.jpg", captured_at=dt.datetime(2026, 3, 1, 6))
    theirs = Checkpoint.known(here.session, CLASSIFIER, "speciesnet 4.0", "e" * 64, {})
    bringing = Import(
        project_id=here.project.id, format="csv", name="a.csv", sha256="0" * 64, by_id=here.user.id, state="taken"
    )
    here.session.add(bringing)
    here.session.flush()
    about = {"project_id": here.project.id, "import_id": bringing.id, "image_id": photo.id, "by_machine": True}
    here.session.add(ImportedName(name="Jaguar", species_id=here.jaguar.id, p=0.75, checkpoint_id=theirs.id, **about))
    here.session.add(ImportedName(name="Ocelot", rank=2, p=0.25, checkpoint_id=theirs.id, **about))
    (row,) = here.table()
    assert (row["species"], row["count"], row["source"], row["probability"]) == ("Jaguar", "1", "predicted", "0.750")
    assert "speciesnet 4.0" in row["checkpoint"]
    (event,) = [each for each in here.table("counts.csv") if each["level"] == "event"]
    assert event["species"] == "Jaguar"
    counted(here, photo, here.ocelot, 4)
    assert short(here.table()) == [("Ocelot", "4", "human")]
    (event,) = [each for each in here.table("counts.csv") if each["level"] == "event"]
    assert (event["species"], event["count"]) == ("Ocelot", "4")
