"""Clocks in the worker: new photos of a corrected camera are corrected, the doctor looks unasked, jobs bring times up to date."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from models.clock import ClockCorrection, correct_some
from models.clock_finding import ClockFinding
from models.correcting import SHIFT, SWAP, Correction
from models.deployment import Deployment
from models.folders import FolderPattern
from models.image import Image
from models.job import Job
from models.placing import ask_to_place
from models.project import Project
from models.queue import ask
from models.sequence import Sequence
from models.user import User
from tests import fakes, make
from tests.worker.jobs.scenes import LEFT, Scene
from worker.jobs import clock
from worker.jobs.bench import Abandoned

HOUR = dt.timedelta(hours=1)
NOON = dt.datetime(2026, 3, 1, 12)


def photo(taken: str) -> bytes:
    return fakes.photo([("fox", LEFT)], taken=taken)


def correct(scene: Scene, correction: Correction) -> tuple[int, int]:
    """A correction of the one camera, whose times have not followed yet: (deployment, correction)."""
    with scene.database.writing() as session:
        deployment = session.scalars(select(Deployment)).one()
        made = ClockCorrection.make(session, deployment, correction, session.get_one(User, scene.user_id))
        return deployment.id, made.id


def clock_job(scene: Scene, *deployments: int) -> str:
    with scene.database.writing() as session:
        return ask(session, "clock", scene.project_id, {"deployments": list(deployments)}, total=scene.count(Image)).id


def many(scene: Scene, count: int) -> int:
    """Photos of one camera, a minute apart."""
    with scene.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, scene.project_id))
        photos = [
            make.image(session, batch, f"A/{number:05}.JPG", captured_at=NOON + dt.timedelta(minutes=number))
            for number in range(count)
        ]
        return photos[0].deployment_id


def test_photos_that_come_to_a_corrected_camera_are_corrected_too(scene: Scene) -> None:
    scene.run(scene.bring({"A/1.jpg": photo("2026:03:01 06:30:00")}))
    correct(scene, Correction(SHIFT, {"seconds": 3600}))
    scene.run(
        scene.bring({"A/2.jpg": photo("2026:03:01 06:30:20"), "A/3.jpg": fakes.photo([("hare", LEFT)], taken="")})
    )
    rows = {image.path: image for image in scene.all(select(Image))}
    assert rows["A/2.jpg"].captured_at == dt.datetime(2026, 3, 1, 6, 30, 20)
    assert rows["A/2.jpg"].taken_at == dt.datetime(2026, 3, 1, 7, 30, 20)
    assert rows["A/3.jpg"].taken_at is None and rows["A/3.jpg"].brightness is not None


def test_a_batch_with_a_reset_clock_is_seen_when_it_is_processed(scene: Scene) -> None:
    times = ("2026:05:01 06:30:00", "2026:05:02 06:30:00", "2015:01:01 00:05:00", "2015:01:01 03:05:00")
    scene.run(scene.bring({f"A/{number}.jpg": photo(taken) for number, taken in enumerate(times)}))
    (finding,) = scene.all(select(ClockFinding))
    assert (finding.kind, finding.figures["photos"], finding.figures["of"]) == ("reset", 2, 4)
    assert finding.correction is not None
    assert finding.correction.of(dt.datetime(2015, 1, 1, 0, 5)) == dt.datetime(2026, 5, 2, 6, 30)


def test_a_job_corrects_many_photos_goes_on_after_a_stop_and_twice_is_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment_id = many(scene, 7)
    monkeypatch.setattr("models.clock.CHUNK_ROWS", 3)
    _deployment, correction_id = correct(scene, Correction(SHIFT, {"seconds": 3600}))
    job_id = clock_job(scene, deployment_id)
    calls = iter(range(10))

    def stop_at_the_second(session: make.Session, of: int, after: int) -> tuple[int | None, int]:
        if next(calls) == 1:
            raise Abandoned
        return correct_some(session, of, after)

    monkeypatch.setattr(clock, "correct_some", stop_at_the_second)
    with pytest.raises(Abandoned):
        scene.run(job_id)
    moved = [image.taken_at - image.captured_at for image in scene.all(select(Image).order_by(Image.id))]
    assert moved == [HOUR] * 3 + [0 * HOUR] * 4
    monkeypatch.setattr(clock, "correct_some", correct_some)
    assert scene.run(job_id).state == "done"
    assert [image.taken_at - image.captured_at for image in scene.all(select(Image))] == [HOUR] * 7
    assert {sequence.first_at for sequence in scene.all(select(Sequence))} == {NOON + HOUR}
    with scene.database.writing() as session:
        session.get_one(ClockCorrection, correction_id).take_back(session, session.get_one(User, scene.user_id))
    scene.run(clock_job(scene, deployment_id))
    assert [image.taken_at for image in scene.all(select(Image))] == scene.all(select(Image.captured_at))


def test_a_swap_that_cannot_be_leaves_those_photos(scene: Scene) -> None:
    deployment_id = many(scene, 2)
    correct(scene, Correction(SWAP))
    scene.run(clock_job(scene, deployment_id))
    assert {image.taken_at.date() for image in scene.all(select(Image))} == {dt.date(2026, 1, 3)}


def test_a_job_puts_many_photos_where_a_pattern_says_with_their_bursts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        batch = make.batch(session, project)
        for number in range(8):
            make.image(session, batch, f"Creek/C{number % 2}/{number}.JPG", captured_at=NOON)
        session.add(FolderPattern(project_id=project.id, pattern="{site}/{camera}/*"))
        monkeypatch.setattr("models.placing.CHUNK_ROWS", 3)
        job = ask_to_place(session, project)
        assert job is not None and job.total == 8
        job_id = job.id
    assert scene.run(job_id).state == "done"
    rows = select(Image.path, Deployment.name, Image.sequence_id).join(Deployment, Deployment.id == Image.deployment_id)
    with scene.database.reading() as session:
        found = session.execute(rows.order_by(Image.id)).all()
        assert [row[1] for row in found] == [f"Creek/C{number % 2}" for number in range(8)]
        assert len({row[2] for row in found}) == 2
        assert session.get_one(Job, job_id).state == "done"
