"""The label page works as plain forms, without any script."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
from sqlalchemy import func, select

from models.lease import Lease
from models.membership import Role
from models.project import Project
from models.round import Pick
from models.user import User
from tests import make
from tests.app.labeling.conftest import Person, Study
from tests.app.labeling.test_drawing import drew

MakeStudy = Callable[..., Study]
PAGE = {"accept": "text/html"}


def test_answering_by_form_leads_from_crop_to_crop(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    shown = []
    for _ in range(3):
        html = look(person)
        shown.append(box_of(html))
        sent = send(person, html, f"/boxes/{shown[-1]}/labels", species=str(study.species["Ocelot"]))
        assert (sent.status_code, sent.headers["location"]) == (303, f"/projects/{study.project_id}/label")
    assert shown == study.boxes
    assert study.picks() == {"answered": 3}


def test_the_form_sent_twice_is_one_answer(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    html = look(person)
    for _ in range(2):
        sent = send(person, html, f"/boxes/{study.boxes[0]}/labels", species=str(study.species["Ocelot"]))
        assert sent.status_code == 303
    assert len(study.labels()) == 1


def test_a_typed_name_answers_and_an_unknown_one_is_refused_in_words(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    html = look(person)
    refused = send(person, html, f"/boxes/{study.boxes[0]}/labels", find="Yeti")
    assert refused.status_code == 422
    assert "&#39;Yeti&#39; is not in this project&#39;s list" in refused.text
    assert send(person, html, f"/boxes/{study.boxes[0]}/labels", find="").status_code == 422
    assert send(person, html, f"/boxes/{study.boxes[0]}/labels", find=" ocelot ").status_code == 303
    assert study.settled(study.boxes[0]) == study.species["Ocelot"]


def test_skip_empty_undo_and_redo_are_forms_too(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(3)
    person, project = study.person(), f"/projects/{study.project_id}"
    send(person, look(person), f"/boxes/{study.boxes[0]}/skip")
    send(person, look(person), f"/boxes/{study.boxes[1]}/empty-photo")
    html = look(person)
    assert box_of(html) == study.boxes[2]
    assert "Empty photo" in foot(html)
    undone = send(person, html, f"{project}/undo")
    assert undone.headers["location"] == f"{project}/label?box={study.boxes[1]}"
    html = look(person, f"?box={study.boxes[1]}")
    assert (box_of(html), "taken back" in foot(html)) == (study.boxes[1], True)
    send(person, html, f"{project}/redo")
    assert study.settled(study.boxes[1]) == study.fixed["not_animal"]


def test_a_named_crop_shows_what_was_said(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    person.say(person.crops()[0], study.species["Ocelot"])
    html = look(person, f"?box={study.boxes[0]}")
    pressed = re.findall(r'value="(\d+)"[^>]*aria-pressed="true"', html)
    assert pressed == [str(study.species["Ocelot"])]


def test_a_viewer_may_look_not_label(make_study: MakeStudy) -> None:
    study = make_study(2)
    html = look(study.person(Role.viewer))
    assert box_of(html) == study.boxes[0]
    assert "You may look, not label." in html
    assert re.findall(r'<button class="answer[^>]*>', html)
    assert all("disabled" in button for button in re.findall(r'<button class="answer[^>]*>', html))
    with study.site.database.reading() as session:
        mine = select(func.count(Lease.id)).join(Pick, Pick.id == Lease.pick_id).where(Pick.round_id == study.round_id)
        assert session.scalar(mine) == 0


def test_a_viewer_sees_no_crop_that_was_deleted(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, viewer = study.person(), study.person(Role.viewer)
    first, second, third = study.boxes
    for crop in person.crops()[:2]:
        assert person.say(crop, study.species["Jaguar"]).status_code == 200
    assert box_of(look(viewer)) == third
    drew(person, third, deleted=[third])
    assert box_of(look(viewer)) == second
    drew(person, second, deleted=[second])
    assert box_of(look(viewer)) == first
    drew(person, first, deleted=[first])
    assert 'data-box-id=""' in look(viewer)


def test_strangers_and_crops_of_other_projects_are_not_found(make_sqlite_study: MakeStudy) -> None:
    study, other = make_sqlite_study(1), make_sqlite_study(1)
    assert study.person(None).client.get(f"/projects/{study.project_id}/label", headers=PAGE).status_code == 404
    person = study.person()
    for box in (other.boxes[0], 10**6, 0, 2**63):
        answer = person.client.get(f"/projects/{study.project_id}/label?box={box}", headers=PAGE)
        assert answer.status_code == 404, box


def test_markup_in_a_name_stays_text(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    with study.site.database.writing() as session:
        nasty = make.species(
            session, session.get_one(Project, study.project_id), "</script><img src=x onerror=alert(1)>"
        )
        study.species["nasty"] = nasty[0].id
    person = study.person()
    person.say(person.crops()[0], study.species["nasty"])
    html = look(person)
    assert "<img src=x" not in html
    assert html.count("</script>") == 3  # the page's own
    assert r"\u003c/script\u003e\u003cimg" in html


def test_an_empty_desk_says_why(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    with study.site.database.writing() as session:
        empty = make.project(session, (session.get_one(User, person.id), Role.annotator))
        person.project_id = empty.id
    html = look(person)
    assert "No crops to answer yet. Upload photos first." in html
    assert f'href="/projects/{person.project_id}/batches"' in html
    assert "No species yet." in html


def look(person: Person, query: str = "") -> str:
    """The page as a browser without script gets it."""
    answer = person.client.get(f"/projects/{person.project_id}/label{query}", headers=PAGE)
    assert answer.status_code == 200
    return answer.text


def box_of(html: str) -> int:
    """The box on the stage."""
    return int(re.findall(r'data-box-id="(\d+)"', html)[0])


def foot(html: str) -> str:
    """The foot of the panel."""
    return html[html.index('<div class="last">') :]


def send(person: Person, html: str, action: str, **fields: str) -> httpx.Response:
    """Press a button of the page's form; the page must offer this action."""
    assert f'action="{action}"' in html, action
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html))
    return person.client.post(action, data=hidden | {"find": ""} | fields, headers=PAGE)
