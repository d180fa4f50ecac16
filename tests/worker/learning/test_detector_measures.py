"""The figures on the detector's card, on examples that a person can check by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.learning.detector_measures import average_precision, best_scores, count_above, share_at


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
