"""Corrections of a clock as functions: what they give, what they refuse, and that taking one away gives the old time."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from models.correcting import DRIFT, SHIFT, SWAP, ZONE, Correction, corrected, known_zone, refused
from models.errors import Invalid

NOON = dt.datetime(2026, 3, 1, 12)
moments = st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2050, 1, 1)).map(lambda each: each.replace(microsecond=0))
seconds = st.integers(-(10**9), 10**9).filter(bool)
shifts = seconds.map(lambda each: Correction(SHIFT, {"seconds": each}))


def drift(shown_1: dt.datetime, true_1: dt.datetime, shown_2: dt.datetime, true_2: dt.datetime) -> Correction:
    pairs = {"shown_1": shown_1, "true_1": true_1, "shown_2": shown_2, "true_2": true_2}
    return Correction.checked(DRIFT, {name: at.isoformat() for name, at in pairs.items()})


@st.composite
def drifts(draw: st.DrawFn) -> Correction:
    shown_1, shown_2, true_1 = draw(moments), draw(moments), draw(moments)
    assume(abs(shown_2 - shown_1) > dt.timedelta(hours=1))
    first, second = sorted((shown_1, shown_2))
    true_2 = true_1 + (second - first) + dt.timedelta(seconds=draw(st.integers(-3000, 3000)))
    return drift(first, true_1, second, true_2)


any_correction = st.one_of(shifts, drifts(), st.just(Correction(SWAP)))
bounded = st.builds(
    lambda each, low, high: Correction(each.kind, each.parameters, low, high),
    any_correction, st.none() | moments, st.none() | moments,
)  # fmt: skip


@given(moments, st.lists(any_correction, max_size=3), bounded, st.lists(any_correction, max_size=2))
def test_what_is_applied_and_taken_back_leaves_the_time_as_it_was(
    shot: dt.datetime, before: list[Correction], one: Correction, after: list[Correction]
) -> None:
    without = corrected(shot, [*before, *after])
    corrected(shot, [*before, one, *after])
    assert corrected(shot, [*before, *after]) == without
    if not one.covers(shot):
        assert corrected(shot, [*before, one, *after]) == without


@given(moments, seconds, seconds)
def test_shifts_add_up(shot: dt.datetime, first: int, second: int) -> None:
    both = corrected(shot, [Correction(SHIFT, {"seconds": first}), Correction(SHIFT, {"seconds": second})])
    assert both == shot + dt.timedelta(seconds=first + second)
    assert corrected(shot, [Correction(SHIFT, {"seconds": each}) for each in (first, -first)]) == shot


@given(drifts(), moments, moments)
def test_a_drift_hits_both_pairs_exactly_and_keeps_the_order(
    correction: Correction, one: dt.datetime, other: dt.datetime
) -> None:
    pairs = {name: dt.datetime.fromisoformat(at) for name, at in correction.parameters.items()}
    assert correction.of(pairs["shown_1"]) == pairs["true_1"]
    assert correction.of(pairs["shown_2"]) == pairs["true_2"]
    first, second = (corrected(each, [correction]) for each in sorted((one, other)))
    assert first is not None and second is not None and (first <= second or second in (one, other))


@given(moments)
def test_day_and_month_change_places_or_the_photo_stays_and_is_counted(shot: dt.datetime) -> None:
    swap = Correction(SWAP)
    if shot.day > 12:
        assert corrected(shot, [swap]) == shot and refused([shot], [], swap) == 1
    else:
        moved = corrected(shot, [swap])
        assert moved is not None and (moved.day, moved.month) == (shot.month, shot.day)
        assert corrected(shot, [swap, swap]) == shot and refused([shot], [], swap) == 0


def test_a_range_is_of_the_time_as_shot_and_has_both_ends() -> None:
    first = Correction(SHIFT, {"seconds": 3600 * 24 * 365})
    second = Correction(SHIFT, {"seconds": 60}, NOON, NOON + dt.timedelta(hours=1))
    year = dt.timedelta(days=365)
    for minutes, more in ((-1, 0), (0, 60), (60, 60), (61, 0)):
        shot = NOON + dt.timedelta(minutes=minutes)
        assert corrected(shot, [first, second]) == shot + year + dt.timedelta(seconds=more)
    assert refused([NOON.replace(day=20)], [], Correction(SWAP, {}, NOON.replace(day=21))) == 0


def test_a_camera_that_knew_no_summer_time_follows_the_rule_of_its_zone() -> None:
    berlin = Correction.checked(ZONE, {"zone": "Europe/Berlin", "set_at": "2026-03-01T10:00"})
    assert corrected(dt.datetime(2026, 3, 20, 8), [berlin]) == dt.datetime(2026, 3, 20, 8)
    assert corrected(dt.datetime(2026, 3, 29, 1, 59), [berlin]) == dt.datetime(2026, 3, 29, 1, 59)
    assert corrected(dt.datetime(2026, 3, 29, 2, 0), [berlin]) == dt.datetime(2026, 3, 29, 3, 0)
    in_summer = Correction.checked(ZONE, {"zone": "Europe/Berlin", "set_at": "2026-07-01"})
    assert corrected(dt.datetime(2026, 11, 1, 8), [in_summer]) == dt.datetime(2026, 11, 1, 7)


def test_times_at_the_edge_of_what_a_date_can_be_stay_as_they_are() -> None:
    late = dt.datetime(9999, 12, 31, 23)
    assert corrected(late, [Correction(SHIFT, {"seconds": 86400})]) == late
    assert corrected(None, [Correction(SWAP)]) is None


@pytest.mark.parametrize(
    ("kind", "parameters", "said"),
    [
        ("wind", {}, "kind: 'wind'"), (SHIFT, {}, "true: "), (SHIFT, {"seconds": 0}, "true: "),
        (SHIFT, {"seconds": 10**12}, "200 years"), (SHIFT, {"seconds": "9"}, "true: "), (DRIFT, {}, "two pairs"),
        (ZONE, {"zone": "Mars/Olympus", "set_at": "2026-01-01"}, "no zone of the IANA list"),
        (ZONE, {"zone": "../../etc/passwd", "set_at": "2026-01-01"}, "no zone"), (ZONE, {"zone": ""}, "zone is needed"),
        (ZONE, {"zone": "UTC", "set_at": "noon"}, "set-at: "),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_its_field(kind: str, parameters: dict[str, object], said: str) -> None:
    with pytest.raises(Invalid, match=said):
        Correction.checked(kind, parameters)


def test_pairs_and_ranges_must_be_in_order() -> None:
    later = NOON + dt.timedelta(days=1)
    for pairs in ((later, NOON, NOON, later), (NOON, later, later, NOON), (NOON, NOON, NOON, later)):
        with pytest.raises(Invalid, match="lies before"):
            drift(*pairs)
    with pytest.raises(Invalid, match="to-at: "):
        Correction.checked(SWAP, {}, later, NOON)
    assert known_zone(" Europe/Berlin ", "zone") == "Europe/Berlin" and known_zone("", "zone") == ""
