"""What a Camtrap DP package of Waterhole says beyond the standard: zones by their names, problems of cameras, every voice.

Cells of such a package were guarded against spreadsheets, and are read back to the letter. Voices are kept aside, each with all
that its row says: the name that stands is in observations.csv, and nobody speaks in another person's name. Only a box that people
called "not an animal" is taken from them, since no observation says it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from app.cells import unguard
from app.formats.camtrap_dp import LABELS, OWN
from app.imports.files import Files
from app.imports.lines import How, Line, aside, bad, corners, path_of
from app.imports.tables import Row, table
from models.deployment import PROBLEMS
from models.errors import Invalid
from models.import_records import BLANK, HUMAN, SightingRecord
from models.species import RANKS

MOST_NAME = 200
BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
# Offsets from UTC in minutes that are no whole hours -> a zone that always has them.
HALVES = {
    210: "Asia/Tehran", 270: "Asia/Kabul", 330: "Asia/Kolkata", 345: "Asia/Kathmandu", 390: "Asia/Yangon", 570: "Australia/Darwin"
}  # fmt: skip


class Exact(Row):
    """A row of ours: every cell to the letter."""

    def get(self, column: str) -> str:
        """The cell; empty where there is none."""
        return unguard(self.cells.get(column, ""))


@dataclass(frozen=True)
class Own:
    """Our own part of a package. Untrue: it is somebody else's."""

    is_ours: bool = False
    deployments: dict[str, Any] = field(default_factory=dict)
    species: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether Waterhole wrote it."""
        return self.is_ours

    @classmethod
    def of(cls, files: Files, package: dict[str, Any]) -> Own:
        """By the table of voices."""
        said = package.get(OWN)
        parts = [said.get(part) if isinstance(said, dict) else None for part in ("deployments", "species")]
        deployments, species = (part if isinstance(part, dict) else {} for part in parts)
        return cls(files.has(f"{LABELS}.csv"), deployments, species)

    def called(self, scientific: str) -> tuple[str, str] | None:
        """(name, scientific name) of a species as the list has it that the package was made of."""
        said = self.species.get(scientific) if self.is_ours else None
        name, latin = (said.get("name"), said.get("scientificName")) if isinstance(said, dict) else (None, None)
        if not (isinstance(name, str) and isinstance(latin, str) and name and len(name + latin) <= 2 * MOST_NAME):
            return None
        return name[:MOST_NAME], latin[:MOST_NAME]

    def ranks(self) -> dict[str, str]:
        """Scientific name, else the name of the list -> its rank."""
        found = {}
        for scientific in self.species:
            called, rank = self.called(scientific), self.species[scientific].get("rank")
            if called is not None and rank in RANKS:
                found[called[1] or called[0]] = rank
        return found

    def row(self, row: Row) -> Row:
        """Read as it was written."""
        return Exact(row.line, row.cells) if self.is_ours else row

    def deployment(self, name: str) -> dict[str, Any]:
        """zone, comments, problems; without what is not so."""
        said = self.deployments.get(name) if self.is_ours else None
        if not isinstance(said, dict):
            return {}
        found: dict[str, Any] = {}
        if isinstance(said.get("comments"), str):
            found["comments"] = said["comments"]
        if said.get("zone") in available_timezones():
            found["zone"] = said["zone"]
        problems = said.get("problems")
        if isinstance(problems, list):
            found["problems"] = [each for each in problems if is_problem(each)]
        return found

    def voices(self, files: Files, how: How) -> Iterator[Line]:
        """A line a voice, and one more for a box that is no animal."""
        if not self.is_ours:
            return
        for row in table(files, f"{LABELS}.csv", how).rows:
            exact = Exact(row.line, row.cells)
            place = f"{LABELS}.csv line {row.line}"
            try:
                path = path_of(exact.get("filePath"), how, exact=True)
                box = corners([float(exact.get(side)) for side in BOX])
                score = float(exact.get("detectorScore") or "nan")
            except (Invalid, ValueError) as error:
                yield bad(place, "filePath" if isinstance(error, Invalid) else "bboxX", str(error))
                continue
            record = SightingRecord(details={column: exact.get(column) for column in row.cells})
            yield aside(place, "a voice; the name that stands is in observations.csv", photo=path, record=record)
            if (exact.get("means"), exact.get("settles")) == ("not_animal", "true") and box is not None:
                yield Line(
                    f"{place}, its box", photo=path,
                    record=SightingRecord(
                        BLANK, box, score if 0 <= score <= 1 else None, said_by=HUMAN, who=exact.get("who")[:200],
                        unsure=exact.get("certain") == "false", box_kind=exact.get("detectedAs"),
                        details={"classificationTimestamp": exact.get("at")},
                    ),
                )  # fmt: skip


def is_problem(said: Any) -> bool:
    """[kind, from, to]."""
    if not (isinstance(said, list) and len(said) == 3 and said[0] in PROBLEMS):
        return False
    try:
        start, end = (dt.datetime.fromisoformat(each) for each in said[1:])
    except (TypeError, ValueError):
        return False
    return start.tzinfo is None and end.tzinfo is None and start <= end


def zone_of(start: str, end: str, zone: str) -> str:
    """A zone that shows both clocks as they are written; empty where the project's does, or where they say none.

    A camera whose offset changes while it stands (summer time) keeps the project's zone: an offset names no place.
    """
    both = [dt.datetime.fromisoformat(each) for each in (start, end)]
    offsets = {each.utcoffset() for each in both}
    offset = offsets.pop()
    is_utc = any(each.endswith(("Z", "z")) for each in (start, end))
    if offsets or offset is None or is_utc:
        return ""
    if all(each.replace(tzinfo=ZoneInfo(zone)).utcoffset() == offset for each in both):
        return ""
    minutes = int(offset.total_seconds()) // 60
    hours = -minutes // 60  # the names have the sign of the ships: Etc/GMT-2 is two hours before Greenwich
    name = f"Etc/GMT{hours:+d}" if minutes % 60 == 0 else HALVES.get(minutes, "")
    return name if name in available_timezones() else ""
