"""What a reader hands on: one line for each thing that the file says, good or not, with its place in the file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from models.batch import clean_path
from models.errors import Invalid
from models.import_records import ANIMAL, BLANK, HUMAN, PERSON, UNCLASSIFIED, UNKNOWN, VEHICLE, Record, SightingRecord
from models.imported import ASIDE, BAD, GOOD, SIGHTING

ROUNDING = 1e-3  # how far a box may reach beyond the photo: formats round to three or four places
SHOWN = 80
# What is written where a name stands and no animal is meant -> what is seen.
KIND_WORDS = {
    "empty": BLANK, "blank": BLANK, "nothing": BLANK, "no animal": BLANK, "none": BLANK, "ghost": BLANK,
    "human": PERSON, "person": PERSON, "people": PERSON, "homo sapiens": PERSON, "vehicle": VEHICLE, "car": VEHICLE,
    "unknown": UNKNOWN, "unidentified": UNKNOWN, "unidentifiable": UNKNOWN, "cannot tell": UNKNOWN,
    "unclassified": UNCLASSIFIED, "unlabeled": UNCLASSIFIED, "unlabelled": UNCLASSIFIED,
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """place: where in the file. verdict: good, bad or aside; for the latter two, field and reason say what and why."""

    place: str
    kind: str = SIGHTING
    photo: str = ""
    record: Record | None = None
    verdict: str = GOOD
    field: str = ""
    reason: str = ""


@dataclass(frozen=True)
class How:
    """How a file shall be read: what a person said on the page. columns: what is wanted -> the name of the column."""

    encoding: str = ""
    delimiter: str = ""
    decimal: str = "."
    columns: dict[str, str] = field(default_factory=dict)
    strip_prefix: str = ""
    said_by: str = HUMAN  # names in formats that do not say it
    confirmed: bool = False  # a person has seen the first rows as they are read, and said yes
    zone: str = "UTC"  # of the project: a time in UTC (Z) becomes its wall clock


@dataclass(frozen=True)
class Reading:
    """source: what the file says of its detector and classifier, and slips that were read as they were meant."""

    source: dict[str, Any]
    lines: Iterable[Line]


def bad(place: str, field: str, reason: str, *, kind: str = SIGHTING, photo: str = "") -> Line:
    """A line that cannot be taken."""
    return Line(place, kind, photo, None, BAD, field, reason)


def aside(place: str, reason: str, *, kind: str = SIGHTING, photo: str = "", record: Record | None = None) -> Line:
    """A line that is right and is not for us to take; it is kept and reported."""
    return Line(place, kind, photo, record, ASIDE, "", reason)


def path_of(text: str, how: How, *, exact: bool = False) -> str:
    """A path as a batch writes it, without the prefix that the person named. Raises Invalid without the field in front.

    exact: blanks at its ends are its own.
    """
    plain = (text if exact else text.strip()).replace("\\", "/")
    prefix = how.strip_prefix.replace("\\", "/").rstrip("/")
    if prefix and plain.casefold().startswith(f"{prefix.casefold()}/"):
        plain = plain[len(prefix) + 1 :]
    try:
        return clean_path(plain.removeprefix("./"))
    except Invalid as error:
        raise Invalid(str(error).removeprefix("path: ")) from error


def meant(name: str) -> tuple[str, str]:
    """(what is seen, its name) for a word of a species column."""
    plain = " ".join(name.replace("_", " ").split())
    kind = KIND_WORDS.get(plain.casefold())
    if kind is not None:
        return kind, ""
    return ANIMAL, "" if plain.casefold() == "animal" else plain


def sighting(name: str, how: How, **more: Any) -> SightingRecord:
    """Somebody says this name."""
    kind, called = meant(name)
    says = how.said_by if called or kind not in (ANIMAL, UNCLASSIFIED) else ""
    return SightingRecord(**({"kind": kind, "name": called, "said_by": says} | more))


def corners(box: object) -> list[float] | None:
    """[x_min, y_min, width, height] as shares -> two corners, cut at the edges by no more than rounding; None: it is none."""
    if not isinstance(box, list) or len(box) != 4:
        return None
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in box):
        return None
    try:
        left, top, width, height = (float(side) for side in box)
    except OverflowError:
        return None
    both = [left, top, left + width, top + height]
    if not all(-ROUNDING <= side <= 1 + ROUNDING for side in both) or width <= 0 or height <= 0:
        return None
    return [min(max(side, 0.0), 1.0) for side in both]


def shown(value: object) -> str:
    """Something from a file, short."""
    return repr(value)[:SHOWN]
