"""A project's jobs, the newest first, along their index."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.job import Job


def jobs(session: Session, project_id: int, before: tuple[dt.datetime, str] | None, limit: int) -> list[Job]:
    """Those that were asked for before a moment (UTC) and id."""
    wanted = select(Job).where(Job.project_id == project_id)
    if before is not None:
        moment = before[0].replace(tzinfo=dt.UTC)
        wanted = wanted.where(
            Job.asked_at <= moment, or_(Job.asked_at < moment, and_(Job.asked_at == moment, Job.id < before[1]))
        )
    return list(session.scalars(wanted.order_by(Job.asked_at.desc(), Job.id.desc()).limit(limit)))
