"""Photos that are bright while the sun is deep under the horizon and dark while it stands high: AM and PM were mixed up.

A photo's brightness is the mean of its pixels, stored when the worker looks at it. One photo says little (a flash on a near leaf
is bright), so means by day and by night are compared, as the clock stands and twelve hours on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from statistics import fmean
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models.clock_doctor import Found, Period, Shot, shift
from models.clock_finding import SUN
from models.deployment import Deployment
from models.project import Project
from models.site import Site
from models.sun import elevation_deg

HALF_DAY = dt.timedelta(hours=12)
FEWEST = 5  # photos by day, and by night, in both readings
CLEARLY = 20  # of 255: mean by day against mean by night
DAY_DEG, NIGHT_DEG = 6, -8
AT_MOST = 2000  # photos looked at, evenly spread


class Place(NamedTuple):
    """Where a camera stands. zone: empty where nobody said; then the sun's own time stands for it."""

    latitude: float
    longitude: float
    zone: str

    def utc(self, moment: dt.datetime) -> dt.datetime:
        """The wall clock's moment in UTC, without a zone."""
        if not self.zone:
            return moment - dt.timedelta(hours=self.longitude / 15)
        return moment.replace(tzinfo=ZoneInfo(self.zone)).astimezone(dt.UTC).replace(tzinfo=None)


class Contrast(NamedTuple):
    """Mean brightness by day and by night, and of how many photos."""

    by_day: float
    by_night: float
    days: int
    nights: int

    @property
    def says(self) -> float:
        """Brighter by day; 0 where there are too few photos to say."""
        return self.by_day - self.by_night if min(self.days, self.nights) >= FEWEST else 0.0


def place_of(session: Session, deployment: Deployment) -> Place | None:
    """The deployment's own coordinates, else its site's; a project that says UTC has not said where it is."""
    site = session.get(Site, deployment.site_id) if deployment.site_id else None
    zone = deployment.zone or session.get_one(Project, deployment.project_id).zone
    for where in (deployment, site):
        if where is not None and where.latitude is not None and where.longitude is not None:
            return Place(where.latitude, where.longitude, "" if zone == "UTC" else zone)
    return None


def sun_found(shots: Sequence[Shot], period: Period, place: Place) -> list[Found]:
    """The finding, if there is one."""
    bright = [shot for shot in shots if shot.brightness is not None]
    bright = bright[:: max(1, len(bright) // AT_MOST)]
    if len(bright) < 2 * FEWEST:
        return []
    now, moved = (contrast(bright, place, by) for by in (dt.timedelta(), HALF_DAY))
    if now.says > -CLEARLY or moved.says < CLEARLY:
        return []
    figures = {
        "photos": now.days + now.nights, "of": len(shots), "by_day": round(now.by_day), "by_night": round(now.by_night),
        "days": now.days, "nights": now.nights,
    }  # fmt: skip
    first = min(shot.taken for shot in shots)
    last = max(shot.taken for shot in shots)
    later = all(period.holds(moment + HALF_DAY) for moment in (first, last))
    return [Found(SUN, "", figures, shift(HALF_DAY if later else -HALF_DAY))]


def contrast(shots: Sequence[Shot], place: Place, by: dt.timedelta) -> Contrast:
    """As it would be if the clock were moved."""
    day, night = [], []
    for shot in shots:
        height = elevation_deg(place.utc(shot.taken + by), place.latitude, place.longitude)
        if height > DAY_DEG:
            day.append(shot.brightness or 0)
        elif height < NIGHT_DEG:
            night.append(shot.brightness or 0)
    return Contrast(fmean(day or [0]), fmean(night or [0]), len(day), len(night))
