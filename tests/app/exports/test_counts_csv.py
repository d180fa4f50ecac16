"""counts.csv: how many animals, photo by photo and burst by burst."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from app.exports.rows import bin_of
from models.database import Database
from models.image import CountCorrection, Image
from models.sequence import regroup
from models.species import Species
from models.storage import Store
from tests.app.exports.scene import Scene, scene

NOON = dt.datetime(2026, 3, 1, 12)


@pytest.fixture
def here(sqlite_database: Database, store: Store) -> Iterator[Scene]:
    """An empty project in an open session."""
    with sqlite_database.writing() as session:
        yield scene(session, store)


def burst(here: Scene, *seconds: int, boxes: tuple[int, ...]) -> list[Image]:
    """Photos of one camera at these seconds after noon with so many boxes."""
    photos = [
        here.photo(f"Cam 1/{second:05}.jpg", captured_at=NOON + dt.timedelta(seconds=second)) for second in seconds
    ]
    for photo, count in zip(photos, boxes, strict=True):
        for _box in range(count):
            here.box(photo)
    regroup(here.session, photos[0].deployment_id, 60)
    return photos


def correct(here: Scene, photo: Image, count: int, species: Species | None = None) -> None:
    here.session.add(
        CountCorrection(
            image_id=photo.id, species_id=species.id if species else None, count=count, user_id=here.user.id
        )
    )
    here.session.flush()


def level(here: Scene, name: str) -> list[dict[str, str]]:
    return [row for row in here.table("counts.csv") if row["level"] == name]


def test_a_burst_counts_the_most_in_any_one_photo(here: Scene) -> None:
    burst(here, 0, 30, 60, 500, boxes=(1, 3, 2, 1))
    first, second = level(here, "sequence")
    assert (first["count"], first["photos"], first["bin"], first["corrected"]) == ("3", "3", "3", "")
    assert (first["file"], first["first"], first["last"]) == (
        "Cam 1/00000.jpg", "2026-03-01T12:00:00", "2026-03-01T12:01:00",
    )  # fmt: skip
    assert (second["count"], second["photos"], second["id"]) == ("1", "1", second["sequence"])
    photos = level(here, "image")
    assert [row["count"] for row in photos] == ["1", "3", "2", "1"]
    assert {row["sequence"] for row in photos[:3]} == {first["id"]}


def test_people_vehicles_and_not_an_animal_are_no_animals(here: Scene) -> None:
    (photo,) = burst(here, 0, boxes=(0,))
    for kind in ("person", "vehicle", "not_animal", "cannot_tell"):
        here.box(photo, here.kind(kind))
    here.box(photo, here.jaguar)
    (row,) = level(here, "image")
    assert (row["count"], row["state"]) == ("2", "named")


def test_the_states_of_photos_and_bursts(here: Scene) -> None:
    empty, person, unnamed = burst(here, 0, 200, 400, boxes=(0, 0, 1))
    here.box(person, here.kind("person"))
    here.photo("Cam 1/x.jpg", state="quarantined", captured_at=None)
    here.photo("Cam 1/y.jpg", state="waiting", captured_at=None)
    assert [(row["state"], row["count"], row["bin"]) for row in level(here, "image")] == [
        ("empty", "0", "0"), ("named", "0", "0"), ("unclassified", "1", "1"), ("failed", "", ""),
        ("not_yet_processed", "", ""),
    ]  # fmt: skip
    assert [row["state"] for row in level(here, "sequence")] == ["empty", "named", "unclassified"]
    assert empty.id < unnamed.id


def test_a_person_s_count_stands_beside_the_boxes_and_makes_the_bin(here: Scene) -> None:
    first, second = burst(here, 0, 10, boxes=(2, 3))
    correct(here, first, 12)
    correct(here, first, 60)
    photo, other = level(here, "image")
    assert (photo["count"], photo["corrected"], photo["bin"]) == ("2", "60", "51+")
    assert (other["count"], other["corrected"], other["bin"]) == ("3", "", "3")
    (row,) = level(here, "sequence")
    assert (row["count"], row["corrected"], row["bin"]) == ("3", "60", "51+")
    assert second.sequence_id == first.sequence_id


def test_a_count_of_zero_is_a_count(here: Scene) -> None:
    (photo,) = burst(here, 0, boxes=(2,))
    correct(here, photo, 0)
    assert {(row["count"], row["corrected"], row["bin"]) for row in here.table("counts.csv")} == {("2", "0", "0")}


def test_a_count_of_one_species_leaves_the_others_as_their_boxes(here: Scene) -> None:
    (photo,) = burst(here, 0, boxes=(0,))
    here.box(photo, here.jaguar)
    here.box(photo, here.ocelot)
    here.box(photo, here.ocelot)
    correct(here, photo, 9, here.jaguar)
    correct(here, photo, 10, here.jaguar)
    (row,) = level(here, "image")
    assert (row["count"], row["corrected"], row["bin"]) == ("3", "12", "11-50")
    assert [(row["species"], row["count"]) for row in here.table()] == [("Jaguar", "10"), ("Ocelot", "2")]


def test_every_photo_and_every_burst_has_one_row(here: Scene) -> None:
    burst(here, 0, 30, 60, 500, 501, boxes=(1, 0, 2, 1, 0))
    keys = [(row["level"], row["id"]) for row in here.table("counts.csv")]
    assert len(keys) == len(set(keys)) == 5 + 2


@pytest.mark.parametrize(
    ("count", "said"),
    [(None, ""), (0, "0"), (1, "1"), (10, "10"), (11, "11-50"), (50, "11-50"), (51, "51+"), (900, "51+")],
)
def test_bins(count: int | None, said: str) -> None:
    assert bin_of(count) == said
