"""Corrections of the clocks of deployments, as rows that are taken back and never deleted; and the times that follow.

Image.captured_at is what the camera wrote and never changes. Image.taken_at follows from it and from the standing corrections of
the photo's deployment, so making it anew is always right, and taking a correction back gives the old times. Few photos follow at
once, many by a job.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import DateTime, ForeignKey, String, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, forget, utc_now
from models.correcting import Correction, corrected
from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.errors import Conflict, NotYours
from models.event import mark_deployments
from models.examining import examine
from models.image import Image
from models.job import CLOCK, Job
from models.project import Project
from models.queue import ask
from models.sequence import regroup
from models.user import User

REASON = 500


class ClockCorrection(Base):
    """One correction of all photos of a deployment, or of those shot from from_at to to_at (both included)."""

    __tablename__ = "clock_correction"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(10))
    parameters: Mapped[dict[str, Any]]
    from_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    to_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    reason: Mapped[str] = mapped_column(String(REASON), default="")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))
    made_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    taken_back_at: Mapped[dt.datetime | None]
    taken_back_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    @property
    def correction(self) -> Correction:
        """As a function of a moment."""
        return Correction(self.kind, self.parameters, self.from_at, self.to_at)

    @classmethod
    def make(
        cls, session: Session, deployment: Deployment, correction: Correction, by: User, reason: str = ""
    ) -> ClockCorrection:
        """A new one, behind those that stand. The times follow with settle_times(). Raises Conflict when it stands already."""
        hold(session, deployment.id)
        if correction in standing(session, [deployment.id])[deployment.id]:
            raise Conflict("This correction stands already. Take it back first to apply it anew.")
        made = cls(
            project_id=deployment.project_id, deployment_id=deployment.id, kind=correction.kind,
            parameters=dict(correction.parameters), from_at=correction.from_at, to_at=correction.to_at,
            reason=reason[:REASON], user_id=by.id,
        )  # fmt: skip
        session.add(made)
        session.flush()
        return made

    @classmethod
    def of(cls, session: Session, deployment: Deployment, correction_id: int) -> ClockCorrection:
        """Raises NotYours for one of another deployment."""
        found = session.get(cls, correction_id) if 0 < correction_id < 2**31 else None
        if found is None or found.deployment_id != deployment.id:
            raise NotYours("There is no such correction of this deployment.")
        return found

    def take_back(self, session: Session, by: User) -> bool:
        """It does not count any more; whether it did. The others stay, in their order."""
        hold(session, self.deployment_id)
        session.refresh(self)
        if self.taken_back_at is not None:
            return False
        self.taken_back_at, self.taken_back_by_id = utc_now(), by.id
        session.flush()
        return True


def hold(session: Session, deployment_id: int) -> None:
    """No photo of the deployment gets a time until the transaction ends: PostgreSQL waits here for shards that are writing."""
    session.execute(select(Deployment.id).where(Deployment.id == deployment_id).with_for_update())


def held_corrections(session: Session, deployment_ids: Iterable[int]) -> dict[int, list[Correction]]:
    """For whoever writes new photos: the standing corrections, which nobody changes until the transaction ends."""
    ids = sorted(set(deployment_ids))
    session.execute(
        select(Deployment.id).where(Deployment.id.in_(ids)).order_by(Deployment.id).with_for_update(read=True)
    )
    return standing(session, ids)


def standing(session: Session, deployment_ids: Iterable[int]) -> dict[int, list[Correction]]:
    """Deployment id -> its corrections that count, in the order in which they were made."""
    found: dict[int, list[Correction]] = defaultdict(list)
    rows = session.scalars(
        select(ClockCorrection)
        .where(ClockCorrection.deployment_id.in_(list(deployment_ids)), ClockCorrection.taken_back_at.is_(None))
        .order_by(ClockCorrection.id)
    )
    for row in rows:
        found[row.deployment_id].append(row.correction)
    return found


def settle_times(session: Session, project: Project, deployment_ids: Iterable[int]) -> Job | None:
    """Times, bursts and findings of these deployments follow: at once where all have few photos, else by the job returned."""
    ids = sorted(set(deployment_ids))
    photos = select(func.count()).select_from(Image).where(Image.deployment_id.in_(ids))
    total = session.scalar(photos) or 0
    if total > CHUNK_ROWS:
        return ask(session, CLOCK, project.id, {"deployments": ids}, total=total, line="Bringing the times up to date")
    for deployment_id in ids:
        after: int | None = 0
        while after is not None:
            after = correct_some(session, deployment_id, after)[0]
        regroup(session, deployment_id, project.sequence_gap_s)
        examine(session, deployment_id)
    mark_deployments(session, project.id, ids)
    return None


def correct_some(session: Session, deployment_id: int, after: int) -> tuple[int | None, int]:
    """The times of CHUNK_ROWS photos with ids above `after`: (the last id; None at the end, how many changed)."""
    corrections = held_corrections(session, [deployment_id])[deployment_id]
    rows = session.execute(
        select(Image.id, Image.captured_at, Image.taken_at)
        .where(Image.deployment_id == deployment_id, Image.id > after)
        .order_by(Image.id)
        .limit(CHUNK_ROWS)
    ).all()
    changes = [
        {"id": row.id, "taken_at": taken}
        for row in rows
        if (taken := corrected(row.captured_at, corrections)) != row.taken_at
    ]
    if changes:
        session.execute(update(Image), changes)
        forget(session, Image, "taken_at")
    return (rows[-1].id if len(rows) == CHUNK_ROWS else None), len(changes)
