"""An independent visit: the records of one species at one deployment (or site) that count once (PRACTICE 1.1).

A record is a photo in which the species counts. Events of one species and place never overlap, so a photo's event is found by
its time. Rows are a cache: they follow from photos, names and the project's rule, and are made anew when one of them changes.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import DateTime, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base

# camtrapR's rules: at least the gap since the last record, or since the last one that was independent itself
LAST_RECORD, LAST_INDEPENDENT = "last_record", "last_independent"
EVENT_RULES = (LAST_RECORD, LAST_INDEPENDENT)


class Event(Base):
    """One visit. first_at, last_at: camera time, corrected, of its first and last photo."""

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_project", "project_id", "deployment_id", "first_at"),
        Index("ix_event_species", "project_id", "species_id", "deployment_id", "first_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    species_id: Mapped[int] = mapped_column(ForeignKey("species.id"))
    first_image_id: Mapped[int]  # the record itself, for tables of one row an event
    first_at: Mapped[dt.datetime] = mapped_column(DateTime())
    last_at: Mapped[dt.datetime] = mapped_column(DateTime())
    photos: Mapped[int]  # in which the species counts
    max_count: Mapped[int]  # MaxN: the most individuals in any one of them
