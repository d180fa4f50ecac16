"""What the rows of a foreign file say, in our words: a deployment, a photo, a sighting. Each goes into a row as plain JSON.

Readers (app/imports) make these, the worker takes them; both only know this page. Boxes are corners as shares of the upright
photo. Times are the camera's wall clock, ISO 8601 without a zone.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Self

# What is seen: an animal, a person, a vehicle, nothing, something that nobody could tell, something that nobody has named yet.
ANIMAL, PERSON, VEHICLE, BLANK, UNKNOWN, UNCLASSIFIED = (
    "animal",
    "person",
    "vehicle",
    "blank",
    "unknown",
    "unclassified",
)
HUMAN, MACHINE = "human", "machine"  # who says a name; nobody: a box alone
MOST_GUESSES = 5  # of one box; the rest says nothing that anybody reads


@dataclass(frozen=True)
class Record:
    """Empty fields are left out of the row."""

    def as_json(self) -> dict[str, Any]:
        """For ImportRow.record."""
        return {name: value for name, value in asdict(self).items() if not is_empty(value)}

    @classmethod
    def of(cls, record: dict[str, Any]) -> Self:
        """Back again."""
        return cls(**record)


@dataclass(frozen=True)
class DeploymentRecord(Record):
    """One camera's stay. details: by Camtrap DP's names. problems: [kind, from, to]."""

    name: str
    site: str = ""
    site_title: str = ""
    latitude: float | None = None
    longitude: float | None = None
    uncertainty_m: int | None = None
    starts_at: str = ""
    ends_at: str = ""
    camera: str = ""
    camera_model: str = ""
    comments: str = ""
    details: dict[str, Any] = field(default_factory=dict)
    zone: str = ""
    problems: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class SightingRecord(Record):
    """Something seen. box: x_min, y_min, x_max, y_max. guesses: [name, p], the likeliest first. said_by: human | machine.

    box_kind: what the detector took the box for, where that is not what is seen.
    """

    kind: str = ANIMAL
    box: list[float] | None = None
    score: float | None = None
    name: str = ""
    scientific_name: str = ""
    guesses: list[list[Any]] = field(default_factory=list)
    said_by: str = ""
    who: str = ""
    unsure: bool = False
    count: int | None = None
    sex: str = ""
    life_stage: str = ""
    behaviour: str = ""
    box_kind: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The name that the list of species shows."""
        return self.name or self.scientific_name


@dataclass(frozen=True)
class PhotoRecord(Record):
    """A photo that the file describes. is_looked: its detector looked, so that no sighting means nothing was found."""

    deployment: str = ""
    taken_at: str = ""
    width_px: int | None = None
    height_px: int | None = None
    capture_method: str = ""
    setup: str = ""
    favorite: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    is_looked: bool = False
    sightings: list[dict[str, Any]] = field(default_factory=list)


def is_empty(value: object) -> bool:
    """Nothing was said; 0 is something."""
    return value is None or value is False or value == "" or value == [] or value == {}
