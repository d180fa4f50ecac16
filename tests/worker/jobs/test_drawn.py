"""Boxes that people drew: cut out and embedded as they lie now, learnt from, and never taken for what they were."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from sqlalchemy import select

from models.act import Act
from models.box import Box
from models.desk import Desk
from models.drawing import Corners, Drawing, draw
from models.image import Image
from models.invariants import examine
from models.job import Job
from models.label import newest_label_id
from models.membership import Role
from models.predictions import predictions_of
from models.project import Project
from models.taking_back import redo, undo
from tests import fakes
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, colour_of, meadow, say
from worker.jobs.answered import answered_photos
from worker.jobs.placing import find_placed, vectors_of
from worker.jobs.scene import Scene as Learnt
from worker.jobs.scene import read_scene

pytestmark = pytest.mark.usefixtures("small_shards")
WIDTH, HEIGHT = 160, 120
keys = itertools.count(1)


def shares(pixels: tuple[int, int, int, int]) -> Corners:
    """Corners in a drawn photo."""
    return pixels[0] / WIDTH, pixels[1] / HEIGHT, pixels[2] / WIDTH, pixels[3] / HEIGHT


def act(scene: Scene, do: object, *given: object) -> Act:
    """Something that the expert does."""
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        desk = Desk(session, project, scene.user_id, Role.expert, predictions_of(scene.store.root / "predictions/none"))
        if do is draw:
            box = session.get_one(Box, given[0])
            return draw(desk, box, given[1], key=f"drawing-{next(keys)}")  # type: ignore[arg-type]
        return do(desk, key=f"drawing-{next(keys)}")  # type: ignore[operator, no-any-return]


def two_squares() -> dict[str, bytes]:
    """A photo with a fox on the left and a hare on the right."""
    return {"A/two.jpg": fakes.photo([("fox", LEFT), ("hare", RIGHT)], noise=99)}


def picture_of(scene: Scene, box_id: int) -> str:
    """The colour of a crop's file."""
    box = scene.all(select(Box).where(Box.id == box_id))[0]
    (sha256,) = scene.all(select(Image.sha256).where(Image.id == box.image_id))
    return colour_of(scene.store.crop(sha256, box_id).read_bytes())


def fox_of(scene: Scene) -> Box:
    """The box on the left of the photo with two squares."""
    photo = select(Image.id).where(Image.path == "A/two.jpg").scalar_subquery()
    box: Box = scene.all(select(Box).where(Box.image_id == photo, Box.x_min < 0.3))[0]
    return box


def seen_by_learner(scene: Scene) -> Learnt:
    """What a learn job would read now."""
    with scene.database.reading() as session:
        seen = read_scene(session, scene.project_id, newest_label_id(session, scene.project_id), None)
    assert seen is not None
    return seen


def named_meadow(scene: Scene) -> None:
    """Photos, a round and its answers, and a classifier."""
    scene.run(scene.bring(meadow(50)))
    scene.run(scene.bring(two_squares()))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()


def test_a_moved_box_is_cut_embedded_and_named_as_it_lies_now(scene: Scene) -> None:
    named_meadow(scene)
    old = fox_of(scene)
    new_id = act(scene, draw, old.id, Drawing(moved={old.id: shares(RIGHT)})).answer["box_id"]
    assert find_placed(scene.bench, scene.project_id, old.embedder_id or 0, Box.id == new_id).box_ids.tolist() == []
    assert scene.run_all()[0] == "cut"
    (new,) = scene.all(select(Box).where(Box.id == new_id))
    assert picture_of(scene, new_id) == "hare" and picture_of(scene, old.id) == "fox"
    (hare,) = scene.all(select(Box.id).where(Box.image_id == old.image_id, Box.id.not_in([old.id, new_id])))
    assert scene.guess(new_id) == scene.guess(hare) and new.guess_species_id is not None
    of_all = find_placed(scene.bench, scene.project_id, old.embedder_id or 0, Box.id.in_([old.id, hare, new_id]))
    was, beside, now = vectors_of(scene.bench, of_all)
    assert np.linalg.norm(now - beside) < 0.2 * np.linalg.norm(now - was)
    assert new.vector_file != old.vector_file
    assert examine(scene.database, scene.store, deep=True) == []


