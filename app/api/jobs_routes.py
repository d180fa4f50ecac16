"""Jobs of the worker: how far they are, and stopping one."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from app.api import job_queries
from app.api.access import Manager, Viewer
from app.api.shapes import USUAL, After, Limit, Listed, Moment, Shape, cursor, place_of
from app.jobs.stopping import job_of, stop

router = APIRouter(tags=["Jobs"])
JobId = Annotated[str, Path(pattern="^[0-9A-Za-z-]{1,36}$")]


class JobShape(Shape):
    """One piece of the worker's work."""

    id: str
    kind: str = Field(description="ingest: looking at photos. learn: learning and choosing the next round. And others.")
    state: str = Field(description="asked, running, paused; or at its end: done, failed, cancelled.")
    line: str = Field(description="What it does, for people.")
    done: int
    total: int = Field(description="0: it cannot be said.")
    unit: str = Field(description="What done and total count: photos, crops or steps.")
    seconds_left: float | None = Field(description="A guess from its rate so far; null while there is none.")
    error: str = Field(description="Why it failed.")
    cancel_requested: bool = Field(description="It stops after what it has in hand.")
    asked_at: Moment
    started_at: Moment | None
    ended_at: Moment | None


@router.get("/projects/{project_id}/jobs")
def list_jobs(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[JobShape]:
    """The newest first."""
    before = place_of(after, dt.datetime, str)
    found = job_queries.jobs(member.session, member.project.id, before, limit + 1)
    items = [JobShape.model_validate(job) for job in found[:limit]]
    last = found[:limit][-1] if len(found) > limit else None
    ended = cursor(last.asked_at.replace(tzinfo=None), last.id) if last else None
    return Listed[JobShape](items=items, next=ended)


@router.get("/projects/{project_id}/jobs/{job_id}")
def show_job(member: Viewer, job_id: JobId) -> JobShape:
    """How far it is. Ask once a second or less often."""
    return JobShape.model_validate(job_of(member, job_id))


@router.post("/projects/{project_id}/jobs/{job_id}/cancel")
def stop_job(member: Manager, job_id: JobId) -> JobShape:
    """Stop it after what it has in hand; what is done stays. A job at its end, and one that always ends, stay as they are."""
    return JobShape.model_validate(stop(member, job_id))
