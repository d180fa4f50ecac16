"""Who is labeling in a project: whoever asked for crops lately, also one for whom there were none."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.membership import Membership
from models.user import User
from models.words import say, say_many

BUSY = dt.timedelta(minutes=2)  # of whom a share of the round is kept
HERE = dt.timedelta(minutes=5)  # of whom pages say that they are labeling; an attended page asks at least every four
NOTED_EVERY = dt.timedelta(seconds=15)


def arrive(session: Session, project_id: int, user_id: int) -> None:
    """This person asks for crops now."""
    member = Membership.of(session, project_id, user_id)
    if member is not None and (member.asked_at is None or utc_now() - member.asked_at > NOTED_EVERY):
        member.asked_at = utc_now()
        session.flush()


def present(session: Session, project_id: int, within: dt.timedelta) -> set[int]:
    """The people who asked within this time."""
    asked = select(Membership.user_id).where(Membership.project_id == project_id)
    return set(session.scalars(asked.where(Membership.asked_at > utc_now() - within)))


def names_here(session: Session, project_id: int, besides: int) -> list[str]:
    """Who else is labeling now, by name."""
    here = present(session, project_id, HERE) - {besides}
    return list(session.scalars(select(User.name).where(User.id.in_(here)).order_by(User.name)))


def listed(names: list[str]) -> str:
    """Ana / Ana and Ben / Ana, Ben and 3 others."""
    if len(names) < 2:
        return "".join(names)
    first, second = names[:2]
    if len(names) == 2:
        return say("%(first)s and %(second)s", first=first, second=second)
    return say_many(
        "%(first)s, %(second)s and %(num)s other", "%(first)s, %(second)s and %(num)s others", len(names) - 2,
        first=first, second=second,
    )  # fmt: skip


def company(names: list[str]) -> str:
    """Jonas Weber is labeling now; nothing where nobody is."""
    if not names:
        return ""
    return say_many("%(names)s is labeling now", "%(names)s are labeling now", len(names), names=listed(names))
