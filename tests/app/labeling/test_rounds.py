"""A round closes exactly when its last crop is answered or skipped, and asks for the next fits once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from tests.app.labeling.conftest import Study

MakeStudy = Callable[..., Study]


def test_a_round_asks_ahead_at_four_fifths_and_closes_with_the_last(make_study: MakeStudy) -> None:
    study = make_study(5)
    person = study.person()
    crops = person.crops()
    seen = []
    for crop in crops:
        told = person.say(crop, study.species["Ocelot"]).json()
        seen.append((told["round"]["done"], told["round"]["full"], study.round_state(), study.learn_keys()))
    assert seen == [
        (1, False, "open", []),
        (2, False, "open", []),
        (3, False, "open", []),
        (4, False, "open", ["ahead-1"]),
        (5, True, "full", ["ahead-1", "full-1"]),
    ]


def test_two_last_answers_at_the_same_moment_close_the_round_once(make_study: MakeStudy) -> None:
    study = make_study(2)
    people = [study.person(), study.person()]
    crops = [people[0].crops(1)[0], people[1].crops(1)[0]]
    together = Barrier(2)

    def send(number: int) -> bool:
        together.wait()
        full: bool = people[number].say(crops[number], study.species["Ocelot"]).json()["round"]["full"]
        return full

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(send, range(2))) == [False, True]
    assert study.round_state() == "full"
    assert study.learn_keys() == ["full-1"]


def test_a_skip_comes_back_at_the_end_and_the_second_fills_its_place(make_study: MakeStudy) -> None:
    study = make_study(3)
    person = study.person()
    first, second, third = person.crops()
    person.act(first, "skip")
    assert [crop["box_id"] for crop in person.crops()] == [second["box_id"], third["box_id"], first["box_id"]]
    person.say(second, study.species["Ocelot"])
    person.say(third, study.species["Ocelot"])
    told = person.act(person.crops()[0], "skip").json()
    assert study.picks() == {"answered": 2, "skipped": 1}
    assert told["round"]["full"] is True
    assert study.settled(first["box_id"]) is None


def test_a_skip_of_a_crop_that_somebody_else_has_does_nothing(make_study: MakeStudy) -> None:
    study = make_study(1)
    slow, quick = study.person(), study.person()
    crop = slow.crops()[0]
    study.expire_leases()
    quick.crops()
    told = slow.act(crop, "skip").json()
    assert (told["late"], told["words"]) == (True, "Somebody else has this crop now.")
    assert slow.undo()["nothing"] is True
    assert quick.say(quick.crops()[0], study.species["Ocelot"]).json()["late"] is False


def test_the_last_crop_of_a_round_may_be_called_empty(make_study: MakeStudy) -> None:
    study = make_study(3, boxes_a_photo=3)
    person = study.person()
    assert person.act(person.crops()[0], "empty-photo").json()["round"]["full"] is True
    assert (study.picks(), study.learn_keys()) == ({"answered": 3}, ["full-1"])
