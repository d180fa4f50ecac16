"""The words of the worker's line."""

from __future__ import annotations

import datetime as dt
from typing import Any

from app.now import Now, Scene, now_of, words
from models.base import utc_now
from models.database import Database
from models.job import FAILED, RUNNING, Job, WorkerBeat
from models.membership import Role
from models.queue import ask
from models.round import OPEN, Pick
from tests import make

AT = dt.datetime(2026, 11, 22, 14, 0, tzinfo=dt.UTC)


def job(**columns: Any) -> Job:
    values = {"id": "j1", "kind": "ingest", "arguments": {}, "state": RUNNING, "line": "Finding animals in batch 6"}
    asked = {"cancel_requested": False, "pause_requested": False}
    return Job(**(values | {"done": 0, "total": 0, "unit": "photos", "error": ""} | asked | columns))


def beat(ago: dt.timedelta = dt.timedelta(seconds=3), **columns: Any) -> WorkerBeat:
    return WorkerBeat(**({"name": "w", "device": "CPU, 2 cores", "beat_at": AT - ago, "worked_at": None} | columns))


def said(*jobs: Job, beats: list[WorkerBeat] | None = None, ended: Job | None = None, ready: int = 0) -> Now:
    return words(Scene(list(jobs), [beat()] if beats is None else beats, ended, ready, AT))


def test_finding_animals_says_how_far_how_fast_and_how_long() -> None:
    now = said(job(done=5657, total=7000, rate_per_s=6.2))
    assert (now.tone, now.what) == ("on", "Finding animals in batch 6")
    assert (now.detail, now.eta) == ("5,657 of 7,000 photos, 6.2 a second", "about 4 minutes left")
    assert (now.done, now.total, now.device, now.job_id) == (5657, 7000, "CPU, 2 cores", "j1")


def test_learning_names_its_round() -> None:
    now = said(job(kind="learn", line="Learning from your answers", arguments={"reason": "ahead-18"}))
    assert (now.what, now.detail, now.eta, now.total) == ("Learning from round 18", "", "a few seconds", 0)
    first = said(job(kind="learn", line="Choosing the first crops", arguments={"reason": "more-0-7"}))
    assert first.what == "Choosing the first crops"


def test_a_fine_tune_counts_its_steps_then_the_crops() -> None:
    tuning = job(kind="finetune", line="Fine-tuning the embedding", unit="steps", done=120, total=400, rate_per_s=1.5)
    now = said(tuning)
    assert (now.what, now.detail, now.eta) == (
        "Fine-tuning the embedding", "step 120 of 400", "about 3 minutes left",
    )  # fmt: skip
    assert (now.done, now.total) == (120, 400)
    assert said(job(unit="steps", line="Fine-tuning the embedding")).eta == ""
    tuning.pause_requested = True
    assert said(tuning).eta == "pauses after this step"
    tuning.cancel_requested = True
    assert said(tuning).eta == "stops after this step"
    crops = job(kind="finetune", line="Embedding every crop again", unit="crops", done=512, total=2048, rate_per_s=25.0)
    assert said(crops).detail == "512 of 2,048 crops, 25.0 a second"


def test_what_a_person_waits_for_goes_before_the_fine_tune_beside_it() -> None:
    tuning = job(kind="finetune", line="Fine-tuning the embedding", unit="steps", done=120, total=400)
    now = said(tuning, job(done=5, total=9))
    assert now.what == "Finding animals in batch 6"
    assert now.detail == "5 of 9 photos, meanwhile fine-tuning the embedding, step 120 of 400"
    assert said(tuning, job(state="asked", total=9)).detail == "step 120 of 400, then finding animals in batch 6"


def test_what_waits_behind_is_named() -> None:
    now = said(job(kind="learn", line="Learning from your answers"), job(state="asked", total=40))
    assert now.detail == "then finding animals in batch 6"


def test_a_job_that_nobody_began_waits_for_its_turn() -> None:
    now = said(job(state="asked", total=120))
    assert (now.tone, now.detail, now.eta) == ("off", "120 photos wait for their turn", "")


def test_a_job_that_shall_stop_says_so() -> None:
    assert said(job(done=1, total=9, cancel_requested=True)).eta == "stops after the photos in hand"


def test_nothing_to_do() -> None:
    assert said().what == "Nothing to do."
    assert said(ended=job(state="done", ended_at=AT.replace(hour=13, minute=2))).detail == "Last worked at 13:02 UTC."
    yesterday = AT - dt.timedelta(days=1)
    assert said(beats=[beat(worked_at=yesterday)]).detail == "Last worked at 21 November, 14:00 UTC."


def test_a_job_that_failed_says_why_until_another_ends() -> None:
    now = said(ended=job(state=FAILED, error="the disk is full (0.4 GB left)", ended_at=AT))
    assert (now.tone, now.what) == ("warn", "Stopped: the disk is full (0.4 GB left).")


def test_a_silent_worker_leaves_the_labeling_going() -> None:
    now = said(job(done=1, total=9), beats=[beat(dt.timedelta(minutes=6, seconds=20))], ready=212)
    assert (now.tone, now.what) == ("warn", "The worker has been silent for 6 minutes.")
    assert now.detail == "You can go on labeling: 212 crops are ready. New photos wait until it is back."
    assert said(beats=[beat(dt.timedelta(seconds=40))]).what == "The worker has been silent for 40 seconds."


def test_no_worker_says_how_to_start_one() -> None:
    for beats in ([], [beat(dt.timedelta(hours=2))]):
        now = said(beats=beats, ready=1)
        assert (now.what, now.command) == ("No worker is running: start one with", "waterhole worker")
        assert now.detail == "You can go on labeling: 1 crop is ready."


def test_of_several_workers_one_that_lives_is_enough() -> None:
    assert said(beats=[beat(), beat(dt.timedelta(days=3), name="old")]).what == "Nothing to do."


def test_the_stamp_changes_with_each_shard_and_each_answer(database: Database) -> None:
    with database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.admin))
        photo = make.image(session, make.batch(session, project))
        round_ = make.round_of(session, project, [make.box(session, photo), make.box(session, photo)])
        running = ask(session, "ingest", project.id, {}, total=3, line="Finding animals in x")
        session.flush()
        stamps = [now_of(session, project.id).stamp, now_of(session, project.id).stamp]
        assert stamps[0] == stamps[1]
        running.done += 1
        session.flush()
        stamps.append(now_of(session, project.id).stamp)
        pick = session.query(Pick).filter_by(round_id=round_.id, state=OPEN).first()
        assert pick is not None
        pick.state = "answered"
        session.flush()
        stamps.append(now_of(session, project.id).stamp)
    assert len(set(stamps)) == 3


def test_another_project_s_job_is_not_ours(database: Database) -> None:
    with database.writing() as session:
        ours, theirs = make.project(session), make.project(session)
        session.add(WorkerBeat(name="w", device="CPU", beat_at=utc_now()))
        ask(session, "ingest", theirs.id, {}, total=3, line="Finding animals in x")
        session.flush()
        assert now_of(session, ours.id).what == "Nothing to do."
        assert now_of(session, theirs.id).what == "Finding animals in x"
