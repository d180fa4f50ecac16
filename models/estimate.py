"""How much of what nobody has looked at was named right after a round, as worker/stopping computed it. Rows are never changed.

One row a round, so that each is one look of the interval that holds at all looks together (worker/stopping/watching.py).
"""

from __future__ import annotations

import datetime as dt
from math import inf
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now

ENOUGH = 30  # audited crops, as worker/stopping/accuracy.py has it: below, nothing is said


class Estimate(Base):
    """One look. Shares are 0..1; of those of the rest: nothing is known where `estimate` is empty."""

    __tablename__ = "estimate"
    __table_args__ = (UniqueConstraint("project_id", "round_number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    round_number: Mapped[int]  # the newest full round
    look: Mapped[int]
    planned: Mapped[
        int
    ]  # looks in the label budget as it was at the first look: changing the plan later would be one more look
    classifier_id: Mapped[int] = mapped_column(ForeignKey("checkpoint.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    labels: Mapped[int]  # that the classifier learnt from
    audited: Mapped[int]  # answered crops of the audit behind it
    effective: Mapped[int] = mapped_column(default=0)  # the size of the simple sample that would be as exact
    rest: Mapped[int]  # crops that it is about
    unreached: Mapped[int] = mapped_column(
        default=0
    )  # of them those that came after the last draw: nothing is known of these
    estimate: Mapped[float | None]
    low: Mapped[float]  # with 95% at this look
    high: Mapped[float]
    always_low: Mapped[float]  # with 95% at all looks together
    always_high: Mapped[float]
    # of those called a species the share that is, of those that are the share called so: id -> [estimate, low, high, crops]
    by_guess: Mapped[dict[str, Any]] = mapped_column(default=dict)
    by_answer: Mapped[dict[str, Any]] = mapped_column(default=dict)

    kappa: Mapped[float | None]  # between this classifier and the one before, on the stop set
    kappa_of_three: Mapped[float | None]  # mean of the last three
    target: Mapped[float]
    more: Mapped[
        float | None
    ]  # labels still needed for it; infinite where the curve cannot say, empty where there is none
    more_low: Mapped[float | None]
    more_high: Mapped[float | None]
    # box id -> species id of the stop set; only the newest row has it
    stop_set: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)
    # the learning curve so far as SVG, wide and narrow; only the newest row that was drawn has it
    charts: Mapped[dict[str, Any]] = mapped_column(default=dict, deferred=True)

    @classmethod
    def history(cls, session: Session, project_id: int) -> list[Estimate]:
        """All looks, the oldest first."""
        return list(session.scalars(select(cls).where(cls.project_id == project_id).order_by(cls.round_number)))

    @classmethod
    def newest(cls, session: Session, project_id: int) -> Estimate | None:
        """The last look."""
        looks = select(cls).where(cls.project_id == project_id)
        return session.scalar(looks.order_by(cls.round_number.desc()).limit(1))

    @classmethod
    def keep(cls, session: Session, project_id: int, **columns: Any) -> Estimate | None:
        """Store a look, unless there is one of this round or a later one. The caller holds the project's row."""
        last = cls.newest(session, project_id)
        if last is not None and last.round_number >= columns["round_number"]:
            return None
        if last is not None:
            last.stop_set = {}
        kept = cls(project_id=project_id, **columns)
        session.add(kept)
        session.flush()
        return kept

    @classmethod
    def newest_charts(cls, session: Session, project_id: int) -> dict[str, str]:
        """Of the last look, or of the one before while the last is being drawn; empty where neither is."""
        charts = select(cls.charts).where(cls.project_id == project_id).order_by(cls.round_number.desc()).limit(2)
        return next((each for each in session.scalars(charts) if each), {})

    @property
    def says(self) -> bool:
        """Whether anything is known."""
        return self.audited >= ENOUGH and self.estimate is not None

    def meets_at(self, target: float) -> int | None:
        """Labels at which the forecast meets the target; None where it cannot say, or was made for another."""
        knows = self.more_high is not None and self.more_high < inf
        meets = knows and self.more is not None and 0 < self.more < inf and self.target == target
        return self.labels + int(self.more or 0) if meets else None

    def reaches(self, target: float) -> bool:
        """Whether the project may stop: by the interval that holds at all looks."""
        return self.audited >= ENOUGH and self.always_low >= target

    def seems_to_reach(self, target: float) -> bool:
        """Whether this look alone says so, which is a reason to check and none to stop."""
        return self.audited >= ENOUGH and self.low >= target