def test_the_next_fit_learns_the_drawn_boxes_and_not_what_was_deleted(scene: Scene) -> None:
    named_meadow(scene)
    moved, deleted, *_ = seen_by_learner(scene).names
    new_id = act(scene, draw, moved, Drawing(moved={moved: shares(RIGHT)})).answer["box_id"]
    act(scene, draw, deleted, Drawing(deleted=[deleted]))
    scene.run_all()
    seen = seen_by_learner(scene)
    assert new_id in seen.names and moved not in seen.names and deleted not in seen.names
    assert new_id in seen.boxes.ids and not np.isin([moved, deleted], seen.boxes.ids).any()
    assert scene.count(Job, Job.error != "") == 0


def test_a_box_that_was_taken_back_before_its_crop_was_cut_costs_nothing_and_gets_it_when_drawn_again(
    scene: Scene,
) -> None:
    scene.run(scene.bring(two_squares()))
    scene.run_all()
    fox = fox_of(scene)
    (added,) = act(scene, draw, fox.id, Drawing(added=[shares(RIGHT)])).answer["drawn"]["added"]
    act(scene, undo)
    scene.run_all()
    assert scene.all(select(Box.vector_file).where(Box.id == added)) == [None]
    act(scene, redo)
    assert scene.run_all()[0] == "cut"
    assert picture_of(scene, added) == "hare"
    assert examine(scene.database, scene.store, deep=True) == []


def test_a_detector_learns_corrected_added_and_deleted_boxes(scene: Scene) -> None:
    scene.run(scene.bring(two_squares()))
    scene.run_all()
    fox = fox_of(scene)
    (hare,) = scene.all(select(Box).where(Box.image_id == fox.image_id, Box.id != fox.id))
    better, missed, again = (0.05, 0.1, 0.4, 0.6), (0.05, 0.7, 0.2, 0.95), (0.06, 0.12, 0.38, 0.58)
    told = act(scene, draw, fox.id, Drawing(moved={fox.id: better}, added=[missed, again], deleted=[hare.id])).answer
    fox_now, (missed_id, vain) = told["box_id"], told["drawn"]["added"]
    act(scene, draw, fox_now, Drawing(deleted=[vain]))
    with scene.database.writing() as session:
        say(session, scene, session.get_one(Box, fox_now), "fox")
        say(session, scene, session.get_one(Box, missed_id), "hare")
    (photo,) = answered_photos(scene.database, scene.store, scene.project_id)
    assert np.allclose(photo.boxes_xyxy, [better, missed]) and photo.species == ("fox", "hare")
    assert np.allclose(photo.false_xyxy, [[hare.x_min, hare.y_min, hare.x_max, hare.y_max]])
    assert len(photo.unsure_xyxy) == 0


@pytest.mark.parametrize("moves", [1, 2])
def test_a_detectors_box_that_was_moved_and_then_deleted_is_a_false_one_as_the_detector_drew_it(
    scene: Scene, moves: int
) -> None:
    scene.run(scene.bring(two_squares()))
    scene.run_all()
    fox = fox_of(scene)
    (hare,) = scene.all(select(Box).where(Box.image_id == fox.image_id, Box.id != fox.id))
    now = hare.id
    for low in range(moves):
        now = act(scene, draw, now, Drawing(moved={now: (0.05 + low / 100, 0.7, 0.2, 0.95)})).answer["box_id"]
    act(scene, draw, fox.id, Drawing(deleted=[now]))
    with scene.database.writing() as session:
        say(session, scene, session.get_one(Box, fox.id), "fox")
    (photo,) = answered_photos(scene.database, scene.store, scene.project_id)
    assert (photo.species, len(photo.unsure_xyxy), len(photo.false_xyxy)) == (("fox",), 0, 1)
    assert np.allclose(photo.false_xyxy, [[hare.x_min, hare.y_min, hare.x_max, hare.y_max]])


def test_a_deleted_second_look_at_an_animal_is_no_false_box(scene: Scene) -> None:
    scene.run(scene.bring(two_squares()))
    scene.run_all()
    fox = fox_of(scene)
    (hare,) = scene.all(select(Box).where(Box.image_id == fox.image_id, Box.id != fox.id))
    around = (hare.x_min - 0.02, hare.y_min - 0.02, hare.x_max + 0.02, hare.y_max + 0.02)
    told = act(scene, draw, fox.id, Drawing(moved={fox.id: around}, deleted=[hare.id])).answer
    with scene.database.writing() as session:
        say(session, scene, session.get_one(Box, told["box_id"]), "hare")
    (photo,) = answered_photos(scene.database, scene.store, scene.project_id)
    assert np.allclose(photo.boxes_xyxy, [around]) and len(photo.false_xyxy) == 0
