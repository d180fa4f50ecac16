"""Flags and comments: kept once, taken back, seen by everybody of the project, and they name nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from models.membership import Role
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]


def note(person: Person, box_id: int, what: str, key: str = "", **body: Any) -> httpx.Response:
    """flag or comments."""
    return person.client.post(f"/boxes/{box_id}/{what}", json={"idempotency_key": key or new_key()} | body)


def crop_of(person: Person, box_id: int) -> dict[str, Any]:
    """As the person's page has it."""
    return next(crop for crop in person.crops() if crop["box_id"] == box_id)


def test_a_flag_is_raised_and_taken_down_and_names_nothing(make_study: MakeStudy) -> None:
    study = make_study(2)
    person, box = study.person(), study.boxes[0]
    assert crop_of(person, box)["flagged"] is False
    key = new_key()
    assert {note(person, box, "flag", key, raised=True).json()["words"] for _ in range(2)} == {"Flagged for an expert."}
    assert study.acts() == 1 and crop_of(person, box)["flagged"] is True
    note(person, box, "flag", raised=False)
    assert crop_of(person, box)["flagged"] is False
    person.undo()
    assert crop_of(person, box)["flagged"] is True
    assert study.labels() == [] and study.picks() == {"open": 2}


def test_comments_are_seen_by_others_with_their_names_oldest_first(make_study: MakeStudy) -> None:
    study = make_study(1)
    maria, box = study.person(name="Maria Quispe"), study.boxes[0]
    note(maria, box, "comments", text="  short tail,\n white spots ")
    note(maria, box, "comments", text="<b>or not</b>")
    maria.undo()
    crop = crop_of(maria, box)
    assert crop["comments"] == [{"by": "Maria Quispe", "text": "short tail, white spots"}]
    maria.say(crop, study.species["Ocelot"])
    expert = study.person(Role.expert)
    page = expert.client.get(f"/projects/{study.project_id}/label?box={box}").text
    assert "short tail, white spots" in page and "or not" not in page


def test_the_way_back_shows_what_was_answered_not_what_was_noted(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    crops = person.crops()
    person.say(crops[0], study.species["Ocelot"])
    note(person, study.boxes[1], "flag")
    note(person, study.boxes[2], "comments", text="dark")
    answered = person.client.get(f"/projects/{study.project_id}/answered").json()["crops"]
    assert [crop["box_id"] for crop in answered] == [study.boxes[0]]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 1001, 7, None])
def test_words_that_are_none_or_too_many_are_refused(make_sqlite_study: MakeStudy, text: object) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    refused = note(person, study.boxes[0], "comments", text=text)
    assert refused.status_code == 422 and refused.json()["error"].startswith("text: ")
    assert study.acts() == 0


def test_a_viewer_notes_nothing(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    viewer = study.person(Role.viewer)
    assert note(viewer, study.boxes[0], "flag").status_code == 403
    assert note(viewer, study.boxes[0], "comments", text="nice").status_code == 403
