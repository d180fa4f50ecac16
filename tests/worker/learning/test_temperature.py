"""A temperature makes probabilities honest and changes no name."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.learning.classifier import softmax
from worker.learning.temperature import calibration_error, temperature_of


def answers(h: int, too_sure: float, seed: int = 0, classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are `too_sure` times what they should be, and names drawn from what they should be."""
    rng = np.random.default_rng(seed)
    honest = (rng.standard_normal((h, classes)) * 2).astype(np.float32)
    right = (rng.random((h, 1)) > softmax(honest, 1.0).cumsum(axis=1)).sum(axis=1).clip(max=classes - 1)
    return honest * np.float32(too_sure), right


def surprise(logits: np.ndarray, right: np.ndarray, temperature: float) -> float:
    """The mean negative log likelihood, by a loop."""
    return float(
        -np.mean([np.log(softmax(row[None], temperature)[0, k]) for row, k in zip(logits, right, strict=True)])
    )


@pytest.mark.parametrize("too_sure", [0.5, 1.0, 3.0])
def test_a_known_temperature_is_found_again(too_sure: float) -> None:
    assert temperature_of(*answers(20_000, too_sure)) == pytest.approx(too_sure, rel=0.05)


def test_it_is_the_most_likely_one_and_less_surprised_by_other_crops() -> None:
    logits, right = answers(2000, 3.0)
    found = temperature_of(logits, right)
    best = min(np.geomspace(1, 8, 60), key=lambda each: surprise(logits, right, each))
    assert found == pytest.approx(best, rel=0.05)
    others = answers(2000, 3.0, seed=1)
    assert surprise(*others, found) < surprise(*others, 1.0) - 0.1
    before, after = (calibration_error(softmax(others[0], each), others[1]) for each in (1.0, found))
    assert after < 0.05 < before


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000), temperature=st.floats(0.125, 8))
def test_no_name_changes(seed: int, temperature: float) -> None:
    logits = np.random.default_rng(seed).standard_normal((20, 4)).astype(np.float32) * 3
    assert (softmax(logits, temperature).argmax(axis=1) == softmax(logits, 1.0).argmax(axis=1)).all()


def test_few_crops_that_are_all_right_do_not_make_it_certain() -> None:
    """Without the answer by chance the most likely temperature would be 0."""
    logits = np.tile(np.array([[2.0, 0, 0]], np.float32), (30, 1))
    sure = softmax(logits, temperature_of(logits, np.zeros(30, np.int64)))[0, 0]
    assert 0.95 < sure < 0.985


def test_nothing_to_learn_from_changes_nothing() -> None:
    assert temperature_of(np.empty((0, 3), np.float32), np.empty(0, np.int64)) == 1
    assert temperature_of(np.ones((9, 1), np.float32), np.zeros(9, np.int64)) == 1
    with pytest.raises(ValueError, match=r"\(h, C\)"):
        temperature_of(np.ones((9, 2), np.float32), np.zeros(8, np.int64))


def test_the_calibration_error_by_hand() -> None:
    """Bins 13 (two crops at 0.9, one right) and 9 (one at 0.6, right) of 15: (2 * 0.4 + 1 * 0.4) / 3."""
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]], np.float32)
    assert calibration_error(chances, np.array([0, -1, 1])) == pytest.approx(0.4, abs=1e-6)
    assert calibration_error(np.eye(3, dtype=np.float32), np.arange(3)) == 0
    assert np.isnan(calibration_error(chances[:0], np.empty(0, np.int64)))
