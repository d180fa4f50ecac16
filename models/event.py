"""An independent visit: the records of one species at one deployment (or site) that count once (PRACTICE 1.1).

A record is a photo in which the species counts. Events of one species and place never overlap, so a photo's event is found by
its time. Rows are a cache: they follow from photos, names and the project's rule (models/visits.py, models/records.py). What
changes a name, a time or a box leaves a mark in the same transaction, and the worker makes the marked places anew; what changes
every name at once (a setting, another classifier) is seen by EventsMade.under.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from sqlalchemy import DateTime, ForeignKey, Index, String, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.image import Image

# camtrapR's rules: at least the gap since the last record, or since the last one that was independent itself
LAST_RECORD, LAST_INDEPENDENT = "last_record", "last_independent"
EVENT_RULES = (LAST_RECORD, LAST_INDEPENDENT)

Key = tuple[int, int, int]  # deployment id, species id, id of the first photo


class Event(Base):
    """One visit. first_at, last_at: camera time, corrected, of its first and last photo. Where the cameras of a site share
    a timer it may go on at the others; deployment_id is that of the first photo."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_project", "project_id", "deployment_id", "first_at"),
        Index("ix_event_species", "project_id", "species_id", "deployment_id", "first_at"),
        Index("ix_event_time", "project_id", "first_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id"))
    first_image_id: Mapped[int]  # the record itself, for tables of one row an event
    first_at: Mapped[dt.datetime] = mapped_column(DateTime())
    last_at: Mapped[dt.datetime] = mapped_column(DateTime())
    photos: Mapped[int]  # in which the species counts
    named: Mapped[int] = mapped_column(default=0, server_default="0")  # those of them in which a person says so
    max_count: Mapped[int]  # MaxN: the most individuals in any one of them

    @property
    def key(self) -> Key:
        """What stays when the rows are made anew."""
        return self.deployment_id, self.species_id, self.first_image_id


class EventCount(Base):
    """What a person counted in a visit: append-only, the newest of a key counts. It names the visit by what stays when the rows
    of events are made anew: one that begins with another photo is another one, and gets its figure back when that comes back."""

    __tablename__ = "event_count"
    __table_args__ = (Index("ix_event_count_key", "project_id", "deployment_id", "species_id", "first_image_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id"))
    first_image_id: Mapped[int]
    count: Mapped[int | None]  # in place of MaxN; none: MaxN stands again
    unseen: Mapped[int] = mapped_column(default=0)  # so many more were there and on no photo
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def newest(cls, session: Session, project_id: int, deployment_ids: Iterable[int]) -> dict[Key, EventCount]:
        """What people counted at these deployments, by visit."""
        said = select(cls).join(Act, Act.id == cls.act_id).where(cls.project_id == project_id, ~Act.taken_back)
        rows = session.scalars(said.where(cls.deployment_id.in_(list(deployment_ids))).order_by(cls.id))
        return {(row.deployment_id, row.species_id, row.first_image_id): row for row in rows}


class EventMark(Base):
    """Something changed that events follow from: in a photo, at a deployment, or (neither) anywhere in the project."""

    __tablename__ = "event_mark"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[int | None]
    image_id: Mapped[int | None]


class EventsMade(Base):
    """When the worker last brought a project's events up to date, and under which settings and classifier."""

    __tablename__ = "events_made"

    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), primary_key=True)
    under: Mapped[str] = mapped_column(String(200))
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)


def bin_of(count: int) -> str:
    """Snapshot Serengeti's bins (PRACTICE 1.2): 0 to 10, 11-50, 51+."""
    return str(count) if count <= 10 else "11-50" if count <= 50 else "51+"


def mark_photos(session: Session, project_id: int, image_ids: Iterable[int]) -> None:
    """The events of these photos' deployments follow, soon after this transaction: one statement, whatever their number."""
    marks = [{"project_id": project_id, "image_id": image_id} for image_id in sorted(set(image_ids))]
    if marks:
        session.execute(insert(EventMark), marks)


def mark_deployments(session: Session, project_id: int, deployment_ids: Iterable[int]) -> None:
    """The same after times, marks of photos (setup, time-lapse) or the site of whole deployments changed."""
    marks = [{"project_id": project_id, "deployment_id": each} for each in sorted(set(deployment_ids))]
    if marks:
        session.execute(insert(EventMark), marks)


def mark_cameras_of(session: Session, project_id: int, image_ids: Iterable[int]) -> None:
    """The same where the photos themselves come, go or move: the deployments that they have now are written down."""
    here = select(Image.deployment_id).where(Image.id.in_(list(image_ids))).distinct()
    mark_deployments(session, project_id, session.scalars(here))


def mark_project(session: Session, project_id: int) -> None:
    """The same where anything may have changed, such as what a species means."""
    session.execute(insert(EventMark), [{"project_id": project_id}])
