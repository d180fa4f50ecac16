"""Looks at photos that count as empty: what the detector missed, by a random sample, and photo by photo.

A photo counts as empty when the detector found nothing at or above count-above. A sample is drawn once, by chance, from all of
them, and kept as rows; only its photos feed the estimate. What is seen in another order (the strongest low boxes first) finds
more animals and says nothing about the rest.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.act import Act
from models.base import Base, utc_now

EMPTY, ANIMAL = "empty", "animal"  # what somebody saw
VERDICTS = (EMPTY, ANIMAL)
SAMPLE = 100  # photos of one sample
IN_SQL = 500
PROBES = 100_000  # ids that are tried before every empty photo is listed


class EmptySample(Base):
    """Photos drawn by chance from those that counted as empty then. population: how many those were."""

    __tablename__ = "empty_sample"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    seed: Mapped[int]
    population: Mapped[int]
    count_above: Mapped[float]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


class EmptyDraw(Base):
    """One photo of a sample. position: 1, 2, ... in the order of the draw, which is the order of looking."""

    __tablename__ = "empty_draw"
    __table_args__ = (UniqueConstraint("sample_id", "image_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    sample_id: Mapped[int] = mapped_column(ForeignKey("empty_sample.id", ondelete="CASCADE"))
    position: Mapped[int]
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))


class EmptyCheck(Base):
    """Somebody looked at a photo that counted as empty; append-only, the newest that was not taken back counts."""

    __tablename__ = "empty_check"
    __table_args__ = (Index("ix_empty_check_image", "project_id", "image_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"))
    verdict: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def standing(cls, *which: ColumnElement[bool]) -> Select[int, str]:
        """(photo id, verdict) of those that were not taken back, oldest first."""
        said = select(cls.image_id, cls.verdict).join(Act, Act.id == cls.act_id)
        return said.where(~Act.taken_back, *which).order_by(cls.id)
