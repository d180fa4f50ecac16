"""Looks at photos that count as empty: what the detector missed, by a random sample, and photo by photo.

A photo counts as empty when the detector found nothing at or above count-above. A sample is drawn once, by chance, from all of
them, and kept as rows; only its photos feed the estimate. What is seen in another order (the strongest low boxes first) finds
more animals and says nothing about the rest.
"""

from __future__ import annotations

import datetime as dt
from random import Random

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, UniqueConstraint, and_, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.box import Box
from models.database import CHUNK_ROWS
from models.errors import Invalid
from models.image import READY, Image
from models.project import Project

EMPTY, ANIMAL = "empty", "animal"  # what somebody saw
VERDICTS = (EMPTY, ANIMAL)
SAMPLE = 100  # photos of one sample
PROBES = 200  # handfuls of ids that are tried before every empty photo is listed


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


def counts_as_empty(project: Project) -> ColumnElement[bool]:
    """Whether the detector found nothing in a photo that counts; what people drew or named in it does not matter."""
    sure = select(Box.id).where(Box.image_id == Image.id, ~Box.drawn, Box.score >= project.count_above)
    return and_(Image.project_id == project.id, Image.state == READY, ~sure.correlate(Image).exists())


def draw_sample(session: Session, project: Project, by: int) -> EmptySample:
    """SAMPLE photos by chance, each as likely as any other, the same again for the same photos and seed.

    Ids are tried by chance until enough of them count as empty: the cost does not grow with the project. Raises Invalid where no
    photo counts as empty.
    """
    whole = select(func.count(Image.id), func.min(Image.id), func.max(Image.id)).where(counts_as_empty(project))
    population, first, last = session.execute(whole).one()
    if not population:
        raise Invalid("sample: no photo counts as empty")
    earlier = session.scalar(select(func.count(EmptySample.id)).where(EmptySample.project_id == project.id)) or 0
    sample = EmptySample(
        project_id=project.id, seed=project.seed + earlier, population=population, count_above=project.count_above, user_id=by,
    )  # fmt: skip
    session.add(sample)
    session.flush()
    chosen = drawn(session, project, Random(sample.seed), min(SAMPLE, population), first, last)
    session.add_all(
        EmptyDraw(sample_id=sample.id, position=position, image_id=image_id)
        for position, image_id in enumerate(chosen, start=1)
    )
    session.flush()
    return sample


def drawn(session: Session, project: Project, rng: Random, size: int, first: int, last: int) -> list[int]:
    """Photo ids in the order of the draw, none twice."""
    found: dict[int, None] = {}
    for _ in range(PROBES):
        tried = [rng.randint(first, last) for _ in range(CHUNK_ROWS)]
        there = set(session.scalars(select(Image.id).where(Image.id.in_(tried), counts_as_empty(project))))
        found |= dict.fromkeys(image_id for image_id in tried if image_id in there)
        if len(found) >= size:
            return list(found)[:size]
    every = session.scalars(select(Image.id).where(counts_as_empty(project)).order_by(Image.id))
    left = [image_id for image_id in every if image_id not in found]
    return [*found, *rng.sample(left, size - len(found))]
