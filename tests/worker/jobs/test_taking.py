"""Imports taken by the worker: given boxes become crops, nothing comes twice, nothing is overwritten, all can be taken back."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sqlalchemy import select

from app.imports.staging import bring
from models.box import Box
from models.checkpoint import Checkpoint
from models.image import ABSENT, READY, WAITING, Image
from models.imported import CHECKED, TAKEN, UNDONE, Import, ImportedName, ImportRow
from models.invariants import examine
from models.label import Label
from models.project import Project
from tests import fakes, make
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, say

SIZE = (160, 120)


def share(corners: tuple[int, int, int, int]) -> list[float]:
    """Pixels of a fake photo -> MegaDetector's [x, y, w, h]."""
    left, top, right, bottom = corners
    return [left / SIZE[0], top / SIZE[1], (right - left) / SIZE[0], (bottom - top) / SIZE[1]]


def detection(
    corners: tuple[int, int, int, int], conf: float = 0.9, category: str = "1", **more: Any
) -> dict[str, Any]:
    return {"category": category, "conf": conf, "bbox": share(corners)} | more


def results(images: dict[str, list[dict[str, Any]]], **more: Any) -> bytes:
    """A MegaDetector file."""
    return json.dumps(
        {
            "info": {
                "format_version": "1.6",
                "detector": "md_v5a.pt",
                "detector_metadata": {"typical_detection_threshold": 0.2},
            },
            "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
            "images": [{"file": path, "detections": found} for path, found in images.items()],
        }
        | more
    ).encode()


def hold(scene: Scene, photos: dict[str, bytes]) -> int:
    """Photos that wait for boxes; the batch."""
    with scene.database.writing() as session:
        batch = make.batch(session, session.get_one(Project, scene.project_id), "card")
        for path, content in photos.items():
            batch.receive(session, path, scene.store.receive([content]))
        batch.hold(session)
        return batch.id


def imported(scene: Scene, content: bytes, *, name: str = "results.json", **options: Any) -> int:
    """Read and judged."""
    return bring(
        scene.database, scene.store, scene.project_id, scene.user_id, {name: io.BytesIO(content)}, options=options
    )


def take(scene: Scene, import_id: int) -> Import:
    """Taken, with every job that follows."""
    with scene.database.writing() as session:
        Import.of(session, scene.project_id, import_id).take(session)
    scene.run_all()
    return look(scene, import_id)


def look(scene: Scene, import_id: int) -> Import:
    with scene.database.reading() as session:
        return session.get_one(Import, import_id)


def state(scene: Scene) -> dict[str, str]:
    with scene.database.reading() as session:
        return dict(session.execute(select(Image.path, Image.state).where(Image.project_id == scene.project_id)).all())


PHOTOS = {
    "A/1.jpg": fakes.photo([("fox", LEFT), ("hare", RIGHT)], noise=1),
    "A/2.jpg": fakes.photo([("boar", LEFT)], noise=2),
    "A/3.jpg": fakes.photo([], noise=3),
    "A/4.jpg": fakes.photo([("crane", LEFT)], noise=4),
}


