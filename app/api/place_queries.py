"""Deployments, sites and events in pages; events by camera and time, along their index."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from models.clock import ClockCorrection
from models.clock_finding import ClockFinding
from models.deployment import Deployment, ProblemPeriod
from models.event import Event
from models.site import Site

ByTime = tuple[int, dt.datetime, int]  # camera, its clock, event


def deployments(session: Session, project_id: int, after: int, limit: int) -> list[Deployment]:
    """The next by rising id."""
    wanted = select(Deployment).where(Deployment.project_id == project_id, Deployment.id > after)
    return list(session.scalars(wanted.order_by(Deployment.id).limit(limit)))


def problems(session: Session, deployment_ids: Sequence[int]) -> dict[int, list[ProblemPeriod]]:
    """Deployment id -> the times in which its camera did not work."""
    found: dict[int, list[ProblemPeriod]] = defaultdict(list)
    wanted = select(ProblemPeriod).where(ProblemPeriod.deployment_id.in_(deployment_ids))
    for period in session.scalars(wanted.order_by(ProblemPeriod.from_at, ProblemPeriod.id)):
        found[period.deployment_id].append(period)
    return found


def sites(session: Session, project_id: int, after: int, limit: int) -> list[Site]:
    """The next by rising id."""
    wanted = select(Site).where(Site.project_id == project_id, Site.id > after)
    return list(session.scalars(wanted.order_by(Site.id).limit(limit)))


def events(
    session: Session, project_id: int, after: ByTime | None, limit: int, *, species_id: int | None, deployment_id: int | None
) -> list[Event]:  # fmt: skip
    """The next by camera, time and id."""
    place = (Event.deployment_id, Event.first_at, Event.id)
    wanted = select(Event).where(Event.project_id == project_id)
    if species_id is not None:
        wanted = wanted.where(Event.species_id == species_id)
    if deployment_id is not None:
        wanted = wanted.where(Event.deployment_id == deployment_id)
    if after is not None:
        wanted = wanted.where(Event.deployment_id >= after[0], tuple_(*place) > tuple_(*after))
    return list(session.scalars(wanted.order_by(*place).limit(limit)))


def findings(session: Session, project_id: int, after: int, limit: int) -> list[ClockFinding]:
    """The next by rising id of what looks wrong about clocks and nobody dismissed."""
    here = ClockFinding.project_id == project_id, ClockFinding.dismissed_at.is_(None), ClockFinding.id > after
    return list(session.scalars(select(ClockFinding).where(*here).order_by(ClockFinding.id).limit(limit)))


def corrections(session: Session, deployment_id: int) -> list[ClockCorrection]:
    """Of one clock, in the order in which they were made."""
    wanted = select(ClockCorrection).where(ClockCorrection.deployment_id == deployment_id)
    return list(session.scalars(wanted.order_by(ClockCorrection.id)))
