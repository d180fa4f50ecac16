"""Scores that mean what they say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worker.device import find_device
from worker.learning.calibration import Calibration, built_in, calibrate, precision_from
from worker.learning.field_photos import open_upright
from worker.networks.detector import KIND, STARTER_DIR, load_detector
from worker.networks.weights import read_weights, write_weights


def drawn(slope: float, offset: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Raw scores, most of them low, and whether each box is right when this is the chance of a box of just its score."""
    rng = np.random.default_rng(1)
    scores = rng.beta(0.4, 1.2, n).clip(0.05, 0.99).astype(np.float32)
    return scores, rng.random(n) < Calibration(slope, offset)(scores)


def test_of_the_boxes_at_ninety_or_above_nine_in_ten_are_right_and_one_in_twenty_at_the_floor() -> None:
    scores, hits = drawn(1.4, 0.3)
    found = calibrate(scores, hits)(scores)
    assert (found >= 0.9).sum() > 500
    assert hits[found >= 0.9].mean() == pytest.approx(0.9, abs=0.03)
    raw_floor = Calibration(1.4, 0.3).where(0.05)
    assert calibrate(scores, hits).where(0.05) == pytest.approx(raw_floor, abs=0.1)


def test_scores_that_say_nothing_are_left_as_likely_as_all() -> None:
    chance = np.random.default_rng(2)
    scores, hits = chance.uniform(0.1, 0.9, 5000).astype(np.float32), chance.random(5000) < 0.3
    np.testing.assert_allclose(calibrate(scores, hits)(scores), 0.3, atol=0.05)


def test_the_precision_from_each_score_upwards_counts_equal_scores_together() -> None:
    scores = np.array([0.2, 0.9, 0.5, 0.5], np.float32)
    hits = np.array([False, True, True, False])
    np.testing.assert_allclose(precision_from(scores, hits), [3 / 6, 2 / 3, 3 / 5, 3 / 5])


def test_the_order_of_scores_stays() -> None:
    scores = np.array([0.0, 0.2, 0.5, 0.9, 1.0], np.float32)
    assert (np.diff(Calibration(1.7, -0.5)(scores)) > 0).all()
    np.testing.assert_allclose(Calibration()(scores[1:4]), scores[1:4], atol=1e-6)


def test_one_kind_of_answer_cannot_be_calibrated() -> None:
    with pytest.raises(ValueError, match="right and boxes that are false"):
        calibrate(np.array([0.3, 0.8], np.float32), np.array([True, True]))


@pytest.mark.photos
def test_built_into_the_weights_it_changes_scores_and_nothing_else(shared_data: Path, tmp_path: Path) -> None:
    tensors, card = read_weights(STARTER_DIR / "detector.safetensors", KIND)
    calibration = Calibration(0.5, 0.4)
    write_weights(tmp_path / "moved.safetensors", built_in(tensors, calibration), card, half=False)
    photo = np.asarray(open_upright(shared_data / "camera-trap" / "speciesnet" / "american_black_bear.jpg", 800))
    device = find_device("cpu")
    with torch.inference_mode():
        answers = []
        for source in ("starter", tmp_path / "moved.safetensors"):
            detector = load_detector(source, device)
            [found] = detector.predict([detector.preprocess(photo)], [photo.shape[:2]])
            answers.append(found)
    raw, moved = answers
    assert len(raw) > 0
    for box, score in zip(raw.boxes_xyxy, calibration(raw.scores), strict=True):
        nearest = np.abs(moved.boxes_xyxy - box).max(axis=1).argmin()
        np.testing.assert_allclose(moved.boxes_xyxy[nearest], box, atol=2e-3)
        assert moved.scores[nearest] == pytest.approx(score, abs=0.02)


def test_a_detector_of_three_classes_is_refused() -> None:
    last = "roi_heads.box_predictor.cls_score"
    with pytest.raises(ValueError, match="3 classes"):
        built_in({f"{last}.weight": torch.zeros(4, 8), f"{last}.bias": torch.zeros(4)}, Calibration())
