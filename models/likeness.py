"""Which crops look alike, as rows: the web process knows no vectors (DECISIONS 15). The worker writes them after a learn job."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base


class Likeness(Base):
    """One crop: its place among all of its project, and what its nearest named neighbours are called.

    Absent for a crop that came after the last learn job.
    """

    __tablename__ = "likeness"
    __table_args__ = (Index("ix_likeness_project_place", "project_id", "place"),)

    box_id: Mapped[int] = mapped_column(ForeignKey("box.id", ondelete="CASCADE"), primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    embedder_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id"))  # in whose space the place is
    place: Mapped[float]  # on one line along which alike crops lie near each other; only its order means something
    near_species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))  # empty where they do not agree
    near_share: Mapped[float | None]  # of the neighbours asked
