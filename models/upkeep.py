"""Whether the events of a project are up to date, and the job that brings them there: what made them old is read, never told."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.event import EventMark, EventsMade
from models.job import EVENTS, FAILED, STEPS, UNFINISHED, Job
from models.project import Project
from models.queue import ask_again

REST = 20  # times as long as the last job took: events take a twentieth of a worker's time, whatever the project's size
AFTER_FAILURE = dt.timedelta(minutes=10)


def under(project: Project) -> str:
    """Everything that changes all events at once, as one word."""
    return (
        f"{project.event_rule} {project.event_gap_minutes} {project.cameras_independent} {project.count_above!r} "
        f"{project.classifier_id}"
    )


def are_current(session: Session, project: Project) -> bool:
    """Whether nothing has changed since the events were made. A project without photos has none, and they are current."""
    if session.scalar(select(EventMark.id).where(EventMark.project_id == project.id).limit(1)) is not None:
        return False
    made = session.get(EventsMade, project.id)
    return made is None or made.under == under(project)


def outdated(session: Session) -> list[int]:
    """The projects whose events are old and whose worker has rested; every project costs one small row."""
    marked = set(session.scalars(select(EventMark.project_id).distinct()))
    made = session.execute(select(Project, EventsMade.under).join(EventsMade, EventsMade.project_id == Project.id))
    marked |= {project.id for project, was in made if was != under(project)}
    return [project_id for project_id in sorted(marked) if has_rested(session, project_id)]


def has_rested(session: Session, project_id: int) -> bool:
    """Whether the last job of this project is long enough ago."""
    last = session.scalar(select(Job).where(Job.key == f"{EVENTS}-{project_id}"))
    if last is None:
        return True
    if last.state in UNFINISHED:
        return False
    if last.started_at is None or last.ended_at is None:
        return True
    rest = AFTER_FAILURE if last.state == FAILED else REST * (last.ended_at - last.started_at)
    return utc_now() - last.ended_at >= rest


def ask_events(session: Session, project_id: int) -> None:
    """Have the worker bring the events up to date: one row a project, asked again and again."""
    ask_again(session, EVENTS, project_id, line="Bringing events up to date", unit=STEPS)
