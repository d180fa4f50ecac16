"""What looks wrong about the clock of a deployment: found unasked, with a correction that would mend it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.correcting import Correction
from models.deployment import Deployment
from models.errors import NotYours
from models.user import User

# outside: before the deployment began or after it ended. reset: fell back to a default date and counted on from there. future:
# later than now. sun: bright at night and dark by day. pair: another camera of the site sees the same visits at other times.
OUTSIDE, RESET, FUTURE, SUN, PAIR = "outside", "reset", "future", "sun", "pair"


class ClockFinding(Base):
    """One finding. Open ones are a cache of what was found last; one that somebody called not wrong is kept, so that the same
    (deployment, kind, mark) is not shown again. figures: what is seen. proposal: a correction, or empty."""

    __tablename__ = "clock_finding"
    __table_args__ = (UniqueConstraint("deployment_id", "kind", "mark"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(10))
    mark: Mapped[str] = mapped_column(String(100))
    figures: Mapped[dict[str, Any]]
    proposal: Mapped[dict[str, Any]]
    found_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    dismissed_at: Mapped[dt.datetime | None]
    dismissed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id"))

    @property
    def correction(self) -> Correction | None:
        """The proposed one."""
        return correction_of(self.proposal) if self.proposal else None

    @classmethod
    def of(cls, session: Session, deployment: Deployment, finding_id: int) -> ClockFinding:
        """Raises NotYours for one of another deployment, or one that is mended by now."""
        found = session.get(cls, finding_id) if 0 < finding_id < 2**31 else None
        if found is None or found.deployment_id != deployment.id:
            raise NotYours("There is no such finding any more.")
        return found

    @classmethod
    def open_in(cls, session: Session, deployment_id: int) -> list[ClockFinding]:
        """Those of a deployment that nobody dismissed, in order."""
        here = cls.deployment_id == deployment_id, cls.dismissed_at.is_(None)
        return list(session.scalars(select(cls).where(*here).order_by(cls.id)))

    def dismiss(self, by: User) -> None:
        """It is not wrong."""
        if self.dismissed_at is None:
            self.dismissed_at, self.dismissed_by_id = utc_now(), by.id


def as_proposal(correction: Correction | None) -> dict[str, Any]:
    """A correction as a row keeps it; empty where there is none."""
    if correction is None:
        return {}
    bounds = {name: at.isoformat() for name in ("from_at", "to_at") if (at := getattr(correction, name)) is not None}
    return {"kind": correction.kind, "parameters": dict(correction.parameters), **bounds}


def correction_of(proposal: dict[str, Any]) -> Correction:
    """The other way round."""
    bounds = (dt.datetime.fromisoformat(proposal[name]) if name in proposal else None for name in ("from_at", "to_at"))
    return Correction(proposal["kind"], proposal["parameters"], *bounds)
