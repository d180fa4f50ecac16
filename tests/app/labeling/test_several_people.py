"""Several people in one project: second voices beside the rounds, fair shares, and nobody asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from models.box import Box
from models.invariants import Scene, settled_names
from models.job import SETTLE, Job
from models.label import ANSWER, Label
from models.lease import Lease
from models.membership import Role
from models.project import Project
from models.queue import waiting
from models.round import OPEN, Pick
from models.storage import Store
from tests import make
from tests.app.labeling.conftest import Person, Study, new_key
from worker.jobs.bench import Bench
from worker.jobs.running import run_job

MakeStudy = Callable[..., Study]


def waits(study: Study, box_id: int) -> str | None:
    """What a crop waits for."""
    with study.site.database.reading() as session:
        return session.scalar(select(Box.waits_for).where(Box.id == box_id))


def ids(crops: list[dict[str, Any]]) -> list[int]:
    """The boxes."""
    return [crop["box_id"] for crop in crops]


def sound(study: Study) -> list[str]:
    """What the doctor finds about names and voices."""
    with study.site.database.reading() as session:
        return list(settled_names(Scene(session, Store(study.site.settings.store), deep=False)))


def test_a_round_ends_with_the_first_answers_and_second_voices_are_asked_of_others(make_study: MakeStudy) -> None:
    study = make_study(3, consensus="two-of-three")
    ann, bob, eve = study.person(), study.person(), study.person()
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    for crop in ann.crops():
        ann.say(crop, jaguar)
    assert (study.round_state(), study.picks()) == ("full", {"answered": 3})
    assert [study.settled(box) for box in study.boxes] == [None] * 3
    told = ann.lease()
    assert (told["crops"], told["waiting"]["state"]) == ([], "silent")  # a lone labeler waits for nobody's voice
    second = bob.crops()
    assert ids(second) == study.boxes
    assert all((crop["blind"], crop["guesses"], crop["said"]) == (True, [], None) for crop in second)
    assert bob.say(second[0], jaguar).json()["late"] is False
    bob.say(second[1], ocelot)
    assert (study.settled(study.boxes[0]), waits(study, study.boxes[0])) == (jaguar, None)
    assert (study.settled(study.boxes[1]), waits(study, study.boxes[1])) == (None, "voice")
    assert ids(ann.crops()) == []
    third = eve.crops()
    assert ids(third) == [study.boxes[1]]  # the last one is on Bob's desk
    eve.say(third[0], jaguar)
    assert study.settled(study.boxes[1]) == jaguar
    assert len(study.labels(study.boxes[1])) == 3
    assert sound(study) == []


def test_a_second_voice_hears_nothing_of_the_first(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    study.guess({study.boxes[0]: [0.2, 0.7, 0.1]})
    crop = ann.crops()[0]
    ann.say(crop, study.species["Ocelot"], count=2)
    body = {"idempotency_key": new_key(), "text": "an ocelot by its spots"}
    ann.client.post(f"/boxes/{crop['box_id']}/comments", json=body)
    told = bob.lease()
    (second,) = told["crops"]
    assert (second["guesses"], second["comments"], second["counts"], told["guesses"]) == ([], [], {}, {})
    assert {each["species_id"] for frame in second["burst"] for each in frame["crops"]} <= {None}
    page = bob.client.get(f"/projects/{study.project_id}/label", headers={"accept": "text/html"}).text
    assert "Hidden for this crop" in page and "an ocelot by its spots" not in page


def test_the_review_shows_no_voices_to_who_may_be_asked_for_one(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob, eve = study.person(name=f"Ada Rios {study.project_id}"), study.person(), study.person()
    expert = study.person(Role.expert)
    ann.say(ann.crops()[0], study.species["Jaguar"], certain=False)
    bob.say(bob.crops()[0], study.species["Ocelot"])
    review = f"/projects/{study.project_id}/review"

    def shown(person: Person, address: str = review) -> str:
        return person.client.get(address, headers={"accept": "text/html"}).text

    assert f"Ada Rios {study.project_id}" in shown(expert) and "People differ" in shown(bob)
    assert "Another voice is asked" in shown(expert)
    assert "Nothing to settle." in shown(eve)
    page = shown(eve, f"{review}?box={study.boxes[0]}")
    said = page[page.index('class="voices"') :]
    assert "You may be asked about this crop" in said and f"Ada Rios {study.project_id}" not in said


def test_a_second_voice_is_asked_only_where_the_first_and_the_classifier_differ(make_study: MakeStudy) -> None:
    study = make_study(2, consensus="second-on-disagreement")
    ann, bob = study.person(), study.person()
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    study.guess({box: [0.1, 0.8, 0.1] for box in study.boxes})
    agrees, differs = ann.crops()
    ann.say(agrees, ocelot)
    ann.say(differs, jaguar)
    assert (study.settled(agrees["box_id"]), study.settled(differs["box_id"])) == (ocelot, None)
    (second,) = bob.crops()
    assert second["box_id"] == differs["box_id"]
    bob.say(second, study.species["Lowland tapir"])
    assert waits(study, differs["box_id"]) == "expert"
    assert study.person().crops() == []
    assert sound(study) == []


def test_undo_of_a_voice_asks_for_it_again_and_redo_says_it_again(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    jaguar = study.species["Jaguar"]
    (box,) = study.boxes
    ann.say(ann.crops()[0], jaguar)
    bob.say(bob.crops()[0], jaguar)
    assert study.settled(box) == jaguar
    back = bob.undo()
    assert (back["crop"]["box_id"], bool(back["crop"]["pick_id"])) == (box, True)
    assert (study.settled(box), waits(study, box), sound(study)) == (None, "voice", [])
    bob.redo()
    assert (study.settled(box), waits(study, box), sound(study)) == (jaguar, None, [])
    ann.undo()
    assert (study.settled(box), waits(study, box), sound(study)) == (None, "voice", [])
    bob.undo()
    assert (study.settled(box), waits(study, box), sound(study)) == (None, None, [])


def test_a_skipped_voice_goes_to_somebody_else(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob, eve = study.person(), study.person(), study.person()
    ann.say(ann.crops()[0], study.species["Jaguar"])
    bob.act(bob.crops()[0], "skip")
    assert bob.crops() == []
    assert ids(eve.crops()) == study.boxes
    bob.undo()
    assert sound(study) == []


def asking(study: Study) -> list[int | None]:
    """Whom each open pick beside the rounds is meant for."""
    wanted = select(Pick.user_id).where(Pick.box_id.in_(study.boxes), Pick.round_id.is_(None), Pick.state == OPEN)
    with study.site.database.reading() as session:
        return list(session.scalars(wanted))


def test_a_skip_that_was_taken_back_leaves_no_crop_for_one_person_alone(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob, eve = study.person(), study.person(), study.person()
    ann.say(ann.crops()[0], study.species["Jaguar"])
    bob.act(bob.crops()[0], "skip")
    assert (asking(study), bob.crops()) == ([None], [])
    back = bob.undo()
    assert (asking(study), back["crop"]["lease_token"] != "") == ([None], True)
    assert ids(bob.crops()) == study.boxes
    bob.redo()
    assert (asking(study), bob.crops()) == ([None], [])
    eve.say(eve.crops()[0], study.species["Jaguar"])
    assert asking(study) == []
    bob.undo()
    assert (asking(study), bob.crops(), sound(study)) == ([], [], [])


def test_a_voice_that_was_taken_back_is_asked_for_once(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann, bob, eve = study.person(), study.person(), study.person()
    ann.say(ann.crops()[0], study.species["Jaguar"])
    bob.say(bob.crops()[0], study.species["Ocelot"])
    bob.undo()
    assert (asking(study), ids(bob.crops()), eve.crops()) == ([None], study.boxes, [])
    bob.redo()
    assert asking(study) == [None]
    (third,) = eve.crops()
    bob.undo()  # Eve has the next voice on her desk
    assert (asking(study), bob.crops()) == ([None], [])
    assert eve.say(third, study.species["Jaguar"]).json()["late"] is False
    assert (study.settled(study.boxes[0]), asking(study), sound(study)) == (study.species["Jaguar"], [], [])


def test_an_experts_answer_ends_the_asking(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="snapshot-serengeti")
    ann, expert = study.person(), study.person(Role.expert)
    (box,) = study.boxes
    ann.say(ann.crops()[0], study.species["Jaguar"])
    body = {"species": study.species["Ocelot"], "idempotency_key": new_key()}
    expert.client.post(f"/boxes/{box}/labels", json=body)
    assert (study.settled(box), waits(study, box)) == (study.species["Ocelot"], None)
    assert study.person().crops() == []
    expert.undo()
    assert (study.settled(box), waits(study, box), sound(study)) == (None, "voice", [])


def test_a_burst_under_a_rule_asks_for_a_voice_on_each_crop(make_study: MakeStudy) -> None:
    study = make_study(2, boxes_a_photo=2, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    first, second = ann.crops()
    ann.act(first, "empty-photo")
    assert (study.picks(), [waits(study, box) for box in study.boxes]) == ({"answered": 2}, ["voice"] * 2)
    third = bob.crops()
    assert ids(third) == [first["box_id"], second["box_id"]]
    bob.act(third[0], "empty-photo")
    assert {study.settled(box) for box in study.boxes} == {study.fixed["not_animal"]}
    assert sound(study) == []


def test_the_names_of_the_last_voices_are_learnt(make_study: MakeStudy) -> None:
    study = make_study(2, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    for crop in ann.crops():
        ann.say(crop, study.species["Jaguar"])
    first, last = bob.crops()
    bob.say(first, study.species["Jaguar"])
    assert not [key for key in study.learn_keys() if key.startswith("voices-")]
    bob.say(last, study.species["Jaguar"])
    assert [key.partition("-")[0] for key in study.learn_keys()] == ["full", "voices"]


def test_another_rule_settles_what_was_said_before(make_study: MakeStudy) -> None:
    study = make_study(3)
    ann, bob, admin = study.person(), study.person(), study.person(Role.admin)
    jaguar, ocelot = study.species["Jaguar"], study.species["Ocelot"]
    first, second, _third = ann.crops()
    ann.say(first, jaguar)
    ann.say(second, jaguar)
    bob.client.post(f"/boxes/{second['box_id']}/labels", json={"species": ocelot, "idempotency_key": new_key()})
    change(study, admin, "two-of-three")
    settings = f"/projects/{study.project_id}/settings"
    assert [study.settled(box) for box in study.boxes] == [jaguar, ocelot, None]  # the page does not wait for it
    assert sound(study) == []
    assert "2 crops are being settled by the new rule." in admin.client.get(settings).text
    line = admin.client.get(f"/projects/{study.project_id}/progress.json").json()
    assert line["job_id"] == ""  # nobody stops it half way
    settle_anew(study)
    assert "being settled" not in admin.client.get(settings).text
    assert [study.settled(box) for box in study.boxes] == [None] * 3
    assert [waits(study, box) for box in study.boxes] == ["voice", "voice", None]
    assert sound(study) == []
    assert [key for key in study.learn_keys() if key.startswith("rule-")] == [f"rule-{version(study)}"]
    assert ids(bob.crops())[:1] == [first["box_id"]]
    change(study, admin, "single")
    settle_anew(study)
    assert [study.settled(box) for box in study.boxes] == [jaguar, ocelot, None]
    assert [waits(study, box) for box in study.boxes] == [None] * 3
    assert sound(study) == []


def test_a_rule_that_is_none_is_refused(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    admin = study.person(Role.admin)
    address = f"/projects/{study.project_id}/settings/people"
    body = {"version": str(version(study)), "consensus": "loudest", "gold_one_in": "30"}
    assert admin.client.post(address, data=body).status_code == 422
    assert admin.client.post(address, data=body | {"consensus": "single", "gold_one_in": "2"}).status_code == 422
    assert study.person().client.post(address, data=body).status_code == 403


def change(study: Study, admin: Person, consensus: str) -> None:
    """Save the settings."""
    body = {"version": str(version(study)), "consensus": consensus, "gold_one_in": "0"}
    saved = admin.client.post(f"/projects/{study.project_id}/settings/people", data=body)
    assert saved.status_code == 303, saved.text


def settle_anew(study: Study) -> None:
    """What the worker does after a change of the rule."""
    bench = Bench("test", study.site.database, study.site.store, networks=None)  # type: ignore[arg-type]
    with study.site.database.reading() as session:
        (asked,) = [job for job in waiting(session) if (job.project_id, job.kind) == (study.project_id, SETTLE)]
    run_job(bench, asked.id, lambda _name, do: do())
    with study.site.database.reading() as session:
        done = session.get_one(Job, asked.id)
        assert (done.state, done.done, done.error) == ("done", done.total, "")


def version(study: Study) -> int:
    """Of the settings."""
    with study.site.database.reading() as session:
        return session.get_one(Project, study.project_id).version


@pytest.mark.parametrize("rule", ["two-of-three", "snapshot-wisconsin"])
def test_many_people_at_once_are_never_asked_twice_and_no_crop_lies_on_two_desks(
    make_study: MakeStudy, rule: str
) -> None:
    study = make_study(24, consensus=rule)
    people = [study.person() for _ in range(8)]
    names = list(study.species.values())
    together = Barrier(8)

    def work(number: int) -> list[int]:
        answered: list[int] = []
        while crops := people[number].crops(3):
            for crop in crops:
                said = people[number].say(crop, names[(crop["box_id"] + number % 2) % 3])
                assert said.status_code == 200 and said.json()["late"] is False
                answered.append(crop["box_id"])
        return answered

    def begin(number: int) -> list[int]:
        together.wait()
        return work(number)

    with ThreadPoolExecutor(8) as pool:
        answered = list(pool.map(begin, range(8)))
    for _again in range(8):  # who was idle while others held crops is asked once more
        answered = [boxes + work(number) for number, boxes in enumerate(answered)]
    for person, boxes in zip(people, answered, strict=True):
        assert len(boxes) == len(set(boxes)), f"{person.id} was asked twice"
    assert study.picks() == {"answered": 24}
    with study.site.database.reading() as session:
        doubled = select(Label.user_id, Label.box_id).where(Label.project_id == study.project_id, Label.kind == ANSWER)
        assert not session.execute(doubled.group_by(Label.user_id, Label.box_id).having(func.count() > 1)).all()
        waiting = set(
            session.scalars(select(Box.id).where(Box.project_id == study.project_id, Box.waits_for == "voice"))
        )
    assert all(waiting <= set(boxes) for boxes in answered)  # only what everybody has named waits for more people
    assert rule != "two-of-three" or not waiting
    assert sound(study) == []


def test_no_pick_beside_the_rounds_is_leased_to_two_people(make_study: MakeStudy) -> None:
    study = make_study(12, consensus="two-of-three")
    ann = study.person()
    for crop in ann.crops():
        ann.say(crop, study.species["Jaguar"])
    people = [study.person() for _ in range(6)]
    together = Barrier(6)

    def ask(number: int) -> list[int]:
        together.wait()
        return ids(people[number].crops(4))

    with ThreadPoolExecutor(6) as pool:
        desks = list(pool.map(ask, range(6)))
    counted = Counter(box for desk in desks for box in desk)
    assert counted and max(counted.values()) == 1
    with study.site.database.reading() as session:
        leases = select(func.count(Lease.id)).join(Pick, Pick.id == Lease.pick_id).where(Pick.box_id.in_(study.boxes))
        assert session.scalar(leases.where(Pick.state == OPEN)) == sum(counted.values())


def test_nobody_sits_on_the_end_of_a_round(make_study: MakeStudy) -> None:
    study = make_study(20)
    ann, bob = study.person(), study.person()
    mine = ann.crops()
    assert len(mine) == 20
    told = bob.lease()
    assert told["crops"] == [] and told["waiting"]["words"].endswith("has the last 20 of this round.")
    kept = ann.lease()["on_hand"]
    assert [pick for pick, _token in kept] == [crop["pick_id"] for crop in mine[:10]]
    assert ids(bob.crops()) == ids(mine[10:])
    ann.say(mine[15], study.species["Jaguar"])  # from before it was given back: kept as a second voice
    assert len(bob.lease()["on_hand"]) == 10


def test_a_desk_is_not_emptied_by_who_left(make_study: MakeStudy) -> None:
    study = make_study(4)
    gone, here = study.person(), study.person()
    gone.crops(1)
    study.expire_leases()
    assert len(here.crops()) == 4


def test_what_somebody_said_late_fills_the_place_when_the_holder_vanishes(make_study: MakeStudy) -> None:
    study = make_study(2)
    slow, quick = study.person(), study.person()
    crops = slow.crops()
    study.expire_leases()
    quick.crops()
    assert slow.say(crops[0], study.species["Jaguar"]).json()["late"] is True
    study.expire_leases()
    assert ids(slow.crops()) == [crops[1]["box_id"]]
    assert study.picks() == {"answered": 1, "open": 1}
    slow.say(slow.crops()[0], study.species["Jaguar"])
    assert study.round_state() == "full"


def test_who_else_is_labeling_stands_in_the_bar(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(4)
    ann = study.person(name=f"Elsa Prado {study.project_id}")
    bob = study.person(name=f"Timo Prado {study.project_id}")
    assert ann.lease(1)["company"] == ""
    assert bob.lease(1)["company"] == f"Elsa Prado {study.project_id} is labeling now"
    page = ann.client.get(f"/projects/{study.project_id}/label", headers={"accept": "text/html"}).text
    assert f"Timo Prado {study.project_id} is labeling now" in page


def test_with_a_voice_still_wanted_the_end_says_so(make_study: MakeStudy) -> None:
    study = make_study(1, consensus="two-of-three")
    ann = study.person()
    ann.say(ann.crops()[0], study.species["Jaguar"])
    with study.site.database.writing() as session:
        session.execute(Job.__table__.update().where(Job.project_id == study.project_id).values(state="done"))
    words = ann.lease()["waiting"]["words"]
    assert words == "Every crop has an answer. 1 crop waits for the voice of another person. Upload more photos."


def test_the_plain_page_asks_for_voices_too(make_study: MakeStudy) -> None:
    study = make_study(2, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    ann.say(ann.crops()[0], study.species["Jaguar"])
    with study.site.database.writing() as session:
        photo = make.image(session, make.batch(session, session.get_one(Project, study.project_id)))
        make.round_of(session, session.get_one(Project, study.project_id), [make.box(session, photo)])
    page = bob.client.get(f"/projects/{study.project_id}/label", headers={"accept": "text/html"}).text
    assert f'action="/boxes/{study.boxes[0]}/labels"' in page


def test_the_overview_says_what_waits_and_asks_who_may_speak(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.projects.kept.QUICK_S", 60.0)  # however busy this machine is
    study = make_study(2, consensus="two-of-three")
    ann, bob = study.person(), study.person()
    overview = f"/projects/{study.project_id}"
    for crop in ann.crops():
        ann.say(crop, study.species["Jaguar"])
    pages = [person.client.get(overview, headers={"accept": "text/html"}).text for person in (ann, bob)]
    assert all("2 crops have answers and no name yet: 2 for another person’s voice." in page for page in pages)
    assert ["Give second voices, 2 left" in page for page in pages] == [False, True]
    bob.say(bob.crops()[0], study.species["Ocelot"])
    page = ann.client.get(overview, headers={"accept": "text/html"}).text
    assert "1 of the 30 crops needed was named by two people or more." in page
