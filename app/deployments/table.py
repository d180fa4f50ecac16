"""A table of deployments as a CSV: our own columns, Camtrap DP's deployments.csv, or camtrapR's station table.

Read whole before anything is stored: each bad line with its number, its field and the reason. A column that the table lacks, and
a cell that is empty, leaves what is known.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.deployments.reading import NOTHING, degrees, metres, moment
from models.effort import Problem
from models.errors import Invalid

MOST_LINES, MOST_BYTES = 2000, 1 << 20
# header, in lower case without spaces, underscores and dots -> our field
HEADERS = {
    "deployment": "deployment", "deploymentid": "deployment", "site": "site", "station": "site", "locationid": "site",
    "camera": "camera", "cameraid": "camera", "session": "session", "cameramodel": "camera_model", "start": "starts_at",
    "startsat": "starts_at", "deploymentstart": "starts_at", "setupdate": "starts_at", "end": "ends_at", "endsat": "ends_at",
    "deploymentend": "ends_at", "retrievaldate": "ends_at", "zone": "zone", "timezone": "zone", "latitude": "latitude",
    "lat": "latitude", "gpsy": "latitude", "longitude": "longitude", "lon": "longitude", "long": "longitude",
    "gpsx": "longitude", "uncertaintym": "uncertainty_m", "coordinateuncertainty": "uncertainty_m", "comments": "comments",
    "deploymentcomments": "comments",
}  # fmt: skip
PROBLEM = re.compile(r"problem(\d+)(from|to|kind)")
TEXTS = ("deployment", "site", "camera", "session", "camera_model", "zone", "comments")


@dataclass(frozen=True)
class Line:
    """One good line. number: in the file, the header is 1. values: of models.facts.Facts, only what the table says."""

    number: int
    deployment: str
    site: str
    camera: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Bad:
    """One line that cannot be taken."""

    number: int
    field: str
    reason: str


@dataclass
class Table:
    """What was read. reading: how (encoding, what parts the cells). ignored: headers that mean nothing here."""

    lines: list[Line] = field(default_factory=list)
    bad: list[Bad] = field(default_factory=list)
    columns: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    reading: str = ""

    def refuse(self, number: int, field: str, reason: str) -> None:
        """A line that cannot be taken. field: ours; it is told as the person's own header."""
        header = next((cell for cell, name in self.columns.items() if name == field), field)
        self.bad.append(Bad(number, header, reason))


def decoded(content: bytes) -> tuple[str, str]:
    """(text, encoding). UTF-8, else UTF-16 by its mark, else Latin-1, which the page then shows. Raises Invalid."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"table: at most {MOST_BYTES >> 20} MB")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), "UTF-16"
    try:
        return content.decode("utf-8-sig"), "UTF-8"
    except UnicodeDecodeError:
        return content.decode("latin-1"), "Latin-1"


def read(text: str, encoding: str, zone: str) -> Table:
    """zone: the project's, for times with an offset. Raises Invalid where there is no table at all."""
    cleaned = text.lstrip("\ufeff").replace("\0", "")
    head = cleaned.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    rows = list(csv.reader(io.StringIO(cleaned), delimiter=delimiter))
    if not rows or not any(cell.strip() for cell in rows[0]):
        raise Invalid("table: the first line names the columns, like deployment,site,start,end")
    if len(rows) > MOST_LINES + 1:
        raise Invalid(f"table: at most {MOST_LINES:,} lines")
    table = Table(reading=f"{encoding}, {delimiter!r}" if delimiter != "\t" else f"{encoding}, TAB")
    names = headers(rows[0], table)
    if not {"deployment", "site"} & set(names):
        raise Invalid("table: a column deployment, deploymentID, site or Station is needed")
    for number, cells in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in cells):
            take(table, number, names, cells, zone)
    twice = {name for name, count in Counter(line.deployment for line in table.lines).items() if count > 1}
    for line in [line for line in table.lines if line.deployment in twice]:
        table.lines.remove(line)
        table.refuse(line.number, "deployment", f"{line.deployment} stands in the table more than once")
    table.bad.sort(key=lambda bad: bad.number)
    return table


def headers(cells: list[str], table: Table) -> list[str]:
    """Our field of each column; empty for one that means nothing here, or that came before."""
    names: list[str] = []
    for cell in cells:
        plain = re.sub(r"[\s_.]+", "", cell.strip().lower())
        name = HEADERS.get(plain, plain if PROBLEM.fullmatch(plain) else "")
        if name and name not in names:
            table.columns[cell.strip()] = name
        elif cell.strip():
            table.ignored.append(cell.strip())
            name = ""
        names.append(name)
    return names


def take(table: Table, number: int, names: list[str], cells: list[str], zone: str) -> None:
    """A line goes to the good ones or to the bad ones."""
    if len(cells) > len(names):
        table.bad.append(Bad(number, "", f"{len(cells)} cells, but {len(names)} columns"))
        return
    said = {name: plain(cell) for name, cell in zip(names, cells, strict=False) if name}
    said = {name: cell for name, cell in said.items() if cell not in NOTHING}
    try:
        table.lines.append(line_of(number, said, zone))
    except Invalid as error:
        place, _colon, reason = str(error).partition(": ")
        table.refuse(number, place, reason)


def plain(cell: str) -> str:
    """Without the quote that our own tables put before a text that a spreadsheet would take for a formula."""
    text = cell.strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@'\t\r" else text


def line_of(number: int, said: Mapping[str, str], zone: str) -> Line:
    """Raises Invalid at the field."""
    for name in TEXTS:
        if not said.get(name, "").isprintable():
            raise Invalid(f"{name}: has characters that cannot be shown")
    site, camera = said.get("site", ""), said.get("camera", "")
    deployment = said.get("deployment") or "/".join(filter(None, (site, camera, said.get("session", ""))))
    if not deployment or len(deployment) > 255:
        raise Invalid("deployment: 1 to 255 characters")
    zone = said.get("zone", zone)
    values: dict[str, Any] = {
        name: said[name] for name in ("site", "camera", "camera_model", "zone", "comments") if name in said
    }
    for name, reader in (("latitude", degrees), ("longitude", degrees), ("uncertainty_m", metres)):
        if name in said:
            values[name] = reader(name, said[name])
    for name in ("starts_at", "ends_at"):
        if name in said:
            values[name] = moment(name, said[name], zone)
    problems = problems_of(said, values.get("ends_at"), zone)
    return Line(number, deployment, site, camera, values | ({"problems": problems} if problems else {}))


def problems_of(said: Mapping[str, str], ends_at: Any, zone: str) -> tuple[Problem, ...]:
    """Problem1_from, Problem1_to, problem1_kind, ... Raises Invalid."""
    found = []
    for name in sorted((name for name in said if name.endswith("from") and PROBLEM.fullmatch(name)), key=len):
        stem = name.removesuffix("from")
        from_at = moment(name, said[name], zone)
        to_at = moment(f"{stem}to", said.get(f"{stem}to", ""), zone) or ends_at
        if from_at is None or to_at is None:
            raise Invalid(f"{stem}to: is missing, and so is the end of the deployment")
        kind = said.get(f"{stem}kind", "not_working").lower().replace(" ", "_")
        found.append(Problem(kind, from_at, to_at))
    return tuple(found)
