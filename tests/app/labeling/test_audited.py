"""Crops of the audit at the desk: nobody can tell them from others, and what is said by the way is set aside."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

import models.round
from models.audited import audited, untaught
from models.label import Label
from models.round import Pick
from tests.app.labeling.conftest import Person, Study
from tests.app.labeling.test_leases import MakeStudy


def draw(study: Study, box_id: int, chance: float | None = 0.0625) -> None:
    """Make this crop one of the audit, or none."""
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == box_id).values(chance=chance))


def seen(person: Person, study: Study) -> tuple[Any, ...]:
    """Everything that the desk and its pages say, without the keys that are new each time."""
    pages = [
        person.client.get(path, headers={"accept": "text/html"}).text
        for path in (f"/projects/{study.project_id}/label", f"/projects/{study.project_id}")
    ]
    leased = person.lease(20)
    return leased, *(re.sub(r"[0-9a-f]{32}|\d+ (seconds|minutes)", "", page) for page in pages)


def test_no_page_and_no_answer_of_the_desk_tells_a_crop_of_the_audit_from_others_without_a_guess(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models.round, "BLIND_ONE_IN", 1)
    study = make_study(4)
    study.guess({box_id: [0.2, 0.7, 0.1] for box_id in study.boxes})
    person = study.person()
    before = seen(person, study)
    draw(study, study.boxes[1])
    assert seen(person, study) == before
    crops = person.crops()
    said = [person.say(crop, study.species["Ocelot"]).json() for crop in crops[:3]]
    assert len({tuple(sorted(each)) for each in said}) == 1
    assert [each["words"] for each in said] == ["Ocelot saved."] * 3


def test_an_empty_photo_said_at_a_crop_of_the_audit_names_the_others_and_teaches_none(make_study: MakeStudy) -> None:
    study = make_study(4, boxes_a_photo=2)
    person = study.person()
    first, _second, third, _fourth = person.crops()
    draw(study, first["box_id"])
    person.act(first, "empty-photo")
    person.act(third, "empty-photo")
    assert {study.settled(box_id) for box_id in study.boxes} == {study.fixed["not_animal"]}
    with study.site.database.reading() as session:
        boxes, labels = untaught(session, study.project_id)
        assert [crop.box_id for crop in audited(session, study.project_id)] == [study.boxes[0]]
        assert boxes == {study.boxes[0]}
        assert {session.get_one(Label, label_id).box_id for label_id in labels} == {study.boxes[1]}


def test_a_crop_of_the_audit_that_is_named_while_another_is_on_the_desk_has_left_it(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2)
    person = study.person()
    shown, _other = person.crops()
    draw(study, study.boxes[1])
    person.act(shown, "empty-photo")
    with study.site.database.reading() as session:
        assert audited(session, study.project_id) == []
        assert untaught(session, study.project_id) == ({study.boxes[1]}, set())  # the crop on the desk teaches
