"""effort.csv: how long each camera worked; without it no count of photos can be compared with another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from app.cells import guard, line
from app.exports.cells import TextSink
from app.exports.study import Station, Study
from models.words import mark

HEAD = (
    "deployment", "site", "camera", "latitude", "longitude", "coordinate_uncertainty_m", "start", "end", "zone",
)  # fmt: skip
TAIL = ("trap_nights", "photos", "first_photo", "last_photo")
MEANINGS = {
    "deployment": mark("Camera at a site for a period"),
    "site": mark("Where it stood; its own name where it has no site"),
    "latitude, longitude": mark("Degrees, WGS84; rounded where a sensitive species was seen"),
    "start, end": mark("From when to when the camera could make photos, its clock; blank where nobody said"),
    "Problem1_from, Problem1_to": mark("When it did not work, as many pairs as needed"),
    "trap_nights": mark("Days of 24 hours in which it worked; blank where the period is not known, which is not zero"),
    "photos": mark("That were looked through"),
}


def write(study: Study, sink: TextSink) -> int:
    """One row a deployment, by name; how many."""
    most = max((len(each.problems) for each in study.stations.values()), default=0)
    problems = [f"Problem{number}_{end}" for number in range(1, most + 1) for end in ("from", "to")]
    sink.write(line((*HEAD, *problems, *TAIL)))
    for station in study.stations.values():
        sink.write(line(cells(station, most)))
    return len(study.stations)


def cells(station: Station, most_problems: int) -> Iterator[str]:
    """One row."""
    point, figures, nights = station.point, station.figures, station.trap_nights
    yield guard(station.name)
    yield guard(station.site_name)
    yield guard(station.deployment.camera)
    yield "" if point is None else f"{point.latitude:.7g}"
    yield "" if point is None else f"{point.longitude:.8g}"
    yield "" if point is None or point.uncertainty_m is None else str(point.uncertainty_m)
    yield clock(station.starts_at)
    yield clock(station.ends_at)
    yield station.zone
    for problem in station.problems:
        yield clock(problem.from_at)
        yield clock(problem.to_at)
    yield from [""] * (2 * (most_problems - len(station.problems)))
    yield "" if nights is None else f"{nights:.2f}"
    yield str(figures.photos if figures else 0)
    yield clock(figures.first_at if figures else None)
    yield clock(figures.last_at if figures else None)


def clock(moment: dt.datetime | None) -> str:
    """As camtrapR reads it."""
    return "" if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"
