"""What people and commands did to settings, members and files, in order; append-only."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, utc_now
from models.user import User

TOKEN = "token"  # in the details: the name that its person gave it


class AuditEntry(Base):
    """One act that is not a label: who, when, what. Never holds a password or a token."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"), index=True)
    act: Mapped[str] = mapped_column(String(40))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    user: Mapped[User | None] = relationship(lazy="joined")


def note(
    session: Session, act: str, *, user: User | None = None, project_id: int | None = None, **details: Any
) -> None:
    """Write one entry. What is done under a token of the API names it (speaks_for)."""
    if TOKEN in session.info:
        details |= {TOKEN: session.info[TOKEN]}
    session.add(AuditEntry(act=act, user_id=user.id if user else None, project_id=project_id, details=details))


def speaks_for(session: Session, token_name: str) -> None:
    """From now on this session's entries say under which of the person's tokens they were made."""
    session.info[TOKEN] = token_name
