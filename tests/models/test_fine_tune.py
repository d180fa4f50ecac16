"""When a fine-tune is asked for, what refuses it, and how a job is paused, let go on and stopped."""

from __future__ import annotations

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from models import queue
from models.act import Act
from models.box import Box
from models.database import Database
from models.errors import Conflict, Invalid
from models.fine_tune import KIND, ask_at_threshold, ask_now, named_count, obstacle, too_few
from models.job import STEPS, Job
from models.membership import Role
from models.project import Project
from models.round import ANSWERED, OPEN, Pick
from models.species import Species
from tests import make


def field(session: Session, crops: int, *, every: int = 4) -> tuple[Project, list[Box]]:
    """A project with crops, two species, and a step small enough for a test."""
    project = make.project(session, fine_tune_every=every)
    photo = make.image(session, make.batch(session, project))
    boxes = [make.box(session, photo) for _ in range(crops)]
    project.embedder_id = boxes[0].embedder_id
    make.species(session, project, "Fox", "Hare")
    return project, boxes


def say(session: Session, project: Project, boxes: list[Box], *names: str) -> None:
    """One answer a box, the names in turn."""
    who = make.user(session)
    for place, box in enumerate(boxes):
        act, _fresh = Act.once(session, who.id, f"key-{box.id:08}-{place}", "answer", {}, project.id)
        species = Species.named(session, project.id, names[place % len(names)])
        assert species is not None
        box.answer(session, species, by=who.id, role=Role.annotator, act=act)


def asked(session: Session) -> list[Job]:
    return list(session.scalars(select(Job).where(Job.kind == KIND).order_by(Job.asked_at)))


def test_each_threshold_is_asked_once_whatever_is_taken_back(database: Database) -> None:
    with database.writing() as session:
        project, boxes = field(session, 9)
        say(session, project, boxes[:3], "Fox", "Hare")
        assert ask_at_threshold(session, project) is None
        say(session, project, boxes[3:4], "Fox")
        job = ask_at_threshold(session, project)
        assert job is not None and (job.arguments, job.unit) == ({"threshold": 4}, STEPS)
        say(session, project, boxes[:2], "Cannot tell")  # below the threshold, and above it again
        assert named_count(session, project.id) == 2 and ask_at_threshold(session, project) is None
        say(session, project, boxes[:2], "Fox")
        assert ask_at_threshold(session, project) is job and len(asked(session)) == 1
        say(session, project, boxes[4:], "Hare")
        assert (
            ask_at_threshold(session, project) is job and len(asked(session)) == 1
        )  # it waits, and will learn these too
        queue.start(session, job.id, "w")
        ask_at_threshold(session, project)
        assert [each.arguments["threshold"] for each in asked(session)] == [4, 8]


def test_what_never_trains_counts_for_no_threshold(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project, boxes = field(session, 6)
        say(session, project, boxes[:3], "Cannot tell")
        say(session, project, boxes[3:], "Not an animal")
        assert named_count(session, project.id) == 3 and ask_at_threshold(session, project) is None


def test_switched_off_or_without_an_embedder_nothing_is_asked(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project, boxes = field(session, 5, every=0)
        say(session, project, boxes, "Fox", "Hare")
        assert ask_at_threshold(session, project) is None
        project.fine_tune_every, project.embedder_id = 1, None
        assert ask_at_threshold(session, project) is None


def test_the_answer_that_fills_a_round_asks_and_no_other_counts(database: Database) -> None:
    with database.writing() as session:
        project, boxes = field(session, 6, every=2)
        round_ = make.round_of(session, project, boxes[:4])
        counted: list[str] = []

        def look(_connection, _cursor, statement: str, *_rest: object) -> None:  # type: ignore[no-untyped-def]
            if "settled_species_id >" in statement:
                counted.append(statement)

        event.listen(database.engine, "before_cursor_execute", look)
        for number, pick in enumerate(session.scalars(select(Pick).where(Pick.state == OPEN)).all(), start=1):
            say(session, project, [session.get_one(Box, pick.box_id)], ("Fox", "Hare")[number % 2])
            pick.state = ANSWERED
            session.flush()
            round_.after_answer(session, project)
            assert len(asked(session)) == len(counted) == (number == 4)
        event.remove(database.engine, "before_cursor_execute", look)
        assert asked(session)[0].arguments == {"threshold": 4}


def test_one_that_a_person_wants_says_why_it_cannot_begin(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project, boxes = field(session, 6)
        with pytest.raises(Invalid, match="it takes 2 species with 2 answers each, and none has so far"):
            ask_now(session, project)
        say(session, project, boxes[:3], "Fox")
        assert obstacle(session, project).endswith("and 1 has so far")
        say(session, project, boxes[3:5], "Hare")
        job = ask_now(session, project)
        with pytest.raises(Conflict, match="one is running or waits"):
            ask_now(session, project)
        queue.pause(session, job.id)
        with pytest.raises(Conflict, match="one is paused"):
            ask_now(session, project)
        queue.cancel(session, job.id)
        assert job.state == "cancelled" and ask_now(session, project).id != job.id


def test_species_with_a_single_answer_teach_nothing() -> None:
    assert too_few({1: 1, 2: 1, 3: 5}) and not too_few({1: 2, 2: 2}) and too_few({})


def test_a_step_or_a_loss_outside_sense_is_refused(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project = make.project(session)
        assert project.fine_tune_every == 1000
        for every, loss in ((0, "softmax"), (100, "triplet"), (1_000_000, "softmax")):
            project.set_fine_tune(every, loss)
            assert (project.fine_tune_every, project.fine_tune_loss) == (every, loss)
        for every in (-1, 1, 99, 1_000_001):
            with pytest.raises(Invalid, match="every: between 100 and 1,000,000"):
                project.set_fine_tune(every, "triplet")
        with pytest.raises(Invalid, match="loss: 'quadruplet' is not one of triplet, softmax"):
            project.set_fine_tune(100, "quadruplet")
        assert (project.fine_tune_every, project.fine_tune_loss) == (1_000_000, "softmax")


def test_a_paused_job_holds_no_worker_and_goes_on_when_it_is_let(database: Database) -> None:
    with database.writing() as session:
        project = make.project(session)
        job = queue.ask(session, KIND, project.id, {})
        queue.start(session, job.id, "w")
        queue.pause(session, job.id)
        assert (job.state, job.pause_requested) == ("running", True)
        queue.lie_still(session, job.id)
        assert (job.state, job.worker, job.pause_requested) == ("paused", None, False)
        queue.end(session, job.id)
        assert queue.start(session, job.id, "w").state == "paused" and queue.waiting(session) == []
        queue.go_on(session, job.id)
        assert queue.waiting(session) == [job]
        queue.start(session, job.id, "w")
        queue.lie_still(session, job.id)  # it was let go on before the worker had let go
        assert job.state == "asked"


def test_stopping_a_job_that_was_begun_and_lies_still_lets_the_worker_tidy_up(sqlite_database: Database) -> None:
    with sqlite_database.writing() as session:
        project = make.project(session)
        job = queue.ask(session, KIND, project.id, {})
        queue.start(session, job.id, "w")
        queue.pause(session, job.id)
        queue.lie_still(session, job.id)
        queue.cancel(session, job.id)
        assert (job.state, job.cancel_requested, job.ended_at) == ("asked", True, None)
