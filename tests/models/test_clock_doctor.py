"""The clock doctor: resets, photos outside the period, the future, AM and PM; and the silence about clocks that are right."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.beside_cameras import disagreement, visits
from models.clock_doctor import Found, Period, Shot, in_file_order, look
from models.correcting import SHIFT, SWAP, Correction
from models.daylight import Place, sun_found
from models.sun import elevation_deg

START = dt.datetime(2026, 3, 1, 10)
NOW = dt.datetime(2026, 9, 1)
PERIOD = Period(START, START + dt.timedelta(days=40))
OPEN = Period(None, None)


def shots(*times: dt.datetime) -> list[Shot]:
    return [Shot(number, f"A/IMG_{number:04}.JPG", at, at) for number, at in enumerate(times, start=1)]


def every(first: dt.datetime, days: int, hours: int = 24) -> list[dt.datetime]:
    return [first + dt.timedelta(hours=hours * number) for number in range(days * 24 // hours)]


def healed(found: Found, photos: Sequence[Shot]) -> list[dt.datetime]:
    assert found.proposal is not None
    return [found.proposal.of(each.taken) or each.taken for each in photos if found.proposal.covers(each.shot)]


def test_a_clock_that_is_right_is_not_spoken_of() -> None:
    assert look(shots(*every(START, 30)), PERIOD, NOW) == []
    assert look(shots(*every(dt.datetime(2025, 12, 20), 30)), OPEN, NOW) == []  # over new year
    assert look(shots(START.replace(hour=2)), PERIOD, NOW) == [] and look([], PERIOD, NOW) == []


@pytest.mark.parametrize("year", [1970, 2000, 2005, 2010, 2015, 2026])
def test_a_reset_is_seen_and_goes_on_from_the_last_good_photo(year: int) -> None:
    good, wrong = every(dt.datetime(2026, 4, 1, 9), 9), every(dt.datetime(year, 1, 1, 0, 5), 10)
    period = Period(dt.datetime(2026, 4, 1, 9), dt.datetime(2026, 5, 1))
    photos = shots(*good, *wrong)
    (found,) = look(photos, period, NOW)
    assert (found.kind, found.figures["photos"], found.figures["of"], found.mark) == ("reset", 10, 19, "10")
    moved = healed(found, photos)
    assert len(moved) == 10 and moved[0] == good[-1]
    assert found.figures["latest"] == (dt.datetime(2026, 5, 1) - (wrong[-1] - wrong[0])).isoformat()


def test_a_clock_that_was_never_set_begins_with_the_deployment() -> None:
    photos = shots(*every(dt.datetime(2000, 1, 1, 0, 3), 20))
    (found,) = look(photos, PERIOD, NOW)
    assert found.kind == "reset" and healed(found, photos)[0] == START


def test_a_clock_that_was_set_again_is_believed_from_there() -> None:
    photos = shots(*every(START, 5), *every(dt.datetime(2015, 1, 1), 4), *every(START + dt.timedelta(days=12), 5))
    (found,) = look(photos, OPEN, NOW)
    assert (found.figures["photos"], found.figures["of"]) == (4, 14)
    assert found.figures["latest"] == (START + dt.timedelta(days=9)).isoformat()


def test_two_resets_to_the_same_date_are_two_findings_and_no_proposal_mixes_them() -> None:
    photos = shots(*every(START, 5), *every(dt.datetime(2015, 1, 1), 4), *every(dt.datetime(2015, 1, 1, 3), 4))
    found = look(photos, OPEN, NOW)
    assert [(each.mark, each.proposal) for each in found] == [("6", None), ("10", None)]


def test_another_year_and_swapped_days_are_told_apart() -> None:
    wrong_year = shots(*(at.replace(year=2025) for at in every(START, 30)))
    (found,) = look(wrong_year, PERIOD, NOW)
    assert (found.kind, found.figures["before"], found.figures["after"]) == ("outside", 30, 0)
    assert found.proposal == Correction(SHIFT, {"seconds": 365 * 86400})
    swapped = shots(*(at.replace(day=at.month, month=at.day) for at in every(START, 11)))
    (found,) = look(swapped, PERIOD, NOW)
    assert found.proposal == Correction(SWAP)
    strange = shots(*every(dt.datetime(2025, 8, 14, 7, 30), 20))
    (found,) = look(strange, Period(START, START + dt.timedelta(days=25)), NOW)
    assert healed(found, strange)[0].date() == START.date()


def test_photos_left_on_the_card_are_reported_and_nothing_is_proposed_that_does_not_explain_them() -> None:
    old = every(dt.datetime(2025, 8, 14, 7, 30), 3)
    (found,) = look(shots(*old, *every(START, 20)), PERIOD, NOW)
    assert (found.figures["photos"], found.figures["of"], found.figures["before"]) == (3, 23, 3)
    assert found.proposal is None


def test_photos_of_the_future() -> None:
    photos = shots(*every(dt.datetime(2027, 3, 1), 10))
    (found,) = look(photos, OPEN, NOW)
    assert found.kind == "future" and healed(found, photos)[0] == dt.datetime(2026, 3, 1)
    assert look(shots(NOW + dt.timedelta(hours=14)), OPEN, NOW) == []


def test_files_are_in_the_order_of_their_numbers() -> None:
    paths = ["A/IMG_10.JPG", "A/IMG_9.JPG", "A/2/IMG_1.JPG", "A/10/IMG_1.JPG"]
    ordered = in_file_order(Shot(1, path, START, START) for path in paths)
    assert [shot.path for shot in ordered] == ["A/2/IMG_1.JPG", "A/10/IMG_1.JPG", "A/IMG_9.JPG", "A/IMG_10.JPG"]


times = st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)), max_size=30)


@given(times, st.sampled_from([PERIOD, OPEN, Period(START, None), Period(None, START)]))
def test_whatever_the_times_are_the_doctor_says_something_sound(moments: list[dt.datetime], period: Period) -> None:
    photos = shots(*moments)
    found = look(photos, period, NOW)
    assert len({(each.kind, each.mark) for each in found}) == len(found)
    for each in found:
        assert 0 < each.figures["photos"] <= each.figures["of"] <= len(photos)


@pytest.mark.parametrize(
    ("at", "latitude", "longitude", "degrees"),
    [  # NOAA Solar Calculator (gml.noaa.gov/grad/solcalc)
        (dt.datetime(2026, 6, 21, 12), 0.0, 0.0, 66.5), (dt.datetime(2026, 3, 20, 12), 0.0, 0.0, 88.0),
        (dt.datetime(2026, 12, 21, 12), 52.0, 0.0, 14.6), (dt.datetime(2026, 6, 21, 0), 52.0, 0.0, -14.6),
    ],
)  # fmt: skip
def test_the_sun_stands_where_it_stands(at: dt.datetime, latitude: float, longitude: float, degrees: float) -> None:
    assert elevation_deg(at, latitude, longitude) == pytest.approx(degrees, abs=0.7)


def test_bright_nights_and_dark_days_are_am_for_pm() -> None:
    place = Place(-12.0, -70.0, "America/Lima")
    hours = [START + dt.timedelta(hours=3 * number) for number in range(80)]
    bright = [150 if 7 <= at.hour <= 16 else 40 for at in hours]
    right = [Shot(n, f"{n}", at, at, light) for n, (at, light) in enumerate(zip(hours, bright, strict=True))]
    assert sun_found(right, PERIOD, place) == []
    wrong = [shot._replace(taken=shot.taken - dt.timedelta(hours=12)) for shot in right]
    (found,) = sun_found(wrong, PERIOD, place)
    assert found.proposal == Correction(SHIFT, {"seconds": 43200})
    assert found.figures["by_night"] > found.figures["by_day"] + 20
    assert sun_found(wrong, PERIOD, place._replace(zone="")) == [found]
    assert sun_found(wrong[:6], PERIOD, place) == []


def visiting(*offsets_min: int) -> list[dt.datetime]:
    """Irregular visits over a month, seen so many minutes off."""
    chance = random.Random(4)
    begins = sorted(START + dt.timedelta(minutes=chance.randrange(40_000)) for _ in range(60))
    return [at + dt.timedelta(minutes=offset) for at in begins for offset in offsets_min]


def test_two_cameras_that_disagree_by_a_constant() -> None:
    mine, theirs = visits(visiting(0)), visits(visiting(721))
    found = disagreement(mine, theirs, 9, "Camera B")
    assert found is not None and (found.kind, found.mark) == ("pair", "9")
    assert found.proposal == Correction(SHIFT, {"seconds": 721 * 60}) and found.figures["photos"] >= 50
    back = disagreement(theirs, mine, 8, "Camera A")
    assert back is not None and back.proposal == Correction(SHIFT, {"seconds": -721 * 60})
    assert disagreement(mine, visits(visiting(1)), 9, "Camera B") is None  # they agree
    chance = random.Random(5)
    alone = sorted(START + dt.timedelta(minutes=chance.randrange(40_000)) for _ in range(60))
    assert disagreement(mine, alone, 9, "Camera B") is None and disagreement([], alone, 9, "") is None
