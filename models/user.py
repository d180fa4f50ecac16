"""A person with an account. There is no default account; the first admin is made on the command line."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection

from sqlalchemy import String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.errors import Conflict, Invalid
from models.words import say

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
THEMES = ("system", "light", "dark")
LIGHTEST = 100


class User(Base):
    """One account. password_hash is empty until the person has used the join link."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    is_admin: Mapped[bool] = mapped_column(default=False)  # may make projects and accounts
    theme: Mapped[str] = mapped_column(String(10), default="system")
    letters: Mapped[bool] = mapped_column(default=True)  # whether letters and digits answer (WCAG 2.1.4)
    bright: Mapped[int] = mapped_column(default=0)  # of the stage, -LIGHTEST to LIGHTEST; 0: as shot
    contrast: Mapped[int] = mapped_column(default=0)
    language: Mapped[str] = mapped_column(String(20), default="")  # that of the sentences; empty: as the browser asks
    disabled_at: Mapped[dt.datetime | None]
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @classmethod
    def by_email(cls, session: Session, email: str) -> User | None:
        """The account with this address, whatever its case."""
        address = clean_email(email)
        return session.scalar(select(cls).where(cls.email == address)) if is_address(address) else None

    @classmethod
    def register(cls, session: Session, email: str, name: str, *, is_admin: bool = False) -> User:
        """A new account without a password. Raises Invalid when the address is taken or is none."""
        address = clean_email(email)
        if not is_address(address):
            raise Invalid("email: " + say("%(email)s is not an address", email=repr(email[:80])))
        cleaned = clean_person(name)
        if cls.by_email(session, address) is not None:
            raise Invalid("email: " + say("there is already an account for %(address)s", address=address))
        user = cls(email=address, name=cleaned, is_admin=is_admin)
        session.add(user)
        session.flush()
        return user

    def rename(self, name: str) -> None:
        """Raises Invalid for an empty, too long or unprintable name."""
        self.name = clean_person(name)

    def set_theme(self, theme: str) -> None:
        """Raises Invalid for anything but system, light and dark."""
        if theme not in THEMES:
            raise Invalid(
                "theme: " + say("%(theme)s is not one of %(names)s", theme=repr(theme[:20]), names=", ".join(THEMES))
            )
        self.theme = theme

    def set_language(self, code: str, known: Collection[str]) -> None:
        """Empty is what the browser asks for. Raises Invalid for a language that is not here."""
        if code and code not in known:
            raise Invalid("language: " + say("%(code)s is not one of the languages here", code=repr(code[:20])))
        self.language = code

    def set_light(self, bright: int, contrast: int) -> None:
        """Raises Invalid beyond what the stage can show."""
        for field, value in (("bright", bright), ("contrast", contrast)):
            if not -LIGHTEST <= value <= LIGHTEST:
                raise Invalid(
                    f"{field}: "
                    + say("between %(value)s and %(lightest)s; 0 is as shot", value=-LIGHTEST, lightest=LIGHTEST)
                )
        self.bright, self.contrast = bright, contrast

    def disable(self, *, by: User) -> None:
        """Nobody gets in with this account any more; what the person said stays. Raises Conflict for one's own account."""
        if by.id == self.id:
            raise Conflict(say("You cannot disable your own account. Ask another administrator."))
        self.disabled_at = self.disabled_at or utc_now()

    def enable(self) -> None:
        """The way back; the person signs in anew."""
        self.disabled_at = None

    @property
    def initials(self) -> str:
        """Two letters for the corner of the page."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


def clean_email(email: str) -> str:
    """Trimmed and lower-case."""
    return email.strip().lower()


def is_address(address: str) -> bool:
    """Whether it looks like an email address: something @ something, nothing unprintable."""
    return len(address) <= 320 and address.isprintable() and EMAIL.fullmatch(address) is not None


def clean_person(name: str) -> str:
    """A person's name on one line. Raises Invalid for an empty, too long or unprintable one."""
    cleaned = " ".join(unicodedata.normalize("NFC", name).split())
    if not 1 <= len(cleaned) <= 200:
        raise Invalid("name: " + say("between 1 and 200 characters"))
    if any(unicodedata.category(character) in ("Cc", "Cs", "Co") for character in cleaned):
        raise Invalid("name: " + say("it has a character that cannot be shown"))
    return cleaned
