"""The review page narrowed: by state, species, person, camera and guess; suspected errors first; filters survive an answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update

from app.labeling.review_lists import LOOKED
from models.box import Box
from models.deployment import Deployment
from models.image import Image
from models.membership import Role
from models.round import Pick
from tests.app.labeling.conftest import Person, Study, new_key
from tests.app.labeling.test_drawing import drew
from tests.app.labeling.test_review import HTML, named, noted, queue, shown

MakeStudy = Callable[..., Study]


def listed(who: Person, **filters: object) -> list[int]:
    """The boxes of a filter, in order."""
    return queue(shown(who, f"?{urlencode(filters)}"))


def guessed(study: Study, guesses: dict[int, tuple[str, float]]) -> int:
    """The classifier in use says this."""
    classifier = study.guess({box: [0.2, 0.5, 0.3] for box in study.boxes})
    with study.site.database.writing() as session:
        for box, (name, p) in guesses.items():
            found = session.get_one(Box, box)
            found.guess_species_id, found.guess_p, found.guess_classifier_id = study.species[name], p, classifier
    return classifier


def all_seen(study: Study) -> None:
    """None of the crops waits blind."""
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.round_id == study.round_id).values(state="answered"))


def test_a_state_lists_crops_and_says_their_three_flags(make_study: MakeStudy) -> None:
    study = make_study(5)
    all_seen(study)
    maria, expert = study.person(), study.person(Role.expert)
    open_, plain, unsure, reviewed, back = study.boxes
    named(maria, plain, study.species["Jaguar"])
    named(maria, unsure, study.species["Ocelot"], certain=False)
    named(maria, reviewed, study.species["Jaguar"], certain=False)
    named(expert, reviewed, study.species["Jaguar"])
    named(maria, back, study.species["Jaguar"])
    maria.undo()
    assert listed(maria, state="open") == [back, open_]
    assert listed(maria, state="answered") == [reviewed, unsure, plain]
    assert listed(maria, state="unreviewed") == [unsure, plain]
    assert listed(maria, state="reviewed") == [reviewed]
    assert listed(maria, state="uncertain") == [unsure]
    flags = re.findall(r'class="badge[^"]*">([^<]+)<', shown(maria, f"?state=answered&box={reviewed}"))
    assert flags == ["Seen by 2", "Reviewed", "Certain"]  # the expert's word settles, and the expert was certain
    assert re.findall(r'class="badge[^"]*">([^<]+)<', shown(maria, f"?box={open_}")) == ["Not seen", "Not reviewed"]
    assert "not reviewed, not certain</span>" in shown(maria, "?state=uncertain")


def test_species_person_camera_and_guess_narrow_every_state_and_the_queue(make_study: MakeStudy) -> None:
    study = make_study(6)
    all_seen(study)
    maria, jonas = study.person(), study.person()
    first, second, third, fourth, fifth, sixth = study.boxes
    guessed(study, {fifth: ("Jaguar", 0.8), sixth: ("Ocelot", 0.4), first: ("Jaguar", 0.5)})
    named(maria, first, study.species["Jaguar"], certain=False)
    named(jonas, second, study.species["Jaguar"], certain=False)
    named(maria, third, study.species["Ocelot"], certain=False)
    named(jonas, third, study.species["Ocelot"], certain=False)
    named(jonas, fourth, study.species["Ocelot"])
    jonas.undo()
    with study.site.database.writing() as session:
        camera = Deployment.of_folder(session, study.project_id, "Camera B").id
        moved = select(Box.image_id).where(Box.id.in_([second, third, sixth]))
        session.execute(update(Image).where(Image.id.in_(moved)).values(deployment_id=camera))
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    assert listed(maria, state="answered", species=jaguar) == [second, first]
    assert listed(maria, state="open", species=jaguar) == [fifth]
    assert listed(maria, state="answered", person=maria.id) == [third, first]
    assert listed(maria, state="answered", person=jonas.id) == [third, second]  # what was taken back is not said
    assert listed(maria, state="answered", camera=camera) == [third, second]
    assert listed(maria, state="open", camera=camera) == [sixth]
    assert listed(maria, state="open", least=30, most=50) == [sixth]
    assert listed(maria, state="open", least=50) == [fifth]
    assert listed(maria, state="answered", species=jaguar, camera=camera, person=jonas.id) == [second]
    assert listed(maria, species=ocelot) == [third]
    assert listed(maria, person=maria.id, camera=camera) == [third]
    assert listed(maria, least=40, most=60, reason="uncertain") == [first]
    page = shown(maria, f"?camera={camera}&species={jaguar}")
    assert "Jaguar <span" in page and "Camera B <span" in page  # each filter is a link that leaves it out
    assert f'href="/projects/{study.project_id}/review?camera={camera}"' in page


def test_boxes_that_were_deleted_or_moved_are_not_among_those_without_an_answer(make_study: MakeStudy) -> None:
    study = make_study(3)
    all_seen(study)
    maria = study.person()
    deleted, moved, stays = study.boxes
    drew(maria, deleted, deleted=[deleted])
    now = drew(maria, moved, moved={moved: [0.1, 0.2, 0.3, 0.4]})["box_id"]
    assert listed(maria, state="open") == [stays]  # the new outline has no crop yet
    with study.site.database.writing() as session:
        session.get_one(Box, now).embedder_id = session.get_one(Box, stays).embedder_id
    assert listed(maria, state="open") == [now, stays]


def test_suspected_errors_come_first(make_study: MakeStudy) -> None:
    study = make_study(4)
    all_seen(study)
    maria = study.person()
    for box in study.boxes:
        named(maria, box, study.species["Jaguar"])
    classifier = guessed(
        study, {study.boxes[0]: ("Ocelot", 0.95), study.boxes[1]: ("Jaguar", 0.99), study.boxes[2]: ("Ocelot", 0.6)}
    )
    assert classifier
    found = listed(maria, state="answered")
    assert found == [study.boxes[0], *study.boxes[:0:-1]]
    assert "The classifier is sure of another" in shown(maria, "?state=answered")


def test_a_crop_that_waits_blind_is_in_no_list(make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    study = make_study(2)
    maria = study.person()
    guessed(study, dict.fromkeys(study.boxes, ("Jaguar", 0.9)))
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id == study.boxes[0]).values(chance=0.5))
    monkeypatch.setattr("models.round.BLIND_ONE_IN", 10**12)
    assert listed(maria, state="open", species=study.species["Jaguar"]) == [study.boxes[1]]
    named(maria, study.boxes[0], study.species["Ocelot"])
    with study.site.database.writing() as session:  # somebody else is to be asked
        session.execute(update(Pick).where(Pick.box_id == study.boxes[0]).values(state="open"))
    assert listed(maria, state="answered", least=80) == []
    all_seen(study)
    assert listed(maria, state="answered", least=80) == [study.boxes[0]]


def test_filters_survive_an_answer_and_its_undo(make_study: MakeStudy) -> None:
    study = make_study(3)
    all_seen(study)
    maria, expert = study.person(), study.person(Role.expert)
    for box in study.boxes:
        named(maria, box, study.species["Jaguar"])
    first, second, third = study.boxes
    asked = f"state=answered&species={study.species['Jaguar']}"
    page = shown(expert, f"?{asked}&box={third}")
    action = re.search(r'class="answers" id="answers" method="post" action="([^"]+)"', page)
    assert action is not None
    address = action[1].replace("&amp;", "&")
    form = {"species": str(study.species["Jaguar"]), "idempotency_key": new_key()}
    gone = expert.client.post(address, data=form, headers=HTML)
    here = f"/projects/{study.project_id}/review?{asked}"
    assert gone.headers["location"] == f"{here}&box={second}"
    assert listed(expert, state="answered") == [third, second, first]
    back = expert.client.post(
        f"/projects/{study.project_id}/undo{address[address.index('?') :]}", data={"idempotency_key": new_key()},
        headers=HTML,
    )  # fmt: skip
    assert back.headers["location"] == f"{here}&box={third}"


def test_nonsense_in_the_address_is_refused_in_words(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    here = f"/projects/{study.project_id}/review"
    for asked, status in (("state=moon", 404), ("species=x", 422), ("least=101", 422), ("person=99999999999", 422)):
        answer = person.client.get(f"{here}?{asked}", headers=HTML)
        assert answer.status_code == status, asked
    assert (
        "lowest guess: a whole number from 0 to 100" in person.client.get(f"{here}?least=-1", headers=HTML).text.lower()
    )
    assert person.client.get(f"{here}?state=&species=&person=&camera=&least=&most=", headers=HTML).status_code == 200
    assert "No crop is so." in shown(person, "?species=1&state=answered")


def test_another_projects_crops_are_never_listed(make_study: MakeStudy) -> None:
    study, other = make_study(1), make_study(1)
    for each in (study, other):
        all_seen(each)
        each.guess({each.boxes[0]: [0.9, 0.05, 0.05]})
    person, stranger = study.person(), other.person()
    named(stranger, other.boxes[0], other.species["Jaguar"])
    with study.site.database.reading() as session:
        photo = session.get_one(Image, session.get_one(Box, other.boxes[0]).image_id)
    for filters in (
        {"camera": photo.deployment_id}, {"species": other.species["Jaguar"]}, {"person": stranger.id},
    ):  # fmt: skip
        assert listed(person, state="answered", **filters) == [] and listed(person, state="open", **filters) == []


def test_a_long_list_says_that_only_the_newest_were_looked_through(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOKED == 20_000
    study = make_study(4)
    all_seen(study)
    maria = study.person()
    noted(maria, study.boxes[0], "flag")
    for box in study.boxes:
        named(maria, box, study.species["Jaguar"], certain=box != study.boxes[0])
    monkeypatch.setattr("app.labeling.review_lists.LOOKED", 2)
    assert listed(maria, state="uncertain") == []
    monkeypatch.setattr("app.labeling.review_lists.SHOWN", 2)
    monkeypatch.setattr("app.labeling.review_lists.LOOKED", 20)
    page = shown(maria, "?state=answered")
    assert queue(page) == study.boxes[:1:-1] and "Narrow the filter to see others." in page
