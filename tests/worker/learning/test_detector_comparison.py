"""Before and after, on the same photos: gains that a person can check, and what chance makes of them."""

from __future__ import annotations

import numpy as np
import pytest

from worker.learning.detector_comparison import Comparison, Names, compare
from worker.learning.field_photos import TruePhoto, no_boxes

ANIMAL, ELSEWHERE = [0.1, 0.1, 0.4, 0.4], [0.6, 0.6, 0.9, 0.9]
PHOTOS = [
    TruePhoto(f"{n}.jpg", str(n), f"place {n // 2}", np.array([ANIMAL], np.float32), ("deer",), no_boxes())
    for n in range(20)
]


def sees(*score_and_box: tuple[float, list[float]]) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([box for _, box in score_and_box], np.float32).reshape(-1, 4)
    return boxes, np.array([score for score, _ in score_and_box], np.float32)


FALSE_FIRST = sees((0.9, ELSEWHERE), (0.8, ANIMAL))
RIGHT_FIRST = sees((0.9, ANIMAL), (0.8, ELSEWHERE))


def test_a_false_box_above_each_animal_hides_all_of_them() -> None:
    gained = compare([FALSE_FIRST] * 20, [RIGHT_FIRST] * 20, PHOTOS)
    assert gained.gain() == 1.0
    assert gained.gain_95 == (1.0, 1.0)
    lost = compare([RIGHT_FIRST] * 20, [FALSE_FIRST] * 20, PHOTOS)
    assert lost.gain() == -1.0
    assert "gain, mean of the three: -100.0 points (-100.0 to -100.0)" in lost.lines(("a", "b"))


def test_a_gain_at_one_place_of_ten_may_be_chance() -> None:
    some = [RIGHT_FIRST] * 18 + [sees()] * 2
    gained = compare(some, [RIGHT_FIRST] * 20, PHOTOS)
    low, high = gained.gain_95
    assert gained.gain() == pytest.approx(0.1)
    assert low == 0.0 and high > 0.15


def test_places_are_drawn_alike_for_both() -> None:
    same = compare([RIGHT_FIRST, FALSE_FIRST] * 10, [RIGHT_FIRST, FALSE_FIRST] * 10, PHOTOS)
    assert isinstance(same, Comparison)
    assert same.gain_95 == (0.0, 0.0)


def test_names_are_counted_among_what_was_found() -> None:
    names = Names(np.array([2, 0, 2]), np.array([1, 0, 2]), ("a", "b", "c"), 0.5)
    assert names.share() == 0.75
    assert "75.0% (50.0 to 100.0) of 4 animals" in names.line()
    assert "the commonest: 50.0%" in names.line()
