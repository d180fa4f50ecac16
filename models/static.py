"""Static detections: the same box on the same camera again and again, a stone or a branch, decided once for all of them.

A group keeps the box that it began with: a later box belongs to it when the two overlap enough (worker/recurring.py). A person's
decision is an Act whose answers are rows, as those of a burst are; a decision that was taken back leaves the group open.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, ForeignKey, String, and_, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.box import Box

NOTHING, ANIMAL = "nothing", "animal"  # what a group shows, as a person says
VERDICTS = (NOTHING, ANIMAL)
STATICS = "statics"  # the kind of job that looks through every camera
FEWEST = 20  # boxes of a group
LARGEST = 0.2  # share of the photo that such a box covers at most


class StaticGroup(Base):
    """Boxes of one deployment in one place."""

    __tablename__ = "static_group"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    x_min: Mapped[float]
    y_min: Mapped[float]
    x_max: Mapped[float]
    y_max: Mapped[float]
    first_box_id: Mapped[int]
    verdict: Mapped[str] = mapped_column(String(12), default="")  # of the act, while that stands
    act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def waiting(cls, session: Session, project_id: int) -> int:
        """How many groups nobody has decided."""
        here = select(func.count(cls.id)).where(cls.project_id == project_id, ~cls.is_decided())
        return session.scalar(here) or 0

    @classmethod
    def is_decided(cls) -> ColumnElement[bool]:
        """Whether a person's word about it stands."""
        return select(Act.id).where(Act.id == cls.act_id, ~Act.taken_back).correlate(cls).exists()


class StaticHit(Base):
    """One box of a group."""

    __tablename__ = "static_hit"

    box_id: Mapped[int] = mapped_column(ForeignKey("box.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[int] = mapped_column(ForeignKey("static_group.id", ondelete="CASCADE"), index=True)


def is_unnamed() -> ColumnElement[bool]:
    """Whether a decision would name the box: nobody has, and no voice about it waits for another one."""
    return and_(Box.deleted_at.is_(None), Box.settled_species_id.is_(None), Box.waits_for.is_(None))
