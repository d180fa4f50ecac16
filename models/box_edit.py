"""What people did to the outlines of boxes. Append-only: an edit stands while its act is not taken back, as notes do."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from sqlalchemy import ForeignKey, Select, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.box import Box
from models.user import User

MOVED, ADDED, DELETED = "moved", "added", "deleted"


class BoxEdit(Base):
    """One box moved (or resized), added or deleted. becomes_id: the row in which a moved box goes on."""

    __tablename__ = "box_edit"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    box_id: Mapped[int] = mapped_column(ForeignKey("box.id"), index=True)
    becomes_id: Mapped[int | None] = mapped_column(ForeignKey("box.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def of_act(cls, session: Session, act_id: int) -> list[BoxEdit]:
        """In the order in which they were made."""
        return list(session.scalars(select(cls).where(cls.act_id == act_id).order_by(cls.id)))

    @classmethod
    def about(cls, box_id: int) -> Select[str, str, dt.datetime]:
        """(kind, name of the person, when) of what was done to a box, the newest first."""
        found = select(cls.kind, User.name, cls.created_at).join(User, User.id == cls.user_id)
        standing = found.join(Act, Act.id == cls.act_id).where(~Act.taken_back)
        return standing.where(or_(cls.box_id == box_id, cls.becomes_id == box_id)).order_by(cls.id.desc())


class Replaced(NamedTuple):
    """A box that was moved, as it was before. drawn: by a person; now_id: the box that stands in its place."""

    id: int
    score: float
    drawn: bool
    now_id: int


def replaced(session: Session, project_id: int) -> list[Replaced]:
    """Every box in whose place another one stands, whether that one was deleted or not, by rising id."""
    mine = (Box.id.in_(deleted_ids(project_id)), Box.replaced_by_id.is_not(None))
    rows = session.execute(select(Box.id, Box.score, Box.drawn, Box.replaced_by_id).where(*mine).order_by(Box.id)).all()
    following = {row.id: row.replaced_by_id for row in rows}

    def standing(box_id: int) -> int:
        while box_id in following:
            box_id = following[box_id]
        return box_id

    return [Replaced(row.id, row.score, row.drawn, standing(row.id)) for row in rows]


def deleted_ids(project_id: int) -> Select[int]:
    """The boxes that people deleted or replaced: few, found by what was done and not by reading every box."""
    touched = (
        select(BoxEdit.box_id)
        .where(BoxEdit.project_id == project_id)
        .union(select(BoxEdit.becomes_id).where(BoxEdit.project_id == project_id, BoxEdit.becomes_id.is_not(None)))
    )
    return select(Box.id).where(Box.id.in_(touched), Box.deleted_at.is_not(None))
