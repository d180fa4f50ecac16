"""One visit to each photo: what it leaves in rows and files, for good photos and for bad ones."""

from __future__ import annotations

import csv
import json
import sqlite3
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models import queue
from models.batch import Batch, BatchFile
from models.box import Box, askable
from models.checkpoint import Checkpoint
from models.image import Image
from models.invariants import examine
from models.job import Job, JobShard
from models.project import Project
from models.storage import NotAPhoto, file_chunks
from models.vectors import read_vectors
from tests import fakes, make
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, colour_of, meadow, squares_in
from worker.jobs.bench import Abandoned

pytestmark = pytest.mark.usefixtures("small_shards")
FOX = fakes.photo([("fox", LEFT), ("hare", RIGHT)], taken="2026:03:01 06:30:00")


def test_a_photo_becomes_boxes_crops_vectors_and_pictures(scene: Scene) -> None:
    scene.run(scene.bring({"Camera A/one.jpg": FOX}))
    (image,) = scene.all(select(Image))
    boxes = scene.all(select(Box).order_by(Box.ordinal))
    assert (image.state, image.width_px, image.height_px) == ("ready", 160, 120)
    assert image.captured_at is not None and image.captured_at.hour == 6
    assert {colour_of(scene.store.crop(image.sha256, box.id).read_bytes()) for box in boxes} == {"fox", "hare"}
    assert [box.ordinal for box in boxes] == [1, 2] and boxes[0].score >= boxes[1].score
    assert boxes[0].x_min == pytest.approx(LEFT[0] / 160, abs=0.02) or boxes[0].x_min == pytest.approx(
        90 / 160, abs=0.02
    )
    assert scene.store.thumbnail(image.sha256).is_file() and scene.store.preview(image.sha256).is_file()
    vectors = read_vectors(scene.store.vectors(boxes[0].embedder_id, boxes[0].vector_file), check=True)
    assert vectors.shape == (2, fakes.DIM) and not np.array_equal(vectors[0], vectors[1])
    assert image.detector_id == boxes[0].detector_id == scene.project().detector_id


def test_a_whole_batch_is_processed_once_and_leaves_a_healthy_house(scene: Scene) -> None:
    job = scene.run(scene.bring(meadow(10)))
    assert (job.state, job.done, job.total) == ("done", 10, 10) and job.rate_per_s
    assert scene.count(Image, Image.state == "ready") == 10
    assert scene.count(Box) == scene.count(Box, Box.vector_file.is_not(None)) == squares_in(10)
    assert {step for step in scene.all(select(JobShard.step)) if step.startswith("shard")} == {
        "shard-0", "shard-1", "shard-2",
    }  # fmt: skip
    assert examine(scene.database, scene.store, deep=True) == []


def test_running_the_same_job_again_changes_nothing(scene: Scene) -> None:
    job_id = scene.bring(meadow(7))
    scene.run(job_id)
    before = scene.all(select(Box.vector_file).order_by(Box.id))
    with scene.database.writing() as session:
        session.get_one(Job, job_id).state = "running"
    job = scene.run(job_id)
    assert scene.all(select(Box.vector_file).order_by(Box.id)) == before
    assert (job.done, scene.count(Image)) == (7, 7)


