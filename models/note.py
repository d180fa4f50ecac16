"""What people note beside a crop without naming it: that an expert shall look, comments, and that it is gold. Append-only.

A flag stands while the newest row about it is raised; one whose act was taken back never counts. Gold is the same, of experts:
a crop whose name is beyond doubt, by which annotators' answers are judged.
"""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, String, select
from sqlalchemy.orm import Mapped, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.user import User

FLAG, UNFLAG, COMMENT = "flag", "unflag", "comment"
GOLD, NO_GOLD = "gold", "no_gold"
MOST_TEXT = 1000  # characters of a comment


class Note(Base):
    """One flag raised or taken down, one comment, or one crop made gold or no more."""

    __tablename__ = "note"
    __table_args__ = (Index("ix_note_project_kind", "project_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    box_id: Mapped[int] = mapped_column(ForeignKey("box.id"), index=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"))
    kind: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(String(MOST_TEXT), default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def standing(cls, *which: ColumnElement[bool]) -> Select[int, str, str, str, dt.datetime]:
        """(box id, kind, text, name of the person, when) of those that were not taken back, oldest first."""
        found = select(cls.box_id, cls.kind, cls.text, User.name, cls.created_at)
        joined = found.join(Act, Act.id == cls.act_id).join(User, User.id == cls.user_id)
        return joined.where(~Act.taken_back, *which).order_by(cls.id)
