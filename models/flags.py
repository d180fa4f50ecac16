"""What a person says about a photo beside species: it was taken while the camera was set up or tried, or the camera fell here.

Flags below the species, never species (PRACTICE 1.3). WildTrax takes the first and last 120 minutes of a deployment for setup;
here that is a suggestion, and a person says so. A camera that fell sees nothing from then on: its time leaves the effort.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.audit import note
from models.deployment import Deployment, ProblemPeriod
from models.errors import Conflict, Invalid
from models.event import mark_photos
from models.image import SETUPS, Image, standing
from models.project import Project
from models.user import User
from models.words import say

FELL = "knocked_down"
MINUTES = 120  # WildTrax
MOST_MINUTES = 7 * 24 * 60
AT_ONCE = 5000  # photos marked by one click: two hours at more than one a second
FIRST, LAST = ENDS = ("first", "last")


def mark_setup(session: Session, project: Project, image_ids: Sequence[int], setup: str, by: User) -> int:
    """The photos are setup, calibration or neither. How many that is new for. Raises Invalid for another word."""
    if setup not in SETUPS:
        raise Invalid(say("setup: %(word)s is not setup, calibration or empty", word=setup[:20]))
    here = (Image.id.in_(image_ids), Image.project_id == project.id, Image.setup != setup)
    changed = list(session.scalars(select(Image.id).where(*here)))
    session.execute(update(Image).where(Image.id.in_(changed)).values(setup=setup))
    mark_photos(session, project.id, changed)
    if changed:
        words = {"": say("neither setup nor calibration"), "setup": say("setup"), "calibration": say("calibration")}
        note(session, "photo.setup", user=by, project_id=project.id, count=len(changed), setup=words[setup])
    return len(changed)


def at_end(session: Session, deployment: Deployment, end: str, minutes: int) -> list[int]:
    """The photos of the first or the last minutes of a deployment, as far as anybody knows when it began and ended.

    Raises Invalid for minutes outside sense and for more photos than one click may mark.
    """
    if end not in ENDS:
        raise Invalid(say("which: first or last"))
    if not 1 <= minutes <= MOST_MINUTES:
        raise Invalid(say("minutes: between 1 and %(most)s", most=f"{MOST_MINUTES:,}"))
    first, last = span(session, deployment)
    if first is None or last is None:
        return []
    length = dt.timedelta(minutes=minutes)
    near = Image.taken_at <= first + length if end == FIRST else Image.taken_at >= last - length
    mine = (Image.deployment_id == deployment.id, standing(), near)
    found = list(session.scalars(select(Image.id).where(*mine).order_by(Image.id).limit(AT_ONCE + 1)))
    if len(found) > AT_ONCE:
        raise Invalid(say("minutes: these are more than %(most)s photos; choose fewer minutes", most=f"{AT_ONCE:,}"))
    return found


def span(session: Session, deployment: Deployment) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When the camera began and ended: as people say, else its first and last photo."""
    mine = (Image.deployment_id == deployment.id, Image.taken_at.is_not(None), standing())
    first, last = session.execute(select(func.min(Image.taken_at), func.max(Image.taken_at)).where(*mine)).one()
    return deployment.starts_at or first, deployment.ends_at or last


def fell(session: Session, image: Image, by: User) -> ProblemPeriod:
    """The camera lay on the ground from this photo on, until the deployment's end. Raises Invalid, Conflict."""
    if image.taken_at is None:
        raise Invalid(say("photo: it has no time, so nobody knows since when the camera lay"))
    deployment = session.get_one(Deployment, image.deployment_id, with_for_update={"key_share": True})
    if standing_fall(session, deployment.id) is not None:
        raise Conflict(say("This camera is said to have fallen already. Take that back first."))
    _first, last = span(session, deployment)
    made = ProblemPeriod(
        deployment_id=deployment.id,
        kind=FELL,
        from_at=image.taken_at,
        to_at=max(last or image.taken_at, image.taken_at),
    )
    session.add(made)
    session.flush()
    note(session, "camera.fell", user=by, project_id=image.project_id, camera=deployment.name, at=f"{image.taken_at}")
    return made


def stands_again(session: Session, deployment: Deployment, by: User) -> None:
    """Take it back; the history keeps both. Raises Conflict when there is nothing to take back."""
    period = standing_fall(session, deployment.id)
    if period is None:
        raise Conflict(say("Nobody says that this camera fell."))
    note(
        session,
        "camera.stands",
        user=by,
        project_id=deployment.project_id,
        camera=deployment.name,
        at=f"{period.from_at}",
    )
    session.delete(period)


def standing_fall(session: Session, deployment_id: int) -> ProblemPeriod | None:
    """The newest that lasts to the end."""
    mine = (ProblemPeriod.deployment_id == deployment_id, ProblemPeriod.kind == FELL)
    return session.scalars(select(ProblemPeriod).where(*mine).order_by(ProblemPeriod.id.desc()).limit(1)).first()