def test_broken_and_foreign_photos_are_listed_with_a_reason_and_the_rest_goes_on(scene: Scene) -> None:
    cut = FOX[: len(FOX) // 2]
    photos = {"A/good.jpg": FOX, "A/cut.jpg": cut, "A/head.jpg": b"\xff\xd8\xff\xe0 nothing", "B/cut again.jpg": cut}
    job = scene.run(scene.bring(photos))
    files = {file.path: file for file in scene.all(select(BatchFile))}
    assert job.state == "done"
    assert files["A/good.jpg"].state == "here"
    assert files["A/cut.jpg"].state == "quarantined" and "cut" in files["A/cut.jpg"].reason
    assert files["B/cut again.jpg"].state == "quarantined"
    assert files["A/head.jpg"].state in ("quarantined", "refused") and files["A/head.jpg"].reason
    assert scene.count(Image, Image.state == "ready") == 1 and scene.count(Image, Image.state == "waiting") == 0


@pytest.mark.photos
def test_the_bad_files_come_out_as_their_list_says(sqlite_scene: Scene, shared_data: Path) -> None:
    """The store refuses what begins like no photo; the visit says the rest."""
    scene = sqlite_scene
    with (shared_data / "bad-files" / "expected.csv").open(newline="") as file:
        expected = {row["file"]: row["expected"] for row in csv.DictReader(file)}
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        batch = make.batch(session, project)
        for name in expected:
            try:
                received = scene.store.receive(file_chunks(shared_data / "bad-files" / name))
                batch.receive(session, f"A/{name}", received)
            except NotAPhoto as refusal:
                batch.refuse(session, f"A/{name}", refusal.size, str(refusal))
        job = batch.finish(session, project)
        assert job is not None
    assert scene.run(job.id).state == "done"
    verdicts = {"here": "accept", "refused": "refuse", "quarantined": "quarantine"}
    listed = scene.all(select(BatchFile).where(BatchFile.state != "duplicate"))
    came_out = {file.path.removeprefix("A/"): verdicts[file.state] for file in listed}
    assert came_out == {name: verdict for name, verdict in expected.items() if name in came_out}
    assert len(came_out) > 0.9 * len(expected) and all(file.reason for file in listed if file.state != "here")
    assert examine(scene.database, scene.store) == []


def test_the_same_photo_in_another_project_is_processed_there_too(scene: Scene) -> None:
    scene.run(scene.bring({"A/one.jpg": FOX}))
    with scene.database.writing() as session:
        other = make.project(session)
        batch = make.batch(session, other)
        batch.receive(session, "B/two.jpg", scene.store.receive([FOX]))
        job = batch.finish(session, other)
        assert job is not None
    scene.run(job.id)
    assert scene.count(Box, Box.project_id == other.id) == 2
    assert examine(scene.database, scene.store, deep=True) == []


def test_boxes_below_classify_above_are_kept_without_a_crop(sqlite_scene: Scene) -> None:
    small = fakes.photo([("fox", (10, 10, 16, 16)), ("hare", RIGHT)])
    sqlite_scene.run(sqlite_scene.bring({"A/one.jpg": small}))
    large, tiny = sqlite_scene.all(select(Box).order_by(Box.ordinal))
    assert 0.05 <= tiny.score < sqlite_scene.project().classify_above < large.score
    assert tiny.vector_file is None and large.vector_row == 0


def test_a_new_project_takes_the_thresholds_of_its_detectors_card(sqlite_scene: Scene) -> None:
    sqlite_scene.run(sqlite_scene.bring({"A/one.jpg": FOX}))
    project = sqlite_scene.project()
    assert (project.classify_above, project.count_above, project.version) == (0.2, 0.5, 2)


def test_thresholds_that_a_person_chose_stay(sqlite_scene: Scene) -> None:
    sqlite_scene.change(version=2)
    sqlite_scene.run(sqlite_scene.bring({"A/one.jpg": FOX}))
    assert (sqlite_scene.project().classify_above, sqlite_scene.project().count_above) == (0.9, 0.9)


def test_a_cancelled_job_keeps_what_it_did_and_gives_the_rest_back(scene: Scene) -> None:
    job_id = scene.bring(meadow(10))

    def cancel_after_the_first(name: str, do: object) -> int:
        done = do()  # type: ignore[operator]
        if name == "shard-0":
            with scene.database.writing() as session:
                queue.cancel(session, job_id)
        return int(done)

    job = scene.run(job_id, cancel_after_the_first)
    assert (job.state, job.done) == ("cancelled", 4)
    assert scene.count(Image, Image.state == "ready") == 4
    with scene.database.writing() as session:
        batch = session.get_one(Batch, job.arguments["batch_id"])
        again = batch.finish(session, session.get_one(Project, scene.project_id))
        assert again is not None
    assert scene.run(again.id).done == 6
    assert scene.count(Image, Image.state == "ready") == 10 and scene.count(Box) == squares_in(10)


def test_a_job_that_fails_says_why_and_gives_its_photos_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("worker.jobs.ingest.write_vectors", full)
    job = scene.run(scene.bring(meadow(10)))
    assert job.state == "failed" and "No space left" in job.error and "\n" not in job.error
    assert scene.count(Image, Image.state == "waiting", Image.job_id.is_(None)) == 10


def test_one_photo_that_breaks_the_detector_does_not_stop_the_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = fakes.SquareDetector._look

    def breaks_on_boars(self: fakes.SquareDetector, pixels: np.ndarray, size: tuple[int, int]) -> object:
        if (pixels[40, 30] == pixels[40, 30].max()).sum() == 1 and pixels[40, 30, 2] > 150 and pixels[40, 30, 0] > 100:
            raise RuntimeError("CUDA error: out of luck")
        return sound(self, pixels, size)

    monkeypatch.setattr(fakes.SquareDetector, "_look", breaks_on_boars)
    job = scene.run(scene.bring(meadow(20)))
    broken = scene.all(select(Image).where(Image.state == "quarantined"))
    assert job.state == "done" and scene.count(Image, Image.state == "ready") == 16
    assert len(broken) == 4 and "out of luck" in broken[0].reason


def test_a_detector_that_breaks_on_everything_fails_the_job_and_blames_no_photo(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(fakes.SquareDetector, "predict", broken)
    job = sqlite_scene.run(sqlite_scene.bring(meadow(10)))
    assert job.state == "failed" and "no kernel image" in job.error
    assert sqlite_scene.count(Image, Image.state == "waiting", Image.job_id.is_(None)) == 10


def test_a_worker_that_stops_leaves_the_job_running_for_the_next_start(scene: Scene) -> None:
    job_id = scene.bring(meadow(7))

    def stop_in_the_second(name: str, do: object) -> int:
        if name == "shard-1":
            scene.bench.stopping.set()
        return int(do())  # type: ignore[operator]

    with pytest.raises(Abandoned):
        scene.run(job_id, stop_in_the_second)
    scene.bench.stopping.clear()
    with scene.database.reading() as session:
        assert session.get_one(Job, job_id).state == "running"
    assert scene.run(job_id).state == "done"
    assert scene.count(Box) == squares_in(7)


def test_steps_that_the_queue_thinks_done_are_done_if_their_rows_are_missing(scene: Scene) -> None:
    job = scene.run(
        scene.bring(meadow(7)), lambda name, do: 0 if name == "shard-0" else do()
    )  # the database came from a backup
    assert job.done == 7 and scene.count(Box) == squares_in(7)


def test_a_database_that_goes_away_for_a_moment_fails_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = scene.bring(meadow(10))
    lost = []

    def lose_it_once(session: Session, _project_id: int) -> None:
        if not lost:
            lost.append(True)
            if scene.database.is_sqlite:
                raise OperationalError("commit", {}, sqlite3.OperationalError("database is locked"))
            session.execute(sa.text("select pg_terminate_backend(pg_backend_pid())"))

    monkeypatch.setattr("worker.jobs.ingest.ask_early", lose_it_once)
    assert scene.run(job_id).state == "done" and lost
    assert scene.count(Box) == squares_in(10)
    assert {path.name for path in (scene.store.root / "vectors").rglob("*.vectors")} == set(
        scene.all(select(Box.vector_file))
    )


def test_a_leftover_vectors_file_of_a_killed_attempt_is_removed(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.run(scene.bring({"A/first.jpg": FOX}))
    job_id = scene.bring(meadow(5))
    stray = scene.store.vectors(scene.project().embedder_id or 0, f"{job_id}-0-deadbeef.vectors")
    stray.write_bytes(b"half a file")
    scene.run(job_id)
    assert not stray.exists() and examine(scene.database, scene.store, deep=True) == []


def test_two_who_look_at_the_same_shard_write_it_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = scene.bring(meadow(5))
    raced = []

    def be_slow(_self: object, vectors: np.ndarray) -> np.ndarray:
        if not raced:  # while one embeds, another worker does the whole job
            raced.append(True)
            monkeypatch.undo()
            scene.bench.photos.release()
            scene.run(job_id)
            scene.bench.photos.acquire()
        return fakes.ColourEmbedder().embed(vectors)

    monkeypatch.setattr(fakes.ColourEmbedder, "embed", be_slow)
    scene.run(job_id)
    with scene.database.reading() as session:
        assert session.get_one(Job, job_id).done == 5
    assert scene.count(Box) == squares_in(5)
    names = {path.name for path in (scene.store.root / "vectors").rglob("*.vectors")}
    assert names == set(scene.all(select(Box.vector_file).where(Box.vector_file.is_not(None))))


def test_photos_of_one_camera_a_minute_apart_become_bursts(scene: Scene) -> None:
    shots = {f"A/{n}.jpg": fakes.photo([], noise=n, taken=f"2026:03:01 06:3{n}:00") for n in (0, 1, 2, 5)}
    scene.run(scene.bring(shots))
    sequences = scene.all(select(Image.sequence_id).order_by(Image.path))
    assert sequences[0] == sequences[1] == sequences[2] != sequences[3] and None not in sequences


def test_the_first_round_is_asked_for_once_there_are_ten_times_its_crops(scene: Scene) -> None:
    scene.change(first_round=1)
    job_id = scene.bring(meadow(12))
    asked_after = []

    def watch(name: str, do: object) -> int:
        done = int(do())  # type: ignore[operator]
        if scene.count(Job, Job.kind == "learn"):
            asked_after.append(name)
        return done

    scene.run(job_id, watch)
    assert asked_after[0] == "shard-1" and scene.count(Job, Job.kind == "learn", Job.key.like("%first")) == 1


def test_new_weights_of_the_program_never_mix_with_the_vectors_of_a_project(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    scene.run(scene.bring({"A/one.jpg": FOX}))
    before = scene.project().embedder_id
    monkeypatch.setattr(fakes, "CARD", {"name": "a newer starter"})
    monkeypatch.setattr(fakes.FakeShelf, "find", lambda *_: pytest.fail("the project has its weights already"))
    scene.run(scene.bring({"A/two.jpg": fakes.photo([("boar", LEFT)])}))
    assert {scene.project().embedder_id} == set(scene.all(select(Box.embedder_id))) == {before}


# --- boxes that another detector wrote down -----------------------------------------------------------------------------------


def megadetector(images: list[dict[str, object]]) -> bytes:
    return json.dumps(
        {
            "info": {
                "format_version": "1.4",
                "detector": "md_v5a.0.0.pt",
                "detector_metadata": {"typical_detection_threshold": 0.2, "conservative_detection_threshold": 0.05},
            },
            "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
            "images": images,
        }
    ).encode()


def test_recorded_boxes_take_the_place_of_the_detector(scene: Scene) -> None:
    photos = {
        name: fakes.photo([("fox", LEFT)], noise=n)
        for n, name in enumerate(("A/1.jpg", "A/2.jpg", "A/3.jpg", "A/4.jpg"))
    }
    recorded = [
        {"file": "A/1.jpg", "detections": [
            {"category": "2", "conf": 0.31, "bbox": [0.5, 0.5, 0.2, 0.4]},
            {"category": "1", "conf": 0.9, "bbox": [0.1, 0.1, 0.3, 0.3]},
        ]},
        {"file": "A/2.jpg", "detections": []},
        {"file": "A/3.jpg", "failure": "Failure image access"},
    ]  # fmt: skip
    job = scene.run(scene.bring(photos, boxes_file=megadetector(recorded)))
    states = {image.path: (image.state, image.reason) for image in scene.all(select(Image))}
    boxes = scene.all(select(Box).order_by(Box.ordinal))
    assert job.state == "done"
    assert [(box.kind, round(box.score, 2)) for box in boxes] == [("animal", 0.9), ("person", 0.31)]
    assert states["A/1.jpg"][0] == states["A/2.jpg"][0] == "ready"
    assert states["A/3.jpg"] == ("quarantined", "the other detector failed on it: Failure image access")
    assert states["A/4.jpg"] == ("quarantined", "not in the boxes file")
    assert scene.all(select(Checkpoint.name).where(Checkpoint.kind == "detector")) == ["md_v5a.0.0.pt"]
    project = scene.project()
    assert (project.count_above, project.classify_above, project.detector_id) == (0.2, 0.05, None)


def test_people_and_vehicles_are_boxes_of_their_kind_and_nobody_is_asked_about_them(scene: Scene) -> None:
    vehicle = {"category": "3", "conf": 0.95, "bbox": [0.0, 0.0, 0.2, 0.2]}
    person = {"category": "2", "conf": 0.9, "bbox": [0.5, 0.2, 0.2, 0.3]}
    animal = {"category": "1", "conf": 0.8, "bbox": [LEFT[0] / 160, LEFT[1] / 120, 40 / 160, 40 / 120]}
    recorded = [{"file": "A/1.jpg", "detections": [vehicle, person, animal]}]
    scene.run(scene.bring({"A/1.jpg": FOX}, boxes_file=megadetector(recorded)))
    boxes = scene.all(select(Box).order_by(Box.ordinal))
    assert [(box.kind, box.vector_row) for box in boxes] == [("vehicle", None), ("person", None), ("animal", 0)]
    (image,) = scene.all(select(Image))
    assert colour_of(scene.store.crop(image.sha256, boxes[2].id).read_bytes()) == "fox", "the crop is the animal's"
    assert scene.count(Box, askable(scene.project())) == 1
    with scene.database.writing() as session:
        crop_job = queue.ask(session, "crop", scene.project_id, {"classify_above": 0.05}).id
    assert scene.run(crop_job).total == 0, "neither does a lower threshold ask for their crops"
    assert examine(scene.database, scene.store, deep=True) == []


def test_a_boxes_file_that_is_none_fails_the_job_in_words(sqlite_scene: Scene) -> None:
    job = sqlite_scene.run(sqlite_scene.bring({"A/1.jpg": FOX}, boxes_file=b'{"info": {"format_version": "1.0"}}'))
    assert job.state == "failed" and "format_version" in job.error
