"""A photo of a project: one row per content (sha256), however often the file came in."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Select,
    String,
    UniqueConstraint,
    and_,
    false,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, mapped_column

from models.act import Act
from models.base import Base, utc_now

# waiting: not yet processed. ready: looked through by the detector. quarantined, refused: cannot be opened, see reason.
# absent: named by an import, its file never came; such a photo has rows and no picture.
# removed: its batch is deleted, and can still be brought back. erased: on request of a person; the row alone stays.
WAITING, READY, QUARANTINED, REFUSED, ABSENT = "waiting", "ready", "quarantined", "refused", "absent"
REMOVED, ERASED = "removed", "erased"
GONE = (REMOVED, ERASED)  # nobody sees it, it counts nowhere
COUNTING = (READY, ABSENT)  # in which photos something counts
CAPTURE_METHODS = ("", "activityDetection", "timeLapse")  # Camtrap DP's words; empty: nobody said
SETUPS = ("", "setup", "calibration")  # the camera is being set up or tried: no visit, never a species


class Image(Base):
    """One photo. captured_at is the camera's wall clock as shot, never converted; taken_at the same, corrected where a clock was
    wrong (models/clock.py): what is ordered, grouped and counted by. details: further fields of Camtrap DP's media table."""

    __tablename__ = "image"
    __table_args__ = (
        UniqueConstraint("project_id", "sha256"),
        Index("ix_image_project_state", "project_id", "state"),
        Index("ix_image_deployment_time", "deployment_id", "taken_at"),
        Index("ix_image_job_shard", "job_id", "shard"),
        Index("ix_image_batch_state", "batch_id", "state"),
        Index("ix_image_project_id", "project_id", "id"),  # pages of the API, of a project and of a batch
        Index("ix_image_batch_id", "batch_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id"))
    sequence_id: Mapped[int | None] = mapped_column(ForeignKey("sequence.id"), index=True)
    path: Mapped[str] = mapped_column(String(1024))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)

    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    state_before: Mapped[str] = mapped_column(String(12), default="", server_default="")  # of one that is gone
    reason: Mapped[str] = mapped_column(String(300), default="")
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"))
    shard: Mapped[int | None]

    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    captured_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    taken_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    sub_second: Mapped[str | None] = mapped_column(String(10))
    make: Mapped[str | None] = mapped_column(String(200))
    camera_model: Mapped[str | None] = mapped_column(String(200))
    serial: Mapped[str | None] = mapped_column(String(200))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    brightness: Mapped[int | None]  # mean of its pixels, 0 to 255
    capture_method: Mapped[str] = mapped_column(String(20), default="", server_default="")
    setup: Mapped[str] = mapped_column(String(12), default="", server_default="")
    favorite: Mapped[bool] = mapped_column(default=False, server_default=false())
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    detector_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))  # who looked
    processed_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @property
    def file_name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]


def standing() -> ColumnElement[bool]:
    """The photos that are there for people: neither removed nor erased."""
    return Image.state.not_in(GONE)


def may_be_visit() -> ColumnElement[bool]:
    """The photos that can be records of a visit: not those of people who set the camera up or try it."""
    return and_(standing(), Image.setup == "")


class CountCorrection(Base):
    """How many animals of a species (of all, where there is none) a person counted in a photo; append-only, the newest counts.

    One whose act was taken back does not.
    """

    __tablename__ = "count_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"), index=True)
    species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    count: Mapped[int]
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def standing(cls, *which: ColumnElement[bool]) -> Select[int, int | None, int]:
        """(image id, species id, count) of those that were not taken back, oldest first."""
        stands = or_(cls.act_id.is_(None), ~Act.taken_back)
        found = select(cls.image_id, cls.species_id, cls.count).outerjoin(Act, Act.id == cls.act_id)
        return found.where(stands, *which).order_by(cls.id)
