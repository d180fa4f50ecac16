"""Members as the settings page shows them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.box import Box
from models.errors import NotYours
from models.label import ANSWER, Label
from models.lease import Lease
from models.membership import Membership, Role
from models.round import Pick
from models.session import UserSession
from models.words import say


@dataclass(frozen=True)
class Member:
    """One row of the members table."""

    membership: Membership
    answers: int
    last_seen_at: dt.datetime | None


def members(session: Session, project_id: int) -> list[Member]:
    """Everybody in the project, administrators first, then by name."""
    rows = session.scalars(select(Membership).where(Membership.project_id == project_id)).all()
    ids = [row.user_id for row in rows]
    answers = (
        select(Label.user_id, func.count(Label.box_id.distinct()))
        .where(Label.user_id.in_(ids), Label.project_id == project_id, Label.kind == ANSWER)
        .group_by(Label.user_id)
    )
    seen = (
        select(UserSession.user_id, func.max(UserSession.last_seen_at))
        .where(UserSession.user_id.in_(ids))
        .group_by(UserSession.user_id)
    )
    count = dict(session.execute(answers).all())
    last_seen = dict(session.execute(seen).all())
    found = [Member(row, count.get(row.user_id, 0), last_seen.get(row.user_id)) for row in rows]
    return sorted(
        found, key=lambda member: (-Role(member.membership.role).rank, member.membership.user.name.casefold())
    )


def member(session: Session, project_id: int, user_id: int) -> Membership:
    """Raises NotYours for somebody who is no member."""
    found = Membership.of(session, project_id, user_id) if 0 < user_id < 2**31 else None
    if found is None:
        raise NotYours(say("There is no such member in this project."))
    return found


def release_leases(session: Session, project_id: int, user_id: int) -> None:
    """The crops on the person's desk in this project go to somebody else."""
    picks = select(Pick.id).join(Box, Box.id == Pick.box_id).where(Box.project_id == project_id)
    session.execute(
        update(Lease)
        .where(Lease.user_id == user_id, Lease.expires_at > utc_now(), Lease.pick_id.in_(picks))
        .values(expires_at=utc_now())
    )
