"""What the disk page asks of the rows: names of projects and embedders, and what could go."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.checkpoint import EMBEDDER, Checkpoint
from models.disk import Measured
from models.parts import vector_bytes
from models.project import Project


@dataclass(frozen=True)
class OfProject:
    """One project's originals."""

    id: int
    name: str
    photos: int
    bytes: int


@dataclass(frozen=True)
class OldVectors:
    """Vectors of an embedder that the project does not use any more."""

    project: Project
    embedder: Checkpoint
    bytes: int


def by_project(session: Session, found: Measured) -> list[OfProject]:
    """The largest first."""
    names = dict(session.execute(select(Project.id, Project.name)).all())
    rows = [OfProject(key, names[key], *row) for key, row in found.projects.items() if key in names]
    return sorted(rows, key=lambda row: -row.bytes)


def by_embedder(session: Session, found: Measured) -> list[tuple[str, int]]:
    """(name, bytes), the largest first."""
    names = dict(session.execute(select(Checkpoint.id, Checkpoint.name).where(Checkpoint.kind == EMBEDDER)).all())
    rows = [(names.get(key, str(key)), size) for key, size in found.embedders.items()]
    return sorted(rows, key=lambda row: -row[1])


def old_vectors(session: Session) -> list[OldVectors]:
    """Of own embedders that are neither in use nor the way back."""
    owned = select(Project, Checkpoint).join(Checkpoint, Checkpoint.project_id == Project.id)
    rows = session.execute(owned.where(Checkpoint.kind == EMBEDDER, Checkpoint.removed_at.is_(None))).all()
    found = []
    for project, embedder in rows:
        if embedder.id in (project.embedder_id, project.previous_embedder_id):
            continue
        size = vector_bytes(session, project.id, embedder.id, int(embedder.card.get("dim", 256)))
        if size:
            found.append(OldVectors(project, embedder, size))
    return found
