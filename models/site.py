"""A place where cameras stand, known in its project by its name (Camtrap DP: locationID, camtrapR: Station)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once
from models.errors import Invalid
from models.words import say

MOST_LETTERS = 255
DESCRIBED = ("title", "latitude", "longitude", "uncertainty_m")


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

    def describe(self, said: Mapping[str, Any]) -> dict[str, list[Any]]:
        """Its longer name and coordinates, as far as they are said; field -> [old, new] of what changed. Raises Invalid at the
        field, and changes nothing then."""
        wanted = {field: said.get(field, getattr(self, field)) for field in DESCRIBED}
        check_place(wanted["latitude"], wanted["longitude"], wanted["uncertainty_m"])
        if len(wanted["title"]) > MOST_LETTERS or "\0" in wanted["title"]:
            raise Invalid("title: " + say("at most %(most)s characters that can be shown", most=MOST_LETTERS))
        changed = {
            field: [getattr(self, field), value] for field, value in wanted.items() if getattr(self, field) != value
        }
        for field, (_old, new) in changed.items():
            setattr(self, field, new)
        return changed


def check_place(latitude: float | None, longitude: float | None, uncertainty_m: int | None) -> None:
    """Both coordinates or none, on earth (WGS84). Raises Invalid at the field."""
    for field, degrees, most in (("latitude", latitude, 90), ("longitude", longitude, 180)):
        if degrees is not None and not -most <= degrees <= most:
            raise Invalid(f"{field}: lies between -{most} and {most} degrees")
    if (latitude is None) != (longitude is None):
        missing = "latitude" if latitude is None else "longitude"
        raise Invalid(f"{missing}: latitude and longitude belong together")
    if uncertainty_m is not None and not 1 <= uncertainty_m <= 10_000_000:
        raise Invalid("uncertainty_m: 1 metre or more")
