"""The wrapper that holds a strategy to one crop a burst and to even shares of the cameras."""

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.selection.pools import known_pool, two_class_chances
from worker.selection import k_center, margin
from worker.selection.coverage import Coverage
from worker.selection.event_aware import event_aware
from worker.selection.pool import Pool

RNG = np.random.default_rng
select = event_aware(margin.select)


def pool_of(sequence: list[int], deployment: list[int], gone: list[int] | None = None) -> Pool:
    """Rows of rising margin: the strategy wants the lowest row."""
    n = len(sequence)
    gaps = np.linspace(0.1, 0.9, n).astype(np.float32)
    pool = known_pool(
        np.arange(n, dtype=np.float32)[:, None], gone or [], [0] * len(gone or []), two_class_chances(gaps)
    )
    return replace(pool, sequence=np.array(sequence), deployment=np.array(deployment))


def test_one_crop_a_burst_the_best_of_each() -> None:
    assert select(pool_of([1, 1, 1, 2, 2, 3], [0] * 6), 3, RNG(0)) == [0, 3, 5]


def test_asked_for_more_in_the_same_round_it_goes_on_from_what_it_picked() -> None:
    pool = pool_of([1, 1, 1, 2, 2, 3], [0] * 6)
    more = replace(pool, taken=np.array([0, 3]), picked=np.array([0, 3]))
    assert select(more, 1, RNG(0)) == [5]
    assert select(replace(more, picked=np.empty(0, np.int64)), 1, RNG(0)) == [1]  # in another round
    cameras = pool_of([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 1, 2])
    assert select(replace(cameras, taken=np.array([0]), picked=np.array([0])), 2, RNG(0)) == [4, 6]


def test_each_camera_has_its_even_share() -> None:
    assert select(pool_of([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 1, 2]), 3, RNG(0)) == [0, 4, 6]
    assert select(pool_of([1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 1, 1, 2]), 4, RNG(0)) == [0, 1, 4, 5]  # 2 a camera


def test_the_share_goes_before_the_one_crop_a_burst() -> None:
    # camera 1 has one burst only: the third pick is another burst of camera 0, the fourth has to be a twin
    pool = pool_of([1, 2, 9, 9], [0, 0, 1, 1])
    assert select(pool, 2, RNG(0)) == [0, 2]
    assert select(pool_of([1, 2, 3, 9, 9], [0, 0, 0, 1, 1]), 4, RNG(0)) == [0, 1, 3, 2]
    assert select(pool_of([1, 2, 3, 9, 9], [0, 0, 0, 1, 1]), 5, RNG(0)) == [0, 1, 2, 3, 4]


def test_a_crop_whose_burst_is_not_known_is_one_by_itself() -> None:
    assert select(pool_of([0, 0, 5, 5], [0] * 4), 3, RNG(0)) == [0, 1, 2]


def test_bursts_of_earlier_rounds_do_not_bar() -> None:
    assert select(pool_of([1, 1, 2, 2], [0] * 4, gone=[0]), 2, RNG(0)) == [1, 2]


def slow(sequence: list[int], deployment: list[int], gone: list[int], k: int) -> list[int]:
    """For a strategy that wants the lowest row: three passes over the rows, each with fewer rules."""
    rows = [row for row in range(len(sequence)) if row not in gone]
    share = -(-k // max(len({deployment[row] for row in rows}), 1))
    picks: list[int] = []
    for once, most in [(True, share), (True, k), (False, k)]:
        for row in rows:
            twin = once and sequence[row] != 0 and sequence[row] in [sequence[pick] for pick in picks]
            full = [deployment[pick] for pick in picks].count(deployment[row]) >= most
            if len(picks) < k and row not in picks and not twin and not full:
                picks.append(row)
    return picks


@settings(max_examples=200, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=25), data=st.data())
def test_it_is_three_passes_over_the_ranking(rows: list[tuple[int, int]], data: st.DataObject) -> None:
    sequence, deployment = [list(part) for part in zip(*rows, strict=True)]
    gone = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True, max_size=len(rows)))
    k = data.draw(st.integers(0, len(rows) - len(gone)))
    assert select(pool_of(sequence, deployment, gone), k, RNG(0)) == slow(sequence, deployment, gone, k)


def test_the_strategy_fits_once_and_its_coverage_is_left_alone() -> None:
    pool = pool_of([1, 1, 1, 1, 2, 3], [0, 0, 0, 0, 1, 1])
    fits = []

    def fit() -> np.ndarray:
        fits.append(1)
        return pool.fit()

    assert len(select(replace(pool, fit=fit), 5, RNG(0))) == 5
    assert len(fits) == 1
    covered = replace(pool, coverage=Coverage.of_rows(pool.vectors, np.array([], dtype=np.int64)))
    assert len(event_aware(k_center.select)(covered, 3, RNG(0))) == 3
    assert covered.coverage is not None and not len(covered.coverage.rows)
