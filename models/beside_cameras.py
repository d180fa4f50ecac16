"""Two cameras at one site that see the same visits, but at times that differ by a constant: one of the clocks is wrong.

Visits are matched by the differences of their beginnings. Animals that pass both cameras give one difference again and again,
while chance spreads them evenly; the difference that explains at least half of the visits of the quieter camera counts, where
hardly any visit fits as the clocks stand.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from statistics import median

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from models.clock_doctor import Found, shift
from models.clock_finding import PAIR, ClockFinding
from models.deployment import Deployment
from models.image import READY, Image

APART = dt.timedelta(minutes=5)  # a new visit begins after such a pause
WINDOW = dt.timedelta(hours=36)  # differences are looked for up to here
NEAR_MIN = 2  # minutes that two cameras of a site may differ in beginning to see an animal
FEWEST = 8
EXPLAINED = 0.5
MOST_VISITS = 1500
MOST_CAMERAS = 5


def pairs_found(session: Session, deployment: Deployment, times: Iterable[dt.datetime]) -> list[Found]:
    """At most one finding, about the first camera of the site that disagrees; what was found from the other side goes when it
    is not found any more."""
    if deployment.site_id is None:
        return []
    here = Deployment.site_id == deployment.site_id, Deployment.project_id == deployment.project_id
    others = session.execute(
        select(Deployment.id, Deployment.name)
        .where(*here, Deployment.id != deployment.id)
        .order_by(Deployment.id)
        .limit(MOST_CAMERAS)
    ).all()
    mine = visits(times)
    found = []
    for other_id, name in others:
        each = disagreement(mine, visits(taken_at(session, other_id)), other_id, name)
        if each is None:
            mirrored: tuple[ColumnElement[bool], ...] = (
                ClockFinding.deployment_id == other_id, ClockFinding.kind == PAIR,
                ClockFinding.mark == str(deployment.id), ClockFinding.dismissed_at.is_(None),
            )  # fmt: skip
            session.execute(delete(ClockFinding).where(*mirrored))
        else:
            found.append(each)
    return found[:1]


def taken_at(session: Session, deployment_id: int) -> list[dt.datetime]:
    """Corrected times of its photos."""
    here = Image.deployment_id == deployment_id, Image.state == READY, Image.taken_at.is_not(None)
    return [at for at in session.scalars(select(Image.taken_at).where(*here)) if at is not None]


def visits(times: Iterable[dt.datetime]) -> list[dt.datetime]:
    """When visits begin, in order."""
    found: list[dt.datetime] = []
    last: dt.datetime | None = None
    for at in sorted(times):
        if last is None or at - last >= APART:
            found.append(at)
        last = at
    return found


def disagreement(mine: list[dt.datetime], theirs: list[dt.datetime], other_id: int, name: str) -> Found | None:
    """The finding about two cameras, if there is one. It proposes that this camera's clock follows the other one."""
    if not mine or not theirs:
        return None
    low, high = theirs[0] - WINDOW, theirs[-1] + WINDOW
    mine = [at for at in mine if low <= at <= high][:MOST_VISITS]
    differences = [
        (other - at).total_seconds()
        for at in mine
        for other in theirs[bisect_left(theirs, at - WINDOW) : bisect_right(theirs, at + WINDOW)]
    ]
    minutes = Counter(round(each / 60) for each in differences)
    fitting = {peak: sum(minutes[peak + near] for near in range(-NEAR_MIN, NEAR_MIN + 1)) for peak in minutes}
    if not fitting:
        return None
    best = max(fitting, key=lambda peak: (fitting[peak], minutes[peak], -abs(peak)))
    as_is = sum(minutes[near] for near in range(-NEAR_MIN, NEAR_MIN + 1))
    needed = max(FEWEST, EXPLAINED * min(len(mine), len(theirs)))
    if abs(best) <= 2 * NEAR_MIN or fitting[best] < needed or 3 * as_is > fitting[best]:
        return None
    seconds = round(median(each for each in differences if abs(round(each / 60) - best) <= NEAR_MIN))
    figures = {
        "photos": fitting[best], "of": len(mine), "other": name, "seconds": seconds, "as_is": as_is,
    }  # fmt: skip
    return Found(PAIR, str(other_id), figures, shift(dt.timedelta(seconds=seconds)))
