"""Who has a crop on the desk right now, so that two people never get the same one (RELIABILITY H1, H2)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, utc_now

LEASE = dt.timedelta(minutes=10)


class Lease(Base):
    """One pick on one person's desk until expires_at; the token proves it."""

    __tablename__ = "lease"
    __table_args__ = (UniqueConstraint("pick_id", "slot"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    pick_id: Mapped[int] = mapped_column(ForeignKey("pick.id", ondelete="CASCADE"))
    slot: Mapped[int] = mapped_column(default=0)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    token: Mapped[str] = mapped_column(String(32))
    expires_at: Mapped[dt.datetime]

    @property
    def is_live(self) -> bool:
        """Whether it still holds."""
        return self.expires_at > utc_now()
