"""The audit draw: equal chances, spread over cameras, blind to and unseen by the strategy."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.selection.errors import NotEnough
from worker.stopping.draw import audits_among, audits_of_round, chance_after, draw, mixed, unaudited

NONE = np.empty(0, dtype=np.int64)


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 40), data=st.data())
def test_a_draw_is_m_different_rows_of_those_given_and_the_same_twice(n: int, data: st.DataObject) -> None:
    rows = np.array(sorted(data.draw(st.sets(st.integers(0, n - 1)))), dtype=np.int64)
    m = data.draw(st.integers(0, len(rows)))
    camera, burst = np.arange(n) % 3, np.arange(n) % 7
    drawn = draw(rows, camera, burst, m, np.random.default_rng(5))
    assert len(set(drawn.tolist())) == m
    assert set(drawn.tolist()) <= set(rows.tolist())
    assert drawn.tolist() == draw(rows, camera, burst, m, np.random.default_rng(5)).tolist()


def test_every_crop_has_the_same_chance_where_the_arcs_do_not_divide() -> None:
    rng = np.random.default_rng(0)
    rows, camera = np.arange(2, 13), np.zeros(13, dtype=np.int64)
    times = 6_000
    counts = sum(np.bincount(draw(rows, camera, np.arange(13) // 2, 3, rng), minlength=13) for _ in range(times))
    share = 3 / 11
    assert counts[:2].sum() == 0
    assert (np.abs(counts[2:] / times - share) < 5 * (share * (1 - share) / times) ** 0.5).all()


def test_ten_draws_from_ten_cameras_never_take_three_of_one() -> None:
    rng = np.random.default_rng(1)
    camera = rng.permutation(np.repeat(np.arange(10), 10))
    for _ in range(300):
        drawn = draw(np.arange(100), camera, np.zeros(100, dtype=np.int64), 10, rng)
        assert np.bincount(camera[drawn]).max() <= 2


def test_a_burst_lies_together_within_its_camera() -> None:
    # 4 bursts of 5 in turns: a draw of 4 takes at most 2 of a burst
    rng = np.random.default_rng(2)
    burst = np.arange(20) % 4
    for _ in range(300):
        drawn = draw(np.arange(20), np.zeros(20, dtype=np.int64), burst, 4, rng)
        assert np.bincount(burst[drawn]).max() <= 2


def test_more_than_there_is_is_refused() -> None:
    zeros = np.zeros(4, dtype=np.int64)
    with pytest.raises(NotEnough, match="5 crops asked for the audit, 4 are left"):
        draw(np.arange(4), zeros, zeros, 5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="-1"):
        draw(np.arange(4), zeros, zeros, -1, np.random.default_rng(0))


def test_one_crop_in_fifteen_is_audited_in_small_rounds_too() -> None:
    rng = np.random.default_rng(3)
    counts = [audits_of_round(20, rng) for _ in range(4_000)]
    assert set(counts) == {1, 2}
    assert np.mean(counts) == pytest.approx(20 / 14, abs=0.04)
    assert audits_of_round(28, rng) == 2
    counts = [audits_among(20, rng) for _ in range(4_000)]
    assert set(counts) == {1, 2}
    assert np.mean(counts) == pytest.approx(20 / 15, abs=0.04)
    assert audits_among(30, rng) == 2


def test_the_ranking_is_walked_past_audited_crops_and_no_further_than_needed() -> None:
    assert unaudited([7, 3, 9, 1, 4, 2], {3, 4}, 3) == ([7, 9, 1], [3])
    assert unaudited([7, 3, 9, 1, 4, 2], {3, 4}, 4) == ([7, 9, 1, 2], [3, 4])
    assert unaudited([7, 3], {3}, 5) == ([7], [3])
    assert unaudited([7, 3], {7}, 0) == ([], [])


def shares(right: list[int], drawn: tuple[int, ...], left: list[int], picks: list[int]) -> Fraction | None:
    """Share right among the drawn that have not left, less that of the rest; None where one of them is empty."""
    audited = [row for row in drawn if row not in left]
    rest = [row for row in range(len(right)) if row not in {*drawn, *picks}]
    if not audited or not rest:
        return None
    return Fraction(sum(right[row] for row in audited), len(audited)) - Fraction(
        sum(right[row] for row in rest), len(rest)
    )


def test_over_all_possible_draws_the_audit_is_as_right_as_the_rest() -> None:
    # the hard crops are ranked first and guessed wrong: the worst case for an audit that keeps them
    right = [0, 0, 0, 1, 0, 1, 1]
    blind, kept = [], []
    for drawn in combinations(range(7), 3):
        picks, left = unaudited(range(7), drawn, 2)
        blind.append(shares(right, drawn, left, picks))
        kept.append(shares(right, drawn, [], picks))
    assert sum(error for error in blind if error is not None) == 0
    assert sum(error for error in kept if error is not None) < -3


def test_chances_grow_alike_for_drawn_and_undrawn_and_later_crops_have_less() -> None:
    first = chance_after(np.zeros(7), np.arange(5), NONE, 1)
    assert first.tolist() == [0.2] * 5 + [0.0] * 2
    second = chance_after(first, np.array([0, 1, 2, 3, 5, 6]), np.array([4]), 3)
    assert second[:5] == pytest.approx([0.2 + 0.8 * 0.5] * 5)
    assert second[5:].tolist() == [0.5, 0.5]
    assert first[0] == 0.2
    assert chance_after(first, NONE, np.array([4]), 0).tolist() == first.tolist()


def test_audited_crops_stand_at_any_place_among_the_picks_in_their_order() -> None:
    rng = np.random.default_rng(4)
    orders = [mixed([5, 3, 8], [1, 0], rng) for _ in range(400)]
    assert {tuple(order) for order in orders} == {
        tuple(order)
        for ones in combinations(range(5), 2)
        for pair in ([0, 1], [1, 0])
        for order in [merged(ones, list(pair))]
    }


def merged(places: tuple[int, ...], drawn: list[int]) -> list[int]:
    picks = [5, 3, 8]
    return [drawn.pop(0) if place in places else picks.pop(0) for place in range(5)]
