"""Bursts: same deployment, each photo at most the gap after the one before."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.batch import Batch
from models.database import Database
from models.image import Image
from models.sequence import Sequence, bursts, regroup
from tests import make

NOON = dt.datetime(2026, 3, 1, 12)


def at(*seconds: int | None) -> list[tuple[int, dt.datetime | None]]:
    return [(number, None if s is None else NOON + dt.timedelta(seconds=s)) for number, s in enumerate(seconds)]


def test_a_gap_is_counted_from_the_photo_before_and_not_from_the_first() -> None:
    assert bursts(at(0, 60, 120), gap_s=60) == [[0, 1, 2]]
    assert bursts(at(0, 60, 121), gap_s=60) == [[0, 1], [2]]


def test_photos_of_one_second_belong_together_even_with_no_gap() -> None:
    assert bursts(at(0, 0, 1), gap_s=0) == [[0, 1], [2]]


def test_an_undated_photo_is_a_burst_of_its_own() -> None:
    assert bursts(at(0, None, None), gap_s=60) == [[0], [1], [2]]


def photo(session: Session, batch: Batch, name: str, second: int | None) -> Image:
    moment = None if second is None else NOON + dt.timedelta(seconds=second)
    return make.image(session, batch, f"Camera A/{name}.JPG", captured_at=moment)


def groups(session: Session) -> list[list[str]]:
    rows = session.execute(select(Image.sequence_id, Image.path).order_by(Image.path))
    by_sequence: dict[int | None, list[str]] = {}
    for sequence_id, path in rows:
        by_sequence.setdefault(sequence_id, []).append(path[9:10])
    return sorted(by_sequence.values())


def test_a_new_gap_moves_photos_and_keeps_the_rows_that_did_not_change(database: Database) -> None:
    with database.writing() as session:
        batch = make.batch(session, make.project(session))
        photos = [
            photo(session, batch, name, second) for name, second in (("a", 0), ("b", 30), ("c", 200), ("d", None))
        ]
        where = photos[0].deployment_id
        assert regroup(session, where, 60) == 3
        assert groups(session) == [["a", "b"], ["c"], ["d"]]
    with database.writing() as session:
        kept = {session.get_one(Image, each.id).sequence_id for each in photos[2:]}
        assert regroup(session, where, 60) == 0
        regroup(session, where, 10)
        assert groups(session) == [["a"], ["b"], ["c"], ["d"]]
        assert {session.get_one(Image, each.id).sequence_id for each in photos[2:]} == kept
        regroup(session, where, 300)
        assert groups(session) == [["a", "b", "c"], ["d"]]
        first = session.get_one(Sequence, session.get_one(Image, photos[0].id).sequence_id)
        assert (first.first_at, first.last_at) == (NOON, NOON + dt.timedelta(seconds=200))


def test_a_photo_that_comes_later_joins_the_burst_it_belongs_to(database: Database) -> None:
    with database.writing() as session:
        batch = make.batch(session, make.project(session))
        where = photo(session, batch, "a", 0).deployment_id
        photo(session, batch, "c", 100)
        regroup(session, where, 60)
        photo(session, batch, "b", 50)
        regroup(session, where, 60)
        assert groups(session) == [["a", "b", "c"]]
