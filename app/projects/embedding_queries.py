"""What the pages show of the embedding: the fine-tune at work, the last verdict, and every embedder with what it holds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.now import eta_of, progress_of
from models.embedders import EMBED, Held, embedders
from models.errors import NotYours
from models.fine_tune import KIND, FineTune, alive, named_count, obstacle
from models.job import ALIVE, FAILED, Job
from models.project import Project
from models.storage import Store
from models.words import say


@dataclass(frozen=True)
class Brief:
    """For the overview. job: running, waiting or paused; detail, eta: how far. failed: why the last one broke off."""

    job: Job | None
    detail: str
    eta: str
    last: FineTune | None
    failed: str
    every: int


@dataclass(frozen=True)
class Tuning:
    """For the settings. next_at: settled names at which the next one comes by itself. obstacle: why none can begin now."""

    brief: Brief
    named: int
    next_at: int
    obstacle: str
    embedders: list[Held]


def brief(session: Session, project: Project) -> Brief:
    """A few rows, whatever the size of the project."""
    ended = session.scalar(
        select(Job)
        .where(Job.project_id == project.id, Job.kind == KIND, Job.ended_at.is_not(None))
        .order_by(Job.ended_at.desc())
        .limit(1)
    )
    failed = ended.error if ended is not None and ended.state == FAILED else ""
    job = alive(session, project.id) or embedding(session, project)
    detail, eta = (progress_of(job), eta_of(job)) if job else ("", "")
    return Brief(job, detail, eta, FineTune.last_judged(session, project.id), failed, project.fine_tune_every)


def embedding(session: Session, project: Project) -> Job | None:
    """The job that embeds crops without a fine-tune."""
    jobs = select(Job).where(Job.project_id == project.id, Job.kind == EMBED, Job.state.in_(ALIVE))
    return session.scalar(jobs.order_by(Job.asked_at).limit(1))


def tuning(session: Session, store: Store, project: Project) -> Tuning:
    """Also counts an index and asks the disk, so only for the settings."""
    named, every = named_count(session, project.id), project.fine_tune_every
    return Tuning(
        brief(session, project), named, (named // every + 1) * every if every else 0, obstacle(session, project),
        embedders(session, store, project),
    )  # fmt: skip


def tuning_job(session: Session, project: Project, job_id: str) -> Job:
    """A fine-tune or an embedding of this project. Raises NotYours."""
    job = session.get(Job, job_id)
    if job is None or job.project_id != project.id or job.kind not in (KIND, EMBED):
        raise NotYours(say("There is no such job in this project."))
    return job


def is_alive(job: Job) -> bool:
    """Whether a button may still change it."""
    return job.state in ALIVE
