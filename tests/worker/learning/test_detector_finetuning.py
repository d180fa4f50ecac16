"""A detector learns what people said of its boxes: clay boars are left alone, live deer are not. And it must have helped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.checkpoint import DETECTOR
from tests.parks import DEER, draw_parks
from worker.boxes import iou_matrix
from worker.device import find_device
from worker.jobs.networks import FileShelf
from worker.learning.detector_finetuning import Verdict, Wishes, fine_tune_detector
from worker.learning.detector_folds import detect
from worker.learning.detector_lessons import Lessons, by_place
from worker.learning.detector_training import Progress, Recipe
from worker.learning.field_photos import Boxes, TruePhoto
from worker.networks.detector import load_detector
from worker.networks.weights import STARTER_DIR, WeightsError, read_weights, sha256_of

CPU = find_device("cpu")
STARTER = STARTER_DIR / "detector.safetensors"
QUICK = Recipe(steps=30, batch=2, seed=7, rate=1e-3, trunk_rate=1e-4, warm_up_steps=2, average_decay=0.8)


@pytest.fixture(scope="module")
def parks(tmp_path_factory: pytest.TempPathFactory) -> list[TruePhoto]:
    return draw_parks(tmp_path_factory.mktemp("parks"), 8, 5)


@pytest.fixture(scope="module")
def lessons(parks: list[TruePhoto]) -> Lessons:
    return by_place(parks)


def tune(lessons: Lessons, folder: Path, **wishes: object) -> Verdict:
    wanted = replace(Wishes("mine", views_a_photo=1, recipe=QUICK), **wishes)
    return fine_tune_detector(STARTER, folder / "mine.safetensors", lessons, CPU, wanted, folder / "work")


@pytest.fixture(scope="module")
def taught(lessons: Lessons, tmp_path_factory: pytest.TempPathFactory) -> tuple[Verdict, Path]:
    folder = tmp_path_factory.mktemp("taught")
    return tune(lessons, folder), folder / "mine.safetensors"


def best_on(weights: Path, photos: list[TruePhoto], boxes: list[Boxes]) -> np.ndarray:
    """The best score on each of these boxes, 0 where nothing was found."""
    found = detect(weights, [Path(photo.path) for photo in photos], CPU)
    return np.array(
        [
            scores[iou_matrix(each, wanted[row : row + 1])[:, 0] >= 0.5].max(initial=0)
            for (each, scores), wanted in zip(found, boxes, strict=True)
            for row in range(len(wanted))
        ]
    )


def test_what_people_called_false_is_left_alone_at_places_it_never_saw(
    lessons: Lessons, taught: tuple[Verdict, Path]
) -> None:
    verdict, path = taught
    assert verdict.taken, verdict.words
    assert verdict.comparison is not None and verdict.comparison.gain() > 0.2
    judged = lessons.judged
    boars, deer = [photo.false_xyxy for photo in judged], [photo.boxes_xyxy for photo in judged]
    assert np.median(best_on(STARTER, judged, boars)) > 0.8
    assert np.median(best_on(path, judged, boars)) < 0.3
    assert np.median(best_on(path, judged, deer)) > 0.6


def test_its_card_says_what_it_came_from_and_a_project_can_choose_it(
    lessons: Lessons, taught: tuple[Verdict, Path]
) -> None:
    verdict, path = taught
    weights = FileShelf(path.parent).find(DETECTOR, "mine")
    assert weights.sha256 == verdict.sha256 == sha256_of(path)
    assert (weights.card["name"], weights.card["root"]) == ("mine", "starter")
    assert weights.card["parent"] == sha256_of(STARTER)
    assert weights.card["taught"]["photos"] == len(lessons.taught)
    assert weights.card["taught"]["false_boxes"] == len(lessons.taught)
    assert weights.card["held_out"]["places"] == len({photo.place for photo in lessons.judged})
    assert load_detector(path, CPU).classes == ("animal",)


class Cut(Exception):
    """The power went."""


def test_a_cut_course_goes_on_to_the_same_weights(lessons: Lessons, tmp_path: Path) -> None:
    recipe = replace(QUICK, steps=3, batch=1, save_every_steps=1)

    def cut(progress: Progress) -> None:
        steps.append(progress.step)
        if progress.step == stop_at:
            raise Cut

    def run(folder: Path) -> bytes:
        wishes = Wishes("mine", views_a_photo=1, recipe=recipe)
        few = lessons
        fine_tune_detector(STARTER, folder / "out", few, CPU, wishes, folder, tell=cut)
        [raw] = folder.glob("*.raw.safetensors")
        return raw.read_bytes()

    steps: list[int] = []
    stop_at = 0
    whole = run(tmp_path / "whole")
    stop_at = 3
    with pytest.raises(Cut):
        run(tmp_path / "cut")
    steps.clear()
    stop_at = 0
    assert run(tmp_path / "cut") == whole
    assert steps == [3]
    steps.clear()
    assert run(tmp_path / "cut") == whole
    assert steps == []


def test_a_detector_that_got_worse_is_refused(lessons: Lessons, taught: tuple[Verdict, Path]) -> None:
    """The same course, but where it is judged the boars live."""
    _verdict, path = taught
    alive = [with_boars(photo) if held else photo for photo, held in zip(lessons.photos, lessons.held, strict=True)]
    wishes = Wishes("mine", views_a_photo=1, recipe=QUICK)
    out = path.with_name("worse.safetensors")
    verdict = fine_tune_detector(STARTER, out, Lessons(tuple(alive), lessons.held), CPU, wishes, path.parent / "work")
    assert not verdict.taken
    assert verdict.comparison is not None and verdict.comparison.gain() < -0.1
    assert "did not help" in verdict.words and "chance" not in verdict.words
    assert not out.exists()


def with_boars(photo: TruePhoto) -> TruePhoto:
    """As if the boar were an animal."""
    boxes = np.concatenate([photo.boxes_xyxy, photo.false_xyxy])
    return replace(photo, boxes_xyxy=boxes, species=(*photo.species, "boar"), false_xyxy=photo.false_xyxy[:0])


def test_a_detector_of_species_finds_no_less_and_its_boxes_are_animals(parks: list[TruePhoto], tmp_path: Path) -> None:
    lessons = by_place([with_boars(photo) for photo in parks])
    verdict = tune(lessons, tmp_path, classes=("boar", DEER, "animal"), recipe=replace(QUICK, steps=6))
    assert verdict.taken, verdict.words
    path = tmp_path / "mine.safetensors"
    assert read_weights(path, "detector")[1]["classes"] == ["boar", DEER, "animal"]
    assert load_detector(path, CPU).classes == ("animal",)
    assert [line for line in verdict.lines if line.startswith("names right")]


def test_too_little_is_said_and_a_foreign_detector_is_refused(parks: list[TruePhoto], tmp_path: Path) -> None:
    verdict = tune(by_place(parks[:10]), tmp_path)
    assert not verdict.taken and "2 places are too few" in verdict.words
    with pytest.raises(WeightsError, match="wanted 'detector'"):
        fine_tune_detector(
            STARTER_DIR / "embedder.safetensors", tmp_path / "out", by_place(parks), CPU, Wishes("x"), tmp_path / "work"
        )
