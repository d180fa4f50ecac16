"""Work for the worker: a row first, then durable steps (DECISIONS 3). Also the worker's heartbeat."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now

ASKED, RUNNING, DONE, FAILED, CANCELLED = "asked", "running", "done", "failed", "cancelled"
PAUSED = "paused"  # lies still with what it has until a person lets it go on; holds no worker
UNFINISHED = (ASKED, RUNNING)  # a worker is or will be at it
ALIVE = (*UNFINISHED, PAUSED)  # it may still do something
EVENTS = "events"  # brings events up to date
SETTLE = "settle"  # the kind of the job that applies a changed rule to what was said before
CLOCK = "clock"  # times follow from the corrections that stand
FOLDERS = "folders"  # photos go to the deployments that a pattern names
# kinds that nobody can stop: half done they would leave names, times or events that contradict the settings
ALWAYS_ENDED = (SETTLE, EVENTS, CLOCK, FOLDERS)
PHOTOS, CROPS, STEPS, ROWS = "photos", "crops", "steps", "rows"  # what done and total count


class Job(Base):
    """One piece of work. Its id is also the id of its durable workflow."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_state", "state", "asked_at"), Index("ix_job_project", "project_id", "asked_at"))

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    key: Mapped[str | None] = mapped_column(String(100), unique=True)  # asking twice under one key is asking once
    arguments: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(String(10), default=ASKED)
    line: Mapped[str] = mapped_column(String(300), default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    rate_per_s: Mapped[float | None]
    error: Mapped[str] = mapped_column(String(1000), default="")
    unit: Mapped[str] = mapped_column(String(10), default=PHOTOS)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    pause_requested: Mapped[bool] = mapped_column(default=False)
    asked_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    started_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]
    worker: Mapped[str | None] = mapped_column(String(100))

    @property
    def seconds_left(self) -> float | None:
        """An honest guess from the rate so far, or None while there is none."""
        if not self.rate_per_s or self.total <= self.done:
            return None
        return (self.total - self.done) / self.rate_per_s


class JobShard(Base):
    """A finished step of a job: its effects and this row were committed together, so it never happens twice (I6)."""

    __tablename__ = "job_shard"
    __table_args__ = (UniqueConstraint("job_id", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"))
    step: Mapped[str] = mapped_column(String(60))
    worker: Mapped[str] = mapped_column(String(100))
    done_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class WorkerBeat(Base):
    """A living worker says so every few seconds."""

    __tablename__ = "worker_beat"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    device: Mapped[str] = mapped_column(String(200))
    started_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    beat_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    worked_at: Mapped[dt.datetime | None]

    SILENT_AFTER = dt.timedelta(seconds=30)

    @property
    def is_alive(self) -> bool:
        """Whether the last beat is fresh."""
        return utc_now() - self.beat_at < self.SILENT_AFTER
