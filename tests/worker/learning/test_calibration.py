"""Scores that mean what they say."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worker.device import find_device
from worker.learning.calibration import Calibration, built_in, calibrate
from worker.learning.field_photos import open_upright
from worker.networks.detector import KIND, STARTER_DIR, load_detector
from worker.networks.weights import read_weights, write_weights


def drawn(slope: float, offset: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Raw scores, and whether each box is right when the truth is this calibration."""
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.01, 0.99, n).astype(np.float32)
    return scores, rng.random(n) < Calibration(slope, offset)(scores)


def test_a_known_calibration_is_found_again_and_ninety_means_nine_in_ten() -> None:
    scores, hits = drawn(0.6, -1.0)
    found = calibrate(scores, hits)
    assert (found.slope, found.offset) == pytest.approx((0.6, -1.0), abs=0.05)
    about = np.abs(found(scores) - 0.7) < 0.03
    assert hits[about].mean() == pytest.approx(0.7, abs=0.04)


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
