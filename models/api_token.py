"""Tokens with which scripts speak for a person: part of what that person may do, for a while, until revoked (docs/api.md).

A token is 256 random bits behind `wh_`, so that scanners of code find one that was published. The table keeps its SHA-256.
"""

from __future__ import annotations

import datetime as dt
import enum
import re
import secrets
import unicodedata
from collections.abc import Iterable

from sqlalchemy import ColumnElement, ForeignKey, String, and_, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import Base, utc_now
from models.errors import Invalid, NotAllowed, NotYours
from models.session import TOUCH_EVERY, token_hash
from models.user import User
from models.words import mark, say

PREFIX = "wh_"
FORM = re.compile(r"wh_[0-9a-f]{64}")
SHOWN = len(PREFIX) + 6  # characters by which a person knows a token again
LIVES_DAYS = (7, 30, 90, 365)
MOST_ALIVE = 50  # of one person


class Scope(enum.StrEnum):
    """What a token may do, where its person may."""

    read = "read"
    label = "label"
    upload = "upload"
    export = "export"
    admin = "admin"


SCOPES = {
    Scope.read: mark("Look at projects, photos, boxes, answers and jobs"),
    Scope.label: mark("Take crops and answer them"),
    Scope.upload: mark("Begin batches and send photos"),
    Scope.export: mark("Download tables"),
    Scope.admin: "Start projects; change settings, species, members and jobs",
}  # fmt: skip


class ScopeMissing(NotAllowed):
    """The token was made without the scope that this needs."""


class ApiToken(Base):
    """One token. scopes: words of Scope, with a space between them."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    token_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    begins: Mapped[str] = mapped_column(String(SHOWN))
    scopes: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[dt.datetime]
    last_used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    user: Mapped[User] = relationship(lazy="joined")

    @classmethod
    def make(
        cls, session: Session, user: User, name: str, scopes: Iterable[str], days: int
    ) -> tuple[ApiToken, str]:  # fmt: skip
        """A new token and its text, which is shown once. Raises Invalid naming the field."""
        cleaned, wanted = clean_token_name(name), clean_scopes(scopes)
        if days not in LIVES_DAYS:
            raise Invalid("days: " + say("one of %(days)s", days=", ".join(map(str, LIVES_DAYS))))
        alive = select(func.count()).select_from(cls).where(cls.user_id == user.id, alive_at(utc_now()))
        if (session.scalar(alive) or 0) >= MOST_ALIVE:
            raise Invalid("name: " + say("you have %(count)s tokens. Revoke one first.", count=MOST_ALIVE))
        text = PREFIX + secrets.token_hex(32)
        made = cls(
            user_id=user.id, name=cleaned, token_sha256=token_hash(text), begins=text[:SHOWN], scopes=" ".join(wanted),
            expires_at=utc_now() + dt.timedelta(days=days),
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made, text

    @classmethod
    def alive(cls, session: Session, text: str) -> ApiToken | None:
        """The token of this text while it is neither revoked nor expired, and its person not disabled."""
        if not FORM.fullmatch(text):
            return None
        found = session.scalar(select(cls).where(cls.token_sha256 == token_hash(text)))
        return found if found is not None and found.is_alive and found.user.disabled_at is None else None

    @classmethod
    def of(cls, session: Session, user_id: int) -> list[ApiToken]:
        """A person's tokens, the newest first."""
        return list(session.scalars(select(cls).where(cls.user_id == user_id).order_by(cls.id.desc())))

    @classmethod
    def own(cls, session: Session, user_id: int, token_id: int) -> ApiToken:
        """One of them. Raises NotYours."""
        found = session.get(cls, token_id) if 0 < token_id < 2**31 else None
        if found is None or found.user_id != user_id:
            raise NotYours(say("There is no such token of yours."))
        return found

    @classmethod
    def revoke_all(cls, session: Session, user_id: int) -> int:
        """None of a person's tokens works from now on; how many did."""
        mine = update(cls).where(cls.user_id == user_id, alive_at(utc_now())).values(revoked_at=utc_now())
        return len(session.execute(mine.returning(cls.id)).all())

    def revoke(self) -> None:
        """It works no more."""
        self.revoked_at = self.revoked_at or utc_now()

    def require(self, scope: Scope | None) -> None:
        """Raises ScopeMissing unless the token has the scope; without one, any token will do."""
        if scope is not None and scope not in self.scopes.split():
            raise ScopeMissing(
                say(
                    "This needs a token with the scope %(scope)s; yours has %(scopes)s.", scope=scope.value,
                    scopes=self.scopes.replace(" ", ", "),
                )
            )  # fmt: skip

    @property
    def is_alive(self) -> bool:
        """Whether it was not revoked and has not expired."""
        return self.revoked_at is None and self.expires_at > utc_now()

    @property
    def needs_touch(self) -> bool:
        """Whether last_used_at is old enough to be worth a write."""
        return self.last_used_at is None or utc_now() - self.last_used_at > TOUCH_EVERY


def alive_at(now: dt.datetime) -> ColumnElement[bool]:
    """The tokens that work at a moment."""
    return and_(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now)


def clean_token_name(name: str) -> str:
    """One line of 1 to 100 characters. Raises Invalid."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(cleaned) <= 100 or any(unicodedata.category(each) in ("Cc", "Cs", "Co") for each in cleaned):
        raise Invalid("name: " + say("1 to 100 characters that can be shown, like the name of the script"))
    return cleaned


def clean_scopes(scopes: Iterable[str]) -> list[Scope]:
    """In the order of Scope, each once. Raises Invalid for none and for a word that is none."""
    asked = set(scopes)
    unknown = asked - set(Scope)
    if unknown or not asked:
        raise Invalid("scopes: " + say("choose at least one of %(scopes)s", scopes=", ".join(Scope)))
    return [scope for scope in Scope if scope in asked]
