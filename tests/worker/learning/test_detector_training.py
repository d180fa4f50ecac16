"""Training the detector: examples by seed, losses that fall, and a cut training that goes on as if never cut."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.device import find_device
from worker.learning.detector_examples import (
    BoxedPhoto,
    Sources,
    draw_batch,
    draw_example,
    read_boxed_photos,
    split_boxed_photos,
)
from worker.learning.detector_training import Progress, Recipe, train_detector, train_on
from worker.networks.detector import load_detector
from worker.networks.weights import WeightsError, sha256_of


@pytest.fixture(scope="module")
def sources() -> Sources:
    """Two photos of a bright square on grass-like noise, and one empty scene."""
    rng = np.random.default_rng(0)
    photos = []
    for number in range(2):
        pixels = rng.integers(0, 90, (200, 300, 3), dtype=np.uint8)
        pixels[60:140, 90:200] = (220, 160, 60)
        encoded = io.BytesIO()
        Image.fromarray(pixels).save(encoded, "PNG")
        boxes = np.array([[90, 60, 200, 140]], np.float32)
        photos.append(BoxedPhoto(f"{number}.png", encoded.getvalue(), boxes, ("square",)))
    empty = Image.fromarray(rng.integers(0, 90, (240, 320, 3), dtype=np.uint8))
    return Sources(photos, [empty])


def test_equal_seed_and_step_give_equal_examples_and_another_step_gives_others(sources: Sources) -> None:
    first, again, later = (draw_batch(sources, 1, step, 2) for step in (4, 4, 5))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.photo, two.photo)
        np.testing.assert_array_equal(one.boxes_xyxy, two.boxes_xyxy)
    assert first[0].photo.shape != later[0].photo.shape or (first[0].photo != later[0].photo).any()


def test_boxes_lie_inside_the_canvas_and_some_examples_are_empty(sources: Sources) -> None:
    canvas = (96, 128)
    examples = [draw_example(sources, np.random.default_rng([9, number]), canvas) for number in range(80)]
    for example in examples:
        assert example.photo.shape == (*canvas, 3)
        assert example.photo.dtype == np.uint8
        x1, y1, x2, y2 = example.boxes_xyxy.T
        assert (x1 >= -0.01).all() and (y1 >= -0.01).all()
        assert (x2 <= canvas[1] + 0.01).all() and (y2 <= canvas[0] + 0.01).all()
        assert (x2 > x1).all() and (y2 > y1).all()
    empty = sum(len(example.boxes_xyxy) == 0 for example in examples)
    assert 10 <= empty <= 60


def test_held_out_photos_are_never_trained_on() -> None:
    photos = [BoxedPhoto(f"{number:03}", b"", np.zeros((1, 4), np.float32), ("a",)) for number in range(30)]
    training, held_out = split_boxed_photos(photos)
    assert len(held_out) == 3
    assert {p.path for p in training} | {p.path for p in held_out} == {p.path for p in photos}
    assert not {p.path for p in training} & {p.path for p in held_out}


@pytest.mark.photos
def test_the_real_folders_are_read_whole(shared_data: Path) -> None:
    photos = read_boxed_photos(shared_data / "boxes")
    assert len(photos) == 491
    assert sum(len(photo.boxes_xyxy) for photo in photos) == 719
    assert {kind for photo in photos for kind in photo.kinds} == {"raccoon", "kangaroo", "capybara"}


def test_a_cut_training_goes_on_as_if_never_cut(sources: Sources, tmp_path: Path) -> None:
    device, recipe = find_device("cpu"), Recipe(steps=3, batch=1, warm_up_steps=1, save_every_steps=2)
    seen: list[Progress] = []
    whole = train_on(sources, tmp_path / "whole", device, recipe, report=seen.append)
    state = tmp_path / "state"
    train_on(sources, tmp_path / "cut", device, recipe, state, stop_after_step=1)
    resumed = train_on(sources, tmp_path / "cut", device, recipe, state)
    assert [progress.step for progress in seen] == [1, 2, 3]
    assert resumed == whole == sha256_of(tmp_path / "cut")
    assert load_detector(tmp_path / "cut", device).classes == ("animal",)
    with pytest.raises(WeightsError, match="seed 1, not 2"):
        train_on(sources, tmp_path / "cut", device, Recipe(seed=2), state)


@pytest.mark.photos
def test_the_starters_folders_train(shared_data: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    train_detector(
        shared_data / "boxes", tmp_path / "mine", steps=1, batch=1, device=find_device("cpu"), report=seen.append
    )
    assert seen[0].loss > 0
    assert load_detector(tmp_path / "mine", find_device("cpu")).name == "mine"
