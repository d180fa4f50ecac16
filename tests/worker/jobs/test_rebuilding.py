"""What was lost and can be made again is made again: doctor names it, the rebuild job mends it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.box import Box
from models.errors import Invalid
from models.image import Image
from models.invariants import examine
from models.rebuilding import ask_rebuild
from tests.worker.jobs.scenes import Scene, meadow

pytestmark = pytest.mark.usefixtures("small_shards")


def ask(scene: Scene, *what: str, batch_id: int | None = None) -> str:
    with scene.database.writing() as session:
        return ask_rebuild(session, scene.project_id, what, batch_id).id


def test_lost_pictures_and_crops_come_back_as_they_were(scene: Scene) -> None:
    scene.run(scene.bring(meadow(10)))
    scene.run_all()
    sha256 = scene.all(select(Image.sha256).order_by(Image.id))
    boxes = scene.all(select(Box).order_by(Box.id))
    crop = scene.store.crop(scene.all(select(Image.sha256).where(Image.id == boxes[0].image_id))[0], boxes[0].id)
    small, whole = scene.store.thumbnail(sha256[1]), scene.store.preview(sha256[2])
    had = {path: path.read_bytes() for path in (crop, small, whole)}
    for path in had:
        path.unlink()
    assert {each.invariant for each in examine(scene.database, scene.store)} == {"I4 pictures"}
    job = scene.run(ask(scene, "thumbnails"))
    assert (job.state, job.done, job.total) == ("done", 10, 10)
    assert small.read_bytes() == had[small] and whole.read_bytes() == had[whole] and not crop.exists()
    scene.run(ask(scene, "crops"))
    assert crop.read_bytes() == had[crop]
    assert examine(scene.database, scene.store) == []


def test_lost_vectors_are_embedded_again(scene: Scene) -> None:
    scene.change(first_round=6)
    scene.run(scene.bring(meadow(10)))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    box = scene.all(select(Box).where(Box.vector_file.is_not(None)))[0]
    scene.store.vectors(box.embedder_id, box.vector_file).unlink()
    assert examine(scene.database, scene.store) != []
    scene.run(ask(scene, "vectors"))
    assert "embed" in scene.run_all()
    assert examine(scene.database, scene.store, deep=True) == []


def test_only_what_can_be_made_again_may_be_asked_for(scene: Scene) -> None:
    with pytest.raises(Invalid, match="originals is none of"):
        ask(scene, "originals")
