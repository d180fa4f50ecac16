"""What people say of a deployment: checked as one, written as one, whether it comes from a form or a line of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.correcting import known_zone
from models.deployment import PROBLEMS, Deployment, ProblemPeriod
from models.effort import Problem, trap_nights
from models.errors import Changed, Invalid
from models.site import Site, check_place

LENGTHS = {"site": 255, "camera": 100, "camera_model": 200, "comments": 2000}
COLUMNS = (
    "camera", "camera_model", "starts_at", "ends_at", "zone", "latitude", "longitude", "uncertainty_m", "comments"
)  # fmt: skip
OLDEST, NEWEST = 1970, 2200
MOST_PROBLEMS = 50


@dataclass(frozen=True)
class Facts:
    """Of one deployment. site: its name, or empty. starts_at, ends_at: wall clock. Degrees WGS84, of the camera itself."""

    site: str = ""
    camera: str = ""
    camera_model: str = ""
    starts_at: dt.datetime | None = None
    ends_at: dt.datetime | None = None
    zone: str = ""
    latitude: float | None = None
    longitude: float | None = None
    uncertainty_m: int | None = None
    comments: str = ""
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, session: Session, deployment: Deployment) -> Facts:
        """As they stand."""
        site = session.get(Site, deployment.site_id) if deployment.site_id else None
        values = {column: getattr(deployment, column) for column in COLUMNS}
        problems = problems_of(session, [deployment.id]).get(deployment.id, [])
        return cls(site=site.name if site else "", problems=tuple(problems), **values)

    def with_(self, values: Mapping[str, Any]) -> Facts:
        """With what somebody says anew; the rest stays. Raises Invalid at the first field that makes no sense."""
        facts = replace(self, **values)
        facts.check()
        return facts

    def check(self) -> None:
        """Raises Invalid at the first field that makes no sense."""
        for field, most in LENGTHS.items():
            text = getattr(self, field)
            if len(text) > most or "\0" in text:
                raise Invalid(f"{field}: at most {most:,} characters that can be shown")
        known_zone(self.zone, "zone")
        self.check_period()
        check_place(self.latitude, self.longitude, self.uncertainty_m)

    def check_period(self) -> None:
        """Start before end, in years that cameras know; problems likewise."""
        for field, moment in (("starts_at", self.starts_at), ("ends_at", self.ends_at)):
            if moment is not None and not OLDEST <= moment.year <= NEWEST:
                raise Invalid(f"{field}: the year is not between {OLDEST} and {NEWEST}")
        if self.starts_at and self.ends_at and self.starts_at > self.ends_at:
            raise Invalid(f"ends_at: lies before the start, {self.starts_at:%Y-%m-%d %H:%M}")
        if len(self.problems) > MOST_PROBLEMS:
            raise Invalid(f"problems: at most {MOST_PROBLEMS}")
        for number, problem in enumerate(self.problems, start=1):
            if problem.kind not in PROBLEMS:
                raise Invalid(f"problems: {problem.kind[:20]!r} is not one of {', '.join(PROBLEMS)}")
            if problem.from_at > problem.to_at:
                raise Invalid(f"problems: number {number} ends before it begins")

    @property
    def nights(self) -> float | None:
        """Its effort in trap nights."""
        return trap_nights(self.starts_at, self.ends_at, self.problems)

    def write(self, session: Session, deployment: Deployment) -> dict[str, list[Any]]:
        """Put them into the rows; field -> [old, new] of what changed. The deployment's version grows where anything did."""
        before = Facts.of(session, deployment)
        changed = [field.name for field in fields(self) if getattr(self, field.name) != getattr(before, field.name)]
        if not changed:
            return {}
        for column in COLUMNS:
            setattr(deployment, column, getattr(self, column))
        deployment.site_id = Site.of_name(session, deployment.project_id, self.site).id if self.site else None
        if "problems" in changed:
            session.execute(delete(ProblemPeriod).where(ProblemPeriod.deployment_id == deployment.id))
            session.add_all(ProblemPeriod(deployment_id=deployment.id, **each._asdict()) for each in self.problems)
        deployment.version += 1
        session.flush()
        return {name: [told(getattr(before, name)), told(getattr(self, name))] for name in changed}


def problems_of(session: Session, deployment_ids: Sequence[int]) -> dict[int, list[Problem]]:
    """Deployment id -> its problem periods in order."""
    found: dict[int, list[Problem]] = {}
    rows = session.scalars(
        select(ProblemPeriod)
        .where(ProblemPeriod.deployment_id.in_(deployment_ids))
        .order_by(ProblemPeriod.from_at, ProblemPeriod.id)
    )
    for row in rows:
        found.setdefault(row.deployment_id, []).append(Problem(row.kind, row.from_at, row.to_at))
    return found


def expect_version(deployment: Deployment, version: int) -> None:
    """Raises Changed when somebody saved the deployment since the page was read."""
    if deployment.version != version:
        raise Changed("Somebody changed this deployment since you opened the page. Look at it again.")


def told(value: Any) -> Any:
    """As the history keeps it."""
    if isinstance(value, dt.datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, tuple):
        return "; ".join(f"{each.kind} {each.from_at:%Y-%m-%d %H:%M} to {each.to_at:%Y-%m-%d %H:%M}" for each in value)
    return value
