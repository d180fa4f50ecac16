"""Stabilizing Predictions."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from worker.stopping.agreement import is_stable, kappa, mean_of_window, stop_set


def test_kappa_by_hand() -> None:
    # 20 both yes, 5 yes-no, 10 no-yes, 15 both no: 0.7 agree, 0.5 by chance
    before = np.array([1] * 20 + [1] * 5 + [0] * 10 + [0] * 15)
    after = np.array([1] * 20 + [0] * 5 + [1] * 10 + [0] * 15)
    assert kappa(before, after) == pytest.approx(0.4)


def test_kappa_of_classes_that_only_one_knows() -> None:
    rng = np.random.default_rng(0)
    before, after = rng.integers(3, 7, 200), rng.integers(5, 9, 200)
    assert kappa(before, after) == pytest.approx(cohen_kappa_score(before, after))


def test_one_class_throughout_is_agreement_and_nothing_to_compare_is_refused() -> None:
    assert kappa(np.array([4, 4]), np.array([4, 4])) == 1
    with pytest.raises(ValueError, match="2 and 3"):
        kappa(np.zeros(2, dtype=np.int64), np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match="0 and 0"):
        kappa(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def test_stable_is_the_mean_of_the_last_three() -> None:
    assert mean_of_window([0.99, 1.0]) is None
    assert not is_stable([1.0, 1.0])
    assert is_stable([0.2, 0.98, 0.99, 1.0])
    assert is_stable([0.99, 0.99, 0.99])
    assert not is_stable([1.0, 1.0, 0.98, 0.99, 0.99])


def test_the_stop_set_is_two_thousand_different_crops_or_all() -> None:
    rows = stop_set(5_000, np.random.default_rng(0))
    assert len(set(rows.tolist())) == 2_000
    assert rows.max() > 4_900
    assert stop_set(3, np.random.default_rng(0)).tolist() == [0, 1, 2]
