"""A place where cameras stand, known in its project by its name (Camtrap DP: locationID, camtrapR: Station)."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once


class Site(Base):
    """One place. Degrees are WGS84; a site without coordinates is left out of the map and of what needs them."""

    __tablename__ = "site"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(255))
    title: Mapped[str] = mapped_column(String(255), default="")  # a longer name (Camtrap DP: locationName)
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    uncertainty_m: Mapped[int | None]  # of the coordinates (Camtrap DP: coordinateUncertainty)

    @classmethod
    def of_name(cls, session: Session, project_id: int, name: str) -> Site:
        """The site of this name, made when it is new."""
        insert_once(session, cls, project_id=project_id, name=name, title="")
        return session.scalars(select(cls).where(cls.project_id == project_id, cls.name == name)).one()
