"""Nobody who is asked for an own word about a crop sees before what others, or the classifier, say of it: on any route."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from models.membership import Role
from models.round import Pick
from tests.app.labeling.conftest import Person, Study, new_key
from tests.app.labeling.test_gold import another_round, keep

MakeStudy = Callable[..., Study]
HTML = {"accept": "text/html"}
COMMENT = "an ocelot by its spots"


def page(person: Person, path: str) -> str:
    """A page of the project."""
    shown = person.client.get(f"/projects/{person.project_id}/{path}", headers=HTML)
    assert shown.status_code == 200
    return shown.text


def photo(person: Person, box: int) -> list[dict[str, Any]]:
    """The crops of the box's photo."""
    crops: list[dict[str, Any]] = person.client.get(f"/boxes/{box}/photo").json()["crops"]
    return crops


def add_box(person: Person, box: int) -> list[dict[str, Any]]:
    """Draw one more box into the photo; its crops."""
    body = {"idempotency_key": new_key(), "added": [[0.7, 0.1, 0.9, 0.5]]}
    crops: list[dict[str, Any]] = person.client.post(f"/boxes/{box}/drawing", json=body).json()["crops"]
    return crops


def names(crops: list[dict[str, Any]]) -> set[int | None]:
    """What the film strips of the crops tell."""
    return {each["species_id"] for crop in crops for frame in crop["burst"] for each in frame["crops"]}


def test_the_guess_of_a_blind_crop_on_another_desk_stays_hidden(make_study: MakeStudy) -> None:
    study = make_study(1)
    ann, ben, viewer = study.person(), study.person(), study.person(Role.viewer)
    (box,) = study.boxes
    study.guess({box: [0.1, 0.8, 0.1]})
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == box).values(chance=0.5))
    assert ann.crops(1)[0]["blind"]
    for person in (ben, viewer):
        shown = page(person, f"label?box={box}")
        assert "Hidden for this crop" in shown and "80%" not in shown
    (crop,) = photo(ben, box)
    assert (crop["blind"], crop["guesses"]) == (True, [])


def test_a_crop_that_waits_for_my_voice_keeps_still_wherever_i_look(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, ben, eve = study.person(), study.person(), study.person()
    (box,) = study.boxes
    ann.say(ann.crops()[0], study.species["Ocelot"], count=2)
    ann.client.post(f"/boxes/{box}/comments", json={"idempotency_key": new_key(), "text": COMMENT})
    assert ben.crops()  # it lies on Ben's desk
    assert COMMENT not in page(eve, f"label?box={box}")
    for crops in (photo(ben, box), add_box(ben, box)):
        crop = next(crop for crop in crops if crop["box_id"] == box)
        assert (crop["comments"], crop["counts"], crop["blind"]) == ([], {}, True)
    (crop,) = [crop for crop in photo(ann, box) if crop["box_id"] == box]
    assert crop["comments"][0]["text"] == COMMENT and crop["counts"]  # who has spoken hears
    ben.say(ben.crops()[0], study.species["Jaguar"])
    assert COMMENT in page(ben, f"label?box={box}")
    ben.undo()
    assert COMMENT not in page(ben, f"review?box={box}")


def test_gold_on_my_desk_tells_its_name_nowhere(make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.beside.drawn", lambda _user, _number: 0)
    study = make_study(2, boxes_a_photo=2)
    ann, bob = study.person(name=f"Ida Sol {study.project_id}"), study.person()
    expert = study.person(Role.expert)
    box, beside = study.boxes
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    for crop, species in zip(ann.crops(), (jaguar, ocelot), strict=True):
        ann.say(crop, species)
    keep(expert, box)
    another_round(study, 3)
    assert names(photo(bob, box)) == {jaguar, ocelot}
    assert box in [crop["box_id"] for crop in bob.crops()]
    assert names(photo(bob, box)) == {None, ocelot}  # in the strip of the crop beside it neither
    assert names(add_box(bob, box)) == {None, ocelot}
    shown = page(bob, f"review?box={box}")
    assert "You may be asked about this crop" in shown
    assert f"Ida Sol {study.project_id}" not in shown[shown.index('class="voices"') :]
    assert names(photo(expert, beside)) >= {jaguar, ocelot}
    bob.say(next(crop for crop in bob.lease()["crops"] if crop["box_id"] == box), ocelot)
    assert jaguar in names(photo(bob, box))
