"""Lowering classify-above makes the missing crops, vectors and predictions in the background; a new gap makes new bursts."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.box import Box
from models.image import Image
from models.invariants import examine
from models.job import Job
from models.queue import ask, cancel
from tests import fakes
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, colour_of, meadow
from worker.jobs.bench import Abandoned

pytestmark = pytest.mark.usefixtures("small_shards")


def with_small_ones(count: int) -> dict[str, bytes]:
    """Photos with a large fox and a tiny hare."""
    return {
        f"A/{n}.jpg": fakes.photo([("fox", LEFT), ("hare", (100, 30 + n, 106, 36 + n))], noise=n) for n in range(count)
    }


def ask_crops(scene: Scene) -> str:
    scene.change(classify_above=0.1)
    with scene.database.writing() as session:
        return ask(session, "crop", scene.project_id, {"classify_above": 0.1}).id


def test_boxes_that_were_too_weak_get_crops_vectors_and_predictions(scene: Scene) -> None:
    scene.run(scene.bring(meadow(50)))
    scene.run(scene.bring(with_small_ones(10)))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    lacking = scene.all(select(Box.id).where(Box.vector_file.is_(None)))
    job = scene.run(ask_crops(scene))
    assert len(lacking) == 10 and (job.state, job.done, job.total) == ("done", 10, 10)
    assert scene.count(Box, Box.vector_file.is_(None)) == 0
    for box in scene.all(select(Box).where(Box.id.in_(lacking))):
        (sha256,) = scene.all(select(Image.sha256).where(Image.id == box.image_id))
        assert colour_of(scene.store.crop(sha256, box.id).read_bytes()) == "hare"
        assert scene.guess(box.id) and box.guess_species_id is not None
    assert examine(scene.database, scene.store, deep=True) == []


def test_learning_goes_on_over_the_new_crops(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(with_small_ones(30)))
    scene.run_all()
    scene.run(ask_crops(scene))
    scene.answer_round(1)
    scene.run_all()
    assert scene.count(Box, Box.guess_species_id.is_(None)) == 0


def test_a_crop_job_that_was_cut_goes_on_where_it_stopped(scene: Scene) -> None:
    scene.run(scene.bring(with_small_ones(10)))
    job_id = ask_crops(scene)
    steps = []

    def stop_in_the_second(name: str, do: object) -> int:
        steps.append(name)
        if len(steps) == 2:
            scene.bench.stopping.set()
        return int(do())  # type: ignore[operator]

    with pytest.raises(Abandoned):
        scene.run(job_id, stop_in_the_second)
    scene.bench.stopping.clear()
    files = set(scene.all(select(Box.vector_file).where(Box.vector_file.like(f"{job_id}%"))))
    job = scene.run(job_id)
    assert len(files) == 1 and (job.state, job.done) == ("done", 10)
    assert scene.count(Box, Box.vector_file.is_(None)) == 0


def test_a_cancelled_crop_job_stops(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(with_small_ones(10)))
    job_id = ask_crops(scene)

    def cancel_after_the_first(_name: str, do: object) -> int:
        done = int(do())  # type: ignore[operator]
        with scene.database.writing() as session:
            cancel(session, job_id)
        return done

    job = scene.run(job_id, cancel_after_the_first)
    assert (job.state, job.done) == ("cancelled", 4)


def test_a_photo_that_vanished_is_passed_over(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(with_small_ones(6)))
    scene.store.original(scene.all(select(Image.sha256))[2]).unlink()
    job = scene.run(ask_crops(scene))
    assert job.state == "done" and scene.count(Box, Box.vector_file.is_(None)) == 1


def test_a_new_gap_groups_every_camera_anew(scene: Scene) -> None:
    for camera in ("A", "B"):
        shots = {
            f"{camera}/{n}.jpg": fakes.photo([], noise=n + ord(camera), taken=f"2026:03:01 06:{n:02}:00")
            for n in (0, 1, 5)
        }
        scene.run(scene.bring(shots))
    assert len(set(scene.all(select(Image.sequence_id)))) == 4
    scene.change(sequence_gap_s=600)
    with scene.database.writing() as session:
        job_id = ask(session, "sequence", scene.project_id, {}, total=2).id
    job = scene.run(job_id)
    assert (job.state, job.done) == ("done", 2) and len(set(scene.all(select(Image.sequence_id)))) == 2


def test_an_unknown_kind_of_job_ends_with_a_reason(sqlite_scene: Scene) -> None:
    with sqlite_scene.database.writing() as session:
        job_id = ask(session, "dance", sqlite_scene.project_id, {}).id
    job = sqlite_scene.run(job_id)
    assert job.state == "failed" and "dance" in job.error
    assert sqlite_scene.count(Job, Job.state == "asked") == 0


def test_no_crop_reaches_beyond_its_photo(sqlite_scene: Scene) -> None:
    at_edges = fakes.photo([("fox", (0, 0, 40, 40)), ("hare", (110, 70, 159, 119))])
    sqlite_scene.run(sqlite_scene.bring({"A/1.jpg": at_edges, "A/2.jpg": fakes.photo([("boar", RIGHT)])}))
    assert sqlite_scene.count(Box, Box.vector_file.is_not(None)) == 3
