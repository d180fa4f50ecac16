"""Gold: crops beyond doubt, asked again blind, that judge whoever answers and never change their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from models.beside import gold_boxes
from models.membership import Role
from models.project import Project
from models.round import Pick
from tests import make
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]
HTML = {"accept": "text/html"}


@pytest.fixture(autouse=True)
def after_every_crop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gold is due after every new crop of a round, as long as there is any."""
    monkeypatch.setattr("models.beside.drawn", lambda _user, _number: 0)


def keep(person: Person, box: int, **more: Any) -> int:
    """Keep a crop as gold; the status."""
    body = {"idempotency_key": new_key()} | more
    return person.client.post(f"/boxes/{box}/gold", json=body).status_code


def gold(study: Study) -> set[int]:
    """What is gold."""
    with study.site.database.reading() as session:
        return gold_boxes(session, study.project_id)


def another_round(study: Study, crops: int) -> list[int]:
    """More crops to ask about."""
    with study.site.database.writing() as session:
        project = session.get_one(Project, study.project_id)
        batch = make.batch(session, project)
        boxes = [make.box(session, make.image(session, batch)) for _ in range(crops)]
        make.round_of(session, project, boxes)
        return [box.id for box in boxes]


def test_gold_is_asked_blind_of_annotators_and_never_changes_its_name(make_study: MakeStudy) -> None:
    study = make_study(1)
    ann, bob, expert = study.person(), study.person(), study.person(Role.expert)
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    (box,) = study.boxes
    ann.say(ann.crops()[0], jaguar)
    assert keep(expert, box) == 200
    assert gold(study) == {box}
    more = another_round(study, 3)
    study.guess({each: [0.8, 0.1, 0.1] for each in [box, *more]})
    assert [crop["box_id"] for crop in expert.crops(1)] == more[:1]  # an expert's answer would change its name
    assert box not in [crop["box_id"] for crop in ann.crops(1)]  # has named it before
    asked = bob.crops()
    assert box in [crop["box_id"] for crop in asked] and len(asked) == 2
    crop = next(crop for crop in asked if crop["box_id"] == box)
    assert (crop["blind"], crop["guesses"], crop["said"]) == (True, [], None)
    assert crop["round_id"] == asked[0]["round_id"]  # it looks like one of the round
    told = bob.say(crop, ocelot).json()
    assert (told["late"], study.settled(box)) == (False, jaguar)
    assert (bob.id, "answer", ocelot) in study.labels(box)
    assert bob.undo()["words"] == "Ocelot, taken back"  # not: an expert has settled it
    again = next(crop for crop in bob.lease()["crops"] if crop["box_id"] == box)
    bob.say(again, jaguar)
    assert box not in [crop["box_id"] for crop in bob.crops()]


def test_a_skip_of_gold_taken_back_asks_the_same_person_again(make_study: MakeStudy) -> None:
    study = make_study(1)
    ann, bob, eve, expert = study.person(), study.person(), study.person(), study.person(Role.expert)
    (box,) = study.boxes
    ann.say(ann.crops()[0], study.species["Jaguar"])
    keep(expert, box)
    another_round(study, 3)
    crop = next(crop for crop in bob.crops(2) if crop["box_id"] == box)
    bob.act(crop, "skip")
    assert box not in [crop["box_id"] for crop in bob.crops(2)]
    assert bob.undo()["crop"]["box_id"] == box
    assert box in [crop["box_id"] for crop in bob.crops(2)]
    with study.site.database.reading() as session:
        picks = session.execute(select(Pick.user_id, Pick.state).where(Pick.box_id == box, Pick.round_id.is_(None)))
        assert picks.all() == [(bob.id, "open")]
    assert box in [crop["box_id"] for crop in eve.crops(2)]  # as gold of her own


def test_gold_no_more_and_gold_taken_back_are_not_asked(make_study: MakeStudy) -> None:
    study = make_study(2)
    ann, expert = study.person(), study.person(Role.expert)
    for crop in ann.crops():
        ann.say(crop, study.species["Jaguar"])
    first, second = study.boxes
    keep(expert, first)
    keep(expert, second)
    keep(expert, first, raised=False)
    assert gold(study) == {second}
    expert.undo()
    expert.undo()
    assert gold(study) == {first}
    assert [len(study.labels(box)) for box in study.boxes] == [2, 3]  # the expert's word on the second was taken back
    expert.redo()
    assert gold(study) == {first, second}


def test_only_experts_choose_gold_and_only_where_there_is_a_name(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    ann, expert = study.person(), study.person(Role.expert)
    ann.say(ann.crops()[0], study.species["Jaguar"])
    assert keep(ann, study.boxes[0]) == 403
    assert keep(expert, study.boxes[1]) == 422
    assert gold(study) == set()


def test_a_project_may_ask_no_gold(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1, gold_one_in=0)
    ann, bob, expert = study.person(), study.person(), study.person(Role.expert)
    ann.say(ann.crops()[0], study.species["Jaguar"])
    keep(expert, study.boxes[0])
    more = another_round(study, 2)
    assert [crop["box_id"] for crop in bob.crops()] == more[:1]  # the other half is the annotator's


def test_the_review_page_keeps_gold_by_a_plain_button_and_tells_experts_alone(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    ann, expert = study.person(), study.person(Role.expert)
    (box,) = study.boxes
    ann.say(ann.crops()[0], study.species["Jaguar"])
    review = f"/projects/{study.project_id}/review?box={box}"
    assert "Keep as gold" in expert.client.get(review, headers=HTML).text
    form = {"idempotency_key": new_key(), "by": str(expert.id)}
    gone = expert.client.post(f"/boxes/{box}/gold?review=all", data=form, headers=HTML)
    assert (gone.status_code, gone.headers["location"]) == (303, review)
    page = expert.client.get(review, headers=HTML).text
    assert "Gold no more" in page and '<span class="badge on">Gold</span>' in page
    assert "gold" not in ann.client.get(review, headers=HTML).text.lower()
    form = {"idempotency_key": new_key(), "by": str(expert.id), "lowered": "1"}
    expert.client.post(f"/boxes/{box}/gold?review=all", data=form, headers=HTML)
    assert gold(study) == set()
