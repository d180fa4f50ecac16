"""The figures on the detector's card, on examples that a person can check by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.learning.detector_measures import (
    Ranking,
    average_precision,
    best_scores,
    bootstrap,
    count_above,
    ranking,
    share_at,
)


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_a_photo_without_boxes_has_the_best_score_zero() -> None:
    assert best_scores([scores(0.2, 0.9), scores()]).tolist() == pytest.approx([0.9, 0.0])
    assert share_at(scores(0.9, 0.0), 0.5) == 0.5


def test_one_false_alarm_in_twenty_is_tolerated() -> None:
    empties = scores(0.95, 0.613, *([0.1] * 18))
    assert count_above(empties) == 0.62
    assert count_above(empties, allowed=0.0) == 0.96


def test_a_threshold_needs_empties() -> None:
    with pytest.raises(ValueError, match="empty photos"):
        count_above(scores())


@given(
    st.lists(st.integers(0, 98).map(lambda hundredths: hundredths / 100), min_size=1, max_size=60),
    st.sampled_from([0.0, 0.05, 0.2]),
)
def test_no_more_than_the_allowed_share_is_ever_above(values: list[float], allowed: float) -> None:
    assert share_at(scores(*values), count_above(scores(*values), allowed)) <= allowed


def test_average_precision_of_a_perfect_a_blind_and_a_doubled_answer() -> None:
    truth = [np.array([[0, 0, 1, 1]], np.float32)]
    far = np.array([[5, 5, 6, 6]], np.float32)
    twice = np.concatenate([truth[0], truth[0]])
    assert average_precision([(truth[0], scores(0.5))], truth) == 1.0
    assert average_precision([(far, scores(0.5))], truth) == 0.0
    assert average_precision([(twice, scores(0.9, 0.8))], truth) == 1.0
    assert average_precision([(np.concatenate([far, truth[0]]), scores(0.9, 0.8))], truth) == 0.5
    assert average_precision([(np.empty((0, 4), np.float32), scores())], truth) == 0.0


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(corners, np.float32).reshape(-1, 4)


LEFT, RIGHT, NOWHERE = (0.0, 0.0, 0.4, 0.4), (0.6, 0.0, 1.0, 0.4), (0.4, 0.6, 0.6, 0.8)


def two_photos(unsure: np.ndarray) -> Ranking:
    """Photo 0 shows two animals, photo 1 none. Found: the left one twice, something else twice, nothing of the right one."""
    found = [
        (boxes(LEFT, LEFT, NOWHERE), scores(0.9, 0.8, 0.3)),
        (boxes(RIGHT), scores(0.7)),
    ]
    return ranking(found, [boxes(LEFT, RIGHT), boxes()], [unsure, boxes()])


def test_an_animal_is_met_once_and_a_second_box_on_it_is_false() -> None:
    judged = two_photos(boxes())
    assert judged.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.3])
    assert judged.hits.tolist() == [True, False, False, False]
    assert judged.photos.tolist() == [0, 0, 1, 0]
    assert judged.at_score(0.9) == (1.0, 0.5)
    assert judged.at_score(0.5) == (pytest.approx(1 / 3), 0.5)


def test_what_a_person_was_unsure_of_is_neither_right_nor_false() -> None:
    judged = two_photos(boxes(NOWHERE))
    assert judged.scores.tolist() == pytest.approx([0.9, 0.8, 0.7])


def test_recall_at_a_rate_of_false_boxes_takes_the_lowest_threshold_that_keeps_it() -> None:
    judged = two_photos(boxes())
    assert judged.threshold_at(0.0) == pytest.approx(0.9)
    assert judged.threshold_at(0.5) == pytest.approx(0.8)
    assert judged.recall_at(0.5) == 0.5
    nothing = ranking([(boxes(NOWHERE), scores(0.9))], [boxes(LEFT)], [boxes()])
    assert nothing.recall_at(0.0) == 0.0
    assert np.isnan(nothing.at_score(0.95)[0])


def test_equal_scores_stand_on_one_side_of_a_threshold() -> None:
    found = [(boxes(LEFT, NOWHERE), scores(0.6, 0.6))]
    judged = ranking(found, [boxes(LEFT)], [boxes()])
    assert judged.recall_at(0.5) == 0.0  # the false box of the same score comes along


def test_a_photo_drawn_twice_counts_twice() -> None:
    twice = two_photos(boxes()).of(np.array([0, 0]))
    assert twice.truth.tolist() == [2, 2]
    assert twice.hits.sum() == 2
    assert twice.at_score(0.9) == (1.0, 0.5)


def test_the_bootstrap_draws_whole_places() -> None:
    places = ["a", "a", "b", "b"]
    drawn: list[list[int]] = []

    def measure(photos: np.ndarray) -> float:
        drawn.append(photos.tolist())
        return float((photos < 2).mean())

    low, high = bootstrap(places, measure, rounds=60)
    assert (low, high) == (0.0, 1.0)
    assert {tuple(sorted(photos)) for photos in drawn} == {(0, 0, 1, 1), (0, 1, 2, 3), (2, 2, 3, 3)}
