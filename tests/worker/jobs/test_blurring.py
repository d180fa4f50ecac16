"""The blur job: asked for as soon as a detector sees a person; a long one steps back behind the next round."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from models.image import Image
from models.job import Job
from models.privacy import ask_blurs
from tests import fakes
from tests.worker.jobs.scenes import LEFT, Scene
from worker.jobs import blurring

BOAR = fakes.photo([("boar", LEFT)])


def with_people(count: int) -> tuple[dict[str, bytes], bytes]:
    """So many photos, each with an animal and a person, and the file that says so."""
    photos = {f"A/{number}.jpg": fakes.photo([("fox", LEFT)], noise=number) for number in range(count)}
    animal = {"category": "1", "conf": 0.95, "bbox": [LEFT[0] / 160, LEFT[1] / 120, 40 / 160, 40 / 120]}
    person = {"category": "2", "conf": 0.9, "bbox": [0.5, 0.2, 0.2, 0.3]}
    images = [{"file": name, "detections": [animal, person]} for name in photos]
    information = {"format_version": "1.4", "detector": "md"}
    kinds = {"1": "animal", "2": "person"}
    return photos, json.dumps({"info": information, "detection_categories": kinds, "images": images}).encode()


def made(scene: Scene) -> list[int]:
    """How many blurred pictures each photo has."""
    photos = scene.all(select(Image).order_by(Image.id))
    return [len(list(scene.store.blurred_ones(scene.project_id, photo.sha256).glob("*/*.jpg"))) for photo in photos]


def test_an_ingest_that_saw_people_has_them_blurred(scene: Scene) -> None:
    photos, recorded = with_people(2)
    scene.run(scene.bring(photos, boxes_file=recorded))
    assert scene.count(Job, Job.kind == "blur") == 1
    assert "blur" in scene.run_all()
    assert made(scene) == [3, 3], "thumbnail, preview, and the animal's crop; a person has none"
    scene.run(scene.bring({"B/1.jpg": BOAR}))
    assert scene.count(Job, Job.kind == "blur") == 1, "nobody is on this one"


def test_a_long_job_asks_for_the_next_one_and_does_nothing_twice(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    monkeypatch.setattr(blurring, "AT_MOST", 2)
    monkeypatch.setattr(blurring, "AT_ONCE", 2)
    photos, recorded = with_people(5)
    scene.run(scene.bring(photos, boxes_file=recorded))
    kinds = scene.run_all()
    assert kinds.count("blur") == 3
    assert made(scene) == [3] * 5
    files = {path: path.stat().st_mtime_ns for path in scene.store.root.glob("cache/blurred/**/*.jpg")}
    with scene.database.writing() as session:
        assert ask_blurs(session, scene.project_id) is not None
        assert ask_blurs(session, scene.project_id) is None, "one waits already"
    scene.run_all()
    assert files == {path: path.stat().st_mtime_ns for path in scene.store.root.glob("cache/blurred/**/*.jpg")}
