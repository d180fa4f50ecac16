"""SRAAL's online uncertainty against a loop and against vectors whose answer is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.selection.uncertainty import online_uncertainty


def slow_uncertainty(v: list[float]) -> float:
    """Zhang et al. 2020, eq. 3 and 4, term by term."""
    c = len(v)
    top = max(v)
    variance = sum((1 / c - share) ** 2 for share in v) / c
    if variance < 1e-12:
        return 1.0
    least = (1 / c) * ((1 / c - top) ** 2 + (c - 1) * (1 / c - (1 - top) / (c - 1)) ** 2)
    return min(max(1 - least / variance * top, 0.0), 1.0)


def test_known_vectors() -> None:
    v = np.array([[0.25] * 4, [1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.7, 0.1, 0.1, 0.1]], dtype=np.float32)
    # two halves: Var = 1/16, MINVar = 1/48, so u = 1 - 1/3 * 1/2; the last is as flat as its max allows: u = 1 - 0.7
    assert online_uncertainty(v) == pytest.approx([1, 0, 5 / 6, 0.3], abs=1e-6)


def test_one_class_says_nothing() -> None:
    assert online_uncertainty(np.ones((3, 1), dtype=np.float32)).tolist() == [1, 1, 1]
    assert online_uncertainty(np.ones((0, 3), dtype=np.float32)).shape == (0,)


@settings(max_examples=200, deadline=None)
@given(weights=st.lists(st.floats(0, 1), min_size=2, max_size=12).filter(lambda weights: sum(weights) > 1e-3))
def test_the_loop_says_the_same_and_u_lies_between_0_and_1(weights: list[float]) -> None:
    v = [weight / sum(weights) for weight in weights]
    u = float(online_uncertainty(np.array([v]))[0])
    assert 0 <= u <= 1
    assert u == pytest.approx(slow_uncertainty(v), abs=1e-6)


def test_the_surer_of_two_vectors_is_less_uncertain() -> None:
    tops = np.linspace(0.34, 1, 50)
    v = np.stack([tops, (1 - tops) / 2, (1 - tops) / 2], axis=1)
    assert (np.diff(online_uncertainty(v)) < 0).all()


def test_what_is_not_finite_is_named() -> None:
    v = np.full((3, 2), 0.5)
    v[1, 0] = np.nan
    with pytest.raises(ValueError, match="row 1"):
        online_uncertainty(v)
    with pytest.raises(ValueError, match="classes"):
        online_uncertainty(np.zeros(3))
