"""Undo and redo: any depth, across reloads, and the history keeps everything."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from models.invariants import CHECKS, Scene
from models.membership import Role
from tests.app.labeling.conftest import Person, Study, new_key

MakeStudy = Callable[..., Study]


def test_undo_takes_the_name_back_opens_the_pick_and_returns_the_lease(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, other = study.person(), study.person()
    crop = person.crops()[0]
    person.say(crop, study.species["Ocelot"])
    told = person.undo()
    assert told["words"] == "Ocelot, taken back"
    assert (told["box_id"], told["crop"]["pick_id"]) == (crop["box_id"], crop["pick_id"])
    assert told["crop"]["lease_token"]
    assert study.settled(crop["box_id"]) is None
    assert study.picks() == {"open": 3}
    assert [kind for _user, kind, _species in study.labels(crop["box_id"])] == ["answer", "taken_back"]
    assert other.crops() == []
    assert person.say(told["crop"], study.species["Jaguar"]).json()["late"] is False


def test_three_acts_are_undone_and_redone_in_turn(make_study: MakeStudy) -> None:
    study = make_study(6, boxes_a_photo=2)
    person = study.person()
    one, _two, three, _four, five, _six = person.crops()
    person.say(one, study.species["Ocelot"], certain=False)
    person.act(three, "empty-photo")
    person.act(five, "skip")
    before = standing(study, person)
    assert [person.undo()["words"] for _ in range(3)] == [
        "Skip, taken back", "Empty photo, 2 crops, taken back", "Ocelot, taken back",
    ]  # fmt: skip
    assert [study.settled(box_id) for box_id in study.boxes] == [None] * 6
    assert study.picks() == {"open": 6}
    assert [crop["box_id"] for crop in person.crops()] == study.boxes
    assert person.undo()["nothing"] is True
    assert [person.redo()["of"] for _ in range(3)] == ["answer", "empty_photo", "skip"]
    assert standing(study, person) == before
    assert person.redo()["nothing"] is True
    assert [person.undo()["of"] for _ in range(3)] == ["skip", "empty_photo", "answer"]
    assert healthy(study)


def test_undo_of_a_second_answer_puts_the_first_back(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    crop = person.crops()[0]
    person.say(crop, study.species["Ocelot"])
    person.say(crop, study.species["Jaguar"])
    person.undo()
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]
    assert study.picks() == {"answered": 1, "open": 1}
    person.undo()
    assert study.settled(crop["box_id"]) is None
    person.redo()
    person.redo()
    assert study.settled(crop["box_id"]) == study.species["Jaguar"]
    person.undo()
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]
    assert healthy(study)


def test_a_new_answer_ends_redo(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(3)
    person = study.person()
    first, second = person.crops()[:2]
    person.say(first, study.species["Ocelot"])
    person.undo()
    person.say(second, study.species["Ocelot"])
    told = person.redo()
    assert (told["nothing"], told["words"]) == (True, "There is nothing to say again.")
    assert study.settled(first["box_id"]) is None


def test_the_same_undo_sent_twice_takes_back_one_act(make_study: MakeStudy) -> None:
    study = make_study(3)
    person, key = study.person(), new_key()
    for crop in person.crops()[:2]:
        person.say(crop, study.species["Ocelot"])
    assert person.undo(key)["box_id"] == person.undo(key)["box_id"]
    assert study.picks() == {"answered": 1, "open": 2}


def test_two_undos_at_the_same_moment_take_back_two_acts(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    for crop in person.crops():
        person.say(crop, study.species["Ocelot"])
    together = Barrier(2)

    def send(_number: int) -> Any:
        together.wait()
        return person.undo()["box_id"]

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == study.boxes[1:]
    assert study.picks() == {"answered": 1, "open": 2}


def test_undo_of_an_answer_that_never_arrived_takes_back_nothing_else(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person, key = study.person(), new_key()
    crop = person.crops()[0]
    person.say(crop, study.species["Ocelot"])
    assert person.say(crop, 10**6, key).status_code == 422
    told = person.undo(of=key)
    assert (told["nothing"], told["words"]) == (True, "There is nothing to take back.")
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]


def test_nobody_takes_back_what_another_person_said(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person, other = study.person(), study.person()
    crop = person.crops(1)[0]
    person.say(crop, study.species["Ocelot"])
    assert other.undo()["nothing"] is True
    assert study.settled(crop["box_id"]) == study.species["Ocelot"]


def test_what_an_expert_settled_stays_settled(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    expert = study.person(Role.expert, name=f"Anna-Lena {study.project_id}{study.site.port}")
    crop = person.crops(1)[0]
    person.say(crop, study.species["Ocelot"])
    expert.say({"box_id": crop["box_id"], "lease_token": "", "pick_id": None}, study.species["Jaguar"])
    told = person.undo()
    assert told["words"].startswith("Anna-Lena")
    assert told["words"].endswith(" has settled this crop. Your answer stays in its history.")
    assert study.settled(crop["box_id"]) == study.species["Jaguar"]
    assert study.picks() == {"answered": 1, "open": 1}


def test_undo_in_a_full_round_opens_the_pick_and_the_round_stays_full(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    for crop in person.crops():
        person.say(crop, study.species["Ocelot"])
    told = person.undo()
    assert (study.round_state(), study.picks()) == ("full", {"answered": 1, "open": 1})
    assert study.settled(study.boxes[1]) is None
    assert told["round"] == {"id": study.round_id, "number": 1, "size": 2, "done": 1, "full": True}
    person.say(told["crop"], study.species["Jaguar"])
    assert study.picks() == {"answered": 2}
    assert study.learn_keys() == ["full-1"]


def test_older_answers_are_found_again_after_a_reload(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(14)
    person = study.person()
    for crop in person.crops():
        person.say(crop, study.species["Ocelot"])
    person.undo()
    found = person.client.get(f"/projects/{study.project_id}/answered").json()["crops"]
    assert [crop["box_id"] for crop in found] == study.boxes[12:2:-1]
    assert {crop["said"]["species_id"] for crop in found} == {study.species["Ocelot"]}
    older = person.client.get(f"/projects/{study.project_id}/answered?before={found[-1]['act_id']}").json()["crops"]
    assert [crop["box_id"] for crop in older] == study.boxes[2::-1]


def standing(study: Study, person: Person) -> list[Any]:
    """Names, picks and the order of what is left."""
    names = [study.settled(box_id) for box_id in study.boxes]
    return [names, study.picks(), [crop["box_id"] for crop in person.crops()]]


def healthy(study: Study) -> bool:
    """Whether the invariants about labels and rounds hold."""
    with study.site.database.reading() as session:
        scene = Scene(session, study.site.store, deep=False)
        return not [what for name in ("I1-I2 labels", "I7 rounds", "I8 settled names") for what in CHECKS[name](scene)]
