"""Two people never get the same crop, and what one person holds comes back with everything the page shows."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from sqlalchemy import select, update

import models.round
from models.base import utc_now
from models.box import Box
from models.image import Image
from models.job import Job, WorkerBeat
from models.label import Label
from models.lease import Lease
from models.membership import Role
from models.predictions import write_part
from models.project import Project
from models.queue import ask
from models.round import Pick, Round
from models.sequence import regroup
from models.user import User
from tests import make
from tests.app.labeling.conftest import Study

MakeStudy = Callable[..., Study]


def test_sixteen_people_at_once_never_get_the_same_crop(make_study: MakeStudy) -> None:
    study = make_study(200)
    people = [study.person() for _ in range(16)]
    together = Barrier(16)

    def take_all(number: int) -> list[int]:
        mine = []
        together.wait()
        while crops := people[number].crops(3):
            for crop in crops:
                mine.append(crop["box_id"])
                assert people[number].say(crop, study.species["Ocelot"]).json()["late"] is False
        return mine

    with ThreadPoolExecutor(16) as pool:
        taken = [box_id for mine in pool.map(take_all, range(16)) for box_id in mine]
    assert sorted(taken) == sorted(study.boxes)
    assert len(study.labels()) == 200
    assert (study.picks(), study.round_state()) == ({"answered": 200}, "full")
    assert study.learn_keys() == ["ahead-1", "full-1"]


def test_the_same_person_gets_the_same_crops_again_with_the_same_tokens(make_study: MakeStudy) -> None:
    study = make_study(5)
    person = study.person()
    assert person.lease(3)["on_hand"] == person.lease(3)["on_hand"]


def test_crops_on_hand_are_renewed_and_not_sent_again(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(5)
    person = study.person()
    have = [crop["pick_id"] for crop in person.crops(3)]
    with study.site.database.writing() as session:
        soon = utc_now() + dt.timedelta(seconds=5)
        session.execute(update(Lease).where(Lease.pick_id.in_(have)).values(expires_at=soon))
    again = person.lease(4, have=have)
    assert [pick_id for pick_id, _token in again["on_hand"][:3]] == have
    assert [crop["box_id"] for crop in again["crops"]] == [study.boxes[3]]
    with study.site.database.reading() as session:
        ends = session.scalars(select(Lease.expires_at).where(Lease.pick_id.in_(have)))
        assert min(ends) > utc_now() + dt.timedelta(minutes=9)


def test_a_crop_returns_when_its_holder_vanishes(make_study: MakeStudy) -> None:
    study = make_study(2)
    gone, here = study.person(), study.person()
    gone.crops()
    assert here.crops() == []
    study.expire_leases()
    assert [crop["box_id"] for crop in here.crops()] == study.boxes


def test_the_round_that_was_chosen_ahead_is_served_without_a_wait(make_study: MakeStudy) -> None:
    study = make_study(2)
    with study.site.database.writing() as session:
        photo = session.get_one(Image, session.get_one(Box, study.boxes[0]).image_id)
        later = make.round_of(session, session.get_one(Project, study.project_id), [make.box(session, photo)])
        later_id = later.id
    person = study.person()
    crops = person.crops()
    assert [crop["round_id"] for crop in crops] == [study.round_id, study.round_id, later_id]
    with study.site.database.reading() as session:
        assert session.get_one(Round, later_id).state == "open"


def test_a_crop_brings_everything_the_page_shows(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    with study.site.database.writing() as session:
        box = session.get_one(Box, study.boxes[0])
        photo = session.get_one(Image, box.image_id)
        beside = make.box(session, photo, score=0.91, x_min=0.7, y_min=0.1, x_max=0.9, y_max=0.2)
        make.box(session, photo, score=0.3)
        make.box(session, photo, score=0.99, kind="person")  # no animal: neither drawn nor counted
        for seconds in (-2, 3, 200):
            moment = photo.captured_at + dt.timedelta(seconds=seconds) if photo.captured_at else None
            make.image(session, make.batch(session, session.get_one(Project, study.project_id)), captured_at=moment)
        regroup(session, photo.deployment_id, 60)
        photo_id, name, others = photo.id, photo.file_name, [[beside.x_min, beside.y_min, beside.x_max, beside.y_max]]
    classifier = study.guess({study.boxes[0]: [0.2, 0.7, 0.1]})
    told = study.person().lease()
    crop = told["crops"][0]
    assert crop["image"]["id"] == photo_id
    assert (crop["image"]["file"], crop["image"]["camera"]) == (name, "Camera A")
    assert crop["image"]["time"] == "1 March 2026, 06:30:00"
    assert crop["box"] == [0.2, 0.3, 0.6, 0.8]
    assert (crop["others"], crop["number"], crop["of"], crop["counted"]) == (others, 1, 2, 2)
    assert [frame["seconds"] for frame in crop["burst"]] == [0, 2, 5]
    assert [guess["species_id"] for guess in crop["guesses"]] == [
        study.species[name] for name in ("Ocelot", "Jaguar", "Lowland tapir")
    ]
    assert told["classifier"] == {"id": classifier, "label_count": 2700}
    assert told["rounds"][str(study.round_id)] == {
        "id": study.round_id, "number": 1, "size": 1, "done": 0, "full": False,
    }  # fmt: skip


def test_a_new_classifier_refreshes_the_guesses_of_crops_on_hand(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    person = study.person()
    crops = person.crops()
    assert crops[0]["guesses"] == []
    classifier = study.guess({box_id: [0.2, 0.7, 0.1] for box_id in study.boxes})
    said = person.say(crops[0], study.species["Jaguar"]).json()
    assert said["classifier_id"] == classifier
    again = person.lease(have=[crops[1]["pick_id"]], classifier_id=None)
    assert again["crops"] == []
    assert again["guesses"][str(study.boxes[1])][0]["species_id"] == study.species["Ocelot"]
    assert person.lease(have=[crops[1]["pick_id"]], classifier_id=classifier)["guesses"] == {}


def test_some_crops_are_asked_without_a_guess_those_of_the_audit_always(
    make_sqlite_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = make_sqlite_study(20)
    audited = study.boxes[:4]
    with study.site.database.writing() as session:
        session.execute(update(Pick).where(Pick.box_id.in_(audited)).values(chance=0.1))
    classifier = study.guess({box_id: [0.2, 0.7, 0.1] for box_id in study.boxes})
    person = study.person()

    def blind() -> set[int]:
        crops = person.crops()
        assert all(bool(crop["guesses"]) is not crop["blind"] for crop in crops)
        return {crop["box_id"] for crop in crops if crop["blind"]}

    assert blind() == set(audited)
    monkeypatch.setattr(models.round, "BLIND_ONE_IN", 2)
    mixed = blind()
    assert set(audited) < mixed and 1 <= len(mixed - set(audited)) < 16
    assert blind() == mixed  # a crop that comes back is asked in the same way
    fresh = person.lease(have=[], classifier_id=classifier - 1)["guesses"]
    assert {int(box_id) for box_id in fresh} == set(study.boxes) - mixed
    page = person.client.get(f"/projects/{study.project_id}/label").text
    assert "Hidden for this crop" in page and "70%" not in page  # the first crop is of the audit


def test_guesses_of_photos_that_came_in_later_are_seen_at_once(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(2)
    first, second = study.boxes
    folder = study.site.store.predictions(f"job-{study.guess({first: [0.2, 0.7, 0.1]})}")
    person = study.person()
    assert [len(crop["guesses"]) for crop in person.crops()] == [3, 0]
    rows, classes = np.array([[0.1, 0.1, 0.8]]), list(study.species.values())
    write_part(study.site.store, folder, "later", np.array([second]), rows, classes)
    assert [len(crop["guesses"]) for crop in person.crops()] == [3, 3]
    long_ago = time.time() - 60
    os.utime(folder, (long_ago, long_ago))
    assert [len(crop["guesses"]) for crop in person.crops()] == [3, 3]


def test_the_rate_is_this_persons_answers_a_minute(make_study: MakeStudy) -> None:
    study = make_study(6)
    person = study.person()
    for crop in person.crops()[:4]:
        person.say(crop, study.species["Ocelot"])
    assert person.lease()["rate"] == 4
    with study.site.database.writing() as session:
        old = utc_now() - dt.timedelta(minutes=2)
        session.execute(update(Label).where(Label.project_id == study.project_id).values(created_at=old))
    assert person.lease()["rate"] == 2
    assert study.person().lease()["rate"] == 0


def test_nothing_left_says_so(make_study: MakeStudy) -> None:
    study = make_study(1)
    person = study.person()
    person.say(person.crops()[0], study.species["Ocelot"])
    end_jobs(study)
    told = person.lease()["waiting"]
    assert (told["state"], told["words"]) == ("done", "Every crop has an answer. Upload more photos.")


def test_nothing_left_but_doubts_leads_to_the_review(make_study: MakeStudy) -> None:
    study = make_study(2)
    person = study.person()
    for crop in person.crops():
        person.say(crop, study.species["Ocelot"], certain=False)
    end_jobs(study)
    told = person.lease()["waiting"]
    assert (told["words"], told["cases"]) == ("Every crop has an answer. Review 2 cases, or upload more photos.", 2)
    page = person.client.get(f"/projects/{study.project_id}/label", headers={"accept": "text/html"}).text
    assert f'href="/projects/{study.project_id}/review">Review</a>' in page


def test_others_hold_the_rest_and_the_next_round_may_be_started(make_study: MakeStudy) -> None:
    study = make_study(2)
    with study.site.database.writing() as session:
        make.box(session, session.get_one(Image, session.get_one(Box, study.boxes[0]).image_id))
    study.person(name=f"Jonas Weber {study.project_id}{study.site.port}").crops()
    person = study.person()
    told = person.lease()["waiting"]
    assert told["state"] == "held"
    assert told["words"].endswith(" has the last 2 of this round. Start the next one?")
    assert told["words"].startswith("Jonas Weber")
    person.client.post(f"/projects/{study.project_id}/rounds/next")
    assert study.learn_keys() == ["asked-1-0-1"]  # round 1, no label yet, after one learn job that ended
    assert person.lease()["waiting"]["state"] == "silent"


def test_while_the_next_round_is_chosen_the_page_says_how_long(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    crop = person.crops()[0]
    person.act(crop, "skip")
    person.act(person.crops()[0], "skip")
    with study.site.database.writing() as session:
        session.merge(WorkerBeat(name="worker-1", device="CPU"))
        last = ask(session, "learn", study.project_id, {})
        last.state, last.started_at = "done", utc_now() - dt.timedelta(seconds=4)
        last.ended_at, last.asked_at = utc_now(), utc_now() - dt.timedelta(seconds=30)
    told = person.lease()["waiting"]
    assert told["state"] == "choosing"
    assert told["words"] == "The next round is being chosen, about 4 seconds. Meanwhile: 1 crop you skipped."
    assert told["skipped_box_id"] == crop["box_id"]
    with study.site.database.writing() as session:
        session.execute(update(WorkerBeat).values(beat_at=utc_now() - dt.timedelta(minutes=6)))
    told = person.lease()["waiting"]
    assert told["words"] == "The worker has been silent for 6 minutes. The next round is chosen when it is back."


def test_a_project_without_photos_says_what_to_do(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    with study.site.database.writing() as session:
        person.project_id = make.project(session, (session.get_one(User, person.id), Role.annotator)).id
    told = person.lease()["waiting"]
    assert (told["state"], told["words"]) == ("empty", "No crops to answer yet. Upload photos first.")


def test_a_body_that_is_none_is_refused(make_sqlite_study: MakeStudy) -> None:
    study = make_sqlite_study(1)
    person = study.person()
    address = f"/projects/{study.project_id}/leases"
    for body in (b"", b"[]", b"nonsense", b'{"count": 21}', b'{"count": 0}', b'{"have": ["x"]}', b'{"have": [-1]}'):
        sent = person.client.post(address, content=body, headers={"content-type": "application/json"})
        assert sent.status_code == 422, body
    assert person.client.post(address, content=b"{" * 70_000).status_code == 413


def end_jobs(study: Study) -> None:
    """The worker has done everything."""
    with study.site.database.writing() as session:
        session.execute(update(Job).where(Job.project_id == study.project_id).values(state="done"))
