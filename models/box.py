"""One animal-like thing in a photo: where, how sure the detector was, what the classifier guesses, what people settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, false, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.act import Act
from models.base import Base, utc_now
from models.image import Image
from models.label import ANSWER, TAKEN_BACK, Label, settled
from models.membership import Role
from models.project import Project
from models.species import Species


class Box(Base):
    """A bounding box, corners as shares of the upright photo (0..1 from the top left).

    Corners never change: vectors, crops and predictions are found by the id. A box that a person moves is replaced by a new row,
    which takes over its labels, picks, notes and ordinal, and the old row stays as the detector made it (models/drawing.py).
    """

    __tablename__ = "box"
    __table_args__ = (
        UniqueConstraint("image_id", "ordinal"),
        Index("ix_box_project_score", "project_id", "score"),
        Index("ix_box_project_settled", "project_id", "settled_species_id"),
        Index("ix_box_project_guess", "project_id", "guess_species_id"),
        Index("ix_box_vectors", "project_id", "embedder_id", "vector_row"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    ordinal: Mapped[int]  # 1, 2, ... by falling score
    x_min: Mapped[float]
    y_min: Mapped[float]
    x_max: Mapped[float]
    y_max: Mapped[float]
    score: Mapped[float]  # the detector's; 1.0 where a person drew the box, so that it counts under every threshold
    kind: Mapped[str] = mapped_column(String(12), default="animal")  # animal | person | vehicle, as the detector says
    detector_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))

    # Where its first vector lies (DECISIONS 5). No embedder: below classify-above, so no crop was made. No file: it was removed.
    # Vectors that the same crop got later, from another embedder, lie in that one's parts (models/vectors.py).
    embedder_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    vector_file: Mapped[str | None] = mapped_column(String(120))
    vector_row: Mapped[int | None]

    # For filters only; exports read the predictions file (DECISIONS 2).
    guess_species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    guess_p: Mapped[float | None]
    guess_classifier_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))

    settled_species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    settled_label_id: Mapped[int | None] = mapped_column(ForeignKey("label.id", use_alter=True))
    settled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    drawn: Mapped[bool] = mapped_column(default=False, server_default=false())  # by a person
    deleted_at: Mapped[
        dt.datetime | None
    ]  # it counts no more, is not asked about and has no settled name; its labels stay
    # The box that stands in its place. No foreign key: SQLite could only add one by making the table anew.
    replaced_by_id: Mapped[int | None]

    image: Mapped[Image] = relationship(lazy="raise")

    def answer(
        self, session: Session, species: Species, *, by: int, role: Role, act: Act, certain: bool = True,
        round_id: int | None = None, guess: dict[str, Any] | None = None,
    ) -> Label:  # fmt: skip
        """Say a name about this box. Older voices stay; the newest of each person counts."""
        label = Label(
            project_id=self.project_id, box_id=self.id, user_id=by, role=role.value, act_id=act.id, kind=ANSWER,
            species_id=species.id, certain=certain, round_id=round_id, guess=guess or {},
        )  # fmt: skip
        session.add(label)
        session.flush()
        self.settle(session)
        return label

    def take_back(self, session: Session, label: Label, *, by: int, act: Act) -> Label:
        """Write a newer row that puts back what the person said before (or nothing)."""
        before = session.scalars(
            select(Label)
            .where(Label.box_id == self.id, Label.user_id == by, Label.id < label.id)
            .order_by(Label.id.desc())
            .limit(1)
        ).first()
        newer = Label(
            project_id=self.project_id, box_id=self.id, user_id=by, role=label.role, act_id=act.id, kind=TAKEN_BACK,
            species_id=before.species_id if before else None, certain=before.certain if before else True,
            round_id=label.round_id, takes_back_id=label.id, guess={},
        )  # fmt: skip
        session.add(newer)
        session.flush()
        self.settle(session)
        return newer

    def settle(self, session: Session) -> None:
        """Recompute the settled name from every voice; a deleted box has none."""
        labels = session.scalars(select(Label).where(Label.box_id == self.id).order_by(Label.id))
        winner = settled(labels) if self.deleted_at is None else None
        self.settled_species_id = winner.species_id if winner else None
        self.settled_label_id = winner.id if winner else None
        self.settled_at = utc_now() if winner else None
        session.flush()


def askable(project: Project) -> ColumnElement[bool]:
    """The boxes that rounds may ask about: above the project's classify-above, with a crop, not deleted."""
    is_sure = and_(Box.project_id == project.id, Box.score >= project.classify_above)
    return and_(is_sure, Box.embedder_id.is_not(None), Box.deleted_at.is_(None))


def counted(project: Project) -> ColumnElement[bool]:
    """The boxes that count as something: above count-above, or named by a person whatever the score (PRACTICE 1.4)."""
    return or_(and_(Box.score >= project.count_above, Box.deleted_at.is_(None)), Box.settled_species_id.is_not(None))


def current_ids(session: Session, box_ids: Iterable[int]) -> dict[int, int]:
    """Box id -> the box that stands in its place now, itself where nobody moved it."""
    now = {box_id: box_id for box_id in box_ids}
    while replaced := replacements(session, set(now.values())):
        now = {box_id: replaced.get(at, at) for box_id, at in now.items()}
    return now


def replacements(session: Session, box_ids: set[int]) -> dict[int, int]:
    """Box id -> the next box in its place, of those that were replaced."""
    rows = session.execute(
        select(Box.id, Box.replaced_by_id).where(Box.id.in_(box_ids), Box.replaced_by_id.is_not(None))
    )
    return {box_id: by for box_id, by in rows if by is not None}
