"""The events job: the places that something changed at, or all of them, get their visits anew; rows that stay the same stay.

Marks and settings are read before the first place and struck off after the last one: what changes meanwhile, or what a crash
leaves undone, makes another job.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, TypeVar

from sqlalchemy import Executable, delete, insert, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import CHUNK_ROWS
from models.event import Event, EventMark, EventsMade, Key
from models.image import Image
from models.job import Job
from models.project import Project
from models.records import Place, Recorder, moment, places
from models.upkeep import under
from models.visits import Visits
from worker.jobs.bench import Bench, Step

Row = tuple[dt.datetime, dt.datetime, int, int, int]  # first_at, last_at, photos, named, max_count
T = TypeVar("T")
COLUMNS = ("first_at", "last_at", "photos", "named", "max_count")


def events(bench: Bench, job: Job, step: Step) -> None:
    """One step: it takes seconds, and doing it twice changes nothing."""
    step("refresh", lambda: refresh(bench, job.project_id, job.id))


def refresh(bench: Bench, project_id: int, job_id: str | None = None) -> int:
    """Bring the events of a project up to date. How many rows changed. job_id: whose progress is shown."""
    with bench.database.reading() as session:
        project = session.get_one(Project, project_id)
        now = under(project)
        marks = session.execute(
            select(EventMark.id, EventMark.deployment_id, EventMark.image_id).where(EventMark.project_id == project_id)
        ).all()
        stations = touched(session, project, [tuple(mark[1:]) for mark in marks])
    changed = 0
    for done, place in enumerate(stations):
        bench.breathe()
        changed += place_anew(bench, project_id, place)
        if job_id is not None and done % 20 == 0:
            bench.patiently(lambda done=done: tell(bench, job_id, done, len(stations)))  # type: ignore[misc]
    ids = [mark.id for mark in marks]
    for start in range(0, max(len(ids), 1), CHUNK_ROWS):
        bench.patiently(lambda start=start: strike_off(bench, project_id, now, ids[start : start + CHUNK_ROWS]))  # type: ignore[misc]
    return changed


def touched(session: Session, project: Project, marks: list[tuple[Any, ...]]) -> list[Place]:
    """The places to look at: those of the marks, or all where a mark names none or the settings are others."""
    every = places(session, project)
    made = session.get(EventsMade, project.id)
    if made is None or made.under != under(project) or (None, None) in marks:
        return every
    cameras = {deployment_id for deployment_id, _image_id in marks if deployment_id is not None}
    photos = [image_id for _deployment_id, image_id in marks if image_id is not None]
    for start in range(0, len(photos), CHUNK_ROWS):
        few = photos[start : start + CHUNK_ROWS]
        cameras |= set(session.scalars(select(Image.deployment_id).where(Image.id.in_(few)).distinct()))
    return [place for place in every if cameras.intersection(place.deployment_ids)]


def place_anew(bench: Bench, project_id: int, place: Place) -> int:
    """The visits to one place, against the rows that are there. How many rows changed."""
    with bench.database.reading() as session:
        found = rows_of(Recorder(session, bench.store, session.get_one(Project, project_id)).visits(place))
        columns = (
            Event.id,
            Event.deployment_id,
            Event.species_id,
            Event.first_image_id,
            *(getattr(Event, each) for each in COLUMNS),
        )
        here = (Event.project_id == project_id, Event.deployment_id.in_(place.deployment_ids))
        had = {tuple(row[1:4]): (row[0], tuple(row[4:])) for row in session.execute(select(*columns).where(*here))}
    gone = [event_id for key, (event_id, _row) in had.items() if key not in found]
    moved = [{"id": had[key][0], **named(row)} for key, row in found.items() if key in had and had[key][1] != row]
    fresh = [{"project_id": project_id, **keyed(key), **named(row)} for key, row in found.items() if key not in had]
    for few in chunks(gone):
        write(bench, delete(Event).where(Event.id.in_(few)))
    for rows in chunks(moved):
        write(bench, update(Event), rows)
    for rows in chunks(fresh):
        write(bench, insert(Event), rows)
    return len(gone) + len(moved) + len(fresh)


def rows_of(found: Visits) -> dict[Key, Row]:
    """What stays when rows are made anew -> the rest."""
    keys = (found.deployment_ids, found.species_ids, found.first_image_ids)
    rest = (found.first_s, found.last_s, found.photos, found.named, found.max_counts)
    return {
        key: (moment(first_s), moment(last_s), photos, by_people, most)
        for key, (first_s, last_s, photos, by_people, most) in zip(
            zip(*(column.tolist() for column in keys), strict=True),
            zip(*(column.tolist() for column in rest), strict=True),
            strict=True,
        )
    }


def named(row: Row) -> dict[str, Any]:
    """As columns."""
    return dict(zip(COLUMNS, row, strict=True))


def keyed(key: Key) -> dict[str, int]:
    """As columns."""
    return dict(zip(("deployment_id", "species_id", "first_image_id"), key, strict=True))


def chunks(rows: list[T]) -> Iterator[list[T]]:
    """As many as one transaction writes."""
    return (rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS))


def write(bench: Bench, statement: Executable, rows: list[dict[str, Any]] | None = None) -> None:
    """One transaction."""
    bench.breathe()
    bench.patiently(lambda: written(bench, statement, rows))


def written(bench: Bench, statement: Executable, rows: list[dict[str, Any]] | None) -> None:
    """The same, once."""
    with bench.database.writing() as session:
        session.execute(statement, rows)


def strike_off(bench: Bench, project_id: int, now: str, mark_ids: list[int]) -> None:
    """These marks are followed; the events are of these settings."""
    with bench.database.writing() as session:
        if session.get(Project, project_id) is None:
            return
        session.execute(delete(EventMark).where(EventMark.id.in_(mark_ids)))
        session.merge(EventsMade(project_id=project_id, under=now, made_at=utc_now()))


def tell(bench: Bench, job_id: str, done: int, total: int) -> None:
    """How far it is."""
    with bench.database.writing() as session:
        session.execute(update(Job).where(Job.id == job_id).values(done=done, total=total))
