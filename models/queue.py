"""Ask for a job, follow it, pause it, cancel it. The only door between pages and worker (DECISIONS 3)."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.base import insert_once, utc_now
from models.job import (
    ALIVE,
    ALWAYS_ENDED,
    ASKED,
    CANCELLED,
    DONE,
    FAILED,
    PAUSED,
    PHOTOS,
    RUNNING,
    UNFINISHED,
    Job,
    JobShard,
    WorkerBeat,
)
from models.project import Project


def ask(
    session: Session,
    kind: str,
    project_id: int,
    arguments: dict[str, Any],
    *,
    key: str | None = None,
    total: int = 0,
    line: str = "",
    unit: str = PHOTOS,
) -> Job:
    """Insert a Job in the caller's transaction; with a key that was asked before, that job is returned instead."""
    job_id = str(uuid.uuid4())
    fresh = insert_once(
        session, Job, id=job_id, project_id=project_id, kind=kind, key=key, arguments=arguments, total=total, done=0,
        line=line[:300], unit=unit, state=ASKED, error="", cancel_requested=False, pause_requested=False,
        asked_at=utc_now(),
    )  # fmt: skip
    wanted = Job.id == job_id if fresh else Job.key == key
    return session.scalars(select(Job).where(wanted)).one()


def ask_again(session: Session, kind: str, project_id: int, *, line: str, unit: str) -> Job:
    """The one job of this kind that a project has: it waits for its turn again, unless it does already or is being done."""
    job = ask(session, kind, project_id, {}, key=f"{kind}-{project_id}", line=line, unit=unit)
    if job.state not in ALIVE:
        job.state, job.asked_at, job.started_at, job.ended_at = ASKED, utc_now(), None, None
        job.error, job.done, job.total, job.cancel_requested = "", 0, 0, False
    return job


def waiting(session: Session) -> list[Job]:
    """Jobs without a workflow, oldest first; a learn job goes before an ingest, since a person waits for it."""
    jobs = session.scalars(select(Job).where(Job.state == ASKED).order_by(Job.asked_at))
    return sorted(jobs, key=lambda job: job.kind == "ingest")


def start(session: Session, job_id: str, worker: str) -> Job:
    """The job, now running. Paused, cancelled and ended jobs come back as they are."""
    job = held(session, job_id)
    if job.state in UNFINISHED:
        job.state, job.worker = RUNNING, worker
        job.started_at = job.started_at or utc_now()
    return job


def finish_step(session: Session, job: Job, step: str, worker: str, *, done: int = 0) -> bool:
    """Claim a step in the transaction that holds its effects. False: it was done before, or the project is deleted by now; so
    roll back or do nothing."""
    deleted = select(Project.deletion_id).where(Project.id == job.project_id).with_for_update(read=True, key_share=True)
    if session.scalar(deleted) is not None:
        return False
    if not insert_once(session, JobShard, job_id=job.id, step=step, worker=worker, done_at=utc_now()):
        return False
    if done:
        session.execute(update(Job).where(Job.id == job.id).values(done=Job.done + done))
    return True


def step_is_done(session: Session, job_id: str, step: str) -> bool:
    """Whether the step's effects are committed."""
    return session.scalar(select(JobShard.id).where(JobShard.job_id == job_id, JobShard.step == step)) is not None


def end(session: Session, job_id: str, *, error: str = "") -> None:
    """The job is over: done, failed with a reason, or cancelled as was asked."""
    job = session.get_one(Job, job_id)
    if job.state not in UNFINISHED:
        return
    job.state = FAILED if error else (CANCELLED if job.cancel_requested and job.done < job.total else DONE)
    job.error, job.ended_at = error[:1000], utc_now()


def end_cancelled(job: Job) -> None:
    """The job stopped where it was, as somebody asked, and tidied up behind itself."""
    job.state, job.ended_at = CANCELLED, utc_now()


def cancel(session: Session, job_id: str) -> None:
    """Ask the job to stop at its next shard; what is done stays. A job nobody has begun ends at once, and some never stop.

    One that was begun and lies still is taken up once more, since only the worker can remove its half-made files.
    """
    job = held(session, job_id)
    if job.kind in ALWAYS_ENDED:
        return
    job.cancel_requested = True
    if job.state in (ASKED, PAUSED) and job.started_at is None:
        end_cancelled(job)
    elif job.state == PAUSED:
        job.state, job.asked_at = ASKED, utc_now()


def pause(session: Session, job_id: str) -> None:
    """Ask the job to lie still from its next step on; one that nobody is at lies still at once."""
    job = held(session, job_id)
    if job.state == ASKED:
        job.state = PAUSED
    elif job.state == RUNNING:
        job.pause_requested = True


def go_on(session: Session, job_id: str) -> None:
    """Let a paused job wait for its turn again; it goes on with what it has."""
    job = held(session, job_id)
    job.pause_requested = False
    if job.state == PAUSED:
        job.state, job.asked_at = ASKED, utc_now()


def lie_still(session: Session, job_id: str) -> None:
    """The worker let go of the job. When a person changed their mind meanwhile, it waits for its turn again."""
    job = held(session, job_id)
    if job.state == RUNNING:
        job.state, job.asked_at = (PAUSED if job.pause_requested else ASKED), utc_now()
        job.pause_requested, job.worker, job.rate_per_s = False, None, None


def held(session: Session, job_id: str) -> Job:
    """The job as it is now; page and worker change its state one after the other."""
    return session.get_one(Job, job_id, with_for_update={"key_share": True}, populate_existing=True)


def current(session: Session, project_id: int) -> list[Job]:
    """The project's unfinished jobs, the running ones first."""
    jobs = session.scalars(
        select(Job).where(Job.project_id == project_id, Job.state.in_(UNFINISHED)).order_by(Job.asked_at)
    )
    return sorted(jobs, key=lambda job: job.state != RUNNING)


def workers(session: Session) -> list[WorkerBeat]:
    """Every worker that ever beat, the freshest first."""
    return list(session.scalars(select(WorkerBeat).order_by(WorkerBeat.beat_at.desc())))


def last_ended(session: Session, project_id: int) -> Job | None:
    """The job that ended last, for the page's "last worked at"."""
    return session.scalar(
        select(Job)
        .where(Job.project_id == project_id, Job.ended_at.is_not(None))
        .order_by(Job.ended_at.desc())
        .limit(1)
    )
