"""The clock doctor's visit to a deployment: photos in, rows of findings out."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import insert_once, utc_now
from models.beside_cameras import pairs_found
from models.clock_doctor import Found, Period, Shot, in_file_order, look
from models.clock_finding import ClockFinding, as_proposal
from models.daylight import place_of, sun_found
from models.deployment import Deployment
from models.image import READY, Image


def examine(session: Session, deployment_id: int) -> int:
    """Find what looks wrong now; how much of it nobody has dismissed. Reads every photo's time once: 100,000 take a second."""
    deployment = session.get_one(Deployment, deployment_id)
    shots = in_file_order(shots_of(session, deployment_id))
    period = Period(deployment.starts_at, deployment.ends_at)
    found = look(shots, period, utc_now().replace(tzinfo=None))
    place = place_of(session, deployment)
    if place is not None and not found:
        found += sun_found(shots, period, place)
    if not found:
        found += pairs_found(session, deployment, (shot.taken for shot in shots))
    write(session, deployment, found)
    return len(found)


def shots_of(session: Session, deployment_id: int) -> Iterable[Shot]:
    """Photos with a time."""
    rows = session.execute(
        select(Image.id, Image.path, Image.captured_at, Image.taken_at, Image.brightness).where(
            Image.deployment_id == deployment_id, Image.state == READY, Image.captured_at.is_not(None)
        )
    )
    return (
        Shot(image_id, path, shot, taken or shot, brightness)
        for image_id, path, shot, taken, brightness in rows
        if shot is not None
    )


def write(session: Session, deployment: Deployment, found: list[Found]) -> None:
    """What is found now stands; what is not found any more goes, unless somebody dismissed it."""
    rows = {
        (row.kind, row.mark): row
        for row in session.scalars(select(ClockFinding).where(ClockFinding.deployment_id == deployment.id))
    }
    for each in found:
        row = rows.pop((each.kind, each.mark), None)
        if row is None:
            insert_once(
                session, ClockFinding, project_id=deployment.project_id, deployment_id=deployment.id, kind=each.kind,
                mark=each.mark, figures=each.figures, proposal=as_proposal(each.proposal), found_at=utc_now(),
            )  # fmt: skip
        else:
            row.figures, row.proposal = each.figures, as_proposal(each.proposal)
    gone = [row.id for row in rows.values() if row.dismissed_at is None]
    session.execute(delete(ClockFinding).where(ClockFinding.id.in_(gone)))
