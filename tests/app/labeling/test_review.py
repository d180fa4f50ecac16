"""The queue of doubtful crops: who gets in, who settles, and what stays readable."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from models.box import Box
from models.image import Image
from models.likeness import Likeness
from models.membership import Role
from models.project import Project
from models.sequence import regroup
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]
HTML = {"accept": "text/html"}


def shown(person: Person, address: str = "") -> str:
    """The page."""
    answer = person.client.get(f"/projects/{person.project_id}/review{address}", headers=HTML)
    assert answer.status_code == 200
    return answer.text


def queue(page: str) -> list[int]:
    """The boxes of the queue, in order."""
    return [int(box) for box in re.findall(r'<img src="/boxes/(\d+)/crop.jpg" alt="" loading', page)]


def named(person: Person, box: int, species: int, **more: bool) -> None:
    """An answer that is not bound to a lease."""
    body = {"species": species, "idempotency_key": new_key()} | more
    assert person.client.post(f"/boxes/{box}/labels", json=body).status_code == 200


def noted(person: Person, box: int, what: str, **body: object) -> None:
    """A flag or a comment."""
    sent = {"idempotency_key": new_key()} | body
    assert person.client.post(f"/boxes/{box}/{what}", json=sent).status_code == 200


def test_an_empty_queue_says_what_would_come(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    named(person, study.boxes[0], study.species["Jaguar"])
    page = shown(person)
    assert queue(page) == [] and "Nothing to settle." in page


def test_every_doubt_has_its_reason_and_flags_come_first(make_study: MakeStudy) -> None:
    study = make_study(5)
    maria, jonas = study.person(name="Ines Mayta"), study.person(name="Otto Falk")
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    differ, sure, unsure, doubted, flag = study.boxes
    named(maria, differ, jaguar)
    named(jonas, differ, ocelot)
    named(maria, sure, ocelot)
    named(jonas, sure, ocelot)
    named(jonas, unsure, jaguar, certain=False)
    named(maria, doubted, jaguar)
    noted(jonas, flag, "flag")
    classifier = study.guess({box: [0.03, 0.95, 0.02] for box in study.boxes})
    with study.site.database.writing() as session:
        for box, p in ((doubted, 0.95), (sure, 0.95), (unsure, 0.5)):
            found = session.get_one(Box, box)
            found.guess_species_id, found.guess_p, found.guess_classifier_id = ocelot, p, classifier
    page = shown(maria)
    assert queue(page) == [flag, differ, doubted, unsure]
    for words in ("Flagged by <bdi>Otto Falk</bdi>", "People differ", "<bdi>Otto Falk</bdi> was not certain"):
        assert words in page
    assert "The classifier is sure of another" in page
    assert queue(shown(maria, "?reason=differ")) == [differ]
    assert maria.client.get(f"/projects/{study.project_id}/review?reason=moon").status_code == 404


def test_an_answer_that_the_neighbours_contradict_is_suspected_until_an_expert_speaks(make_study: MakeStudy) -> None:
    study = make_study(4)
    maria, expert = study.person(), study.person(Role.expert)
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    wrong, right, unsure, nobody = study.boxes
    for box in (wrong, right, unsure):
        named(maria, box, jaguar)
    with study.site.database.writing() as session:
        embedder_id = session.get_one(Project, study.project_id).embedder_id
        for box, near, share in (
            (wrong, ocelot, 0.8),
            (right, jaguar, 1.0),
            (unsure, ocelot, 0.6),
            (nobody, ocelot, 1.0),
        ):
            session.add(
                Likeness(
                    box_id=box, project_id=study.project_id, embedder_id=embedder_id, place=0.0, near_species_id=near,
                    near_share=share,
                )
            )  # fmt: skip
    page = shown(maria, "?reason=unlike")
    assert queue(page) == [wrong] and "The crops most like it have another name" in page and "Neighbours differ" in page
    named(expert, wrong, jaguar)
    assert queue(shown(maria)) == []


def test_an_experts_answer_settles_and_the_voices_stay_readable(make_study: MakeStudy) -> None:
    study = make_study(3)
    maria, jonas = study.person(name="Rosa Quispe"), study.person(name="Emil Weber")
    expert = study.person(Role.expert, name="Anna-Lena Berg")
    jaguar, ocelot, tapir = study.species["Jaguar"], study.species["Ocelot"], study.species["Lowland tapir"]
    first, second, _third = study.boxes
    for box in (first, second):
        named(maria, box, jaguar)
        named(jonas, box, ocelot)
    noted(jonas, second, "comments", text="tail longer than the hind leg?")
    page = shown(expert)
    assert queue(page) == [second, first] and "Your answer settles it." in page
    assert "tail longer than the hind leg?" in page and "An expert settles it." in shown(maria)
    form = {"species": str(tapir), "idempotency_key": new_key()}
    gone = expert.client.post(f"/boxes/{second}/labels?review=differ", data=form, headers=HTML)
    assert (gone.status_code, gone.headers["location"]) == (303, f"/projects/{study.project_id}/review?reason=differ")
    assert queue(shown(expert)) == [first]
    assert study.settled(second) == tapir
    settled = shown(expert, f"?box={second}")
    assert "Settled" in settled and "Anna-Lena Berg</bdi>, expert" in settled
    assert "Rosa Quispe" in settled and "Emil Weber" in settled
    back = expert.client.post(
        f"/projects/{study.project_id}/undo?review=all", data={"idempotency_key": new_key()}, headers=HTML
    )
    assert back.headers["location"] == f"/projects/{study.project_id}/review?box={second}"
    assert queue(shown(expert)) == [second, first]


def test_the_history_keeps_what_was_taken_back_and_what_was_said_of_a_burst(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2)
    person = study.person(name=f"Pilar Soto {study.project_id}{study.site.port}")
    first, second = person.crops()
    with study.site.database.writing() as session:
        photo = session.get_one(Image, first["image"]["id"])
        regroup(session, photo.deployment_id, 60)
    person.say(second, study.species["Jaguar"], certain=False)
    person.undo()
    body = {"species": study.species["Ocelot"], "boxes": [], "idempotency_key": new_key(), "certain": False}
    person.client.post(f"/boxes/{first['box_id']}/burst-labels", json=body)
    body |= {"boxes": [second["box_id"]], "idempotency_key": new_key()}
    other = study.person(name=f"Nilo Soto {study.project_id}{study.site.port}")
    other.client.post(f"/boxes/{first['box_id']}/burst-labels", json=body)
    page = shown(person, f"?box={second['box_id']}")
    assert "All that was said, 3 entries" in page
    lines = [
        " ".join(re.sub(r"<[^>]+>", "", line).split())
        for line in page.split('class="history">')[1].split("</ol>")[0].split("</li>")
    ]
    name, another = (f"{first_name} Soto {study.project_id}{study.site.port}" for first_name in ("Pilar", "Nilo"))
    assert lines[:3] == [
        f"{another} said Ocelot, not certain, of its whole burst now",
        f"{name} took an answer back now",
        f"{name} said Jaguar, not certain now",
    ]


def test_a_flag_is_settled_by_an_expert_who_speaks_after_it(make_study: MakeStudy) -> None:
    study = make_study(1)
    maria, expert = study.person(), study.person(Role.expert)
    (box,) = study.boxes
    named(expert, box, study.species["Jaguar"])
    noted(maria, box, "flag")
    assert queue(shown(expert)) == [box]
    named(expert, box, study.species["Ocelot"])
    assert queue(shown(expert)) == []
    noted(maria, box, "flag")
    noted(maria, box, "flag", raised=False)
    assert queue(shown(expert)) == []


def test_a_crop_that_waits_to_be_asked_blind_shows_no_guess_here_either(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_study(1)
    study.guess({study.boxes[0]: [0.03, 0.95, 0.02]})
    maria = study.person()
    noted(maria, study.boxes[0], "flag")
    assert "95%" in shown(maria)
    monkeypatch.setattr("models.round.BLIND_ONE_IN", 1)
    page = shown(maria)
    assert "95%" not in page and "Hidden for this crop" in page


def test_strangers_see_nothing_and_viewers_may_only_look(make_study: MakeStudy) -> None:
    study = make_study(1)
    noted(study.person(), study.boxes[0], "flag")
    assert study.person(None).client.get(f"/projects/{study.project_id}/review").status_code == 404
    page = shown(study.person(Role.viewer))
    assert "You may look, not label." in page and queue(page) == study.boxes
    other = make_study(1)
    assert study.person().client.get(f"/projects/{study.project_id}/review?box={other.boxes[0]}").status_code == 404
