"""Independent visits: both rules of camtrapR, against a slow twin that follows its definition word by word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.event import EVENT_RULES, LAST_INDEPENDENT, LAST_RECORD
from models.visits import Records, Visits, visits

Record = tuple[int, int, int, int, bool]  # camera, species, second, count, by a person
RECORDS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 40), st.integers(1, 9), st.booleans()), max_size=40
)


def records_of(rows: list[Record]) -> Records:
    """Photo ids count up in the order of export: by time."""
    rows = sorted(rows, key=lambda row: row[2])
    columns = [np.array(column, np.int64) for column in zip(*rows, strict=True)] or [np.zeros(0, np.int64)] * 5
    cameras, species, seconds, counts, people = columns
    shares = np.where(people.astype(bool), np.nan, (seconds % 7 + 1) / 10).astype(np.float32)
    return Records(np.arange(1, len(rows) + 1), cameras, species, seconds, counts, people.astype(bool), shares)


def slow(rows: list[tuple[int, ...]], gap_s: int, rule: str) -> list[tuple[int, ...]]:
    """camtrapR's assessTemporalIndependence: for each record look at all earlier ones of the same species and station.

    rows: (photo, camera, species, second, count, named). (camera, species, photo, first, last, photos, named, MaxN, delta) each.
    """
    independent: dict[int, int] = {}  # photo -> delta, of the independent records
    rows = sorted(rows, key=lambda row: row[3])
    for photo, _camera, species, second, *_rest in rows:
        same = [row for row in rows if row[2] == species]
        earlier = [row for row in same if row[3] < second]
        if not earlier:
            independent[photo] = 0
            continue
        compared = [row for row in earlier if rule == LAST_RECORD or row[0] in independent]
        delta = min(second - row[3] for row in compared)
        if delta >= gap_s:
            independent[photo] = delta
    found = []
    for photo, camera, species, second, *_rest in rows:
        same = [row for row in rows if row[2] == species]
        if photo not in independent or any(row[3] == second and row[0] < photo for row in same):
            continue  # one of several records of one second is kept
        later = [row[3] for row in same if row[0] in independent and row[3] > second]
        mine = [row for row in same if second <= row[3] < min(later, default=10**9)]
        found.append((
            camera, species, photo, second, max(row[3] for row in mine), len(mine), sum(row[5] for row in mine),
            max(row[4] for row in mine), independent[photo],
        ))  # fmt: skip
    return sorted(found)


def rows_of(found: Visits) -> list[tuple[int, ...]]:
    columns = (
        found.deployment_ids, found.species_ids, found.first_image_ids, found.first_s, found.last_s, found.photos, found.named,
        found.max_counts, found.delta_s,
    )  # fmt: skip
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def apart(records: Records, camera: int | None) -> Records:
    """Those of one camera; of all, where none is named."""
    kept = np.ones(len(records.image_ids), bool) if camera is None else records.deployment_ids == camera
    return Records(*(getattr(records, name)[kept] for name in Records.__dataclass_fields__))


@given(RECORDS, st.integers(0, 12), st.sampled_from(EVENT_RULES), st.booleans())
def test_visits_are_those_of_the_slow_twin(rows: list[Record], gap_s: int, rule: str, cameras_alone: bool) -> None:
    records = records_of(rows)
    for camera in (1, 2, 3) if cameras_alone else (None,):
        of = apart(records, camera)
        columns = (of.image_ids, of.deployment_ids, of.species_ids, of.seconds, of.counts, of.by_people.astype(int))
        plain = list(zip(*(column.tolist() for column in columns), strict=True))
        assert rows_of(visits(of, gap_s, rule)) == slow(plain, gap_s, rule)


@given(RECORDS, st.integers(0, 12), st.sampled_from(EVENT_RULES))
def test_no_record_is_lost_and_visits_of_a_species_never_overlap(rows: list[Record], gap_s: int, rule: str) -> None:
    records = records_of(rows)
    found = visits(records, gap_s, rule)
    assert found.photos.sum() == len(records.image_ids)
    assert found.named.sum() == records.by_people.sum()
    assert (found.last_s >= found.first_s).all()
    same = np.diff(found.species_ids) == 0
    assert (found.first_s[1:][same] > found.last_s[:-1][same]).all()


@pytest.mark.parametrize(("rule", "starts"), [(LAST_RECORD, [0]), (LAST_INDEPENDENT, [0, 1800, 3600])])
def test_photos_every_ten_minutes_are_one_visit_by_the_last_record_and_many_by_the_last_independent_one(
    rule: str, starts: list[int]
) -> None:
    every = [(1, 1, second, 1, True) for second in range(0, 4201, 600)]
    assert visits(records_of(every), 1800, rule).first_s.tolist() == starts


@pytest.mark.parametrize("rule", EVENT_RULES)
def test_exactly_the_gap_is_independent_and_a_second_less_is_not(rule: str) -> None:
    assert len(visits(records_of([(1, 1, 0, 1, True), (1, 1, 1800, 1, True)]), 1800, rule).first_s) == 2
    assert len(visits(records_of([(1, 1, 0, 1, True), (1, 1, 1799, 1, True)]), 1800, rule).first_s) == 1


@pytest.mark.parametrize("rule", EVENT_RULES)
def test_every_species_has_a_timer_of_its_own(rule: str) -> None:
    found = visits(records_of([(1, 1, 0, 1, True), (1, 2, 60, 4, False), (1, 1, 120, 3, True)]), 1800, rule)
    assert found.species_ids.tolist() == [1, 2]
    assert found.max_counts.tolist() == [3, 4]
    assert found.named.tolist() == [2, 0]
    assert np.isnan(found.shares[0])
    assert found.shares[1] == np.float32(0.5)


@pytest.mark.parametrize("rule", EVENT_RULES)
def test_without_a_gap_every_second_is_a_visit_and_photos_of_one_second_are_one(rule: str) -> None:
    found = visits(records_of([(1, 1, 5, 1, True), (1, 1, 5, 2, True), (1, 1, 6, 1, True)]), 0, rule)
    assert found.photos.tolist() == [2, 1]
