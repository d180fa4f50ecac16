"""Fine-tuning the embedding: when it is asked for, from which labels it learns, and what came of it.

Asked at every 1,000 settled names (2,000 in Norouzzadeh et al. 2019, sec. 3.1; DECISIONS 8), or by a person. The new
embedder takes over only when validation says that it helps; the verdict is kept either way.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.box import Box
from models.errors import Conflict, Invalid
from models.job import ALIVE, ASKED, STEPS, Job
from models.project import Project
from models.queue import ask
from models.species import TRAINS, Species
from models.words import mark, say

KIND = "finetune"
LINE = mark("Fine-tuning the embedding")
FEWEST_CLASSES, FEWEST_EACH = 2, 2  # a triplet needs two crops of one species and one of another


class FineTune(Base):
    """One fine-tune: the labels it learnt from, fixed when it began (RELIABILITY H8), and its verdict."""

    __tablename__ = "fine_tune"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    job_id: Mapped[str] = mapped_column(ForeignKey("job.id", ondelete="CASCADE"), unique=True)
    start_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id"))  # the embedder it began from
    embedder_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))  # the one it made
    label_max_id: Mapped[int]
    label_count: Mapped[int]
    class_count: Mapped[int]
    labels_sha256: Mapped[str] = mapped_column(String(64))  # of the label ids in its file
    loss: Mapped[str] = mapped_column(String(20), default="triplet")  # as the project wished it when it began
    began_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    judged_at: Mapped[dt.datetime | None]
    helped: Mapped[bool | None]
    before: Mapped[float | None]
    after: Mapped[float | None]
    steps: Mapped[int | None]
    words: Mapped[str] = mapped_column(String(1000), default="")
    switched_at: Mapped[dt.datetime | None]  # the new embedder took over

    def judge(self, *, helped: bool, words: str, before: float | None, after: float | None, steps: int) -> None:
        """Keep what validation said. words: for people."""
        self.judged_at, self.helped, self.words = utc_now(), helped, words[:1000]
        self.before, self.after, self.steps = before, after, steps

    @classmethod
    def of_job(cls, session: Session, job_id: str) -> FineTune | None:
        """The row of this job, none before it began."""
        return session.scalar(select(cls).where(cls.job_id == job_id))

    @classmethod
    def last_judged(cls, session: Session, project_id: int) -> FineTune | None:
        """The newest verdict, for the pages."""
        return session.scalar(
            select(cls)
            .where(cls.project_id == project_id, cls.judged_at.is_not(None))
            .order_by(cls.judged_at.desc(), cls.id.desc())
            .limit(1)
        )


def named_count(session: Session, project_id: int) -> int:
    """Boxes with a settled name that trains (DECISIONS 8): an index is counted, as long as there are such boxes."""
    named = select(func.count()).select_from(Box).where(Box.project_id == project_id)
    unsure = Species.of_kind(session, project_id, "cannot_tell").id
    every = session.scalar(named.where(Box.settled_species_id > 0)) or 0  # "> 0" uses the index, "is not null" does not
    return every - (session.scalar(named.where(Box.settled_species_id == unsure)) or 0)


def class_counts(session: Session, project_id: int) -> dict[int, int]:
    """Species id -> boxes that are settled on it, of the species that train."""
    train = select(Species.id).where(Species.project_id == project_id, Species.kind.in_(TRAINS))
    rows = session.execute(
        select(Box.settled_species_id, func.count())
        .where(Box.project_id == project_id, Box.settled_species_id.in_(train))
        .group_by(Box.settled_species_id)
    )
    return {species_id: count for species_id, count in rows if species_id is not None}


def too_few(counts: dict[int, int]) -> str:
    """Why these answers cannot teach an embedding, or nothing."""
    usable = sum(count >= FEWEST_EACH for count in counts.values())
    if usable >= FEWEST_CLASSES:
        return ""
    needed = {"species": FEWEST_CLASSES, "answers": FEWEST_EACH}
    if usable == 0:
        return say("it takes %(species)s species with %(answers)s answers each, and none has so far", **needed)
    return say(
        "it takes %(species)s species with %(answers)s answers each, and %(usable)s has so far", usable=usable, **needed
    )


def obstacle(session: Session, project: Project) -> str:
    """Why no fine-tune can begin now, or nothing."""
    if project.embedder_id is None:
        return say("no photo was looked through yet")
    job = alive(session, project.id)
    if job is not None:
        return say("one is paused") if job.state == "paused" else say("one is running or waits for its turn")
    return too_few(class_counts(session, project.id))


def alive(session: Session, project_id: int) -> Job | None:
    """The project's fine-tune that is running, waits or is paused: of several the one that was begun."""
    jobs = select(Job).where(Job.project_id == project_id, Job.kind == KIND, Job.state.in_(ALIVE))
    return session.scalar(jobs.order_by(Job.started_at.is_(None), Job.asked_at).limit(1))


def ask_at_threshold(session: Session, project: Project) -> Job | None:
    """After a full round: ask once when the next step of settled names was passed. None below the first one or when off.

    Taking answers back and giving them again asks no second time; one that still waits for its turn will learn these too.
    """
    if not project.fine_tune_every or project.embedder_id is None:
        return None
    threshold = named_count(session, project.id) // project.fine_tune_every * project.fine_tune_every
    if not threshold:
        return None
    waits = session.scalar(
        select(Job).where(Job.project_id == project.id, Job.kind == KIND, Job.state == ASKED, Job.started_at.is_(None))
    )
    if waits is not None and not waits.cancel_requested:
        return waits
    return ask_fine_tune(session, project, {"threshold": threshold}, key=f"{KIND}-{project.id}-{threshold}")


def ask_now(session: Session, project: Project) -> Job:
    """A person wants one. Raises Conflict when one is alive, Invalid when the answers cannot teach it; says why."""
    project.lock(session)
    words = obstacle(session, project)
    if words:
        kind = Conflict if alive(session, project.id) else Invalid
        raise kind(say("The embedding cannot be fine-tuned now: %(why)s.", why=words))
    return ask_fine_tune(session, project, {"threshold": None})


def ask_fine_tune(session: Session, project: Project, arguments: dict[str, Any], key: str | None = None) -> Job:
    """The job. It reads the labels and the embedder in use when it begins."""
    return ask(session, KIND, project.id, arguments, key=key, line=LINE, unit=STEPS)
