"""One answer for a burst: which crops it names, what it leaves alone, and that undo takes it back whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from models.box import Box
from models.deployment import Deployment
from models.image import Image
from models.sequence import regroup
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]


@pytest.fixture
def burst(make_study: MakeStudy) -> Study:
    """Six crops, two a photo, in one burst; the last photo is of another camera."""
    study = make_study(8, boxes_a_photo=2)
    with study.site.database.writing() as session:
        elsewhere = Deployment.of_folder(session, study.project_id, "Camera B")
        last = select(Box.image_id).where(Box.id == study.boxes[-1]).scalar_subquery()
        session.execute(update(Image).where(Image.id == last).values(deployment_id=elsewhere.id))
        for deployment_id in session.scalars(select(Deployment.id).where(Deployment.project_id == study.project_id)):
            regroup(session, deployment_id, 60)
    return study


def say(person: Person, crop: dict[str, Any], species: int, boxes: list[int], key: str = "") -> httpx.Response:
    """The crop, and these."""
    body = {
        "species": species, "boxes": boxes, "idempotency_key": key or new_key(), "lease_token": crop["lease_token"],
        "pick_id": crop["pick_id"],
    }  # fmt: skip
    return person.client.post(f"/boxes/{crop['box_id']}/burst-labels", json=body)


def test_the_frames_of_the_strip_say_what_can_be_named(burst: Study) -> None:
    person = burst.person()
    crops = {crop["box_id"]: crop for crop in person.crops()}
    frames = crops[burst.boxes[0]]["burst"]
    assert [[crop["box_id"] for crop in frame["crops"]] for frame in frames] == [
        burst.boxes[0:2], burst.boxes[2:4], burst.boxes[4:6]
    ]  # fmt: skip
    assert {crop["species_id"] for frame in frames for crop in frame["crops"]} == {None}
    assert [len(frame["crops"]) for frame in crops[burst.boxes[7]]["burst"]] == [2]
    person.say(crops[burst.boxes[2]], burst.species["Ocelot"])
    again = {crop["box_id"]: crop for crop in person.crops()}[burst.boxes[0]]
    assert again["burst"][1]["crops"][0] == {"box_id": burst.boxes[2], "species_id": burst.species["Ocelot"]}


def test_one_answer_names_the_burst_but_what_was_taken_out_and_one_undo_takes_it_back(burst: Study) -> None:
    person = burst.person()
    crop = person.crops()[0]
    key = new_key()
    for _ in range(2):  # the network lost the first reply
        told = say(person, crop, burst.species["Jaguar"], burst.boxes[1:4], key).json()
    assert (told["name"], told["boxes"], told["box_id"]) == ("Jaguar, 4 crops", burst.boxes[:4], crop["box_id"])
    assert told["round"]["done"] == 4
    jaguar = burst.species["Jaguar"]
    assert [burst.settled(box) for box in burst.boxes] == [jaguar] * 4 + [None] * 4
    assert burst.acts() == 1 and len(burst.labels()) == 4
    undone = person.undo()
    assert undone["words"] == "Jaguar, 4 crops, taken back" and undone["crop"]["box_id"] == crop["box_id"]
    assert {burst.settled(box) for box in burst.boxes} == {None}
    assert burst.picks() == {"open": 8}
    person.redo()
    assert [burst.settled(box) for box in burst.boxes] == [jaguar] * 4 + [None] * 4
    assert burst.picks() == {"answered": 4, "open": 4}


def test_what_this_person_said_of_one_of_them_stays(burst: Study) -> None:
    person = burst.person()
    first, second = person.crops()[:2]
    person.say(second, burst.species["Ocelot"])
    told = say(person, first, burst.species["Jaguar"], burst.boxes[1:6]).json()
    assert told["boxes"] == [burst.boxes[0], *burst.boxes[2:6]]
    assert burst.settled(second["box_id"]) == burst.species["Ocelot"]


def test_a_crop_of_another_burst_is_refused_and_nothing_is_named(burst: Study) -> None:
    person = burst.person()
    refused = say(person, person.crops()[0], burst.species["Jaguar"], [burst.boxes[1], burst.boxes[7]])
    assert refused.status_code == 422
    assert refused.json()["error"].startswith(f"boxes: {burst.boxes[7]} is not in the burst of crop {burst.boxes[0]}")
    assert burst.labels() == [] and burst.acts() == 0


def test_a_box_that_is_not_asked_about_is_not_named(burst: Study) -> None:
    with burst.site.database.writing() as session:
        session.execute(update(Box).where(Box.id == burst.boxes[3]).values(score=0.001))
    person = burst.person()
    told = say(person, person.crops()[0], burst.species["Jaguar"], burst.boxes[1:4]).json()
    assert told["boxes"] == burst.boxes[:3]
