"""What is held back shares no camera with what is kept, and the report rests on it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.learning.report import report
from worker.learning.splits import by_group


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), max_size=60),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 5),
)
def test_groups_stay_whole_and_every_class_is_kept(rows: list[tuple[int, int]], share: float, seed: int) -> None:
    groups = np.array([row[0] for row in rows], dtype=np.int64)
    labels = np.array([row[1] for row in rows], dtype=np.int64)
    kept, held = by_group(groups, labels, share, np.random.default_rng(seed))
    assert sorted([*kept, *held]) == list(range(len(rows)))
    assert not set(groups[kept]) & set(groups[held])
    assert set(labels[kept]) == set(labels)
    again = by_group(groups, labels, share, np.random.default_rng(seed))
    assert (again[0] == kept).all() and (again[1] == held).all()


def test_about_the_share_is_held() -> None:
    rng = np.random.default_rng(0)
    groups, labels = rng.integers(0, 50, 2000), rng.integers(0, 3, 2000)
    assert len(by_group(groups, labels, 0.2, rng)[1]) == pytest.approx(400, abs=40)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="share"):
        by_group(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64), 1.0, np.random.default_rng(0))


def test_a_report_counts_held_cameras_and_says_when_there_are_none() -> None:
    rng = np.random.default_rng(1)
    labels, deployment = rng.integers(0, 3, 400), rng.integers(0, 12, 400)
    vectors = (np.eye(3, 8)[labels] * 6 + rng.standard_normal((400, 8))).astype(np.float32)
    found = report(vectors, labels, deployment, classes=[0, 1, 2], seed=1)
    assert found.accuracy > 0.95 and found.n_held > 40
    assert set(found.per_class) <= {0, 1, 2}
    alone = report(vectors, labels, np.zeros(400, dtype=np.int64), classes=[0, 1, 2], seed=1)
    assert math.isnan(alone.accuracy) and alone.n_held == 0
