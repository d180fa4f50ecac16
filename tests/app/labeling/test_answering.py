"""An answer is stored once, with its round, whatever the network and other people do."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest

from models.box import Box
from models.image import Image
from models.membership import Role
from models.species import Species
from tests import make
from tests.app.labeling.conftest import Study, new_key

MakeStudy = Callable[..., Study]


def test_an_answer_names_the_box_and_fills_its_pick(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    crop = person.crops()[0]
    told = person.say(crop, study.species["Ocelot"]).json()
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]
    assert study.picks() == {"answered": 1, "open": 2}
    assert (told["name"], told["late"], told["round"]["done"], told["round"]["full"]) == ("Ocelot", False, 1, False)
    label = study.label()
    assert (label.round_id, label.user_id, label.certain) == (study.round_id, person.id, True)


def test_the_same_key_twice_is_one_answer_and_the_same_reply(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, key = study.person(), new_key()
    crop = person.crops()[0]
    first, second = (person.say(crop, study.species["Ocelot"], key) for _ in range(2))
    assert first.json() == second.json()
    assert len(study.labels()) == 1


def test_the_same_key_with_another_answer_is_refused(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, key = study.person(), new_key()
    crop = person.crops()[0]
    person.say(crop, study.species["Ocelot"], key)
    refused = person.say(crop, study.species["Jaguar"], key)
    assert refused.status_code == 422
    assert "idempotency_key" in refused.json()["error"]
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]
    assert person.act(crop, "skip", key).status_code == 422


def test_one_key_sent_eight_times_at_once_is_one_answer(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, key = study.person(), new_key()
    crop = person.crops()[0]
    together = Barrier(8)

    def send(_number: int) -> Any:
        together.wait()
        return person.say(crop, study.species["Ocelot"], key).json()

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(8)))
    assert replies == [replies[0]] * 8
    assert len(study.labels()) == 1


def test_an_answer_may_be_a_name_in_any_case(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(3)
    person = study.person()
    crop = person.crops()[0]
    assert person.say(crop, "lowland TAPIR", certain=False).json()["species_id"] == study.species["Lowland tapir"]
    assert study.label().certain is False


def test_a_species_of_another_project_is_refused_and_nothing_is_stored(make_study: MakeStudy) -> None:
    study = make_study(3)
    with study.site.database.writing() as session:
        foreign = make.species(session, make.project(session), "Wolf")[0].id
    person = study.person()
    crop = person.crops()[0]
    assert person.say(crop, foreign).status_code == 422
    assert person.say(crop, "Wolf").status_code == 422
    assert (study.labels(), study.acts(), study.picks()) == ([], 0, {"open": 3})


@pytest.mark.parametrize("species", [0, -1, 2**31, 2**63, 10**400, 1.0, None, [], {}, "", " ", "\x00", "a" * 300, True])
def test_a_species_that_is_none_is_refused(make_sqlite_study: MakeStudy, species: Any) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    assert person.say(person.crops()[0], species).status_code == 422
    assert study.labels() == []


def test_a_retired_species_is_refused_in_words_but_a_retry_of_an_older_answer_is_not(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, key = study.person(), new_key()
    crop, other = person.crops()[:2]
    first = person.say(crop, study.species["Ocelot"], key)
    with study.site.database.writing() as session:
        session.get_one(Species, study.species["Ocelot"]).retire()
    assert "taken off the list" in person.say(other, study.species["Ocelot"]).json()["error"]
    assert person.say(crop, study.species["Ocelot"], key).json() == first.json()


def test_a_viewer_may_not_answer_and_a_stranger_sees_nothing(make_study: MakeStudy) -> None:
    study = make_study(2)
    crop = study.person().crops()[0]
    for role, status in ((Role.viewer, 403), (None, 404)):
        person = study.person(role)
        assert person.say(crop, study.species["Ocelot"]).status_code == status
        assert person.act(crop, "skip").status_code == status
        assert person.act(crop, "empty-photo").status_code == status
        for what in ("leases", "undo", "redo", "rounds/next"):
            sent = person.client.post(f"/projects/{study.project_id}/{what}", json={"idempotency_key": new_key()})
            assert sent.status_code == status, what
    assert study.labels() == []


def test_a_box_that_does_not_exist_is_not_found(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    for box_id in (10**6, 2**31, 2**63, 2**70):
        crop = {"box_id": box_id, "lease_token": "", "pick_id": None}
        assert person.say(crop, study.species["Ocelot"]).status_code == 404


def test_a_late_answer_is_kept_as_a_second_voice_and_the_pick_stays_with_its_holder(make_study: MakeStudy) -> None:
    study = make_study(2)
    slow, quick = study.person(), study.person()
    crop = slow.crops(1)[0]
    study.expire_leases()
    assert quick.crops(1)[0]["box_id"] == crop["box_id"]
    told = slow.say(crop, study.species["Ocelot"])
    assert told.status_code == 200
    assert told.json()["late"] is True
    assert told.json()["words"] == "This crop was given to somebody else; your answer is kept as a second voice."
    assert study.picks() == {"open": 2}
    assert study.label().round_id == study.round_id


def test_an_answer_after_somebody_else_answered_is_a_second_voice(make_study: MakeStudy) -> None:
    study = make_study(2)
    slow, quick = study.person(), study.person()
    crop = slow.crops(1)[0]
    study.expire_leases()
    assert quick.say(quick.crops(1)[0], study.species["Jaguar"]).json()["late"] is False
    assert slow.say(crop, study.species["Ocelot"]).json()["late"] is True
    assert [user for user, _kind, _species in study.labels(crop["box_id"])] == [quick.id, slow.id]


def test_an_answer_after_an_idle_quarter_of_an_hour_counts_when_nobody_else_took_the_crop(
    make_study: MakeStudy,
) -> None:
    study = make_study(2)
    person = study.person()
    crop = person.crops(1)[0]
    study.expire_leases()
    assert person.say(crop, study.species["Ocelot"]).json()["late"] is False
    assert study.picks() == {"answered": 1, "open": 1}


def test_answering_again_is_a_newer_voice_of_the_same_person(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    crop = person.crops(1)[0]
    person.say(crop, study.species["Ocelot"])
    again = person.say(crop, study.species["Jaguar"])
    assert again.json()["late"] is False
    assert study.settled(crop["box_id"]) == study.species["Jaguar"]
    assert len(study.labels(crop["box_id"])) == 2
    assert study.picks() == {"answered": 1, "open": 1}


def test_answers_of_another_persons_page_wait_for_that_person(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    mine, theirs = study.person(), study.person()
    crop = mine.crops(1)[0]
    assert theirs.say(crop, study.species["Ocelot"], by=mine.id).status_code == 401
    assert theirs.client.post(f"/projects/{study.project_id}/leases", json={"by": mine.id}).status_code == 401
    assert study.labels() == []


def test_an_empty_photo_is_one_act_about_every_askable_box_of_it(make_study: MakeStudy) -> None:
    study = make_study(4, boxes_a_photo=3)
    with study.site.database.writing() as session:
        faint = make.box(session, session.get_one(Image, session.get_one(Box, study.boxes[0]).image_id), score=0.06).id
    person = study.person()
    told = person.act(person.crops()[0], "empty-photo").json()
    assert told["name"] == "Empty photo, 3 crops"
    assert [study.settled(box_id) for box_id in study.boxes] == [study.fixed["not_animal"]] * 3 + [None]
    assert study.settled(faint) is None
    assert study.picks() == {"answered": 3, "open": 1}
    assert study.acts() == 1


def test_the_guess_of_that_moment_stays_beside_the_answer(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    study.guess({study.boxes[0]: [0.2, 0.7, 0.1]})
    person = study.person()
    person.say(person.crops()[0], study.species["Jaguar"])
    guess = study.label().guess
    assert guess["species_id"] == study.species["Ocelot"]
    assert abs(guess["p"] - 0.7) < 0.01
