"""What people say here after an import wins, and what an import says of hidden species and of people stays in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from models.act import Act
from models.batch import BatchFile
from models.box import Box
from models.database import Database
from models.image import CountCorrection, Image
from models.membership import Role
from models.project import Project
from models.species import Species
from models.storage import Store
from tests import make
from tests.round_trips.trips import Place, members, rows_of

RAT, DUCK = "Rattus norvegicus", "Anas platyrhynchos"


@dataclass
class Official:
    """The official example in a project."""

    place: Place
    project_id: int
    by: int
    went: dict[str, bytes]

    def out(self) -> dict[str, list[dict[str, str]]]:
        """Its tables."""
        files = members(self.place.written(self.project_id, "camtrap-dp"))
        return {name.removesuffix(".csv"): rows_of(each) for name, each in files.items() if name.endswith(".csv")}


@pytest.fixture
def official(database: Database, store: Store, shared_data: Path) -> Iterator[Official]:
    folder = shared_data / "camera-trap" / "camtrap-dp-example"
    went = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    place = Place(database, store)
    project_id, by = place.project()
    place.taken(project_id, by, went)
    yield Official(place, project_id, by, went)


def test_a_figure_of_a_person_here_stands_for_the_rows_of_its_photo_and_event(official: Official) -> None:
    before = official.out()["observations"]
    first = next(row for row in before if row["scientificName"] == DUCK and row["mediaID"])
    event = first["eventID"]
    with official.place.database.writing() as session:
        wanted = select(Image).where(Image.details["mediaID"].as_string() == first["mediaID"])
        image = session.scalars(wanted).one()
        species = Species.named(session, official.project_id, DUCK)
        assert species is not None
        act, _fresh = Act.once(session, official.by, "counted-here", "count", {}, official.project_id)
        session.add(
            CountCorrection(image_id=image.id, species_id=species.id, count=7, user_id=official.by, act_id=act.id)
        )
    after = official.out()["observations"]
    (row,) = [each for each in after if each["mediaID"] == first["mediaID"]]
    assert (row["count"], row["scientificName"], row["observationID"] != first["observationID"]) == ("7", DUCK, True)
    gone = [each for each in before if each["observationLevel"] == "event" and each["eventID"] == event]
    assert gone and not [each for each in after if each["observationLevel"] == "event" and each["eventID"] == event]
    others = {each["observationID"] for each in before} - {
        first["observationID"],
        *(each["observationID"] for each in gone),
    }
    assert others <= {each["observationID"] for each in after}


def test_an_answer_here_renames_one_box_and_a_machines_name_goes(official: Official) -> None:
    with official.place.database.writing() as session:
        box = session.scalars(select(Box).order_by(Box.id)).first()
        assert box is not None
        species = Species.named(session, official.project_id, RAT)
        assert species is not None
        act, _fresh = Act.once(session, official.by, "answered-here", "answer", {}, official.project_id)
        box.answer(session, species, by=official.by, role=Role.expert, act=act)
        medium = session.get_one(Image, box.image_id).details["mediaID"]
        box_id = box.id
    rows = [row for row in official.out()["observations"] if row["mediaID"] == medium and row["bboxX"]]
    (row,) = [row for row in rows if row["observationID"] == f"b{box_id}"]
    assert (row["scientificName"], row["classificationMethod"]) == (RAT, "human")


def test_hidden_species_of_photos_as_a_whole_round_places_and_stay_in(official: Official) -> None:
    before = official.out()
    with official.place.database.writing() as session:
        for name, sensitivity in ((DUCK, "high"), (RAT, "extreme")):
            species = Species.named(session, official.project_id, name)
            assert species is not None
            species.sensitivity = sensitivity
    after = official.out()
    ducks = {row["deploymentID"] for row in before["observations"] if row["scientificName"] == DUCK}
    places = {row["deploymentID"]: row["latitude"] for row in after["deployments"]}
    assert ducks and {places[each] for each in ducks} <= {"51.5", "51.2", "50.7"}
    assert not [row for row in after["observations"] if row["scientificName"] == RAT]
    rats = {row["mediaID"] for row in before["observations"] if row["scientificName"] == RAT and row["mediaID"]}
    assert rats and not rats & {row["mediaID"] for row in after["media"]}


def test_people_on_photos_as_a_whole_go_out_only_when_they_may(official: Official) -> None:
    people = {
        f"{row['deploymentID']}/{row['mediaID']}" for row in official.out()["observations"]
        if row["observationType"] == "human" and row["mediaID"]
    }  # fmt: skip
    files: dict[bool, dict[str, Any]] = {
        may: json.loads(official.place.written(official.project_id, "coco", people=may)) for may in (False, True)
    }
    with_people, without = ({each["file_name"] for each in files[may]["images"]} for may in (True, False))
    assert len(with_people) == 423 and len(with_people - without) == len(people) == 33


def test_the_same_package_a_second_time_changes_nothing_of_what_goes_out(official: Official) -> None:
    before = official.out()
    official.place.taken(official.project_id, official.by, official.went)
    after = official.out()
    for name in ("deployments", "media", "observations"):
        assert after[name] == before[name]


def test_ids_of_a_file_never_meet_ours(sqlite_database: Database, store: Store) -> None:
    place = Place(sqlite_database, store)
    project_id, by = place.project()
    images = [{"id": str(number), "file_name": f"A/{number}.jpg"} for number in (1, 2)]
    file = {"images": images, "categories": [{"id": 0, "name": "empty"}], "annotations": []}
    for name in ("a", "b"):  # two files that count from one
        changed = json.loads(json.dumps(file).replace("A/", f"{name}/"))
        place.taken(project_id, by, {f"{name}.json": json.dumps(changed).encode()})
    found = json.loads(place.written(project_id, "coco", people=True))
    assert len({each["id"] for each in found["images"]}) == len(found["images"]) == 4


def test_our_own_tables_count_what_people_say_of_photos_of_an_import(official: Official) -> None:
    went = rows_of(official.went["observations.csv"])
    people = [row for row in went if row["mediaID"] and row["classificationMethod"] == "human"]
    species = rows_of(official.place.written(official.project_id, "species.csv"))
    ducks = Counter(row["mediaID"] for row in people if row["scientificName"] == DUCK)
    for row in people:
        if row["scientificName"] == DUCK:
            ducks[row["mediaID"]] += int(row["count"]) - 1
    found = [int(row["count"]) for row in species if row["scientific_name"] == DUCK and row["source"] == "human"]
    assert sorted(found) == sorted(ducks.values())
    blank = {row["mediaID"] for row in people if row["observationType"] == "blank"}
    assert sum(row["species"] == "empty" for row in species) == len(blank) == 112
    states = Counter(
        row["state"]
        for row in rows_of(official.place.written(official.project_id, "counts.csv"))
        if row["level"] == "image"
    )
    assert states["empty"] == 112 and sum(states.values()) == 423


def test_a_photo_that_is_here_keeps_who_said_its_name_elsewhere_and_when(database: Database, store: Store) -> None:
    place = Place(database, store)
    project_id, by = place.project()
    with database.writing() as session:
        photo = make.image(session, make.batch(session, session.get_one(Project, project_id)), "A/1.jpg")
        session.add(BatchFile(batch_id=photo.batch_id, path="A/1.jpg", image_id=photo.id, state="received", size=1000))
        box = make.box(session, photo, x_min=0.1, y_min=0.1, x_max=0.5, y_max=0.5)
        box_id = box.id
    said = {"waterhole_source": "human", "waterhole_who": "Ann", "waterhole_when": "2020-01-02T03:04:05Z"}
    file = {
        "images": [{"id": "1", "file_name": "card/A/1.jpg", "width": 1600, "height": 1200}],
        "categories": [{"id": 0, "name": "empty"}, {"id": 1, "name": "fox"}],
        "annotations": [{"id": "a", "image_id": "1", "category_id": 1, "bbox_relative": [0.1, 0.1, 0.4, 0.4]} | said],
    }
    place.taken(project_id, by, {"coco.json": json.dumps(file).encode()})
    (made,) = json.loads(place.written(project_id, "coco"))["annotations"]
    assert (made["id"], made["waterhole_who"], made["waterhole_when"]) == (
        f"b{box_id}", "Ann", "2020-01-02T03:04:05Z",
    )  # fmt: skip