def test_a_megadetector_file_instead_of_a_detector(scene: Scene) -> None:
    hold(scene, PHOTOS)
    file = results(
        {
            "card/A/1.jpg": [detection(LEFT, 0.9), detection(RIGHT, 0.3), detection((60, 80, 70, 90), 0.8, "2")],
            "card/A/2.jpg": [detection(LEFT, 0.8)],
            "card/A/3.jpg": [],
            "card/elsewhere.jpg": [detection(LEFT)],
        }
    )
    import_id = imported(scene, file)
    dry = look(scene, import_id)
    assert dry.state == CHECKED
    assert {name: dry.counts[name] for name in ("photos_here", "photos_given", "boxes_new")} == {
        "photos_here": 3, "photos_given": 3, "boxes_new": 4
    }  # fmt: skip
    assert dry.counts["rows"] == {"good": 3, "lacking": 1}
    assert scene.count(Box) == 0  # a dry run writes nothing
    assert set(state(scene).values()) == {WAITING}
    taken = take(scene, import_id)
    assert taken.state == TAKEN
    assert state(scene) == {"A/1.jpg": READY, "A/2.jpg": READY, "A/3.jpg": READY, "A/4.jpg": WAITING}
    boxes = scene.all(select(Box).order_by(Box.image_id, Box.ordinal))
    assert [(box.kind, round(box.score, 2), box.embedder_id is not None) for box in boxes] == [
        ("animal", 0.9, True), ("person", 0.8, False), ("animal", 0.3, True), ("animal", 0.8, True)
    ]  # fmt: skip
    assert [scene.colour(box) for box in boxes if box.embedder_id] == ["fox", "hare", "boar"]
    with scene.database.reading() as session:
        assert {session.get_one(Checkpoint, box.detector_id).name for box in boxes} == {"md_v5a.pt"}
        first = session.scalars(select(Image).where(Image.path == "A/1.jpg")).one()
        assert session.get_one(Checkpoint, first.detector_id).name == "md_v5a.pt"
    assert scene.project().count_above == 0.2  # what the file recommends
    assert len(scene.rounds()) == 1  # crops to label


def test_the_same_file_again_brings_nothing_and_taking_twice_neither(scene: Scene) -> None:
    hold(scene, PHOTOS)
    file = results({path: [detection(LEFT)] for path in PHOTOS})
    first = imported(scene, file)
    take(scene, first)
    before = scene.count(Box)
    again = imported(scene, file)
    assert look(scene, again).counts["rows"] == {"known": 4}
    assert look(scene, again).counts["boxes_known"] == 4
    take(scene, again)
    assert scene.count(Box) == before == 4


def test_a_wrong_detection_keeps_its_photo_out_and_says_where(scene: Scene) -> None:
    hold(scene, PHOTOS)
    file = results(
        {
            "A/1.jpg": [
                detection(LEFT),
                detection(LEFT, 1.5),
                {"category": "1", "conf": 0.5, "bbox": [0.5, 0.5, 0.9, 0.1]},
            ],
            "A/2.jpg": [detection(LEFT)],
            "../etc/passwd": [],
        }
    )
    import_id = imported(scene, file)
    bad = scene.all(select(ImportRow).where(ImportRow.verdict == "bad").order_by(ImportRow.number))
    assert [row.field for row in bad] == [
        "images[0].detections[1].conf",
        "images[0].detections[2].bbox",
        "images[2].file",
    ]
    take(scene, import_id)
    assert state(scene)["A/1.jpg"] == WAITING
    assert scene.count(Box) == 1


def test_a_machines_names_are_kept_and_are_no_labels(scene: Scene) -> None:
    hold(scene, PHOTOS)
    said = {"classifications": [["7", 0.9], ["8", 0.1]]}
    file = results({"A/1.jpg": [detection(LEFT, **said)]}, classification_categories={"7": "fox", "8": "dragon"})
    take(scene, imported(scene, file))
    assert scene.count(Label) == 0
    names = scene.all(select(ImportedName).order_by(ImportedName.rank))
    assert [(name.name, name.p, name.by_machine, name.species_id is not None) for name in names] == [
        ("fox", 0.9, True, True), ("dragon", 0.1, True, False)
    ]  # fmt: skip


