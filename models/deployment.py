"""A camera at a site for a period: first the folder below the batch (DECISIONS 14), then what people say of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once

# What a problem period says about the camera. Each of them takes the time out of the effort.
PROBLEMS = ("not_working", "knocked_down", "moved", "blocked")


class Deployment(Base):
    """One camera's stay, known by the name of its folder.

    starts_at, ends_at: wall clock of the place, first and last moment at which the camera could have made photos. Coordinates
    given here win over the site's. details: further fields of Camtrap DP's deployments table by their names there (setupBy,
    cameraHeight, baitUse, featureType, habitat, deploymentTags, ...), for whom no page asks and which exports give back.
    """

    __tablename__ = "deployment"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    # No foreign key: SQLite could only add one by making the table anew, which would delete what points at it.
    site_id: Mapped[int | None]
    camera: Mapped[str] = mapped_column(String(100), default="", server_default="")  # its number or name
    camera_model: Mapped[str] = mapped_column(String(200), default="", server_default="")
    starts_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    ends_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    zone: Mapped[str] = mapped_column(String(64), default="", server_default="")  # IANA name; empty: the project's
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    uncertainty_m: Mapped[int | None]
    comments: Mapped[str] = mapped_column(String(2000), default="", server_default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    version: Mapped[int] = mapped_column(default=1, server_default="1")

    @classmethod
    def of_folder(cls, session: Session, project_id: int, name: str) -> Deployment:
        """The deployment of this folder name, made when it is new."""
        insert_once(session, cls, project_id=project_id, name=name)
        return session.scalars(select(cls).where(cls.project_id == project_id, cls.name == name)).one()


class ProblemPeriod(Base):
    """A time in which the camera of a deployment did not do its work (camtrapR: Problem1_from, Problem1_to, ...)."""

    __tablename__ = "problem_period"

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(20), default=PROBLEMS[0])
    from_at: Mapped[dt.datetime] = mapped_column(DateTime())
    to_at: Mapped[dt.datetime] = mapped_column(DateTime())
    note: Mapped[str] = mapped_column(String(300), default="")


def folder_of(path: str, otherwise: str) -> str:
    """The first folder of a batch-relative path; a photo outside every folder belongs to `otherwise` (the batch's name)."""
    first, _slash, rest = path.partition("/")
    return first if rest else otherwise
