"""One thing a person did, under an idempotency key: the unit of retry, of undo and of redo (DECISIONS 7).

Same key and same body: the stored answer again. Same key and another body: KeyReused.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, insert_once, utc_now
from models.errors import Invalid, KeyReused
from models.words import say

MAX_KEY = 80
TAKES_BACK = text("takes_back_id IS NOT NULL")  # one that goes is looked for here


class Act(Base):
    """Who did what under which key, and what was answered."""

    __tablename__ = "act"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_act_project_user", "project_id", "user_id", "id"),
        Index("ix_act_takes_back", "takes_back_id", sqlite_where=TAKES_BACK, postgresql_where=TAKES_BACK),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    project_id: Mapped[int | None] = mapped_column(ForeignKey("project.id"))
    key: Mapped[str] = mapped_column(String(MAX_KEY))
    # answer | empty_photo | burst | grid | static | split | count | flag | unflag | comment | gold | no_gold | skip | boxes |
    # undo | redo | form | event_count | empty_check
    kind: Mapped[str] = mapped_column(String(20))
    body_sha256: Mapped[str] = mapped_column(String(64))
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    before: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # what undo needs to put back (a skip's place in the round)
    taken_back: Mapped[bool] = mapped_column(default=False)
    takes_back_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def once(
        cls, session: Session, user_id: int, key: str, kind: str, body: dict[str, Any], project_id: int | None = None
    ) -> tuple[Act, bool]:
        """The act of this key and whether it is new. Raises KeyReused when the key was used for another body."""
        if not 8 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            raise Invalid("idempotency_key: " + say("8 to %(max_key)s plain characters", max_key=MAX_KEY))
        digest = hashlib.sha256(json.dumps([kind, project_id, body], sort_keys=True).encode()).hexdigest()
        fresh = insert_once(
            session, cls, user_id=user_id, project_id=project_id, key=key, kind=kind, body_sha256=digest,
            answer={}, before={}, taken_back=False, created_at=utc_now(),
        )  # fmt: skip
        act = session.scalars(select(cls).where(cls.user_id == user_id, cls.key == key)).one()
        if not fresh and act.body_sha256 != digest:
            raise KeyReused("idempotency_key: " + say("it was already used for another answer"))
        return act, fresh
