"""What the settings page shows: networks, history, and the price of each threshold."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.box import Box
from models.box_edit import deleted_ids
from models.checkpoint import CLASSIFIER, DETECTOR, EMBEDDER, Checkpoint
from models.errors import NotYours
from models.job import ALIVE, SETTLE, Job
from models.privacy import OPENED
from models.project import FLOOR, Project
from models.words import say

SHOWN_NETWORKS = 20
SHOWN_HISTORY = 30
PRICED = (0.05, 0.10, 0.20, 0.30, 0.50, 0.70, 0.90)


@dataclass(frozen=True)
class Network:
    """One row of the networks table."""

    checkpoint: Checkpoint
    is_active: bool
    obstacle: str  # why it cannot be rolled back to, or nothing


def settling(session: Session, project_id: int) -> int:
    """How many crops a changed rule has still to settle."""
    left = select(func.max(Job.total - Job.done)).where(Job.project_id == project_id)
    return session.scalar(left.where(Job.kind == SETTLE, Job.state.in_(ALIVE))) or 0


def networks(session: Session, project: Project) -> list[Network]:
    """Detectors and the newest classifiers; those in use are always among them. Embedders have a section of their own."""
    active = {project.detector_id, project.classifier_id} - {None}
    found: list[Checkpoint] = []
    for kind in (DETECTOR, CLASSIFIER):
        newest = (
            select(Checkpoint)
            .where(belongs(project), Checkpoint.kind == kind, Checkpoint.removed_at.is_(None))
            .order_by(Checkpoint.id.desc())
            .limit(SHOWN_NETWORKS)
        )
        rows = list(session.scalars(newest))
        in_use = session.scalars(select(Checkpoint).where(Checkpoint.id.in_(active), Checkpoint.kind == kind))
        found += sorted({*rows, *in_use}, key=lambda row: -row.id)
    return [
        Network(row, row.id in active, "" if row.id in active else obstacle(project, row))
        for row in found
        if row.id in active or row.project_id is not None or not obstacle(project, row)
    ]


def network(session: Session, project: Project, checkpoint_id: int) -> Network:
    """One of them. Raises NotYours for one of another project."""
    found = session.get(Checkpoint, checkpoint_id) if 0 < checkpoint_id < 2**31 else None
    if found is None or found.project_id not in (None, project.id):
        raise NotYours(say("There is no such network in this project."))
    active = found.id in (project.detector_id, project.embedder_id, project.classifier_id)
    return Network(found, active, "" if active else obstacle(project, found))


def belongs(project: Project) -> ColumnElement[bool]:
    """The project's own networks and the shipped ones."""
    return or_(Checkpoint.project_id == project.id, Checkpoint.project_id.is_(None))


def obstacle(project: Project, checkpoint: Checkpoint) -> str:
    """Why a roll-back would leave the project without crops to ask about, or nothing."""
    if checkpoint.kind == CLASSIFIER and checkpoint.parent_id != project.embedder_id:
        return say("learnt from the vectors of another embedder")
    if checkpoint.removed_at is not None:
        return say("its files were removed")
    return say("it is put to use under Embedding") if checkpoint.kind == EMBEDDER else ""


def history(session: Session, project_id: int, before: int | None, *, openings: bool) -> list[AuditEntry]:
    """The newest entries, or those before one; one more than shown, so that the page knows whether there are older ones.

    openings: also who opened which photo of a person.
    """
    query = select(AuditEntry).where(AuditEntry.project_id == project_id).order_by(AuditEntry.id.desc())
    if not openings:
        query = query.where(AuditEntry.act != OPENED)
    if before is not None:
        query = query.where(AuditEntry.id < min(max(before, 0), 2**31))
    return list(session.scalars(query.limit(SHOWN_HISTORY + 1)))


def price(session: Session, project: Project) -> list[tuple[float, int]]:
    """(threshold, boxes at or above it). Reads every box of the project once, so the page asks only when somebody wants it."""
    sums = [func.sum(case((Box.score >= threshold, 1), else_=0)) for threshold in PRICED]
    every, deleted = (
        session.execute(select(*sums).where(which, Box.score >= FLOOR)).one()  # the first from the index alone
        for which in (Box.project_id == project.id, Box.id.in_(deleted_ids(project.id)))
    )
    return [
        (threshold, int(count or 0) - int(gone or 0))
        for threshold, count, gone in zip(PRICED, every, deleted, strict=True)
    ]
