"""A network's weights with where they came from. Vectors, predictions and rounds each name theirs; switching is one row."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session

from models.base import Base, utc_now
from models.errors import Invalid
from models.project import Project
from models.words import mark, say

DETECTOR, EMBEDDER, CLASSIFIER = mark("detector"), mark("embedder"), mark("classifier")


class Checkpoint(Base):
    """One set of weights: a detector, an embedder, or a classifier together with its predictions."""

    __tablename__ = "checkpoint"
    __table_args__ = (Index("ix_checkpoint_project_kind", "project_id", "kind", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))  # none: shipped
    kind: Mapped[str] = mapped_column(String(12))
    name: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str] = mapped_column(String(64))
    file: Mapped[str] = mapped_column(String(300), default="")  # below the store; empty for shipped weights
    parent_id: Mapped[int | None] = mapped_column(
        ForeignKey("checkpoint.id")
    )  # a classifier's embedder, a fine-tune's start
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    card: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # A classifier only: what it learnt from and what it says.
    label_count: Mapped[int | None]
    labels_sha256: Mapped[str | None] = mapped_column(String(64))
    label_max_id: Mapped[int | None]
    classes: Mapped[list[int]] = mapped_column(default=list)  # species ids, in the order of the columns
    predictions: Mapped[str] = mapped_column(String(300), default="")  # folder below the store
    removed_at: Mapped[dt.datetime | None]  # its files were removed; the row stays, since labels and rounds name it

    @classmethod
    def known(cls, session: Session, kind: str, name: str, sha256: str, card: dict[str, Any]) -> Checkpoint:
        """The row of shipped weights (or of a file chosen by path), made when it is new."""
        found = session.scalar(
            select(cls).where(cls.kind == kind, cls.name == name, cls.sha256 == sha256, cls.project_id.is_(None))
        )
        if found is None:
            found = cls(kind=kind, name=name, sha256=sha256, card=card)
            session.add(found)
            session.flush()
        return found

    def activate(self, project: Project) -> None:
        """Make this the checkpoint that counts now; also the way back to an older one (a roll-back).

        An embedder brings its newest classifier along, with what that one says, so that nobody is without guesses. Raises
        Invalid when a classifier learnt on the vectors of another embedder than the active one, or the files are gone.
        """
        if self.project_id not in (None, project.id):
            raise Invalid("checkpoint: " + say("it belongs to another project"))
        if self.removed_at is not None:
            raise Invalid("checkpoint: " + say("its files were removed"))
        if self.kind == DETECTOR:
            project.detector_id = self.id
        elif self.kind == EMBEDDER:
            if project.embedder_id != self.id:  # vectors and classifiers of another space
                project.previous_embedder_id = project.embedder_id
                project.classifier_id = self.newest_classifier_id(project.id)
            project.embedder_id = self.id
        elif self.parent_id != project.embedder_id:
            raise Invalid("checkpoint: " + say("it learnt from the vectors of another embedder; roll that back first"))
        else:
            project.classifier_id = self.id

    def newest_classifier_id(self, project_id: int) -> int | None:
        """Of those that learnt in this project from the vectors of this embedder and still have their files."""
        session = object_session(self)
        assert session is not None
        return session.scalar(
            select(Checkpoint.id)
            .where(Checkpoint.project_id == project_id, Checkpoint.kind == CLASSIFIER)
            .where(Checkpoint.parent_id == self.id, Checkpoint.removed_at.is_(None))
            .order_by(Checkpoint.id.desc())
            .limit(1)
        )
