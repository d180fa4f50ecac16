"""Accounts as their pages ask for them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.errors import NotYours
from models.lease import Lease
from models.session import UserSession
from models.user import User, clean_email
from models.words import say

SHOWN = 200  # a list for people to read; `find` narrows it


@dataclass(frozen=True)
class Person:
    """One row of the list of people."""

    user: User
    last_seen_at: dt.datetime | None

    @property
    def state(self) -> str:
        """disabled, invited (has no password yet), or here."""
        if self.user.disabled_at is not None:
            return "disabled"
        return "here" if self.user.password_hash else "invited"


def people(session: Session, find: str = "") -> list[Person]:
    """The first accounts by name, whose name or address contains the word."""
    seen = (
        select(func.max(UserSession.last_seen_at))
        .where(UserSession.user_id == User.id)
        .correlate(User)
        .scalar_subquery()
    )
    query = select(User, seen).order_by(func.lower(User.name), User.id).limit(SHOWN)
    if find.strip("\x00 "):
        word = find.replace("\x00", "").strip()
        query = query.where(
            or_(User.name.icontains(word, autoescape=True), User.email.icontains(word, autoescape=True))
        )
    return [Person(user, last_seen_at) for user, last_seen_at in session.execute(query)]


def person(session: Session, user_id: int) -> User:
    """Raises NotYours when there is no such account."""
    found = session.get(User, user_id) if 0 < user_id < 2**31 else None
    if found is None:
        raise NotYours(say("There is no such account."))
    return found


def account(session: Session, email: str) -> User:
    """The account of an address that is known to exist."""
    return session.scalars(select(User).where(User.email == clean_email(email))).one()


def release_leases(session: Session, user_id: int) -> None:
    """What the person had on the desk goes to somebody else."""
    session.execute(
        update(Lease).where(Lease.user_id == user_id, Lease.expires_at > utc_now()).values(expires_at=utc_now())
    )
