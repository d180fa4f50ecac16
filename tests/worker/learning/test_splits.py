"""What is held back shares no camera with what is kept."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.learning.splits import bursts, by_group, unseen


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


def test_deployments_are_held_where_there_are_some_else_bursts_else_crops() -> None:
    labels, of_four = np.arange(400) % 3, np.arange(400) // 4 + 1
    for deployment, sequence, expected in [
        (np.arange(400) // 20, of_four, np.arange(400) // 20),
        (np.zeros(400, np.int64), of_four, of_four),
        (np.zeros(400, np.int64), np.zeros(400, np.int64), np.arange(400)),
    ]:
        kept, held = unseen(deployment, sequence, labels, 0.2, np.random.default_rng(0))
        assert len(held) == pytest.approx(80, abs=10)
        assert not set(expected[kept]) & set(expected[held])
    mixed = np.where(np.arange(400) < 200, 0, of_four)
    kept, held = unseen(np.zeros(400, np.int64), mixed, labels, 0.2, np.random.default_rng(0))
    groups = bursts(mixed)
    assert len(np.unique(groups)) == 250 and not set(groups[kept]) & set(groups[held])
