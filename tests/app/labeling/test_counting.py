"""How many animals are in a photo, by hand: beside an answer or after it, taken back with it, and in the tables."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from models.box import Box
from models.image import CountCorrection
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]


def count(person: Person, box_id: int, number: object, key: str = "") -> httpx.Response:
    """Say it."""
    return person.client.post(f"/boxes/{box_id}/count", json={"count": number, "idempotency_key": key or new_key()})


def standing(study: Study, box_id: int) -> list[tuple[int | None, int]]:
    """(species, count) of those that stand in the photo of a box, oldest first."""
    with study.site.database.reading() as session:
        image_id = session.get_one(Box, box_id).image_id
        rows = session.execute(CountCorrection.standing(CountCorrection.image_id == image_id))
        return [(species_id, number) for _image, species_id, number in rows]


def test_a_count_goes_with_its_answer_and_is_taken_back_with_it(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2)
    person, key = study.person(), new_key()
    first, second = person.crops()
    jaguar = study.species["Jaguar"]
    for _ in range(2):
        person.say(first, jaguar, key, count=7)
    assert standing(study, first["box_id"]) == [(jaguar, 7)]
    assert person.say(first, jaguar, key, count=8).status_code == 422  # the key was used for seven
    assert {crop["box_id"]: crop["counts"] for crop in person.crops()} == {second["box_id"]: {str(jaguar): 7}}
    person.undo()
    assert standing(study, first["box_id"]) == [] and study.settled(first["box_id"]) is None
    person.redo()
    assert standing(study, first["box_id"]) == [(jaguar, 7)]


def test_a_count_after_the_answer_is_of_what_the_crop_is_called_and_before_it_of_all_animals(
    make_study: MakeStudy,
) -> None:
    study = make_study(1)
    person = study.person()
    crop = person.crops()[0]
    told = count(person, crop["box_id"], 12).json()
    assert (told["name"], told["words"]) == ("12 in the photo", "12 in the photo, counted.")
    person.say(crop, study.species["Ocelot"])
    assert count(person, crop["box_id"], 3).json()["name"] == "3 Ocelot"
    assert standing(study, crop["box_id"]) == [(None, 12), (study.species["Ocelot"], 3)]
    assert person.undo()["words"] == "3 Ocelot, taken back"
    assert standing(study, crop["box_id"]) == [(None, 12)]
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]  # the answer stands


def test_what_is_no_animal_is_not_counted(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    crop = person.crops()[0]
    person.say(crop, study.fixed["person"], count=4)
    assert standing(study, crop["box_id"]) == []


@pytest.mark.parametrize("number", [-1, 100_001, "three", 1.5, None, True])
def test_a_count_that_cannot_be_is_refused_by_its_name(make_sqlite_study: MakeStudy, number: object) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    refused = count(person, study.boxes[0], number)
    assert refused.status_code == 422 and refused.json()["error"].startswith("count: ")
    assert study.acts() == 0
