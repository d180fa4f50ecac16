"""The embedders of a project: which one is in use, what each holds on the disk, how one comes back and how one goes.

A switch is one row. The files of the embedder in use and of the one before it stay; those of older ones go, without their
weights, so that each can come back by embedding every crop again (DECISIONS 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.checkpoint import CLASSIFIER, EMBEDDER, Checkpoint
from models.errors import Conflict, Invalid, NotYours
from models.fine_tune import KIND, FineTune
from models.job import ALIVE, CROPS, RUNNING, Job
from models.parts import has_vectors, vector_bytes
from models.project import Project
from models.queue import ask
from models.round import ask_learn
from models.storage import Store
from models.words import say, written

EMBED, DISCARD = "embed", "discard"  # kinds of jobs


@dataclass(frozen=True)
class Held:
    """One embedder and what it holds on the disk in this project, in bytes."""

    checkpoint: Checkpoint
    is_active: bool
    made_by: FineTune | None
    weights: int
    vectors: int
    predictions: int
    comes_at_once: bool  # else every crop is embedded again first
    use_obstacle: str  # why it cannot be used, or nothing
    remove_obstacle: str  # why its files cannot be removed, or nothing

    @property
    def bytes(self) -> int:
        """All of it."""
        return self.weights + self.vectors + self.predictions


def embedders(session: Session, store: Store, project: Project) -> list[Held]:
    """All of them, the newest first."""
    found = session.scalars(select(Checkpoint).where(of_project(project)).order_by(Checkpoint.id.desc()))
    return [held(session, store, project, each) for each in found if is_whole(session, each)]


def embedder(session: Session, project: Project, checkpoint_id: int) -> Checkpoint:
    """One of them. Raises NotYours for one of another project."""
    wanted = select(Checkpoint).where(of_project(project), Checkpoint.id == checkpoint_id)
    found = session.scalar(wanted) if 0 < checkpoint_id < 2**31 else None
    if found is None or not is_whole(session, found):
        raise NotYours(say("There is no such embedder in this project."))
    return found


def of_project(project: Project) -> ColumnElement[bool]:
    """Its own embedders and those shipped ones that it used."""
    began_from = select(FineTune.start_id).where(FineTune.project_id == project.id)
    in_use = {project.embedder_id, project.previous_embedder_id} - {None}
    mine = or_(Checkpoint.project_id == project.id, Checkpoint.id.in_(in_use), Checkpoint.id.in_(began_from))
    return and_(Checkpoint.kind == EMBEDDER, mine)


def held(session: Session, store: Store, project: Project, checkpoint: Checkpoint) -> Held:
    """What the page shows of it."""
    weights = store.root / checkpoint.file if checkpoint.file and checkpoint.project_id else None
    classifiers = session.scalars(classifiers_of(project, checkpoint)).all()
    return Held(
        checkpoint=checkpoint,
        is_active=checkpoint.id == project.embedder_id,
        made_by=session.scalar(select(FineTune).where(FineTune.embedder_id == checkpoint.id)),
        weights=size_of(weights) if weights else 0,
        vectors=vector_bytes(session, project.id, checkpoint.id, int(checkpoint.card.get("dim", 256)))
        + size_of(store.matrix(checkpoint.id, project.id)),
        predictions=sum(size_of(store.root / each.predictions) for each in classifiers if each.predictions),
        comes_at_once=comes_at_once(session, project, checkpoint),
        use_obstacle=use_obstacle(session, project, checkpoint),
        remove_obstacle=remove_obstacle(session, project, checkpoint),
    )


def is_whole(session: Session, checkpoint: Checkpoint) -> bool:
    """Not one that a fine-tune is still making: its crops are not all embedded."""
    made_by = session.scalar(select(FineTune).where(FineTune.embedder_id == checkpoint.id))
    job = session.get(Job, made_by.job_id) if made_by else None
    return job is None or made_by is None or made_by.switched_at is not None or job.state not in ALIVE


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder; 0 when it is not there."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.iterdir() if file.is_file())
    return path.stat().st_size if path.is_file() else 0


def classifiers_of(project: Project, checkpoint: Checkpoint) -> Select[Checkpoint]:
    """The project's classifiers that learnt from its vectors and have their files."""
    return select(Checkpoint).where(
        Checkpoint.project_id == project.id, Checkpoint.kind == CLASSIFIER, Checkpoint.parent_id == checkpoint.id,
        Checkpoint.removed_at.is_(None),
    )  # fmt: skip


# --- coming back --------------------------------------------------------------------------------------------------------------


def use_obstacle(session: Session, project: Project, checkpoint: Checkpoint) -> str:
    """Why it cannot take over now, or nothing."""
    if checkpoint.removed_at is not None:
        return say("its files were removed")
    if job_about(session, project, DISCARD, checkpoint) is not None:
        return say("its vectors are being removed")
    if job_about(session, project, EMBED, checkpoint) is not None:
        return say("crops are being embedded")
    if session.scalar(alive_jobs(project).where(Job.kind == KIND).limit(1)) is not None:
        return say("a fine-tune is under way")
    return ""


