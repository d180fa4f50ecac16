"""Changes of deployments and their clocks: one writer at a time, each noted with old and new values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.dependencies import Access
from app.deployments import queries
from app.deployments.reading import degrees, metres, moment, problem_lines
from models.audit import note
from models.clock import ClockCorrection, settle_times
from models.clock_finding import ClockFinding
from models.correcting import Correction
from models.deployment import Deployment
from models.errors import Conflict, Invalid
from models.facts import Facts, expect_version

Typed = Mapping[str, str]
TEXTS = ("site", "camera", "camera_model", "zone", "comments")


def add(access: Access, typed: Typed) -> Deployment:
    """A deployment whose photos come later. Raises Invalid for a name that is none, Conflict for one that is there."""
    name = typed["name"].strip()
    if not name or len(name) > 255 or not name.isprintable():
        raise Invalid("name: 1 to 255 characters that can be shown")
    access.project.lock(access.session)
    made = Deployment.of_folder(access.session, access.project.id, name)
    if any(row.deployment.id == made.id for row in queries.rows(access.session, access.project.id, most=None)):
        raise Conflict(f"name: there is already a deployment called {name}")
    made.version += 1  # somebody spoke of it: it is shown without photos too
    noted(access, "deployment.added", made)
    return made


def save(access: Access, deployment: Deployment, typed: Typed) -> None:
    """Everything that the form says. Raises Invalid at the field, Changed when somebody was faster."""
    session = access.session
    session.refresh(deployment, with_for_update=True)
    facts = Facts.of(session, deployment).with_(values_of(typed))
    if facts == Facts.of(session, deployment):
        return
    expect_version(deployment, number_of(typed["version"]))
    write(access, deployment, facts)


def values_of(typed: Typed) -> dict[str, Any]:
    """The form's fields as facts. Raises Invalid at the field."""
    zone = typed["zone"].strip()
    ends_at = moment("ends_at", typed["ends_at"], zone)
    return {field: typed[field].strip() for field in TEXTS} | {
        "starts_at": moment("starts_at", typed["starts_at"], zone),
        "ends_at": ends_at,
        "latitude": degrees("latitude", typed["latitude"]),
        "longitude": degrees("longitude", typed["longitude"]),
        "uncertainty_m": metres("uncertainty_m", typed["uncertainty_m"]),
        "problems": problem_lines(typed["problems"], ends_at),
    }


def take_period(access: Access, deployment: Deployment) -> None:
    """First and last photo become the period, where none is known."""
    access.session.refresh(deployment, with_for_update=True)
    photos = queries.row(access.session, deployment).photos
    if photos.first is None or photos.last is None:
        raise Invalid("period: no photo of this deployment has a time")
    if deployment.starts_at is None and deployment.ends_at is None:
        facts = Facts.of(access.session, deployment).with_({"starts_at": photos.first, "ends_at": photos.last})
        write(access, deployment, facts)


def write(access: Access, deployment: Deployment, facts: Facts) -> None:
    """The rows, the history, and a new look at the clock."""
    changes = facts.write(access.session, deployment)
    if changes:
        noted(access, "deployment.saved", deployment, changes=changes)
        settle_times(access.session, access.project, [deployment.id])


def correct(access: Access, deployment: Deployment, correction: Correction, reason: str) -> None:
    """The clock was wrong: the photos get other times, at once or by a job."""
    made = ClockCorrection.make(access.session, deployment, correction, access.user, reason)
    noted(access, "clock.corrected", deployment, kind=made.kind, correction=made.id)
    settle_times(access.session, access.project, [deployment.id])


def mend(access: Access, deployment: Deployment, finding: ClockFinding, reason: str) -> None:
    """As the doctor proposes. Raises Invalid where nothing is proposed; a second click changes nothing."""
    correction = finding.correction
    if correction is None:
        raise Invalid("There is no correction that would explain this finding.")
    checked = Correction.checked(correction.kind, correction.parameters, correction.from_at, correction.to_at)
    correct(access, deployment, checked, reason)


def take_back(access: Access, deployment: Deployment, correction_id: int) -> None:
    """The photos get the times that they had without it."""
    correction = ClockCorrection.of(access.session, deployment, correction_id)
    if correction.take_back(access.session, access.user):
        noted(access, "clock.taken_back", deployment, kind=correction.kind, correction=correction.id)
        settle_times(access.session, access.project, [deployment.id])


def dismiss(access: Access, deployment: Deployment, finding: ClockFinding) -> None:
    """It is not wrong, and is not shown again."""
    finding.dismiss(access.user)
    noted(access, "clock.dismissed", deployment, kind=finding.kind)


def number_of(version: str) -> int:
    """The hidden field; nonsense is no version that ever was."""
    return int(version) if version.isascii() and version.isdecimal() and len(version) < 10 else -1


def noted(access: Access, act: str, deployment: Deployment, **details: object) -> None:
    """One line of the project's history."""
    note(access.session, act, user=access.user, project_id=access.project.id, name=deployment.name, **details)