def test_a_photo_that_was_looked_through_gains_what_its_detector_missed(scene: Scene) -> None:
    scene.bring({"A/1.jpg": fakes.photo([("fox", LEFT)], noise=1)})
    scene.run_all()
    assert scene.count(Box) == 1
    other = (100, 80, 130, 110)
    import_id = imported(scene, results({"a/1.JPG": [detection(LEFT), detection(other, 0.7)]}))
    assert look(scene, import_id).counts["boxes_known"] == 1
    take(scene, import_id)
    boxes = scene.all(select(Box).order_by(Box.ordinal))
    assert len(boxes) == 2 and all(box.embedder_id for box in boxes)


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_a_job_that_was_killed_goes_on_and_takes_nothing_twice(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch, stop_after: int
) -> None:
    monkeypatch.setattr("models.bringing.PHOTOS", 1)
    hold(sqlite_scene, PHOTOS)
    import_id = imported(sqlite_scene, results({path: [detection(LEFT)] for path in PHOTOS}))
    with sqlite_scene.database.writing() as session:
        job_id = Import.of(session, sqlite_scene.project_id, import_id).take(session).id
    done = 0

    class Killed(BaseException):
        pass

    breathe = sqlite_scene.bench.breathe

    def die() -> None:
        nonlocal done
        done += 1
        if done > stop_after:
            raise Killed
        breathe()

    monkeypatch.setattr(sqlite_scene.bench, "breathe", die)
    with pytest.raises(Killed):
        sqlite_scene.run(job_id)
    monkeypatch.setattr(sqlite_scene.bench, "breathe", breathe)
    sqlite_scene.run(job_id)
    sqlite_scene.run_all()
    assert sqlite_scene.count(Box) == 4
    assert set(state(sqlite_scene).values()) == {READY}
    assert look(sqlite_scene, import_id).state == TAKEN


def test_all_of_it_can_be_taken_back_and_the_photos_wait_again(scene: Scene) -> None:
    hold(scene, PHOTOS)
    import_id = imported(
        scene, results({path: [detection(LEFT)] for path in PHOTOS} | {"B/gone.jpg": [detection(LEFT)]}), absent=True
    )
    take(scene, import_id)
    assert state(scene)["B/gone.jpg"] == ABSENT
    with scene.database.writing() as session:
        Import.of(session, scene.project_id, import_id).take_back(session)
    scene.run_all()
    assert look(scene, import_id).state == UNDONE
    assert scene.count(Box, Box.deleted_at.is_(None)) == 0
    assert state(scene) == dict.fromkeys(PHOTOS, WAITING)


def test_what_a_person_said_keeps_the_import(scene: Scene) -> None:
    hold(scene, PHOTOS)
    import_id = imported(scene, results({path: [detection(LEFT)] for path in PHOTOS}))
    take(scene, import_id)
    with scene.database.writing() as session:
        box = session.scalars(select(Box).order_by(Box.id)).first()
        assert box is not None
        say(session, scene, box, "fox")
        Import.of(session, scene.project_id, import_id).take_back(session)
    scene.run_all()
    kept = look(scene, import_id)
    assert kept.state == TAKEN
    assert "1 things" in kept.error
    assert scene.count(Box, Box.deleted_at.is_(None)) == 4


def test_the_file_of_an_absent_photo_comes_later_and_its_boxes_stay(scene: Scene) -> None:
    import_id = imported(scene, results({"A/1.jpg": [detection(LEFT)], "A/9.jpg": []}), absent=True)
    take(scene, import_id)
    assert state(scene) == {"A/1.jpg": ABSENT, "A/9.jpg": ABSENT}
    scene.bring({"A/1.jpg": PHOTOS["A/1.jpg"]})
    scene.run_all()
    assert state(scene) == {"A/1.jpg": READY, "A/9.jpg": ABSENT}
    (box,) = scene.all(select(Box))
    assert box.embedder_id is not None
    assert scene.colour(box) == "fox"
    assert examine(scene.database, scene.store) == []


def test_two_files_that_name_the_same_absent_photo_share_it(scene: Scene) -> None:
    files = [results({"A/1.jpg": [detection(LEFT)]}), results({"A/1.jpg": [detection(LEFT), detection(RIGHT)]})]
    imports = [imported(scene, file, absent=True) for file in files]  # both read before one is taken
    for import_id in imports:
        assert take(scene, import_id).state == TAKEN
    assert state(scene) == {"A/1.jpg": ABSENT}
    assert scene.count(Box) == 2
