"""Who is signed in, and the one-time links that let people in without e-mail (DECISIONS 18 and 20).

Tokens are 256 random bits; the table keeps their SHA-256 only.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from sqlalchemy import ForeignKey, String, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, utc_now
from models.errors import Invalid
from models.user import User
from models.words import mark, translated

IDLE = dt.timedelta(hours=4)
ABSOLUTE = dt.timedelta(hours=12)
LINK_LIFE = dt.timedelta(days=7)
LINK_IS_SPENT = mark("This link was used, has expired, or never was. Ask your administrator for a new one.")
TOUCH_EVERY = dt.timedelta(minutes=1)  # last_seen_at is written at most this often


def token_hash(token: str) -> str:
    """What the table keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


class UserSession(Base):
    """One sign-in of one browser."""

    __tablename__ = "user_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[dt.datetime | None]
    user: Mapped[User] = relationship(lazy="joined")

    @classmethod
    def start(cls, session: Session, user: User) -> str:
        """Sign the user in; returns the token for the cookie."""
        token = secrets.token_urlsafe(32)
        session.add(cls(user_id=user.id, token_sha256=token_hash(token)))
        return token

    @classmethod
    def alive(cls, session: Session, token: str) -> UserSession | None:
        """The sign-in of this token while it is neither ended, idle for 4 h, older than 12 h, nor of a disabled user."""
        found = session.scalar(select(cls).where(cls.token_sha256 == token_hash(token)))
        if found is None or found.ended_at is not None or found.user.disabled_at is not None:
            return None
        now = utc_now()
        if now - found.created_at > ABSOLUTE or now - found.last_seen_at > IDLE:
            return None
        return found

    @property
    def needs_touch(self) -> bool:
        """Whether last_seen_at is old enough to be worth a write."""
        return utc_now() - self.last_seen_at > TOUCH_EVERY

    @classmethod
    def end(cls, session: Session, token: str) -> None:
        """Sign this browser out; a token that is none does nothing."""
        session.execute(
            update(cls).where(cls.token_sha256 == token_hash(token), cls.ended_at.is_(None)).values(ended_at=utc_now())
        )

    @classmethod
    def end_all(cls, session: Session, user_id: int) -> None:
        """Sign the user out everywhere."""
        session.execute(update(cls).where(cls.user_id == user_id, cls.ended_at.is_(None)).values(ended_at=utc_now()))


class OneTimeLink(Base):
    """A link that works once: to join (choose a first password) or to reset a password."""

    __tablename__ = "one_time_link"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # join | reset
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    user: Mapped[User] = relationship(lazy="joined", foreign_keys=[user_id])

    @classmethod
    def make(cls, session: Session, user: User, kind: str, by: User | None) -> str:
        """A new link for the user; older unused links of the user stop working. Returns the token, shown once."""
        session.execute(update(cls).where(cls.user_id == user.id, cls.used_at.is_(None)).values(used_at=utc_now()))
        token = secrets.token_urlsafe(32)
        session.add(
            cls(
                user_id=user.id,
                kind=kind,
                token_sha256=token_hash(token),
                made_by_id=by.id if by else None,
                expires_at=utc_now() + LINK_LIFE,
            )
        )
        return token

    @classmethod
    def usable(cls, session: Session, token: str) -> OneTimeLink:
        """The link of this token. Raises Invalid when it was used, has expired or never was."""
        link = session.scalar(select(cls).where(cls.token_sha256 == token_hash(token)))
        if link is None or link.used_at is not None or link.expires_at < utc_now() or link.user.disabled_at is not None:
            raise Invalid(translated(LINK_IS_SPENT))
        return link

    def use(self, session: Session, password_hash: str) -> None:
        """Set the password once; every old sign-in of the user ends. Raises Invalid when another request was faster."""
        unused = update(OneTimeLink).where(OneTimeLink.id == self.id, OneTimeLink.used_at.is_(None))
        if session.execute(unused.values(used_at=utc_now()).returning(OneTimeLink.id)).first() is None:
            raise Invalid(translated(LINK_IS_SPENT))
        self.user.password_hash = password_hash
        UserSession.end_all(session, self.user_id)
