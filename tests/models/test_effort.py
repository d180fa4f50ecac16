"""Trap nights: the period minus the union of its problems; a day counts as its active share."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deployment import PROBLEMS
from models.effort import Problem, active_shares, active_spans, trap_nights

START = dt.datetime(2026, 3, 1, 12)


def day(days: float) -> dt.datetime:
    return START + dt.timedelta(days=days)


def off(first: float, last: float, kind: str = "not_working") -> Problem:
    return Problem(kind, day(first), day(last))


@pytest.mark.parametrize(
    ("problems", "nights"),
    [
        ([], 30), ([off(3, 5)], 28), ([off(3, 5), off(4, 6)], 27), ([off(3, 6), off(4, 5)], 27), ([off(-4, 1)], 29),
        ([off(29.5, 40)], 29.5), ([off(-1, 31)], 0), ([off(40, 41)], 30), ([off(5, 5)], 30), ([off(5, 4)], 30),
        ([off(10, 11, "knocked_down")], 10), ([off(10, 11, "moved"), off(2, 3)], 9), ([off(3, 5, "blocked")], 28),
    ],
)  # fmt: skip
def test_the_effort_is_the_period_without_its_problems(problems: list[Problem], nights: float) -> None:
    assert trap_nights(START, day(30), problems) == pytest.approx(nights)


def test_a_deployment_without_a_period_has_no_effort_rather_than_none() -> None:
    assert trap_nights(None, START, []) is None and trap_nights(START, None, []) is None
    assert trap_nights(START, START, []) == 0


def test_a_day_counts_as_its_active_share() -> None:
    shares = active_shares(START, day(3), [off(1, 1.25)])
    assert shares == {
        dt.date(2026, 3, 1): 0.5, dt.date(2026, 3, 2): 0.75, dt.date(2026, 3, 3): 1.0, dt.date(2026, 3, 4): 0.5,
    }  # fmt: skip
    assert active_shares(dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 2), []) == {dt.date(2026, 3, 1): 1.0}


hours = st.integers(-100, 400).map(lambda hour: START + dt.timedelta(hours=hour))
problem = st.builds(Problem, st.sampled_from(PROBLEMS), hours, hours)


@given(st.integers(0, 300), st.lists(problem, max_size=6))
def test_every_hour_is_counted_as_a_slow_look_at_each_counts_it(length: int, problems: list[Problem]) -> None:
    end = START + dt.timedelta(hours=length)
    worked = 0
    for hour in range(length):
        at = START + dt.timedelta(hours=hour)
        stopped = any(
            each.from_at <= at < (end if each.kind in ("knocked_down", "moved") else each.to_at) for each in problems
        )
        worked += not stopped
    nights = trap_nights(START, end, problems)
    assert nights == pytest.approx(worked / 24)
    assert sum(active_shares(START, end, problems).values()) == pytest.approx(worked / 24)
    spans = active_spans(START, end, problems)
    assert all(one.to_at < other.from_at for one, other in pairwise(spans))