def use(session: Session, project: Project, checkpoint: Checkpoint) -> bool:
    """Go back to an embedder: at once when its vectors are here, with its newest classifier and what that one says.

    Else a job embeds every crop again and teaches a classifier, and then it takes over. Whether it took over now.
    Raises Conflict or Invalid.
    """
    words = use_obstacle(session, project, checkpoint)
    if words:
        kind = Invalid if checkpoint.removed_at else Conflict
        raise kind(say("Embedder %(name)s cannot be used: %(why)s.", name=checkpoint.name, why=words))
    if not comes_at_once(session, project, checkpoint):
        ask_embed(session, project, checkpoint, use=True)
        return False
    switch_to(session, project, checkpoint)
    ask_embed(session, project, checkpoint)
    return True


def comes_at_once(session: Session, project: Project, checkpoint: Checkpoint) -> bool:
    """Whether its vectors are here, and a classifier that knows them if the project has one."""
    knows = project.classifier_id is None or checkpoint.newest_classifier_id(project.id) is not None
    return knows and has_vectors(session, project.id, checkpoint.id)


def switch_to(session: Session, project: Project, checkpoint: Checkpoint) -> None:
    """Make it the one in use, in the caller's transaction, and ask for what follows: names and the next picks."""
    checkpoint.activate(project)
    project.version += 1
    session.flush()
    ask_learn(session, project, f"embedder-{checkpoint.id}-{project.version}")


def ask_embed(session: Session, project: Project, checkpoint: Checkpoint, *, use: bool = False) -> Job:
    """Embed the crops that have no vector of it; use: then let it take over."""
    line = (
        written("Embedding every crop with %(name)s", name=checkpoint.name)
        if use
        else written("Embedding the crops that came in meanwhile")
    )
    return ask(
        session, EMBED, project.id, {"checkpoint_id": checkpoint.id, "use": use, "start_id": project.embedder_id},
        line=line, unit=CROPS,
        key=f"{EMBED}-{project.id}-{checkpoint.id}-{project.version}-{int(use)}" if use else None,
    )  # fmt: skip


# --- going --------------------------------------------------------------------------------------------------------------------


def remove_obstacle(session: Session, project: Project, checkpoint: Checkpoint) -> str:
    """Why its files must stay, or nothing."""
    if checkpoint.id == project.embedder_id:
        return say("it is in use")
    if checkpoint.removed_at is not None:
        return say("its files were removed")
    return say("a job needs it") if is_needed(session, project, checkpoint) else ""


def is_needed(session: Session, project: Project, checkpoint: Checkpoint) -> bool:
    """Whether a job works on it, began from it or makes it. One that learns may have begun before the last switch."""
    for job in session.scalars(alive_jobs(project)):
        row = FineTune.of_job(session, job.id)
        if checkpoint.id in (job.arguments.get("checkpoint_id"), row and row.start_id, row and row.embedder_id):
            return True
        learns = job.kind in ("learn", "predict") and job.state == RUNNING
        if learns and checkpoint.id == project.previous_embedder_id:
            return True
    return False


def remove_files(session: Session, project: Project, checkpoint: Checkpoint) -> None:
    """Let its files go: weights (if they are this project's own), vectors, classifiers and predictions; rows stay.

    Raises Conflict in words.
    """
    words = remove_obstacle(session, project, checkpoint)
    if words:
        raise Conflict(say("The files of embedder %(name)s stay: %(words)s.", name=checkpoint.name, words=words))
    if checkpoint.project_id is not None:
        checkpoint.removed_at = utc_now()
    ask_discard(session, project, checkpoint)


def ask_discard(session: Session, project: Project, checkpoint: Checkpoint) -> Job:
    """First the rows say that the classifiers' files are gone, then a job removes them (RELIABILITY rule 1)."""
    session.execute(
        update(Checkpoint)
        .where(Checkpoint.id.in_(classifiers_of(project, checkpoint).with_only_columns(Checkpoint.id)))
        .values(removed_at=utc_now())
    )
    if project.previous_embedder_id == checkpoint.id:
        project.previous_embedder_id = None
    line = written("Removing the files of embedder %(name)s", name=checkpoint.name)
    return ask(session, DISCARD, project.id, {"checkpoint_id": checkpoint.id}, line=line)


def ask_tidy(session: Session, store: Store, project: Project) -> list[Job]:
    """After a switch: the vectors and predictions of embedders older than the one before may go; their weights stay."""
    kept = {project.embedder_id, project.previous_embedder_id}
    return [
        ask_discard(session, project, each.checkpoint)
        for each in embedders(session, store, project)
        if each.checkpoint.id not in kept and not each.remove_obstacle and each.vectors + each.predictions
    ]


def job_about(session: Session, project: Project, kind: str, checkpoint: Checkpoint) -> Job | None:
    """The unfinished job of this kind that works on this embedder."""
    jobs = session.scalars(alive_jobs(project).where(Job.kind == kind))
    return next((job for job in jobs if job.arguments.get("checkpoint_id") == checkpoint.id), None)


def alive_jobs(project: Project) -> Select[Job]:
    """What runs, waits or is paused in the project."""
    return select(Job).where(Job.project_id == project.id, Job.state.in_(ALIVE))
