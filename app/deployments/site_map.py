"""The sites of a project as a drawing: no tiles, no map service; a net of degrees, a scale, and a mark a site.

Plate carrée, stretched so that a degree of latitude and one of longitude have their true lengths at the middle of the map.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, floor, log10, radians, sqrt
from statistics import fmean

from app.deployments.queries import Row

WIDE, NARROW = (720, 420), (340, 340)  # the two cuts of the drawing: width and height
MARGIN = 56
KM_PER_DEGREE = 111.32  # of latitude, and of longitude on the equator
LEAST_DEGREES = 0.004  # one site alone is drawn with about 400 m around it
MOST_NAMES = 100  # of the largest sites; the table has all of them
LETTER = 6.4  # width of a letter of a label
LINE = 14
RADII = (4, 11)
STEPS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 45)


@dataclass(frozen=True)
class Place:
    """One site with coordinates."""

    name: str
    latitude: float
    longitude: float
    deployments: int
    photos: int
    nights: float | None


@dataclass(frozen=True)
class Mark:
    """A site on the drawing. label_x, label_y: where its name begins; none where it would lie on another."""

    place: Place
    x: float
    y: float
    radius: float
    label_x: float
    label_y: float
    labelled: bool


@dataclass(frozen=True)
class Line:
    """A line of the net, and its words."""

    at: float
    words: str


@dataclass(frozen=True)
class Drawing:
    """Everything to draw, in units of width x height."""

    marks: list[Mark]
    meridians: list[Line]
    parallels: list[Line]
    scale_px: float
    scale_words: str
    width: int
    height: int


def sites(rows: Iterable[Row]) -> list[Place]:
    """Sites with coordinates: their own, else the middle of their cameras; a camera without a site stands for itself."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.place is not None:
            groups[row.site.name if row.site else row.deployment.name].append(row)
    found = []
    for name, here in sorted(groups.items()):
        points = [row.place for row in here if row.place is not None]
        site = here[0].site
        if site is not None and site.latitude is not None and site.longitude is not None:
            points = [(site.latitude, site.longitude)]
        nights = [row.nights for row in here if row.nights is not None]
        latitude, longitude = (fmean(point[axis] for point in points) for axis in (0, 1))
        photos = sum(row.photos.count for row in here)
        found.append(Place(name, latitude, longitude, len(here), photos, sum(nights) if nights else None))
    return found


def draw(places: Sequence[Place], size: tuple[int, int] = WIDE) -> Drawing | None:
    """None without a site that has coordinates. size: one of the two cuts."""
    if not places:
        return None
    width, height = size
    south, north = (pick(place.latitude for place in places) for pick in (min, max))
    west, east = (pick(place.longitude for place in places) for pick in (min, max))
    middle, centre = (south + north) / 2, (west + east) / 2
    squeeze = max(cos(radians(middle)), 0.05)
    tall, broad = height - 2 * MARGIN, width - 2 * MARGIN
    px_per_degree = min(
        tall / max(north - south, LEAST_DEGREES), broad / squeeze / max(east - west, LEAST_DEGREES)
    )  # fmt: skip

    def x_of(longitude: float) -> float:
        return round(width / 2 + (longitude - centre) * px_per_degree * squeeze, 1)

    def y_of(latitude: float) -> float:
        return round(height / 2 - (latitude - middle) * px_per_degree, 1)

    half_high, half_wide = height / 2 / px_per_degree, width / 2 / px_per_degree / squeeze
    step = next((each for each in STEPS if each * px_per_degree * min(squeeze, 1) >= 90), STEPS[-1])
    meridians = [
        Line(x_of(at), degrees(at, "E", "W", step)) for at in net(centre - half_wide, centre + half_wide, step)
    ]
    parallels = [
        Line(y_of(at), degrees(at, "N", "S", step)) for at in net(middle - half_high, middle + half_high, step)
    ]
    km, px = scale(px_per_degree / KM_PER_DEGREE, width)
    words = f"{km:g} km" if km >= 1 else f"{km * 1000:g} m"
    return Drawing(
        marked([(place, x_of(place.longitude), y_of(place.latitude)) for place in places], size),
        within(meridians, width), within(parallels, height), px, words, width, height,
    )  # fmt: skip


def within(lines: Iterable[Line], most: int) -> list[Line]:
    """Those whose words do not touch the rim."""
    return [line for line in lines if MARGIN / 2 < line.at < most - MARGIN / 2]


def net(low: float, high: float, step: float) -> list[float]:
    """Multiples of the step between the two."""
    first = floor(low / step) + 1
    return [round(number * step, 6) for number in range(first, floor(high / step) + 1)]


def degrees(at: float, positive: str, negative: str, step: float) -> str:
    """12.55° S; as many digits as the step needs."""
    digits = max(0, -floor(log10(step))) if step < 1 else 0
    side = positive if at > 0 else negative if at < 0 else ""
    return f"{abs(at):.{digits}f}° {side}".strip()


def scale(px_per_km: float, width: int) -> tuple[float, float]:
    """(kilometres, pixels) of a bar of about a fifth of the width: 1, 2 or 5 times a power of ten."""
    most = width / 5 / px_per_km
    power = 10.0 ** floor(log10(most))
    km = next(each * power for each in (5, 2, 1) if each * power <= most)
    return km, round(km * px_per_km, 1)


def marked(points: Sequence[tuple[Place, float, float]], size: tuple[int, int]) -> list[Mark]:
    """A mark each, its area by photos; a name where it lies on no other name and no other mark, the largest site first."""
    most = max(place.photos for place, _x, _y in points) or 1
    sized = [(place, x, y, radius_of(place.photos, most)) for place, x, y in points]
    taken = [(x - radius, y - radius, x + radius, y + radius) for _place, x, y, radius in sized]
    found: dict[str, Mark] = {}
    by_size = sorted(sized, key=lambda each: (-each[0].photos, each[0].name))
    for number, (place, x, y, radius) in enumerate(by_size):
        own = (x - radius, y - radius, x + radius, y + radius)
        tried = spots(place.name, x, y, radius) if number < MOST_NAMES else []
        spot = next((each for each in tried if is_free(each, [box for box in taken if box != own], size)), None)
        if spot is not None:
            taken.append(spot)
        label_x, label_y = (spot[0], spot[3] - 3) if spot else (x, y)
        found[place.name] = Mark(place, x, y, radius, round(label_x, 1), round(label_y, 1), spot is not None)
    return [found[place.name] for place, _x, _y in points]


def radius_of(photos: int, most: int) -> float:
    """By area, so that twice the photos look twice as many."""
    return round(RADII[0] + (RADII[1] - RADII[0]) * sqrt(photos / most), 1)


Box = tuple[float, float, float, float]


def spots(name: str, x: float, y: float, radius: float) -> list[Box]:
    """Where its name may lie: right, left, above, below."""
    wide, gap = LETTER * len(name) + 4, radius + 3
    return [
        (x + gap, y - LINE / 2, x + gap + wide, y + LINE / 2),
        (x - gap - wide, y - LINE / 2, x - gap, y + LINE / 2),
        (x - wide / 2, y - gap - LINE, x + wide / 2, y - gap),
        (x - wide / 2, y + gap, x + wide / 2, y + gap + LINE),
    ]


def is_free(box: Box, others: Iterable[Box], size: tuple[int, int]) -> bool:
    """Inside the drawing, and on nothing else."""
    left, top, right, bottom = box
    if left < 0 or top < 0 or right > size[0] or bottom > size[1]:
        return False
    return not any(
        left < right_ and left_ < right and top < bottom_ and top_ < bottom for left_, top_, right_, bottom_ in others
    )
