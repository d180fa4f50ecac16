"""The settle job: a changed rule settles what was said before, a few crops at a time, also what comes in meanwhile."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.beside import ask_rule, ask_voices
from models.box import Box
from models.consensus import RULES, SINGLE
from models.invariants import Scene as Doctor
from models.invariants import settled_names
from models.job import Job
from models.label import Label
from models.meaning import Meanings
from models.project import Project
from models.queue import cancel
from tests import make
from tests.worker.jobs.scenes import NAMES, Scene
from tests.worker.jobs.test_voices import annotator, names
from worker.jobs import settling


def boxes(scene: Scene, count: int) -> list[int]:
    """Crops that nobody has named."""
    with scene.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, scene.project_id))
        return [make.box(session, make.image(session, batch)).id for _ in range(count)]


def say(session: Session, scene: Scene, user_id: int, box_id: int) -> None:
    """One voice, settled by the rule that the project has now."""
    names(session, scene, user_id, session.get_one(Box, box_id), NAMES[0])


def change_rule(scene: Scene, name: str) -> str:
    """As the settings do; the job."""
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        project.consensus = name
        project.version += 1
        session.flush()
        return ask_rule(session, project).id


def waiting(scene: Scene) -> list[int]:
    """The boxes that wait for another voice."""
    return scene.all(
        select(Box.id).where(Box.project_id == scene.project_id, Box.waits_for == "voice").order_by(Box.id)
    )


def complaints(scene: Scene) -> list[str]:
    """What the doctor finds about names and voices."""
    with scene.database.reading() as session:
        return list(settled_names(Doctor(session, scene.store, deep=False)))


def test_a_few_crops_a_transaction_and_then_the_classifier_follows(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "CHUNK_ROWS", 2)
    sizes: list[int] = []
    few = settling.settle_few

    def watched(bench: object, job: Job, box_ids: list[int], done: int) -> int:
        sizes.append(len(box_ids))
        return few(bench, job, box_ids, done)  # type: ignore[arg-type]

    monkeypatch.setattr(settling, "settle_few", watched)
    spoken = boxes(scene, 5)
    user = annotator(scene)
    with scene.database.writing() as session:
        for box_id in spoken:
            say(session, scene, user, box_id)
    job = scene.run(change_rule(scene, "two-of-three"))
    assert (job.error, job.done, job.total, job.unit) == ("", 5, 5, "crops")
    assert sizes == [2, 2, 1] * 2  # the second time to see that nothing came in meanwhile
    assert waiting(scene) == spoken
    assert scene.count(Job, Job.kind == "learn", Job.key.like("%-rule-%")) == 1
    assert complaints(scene) == []


def test_an_answer_that_read_the_old_rule_does_not_stay_settled_by_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, late = boxes(scene, 2)
    user = annotator(scene)
    with scene.database.writing() as session:
        say(session, scene, user, first)
    few = settling.settle_few
    came: list[int] = []

    def overtaken(bench: object, job: Job, box_ids: list[int], done: int) -> int:
        changed = few(bench, job, box_ids, done)  # type: ignore[arg-type]
        if not came:
            came.append(late)
            with scene.database.writing() as session:
                say(session, scene, user, late)
                as_before(session, late)
        return changed

    monkeypatch.setattr(settling, "settle_few", overtaken)
    scene.run(change_rule(scene, "two-of-three"))
    assert came and waiting(scene) == [first, late]
    assert complaints(scene) == []


def as_before(session: Session, box_id: int) -> None:
    """Settled by the rule that was read before it changed."""
    box = session.get_one(Box, box_id)
    box.judge(
        RULES[SINGLE],
        [label.voice for label in session.scalars(select(Label).where(Label.box_id == box_id))],
        0,
        Meanings(),
    )
    session.flush()
    ask_voices(session, [box])


def test_nobody_stops_it_half_way_and_the_doctor_waits_for_it(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    (box_id,) = boxes(scene, 1)
    user = annotator(scene)
    with scene.database.writing() as session:
        say(session, scene, user, box_id)
    job_id = change_rule(scene, "two-of-three")
    with scene.database.writing() as session:
        cancel(session, job_id)
    assert waiting(scene) == [] and complaints(scene) == []
    assert scene.run(job_id).state == "done"
    assert waiting(scene) == [box_id]
