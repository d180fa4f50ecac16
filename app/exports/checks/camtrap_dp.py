"""Everything that is wrong with a Camtrap DP zip: the table schemas, and what they cannot say (FORMATS.md section 2)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.exports.checks.cells import fault
from app.formats.camtrap_dp import (
    COLUMNS,
    DATETIME,
    LICENSE_SCOPES,
    PACKAGE_REQUIRED,
    PROJECT_REQUIRED,
    REQUIRED,
    SAMPLING_DESIGNS,
)

Row = dict[str, str]
NOT_ANIMALS = ("blank", "human", "vehicle")


def check(path: Path) -> list[str]:
    """One line a fault: table, line, field, what. Nothing when all is well."""
    with zipfile.ZipFile(path) as packed:
        package = json.loads(packed.read("datapackage.json"))
        tables = {name: rows_of(packed, name) for name in COLUMNS}
        return [*of_package(package), *of_tables(tables), *of_relations(tables, package)]


def rows_of(packed: zipfile.ZipFile, name: str) -> list[Row]:
    """A table as text."""
    with packed.open(f"{name}.csv") as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")))


def of_package(package: dict[str, Any]) -> Iterator[str]:
    """What datapackage.json lacks."""
    yield from (f"datapackage.json: {key} is missing" for key in PACKAGE_REQUIRED if key not in package)
    project = package.get("project", {})
    yield from (f"datapackage.json: project.{key} is missing" for key in PROJECT_REQUIRED if key not in project)
    if project.get("samplingDesign") not in SAMPLING_DESIGNS:
        yield "datapackage.json: project.samplingDesign is no sampling design"
    scopes = [each.get("scope") for each in package.get("licenses", ())]
    if "licenses" in package and not set(LICENSE_SCOPES) <= set(scopes):
        yield "datapackage.json: licenses need one for data and one for media"


def of_tables(tables: dict[str, list[Row]]) -> Iterator[str]:
    """Headers, required cells, words, numbers, times, and keys that come twice."""
    for name, rows in tables.items():
        seen: set[str] = set()
        for number, row in enumerate(rows, start=2):
            if tuple(row) != COLUMNS[name]:
                yield f"{name}.csv: the columns are not those of Camtrap DP in their order"
                break
            yield from (f"{name}.csv line {number}, {field}: is empty" for field in REQUIRED[name] if not row[field])
            for field, text in row.items():
                if text and (words := fault(field, text)):
                    yield f"{name}.csv line {number}, {field}: {words}"
            key = row[COLUMNS[name][0]]
            if key in seen:
                yield f"{name}.csv line {number}: {key} comes twice"
            seen.add(key)


def of_relations(tables: dict[str, list[Row]], package: dict[str, Any]) -> Iterator[str]:
    """What one row says of another."""
    cameras = {row["deploymentID"]: row for row in tables["deployments"]}
    media = {row["mediaID"]: row for row in tables["media"]}
    events = {row["eventID"]: row for row in tables["observations"] if row["observationLevel"] == "event"}
    names = {each["scientificName"] for each in package.get("taxonomic", ())}
    for number, row in enumerate(tables["deployments"], start=2):
        if moment(row["deploymentStart"]) > moment(row["deploymentEnd"]):
            yield f"deployments.csv line {number}: it ends before it starts"
    for number, row in enumerate(tables["media"], start=2):
        camera = cameras.get(row["deploymentID"])
        if camera is None:
            yield f"media.csv line {number}: there is no deployment {row['deploymentID']}"
        elif not moment(camera["deploymentStart"]) <= moment(row["timestamp"]) <= moment(camera["deploymentEnd"]):
            yield f"media.csv line {number}: taken outside its deployment"
    most: dict[tuple[str, str], int] = {}
    for number, row in enumerate(tables["observations"], start=2):
        for words in of_observation(row, cameras, media, names):
            yield f"observations.csv line {number}: {words}"
        if row["observationLevel"] == "media" and row["eventID"]:
            if row["eventID"] not in events:
                yield f"observations.csv line {number}: there is no event {row['eventID']}"
            key = (row["eventID"], row["mediaID"])
            most[key] = most.get(key, 0) + int(row["count"] or 0)
    for (event, photo), count in most.items():
        if event in events and int(events[event]["count"] or 0) < count:
            yield f"observations.csv: event {event} counts fewer than photo {photo}"


def of_observation(row: Row, cameras: dict[str, Row], media: dict[str, Row], names: set[str]) -> Iterator[str]:
    """The faults of one observation."""
    start, end = moment(row["eventStart"]), moment(row["eventEnd"])
    if row["deploymentID"] not in cameras:
        yield f"there is no deployment {row['deploymentID']}"
    if start > end:
        yield "the event ends before it starts"
    photo = media.get(row["mediaID"])
    if row["observationLevel"] == "media" and photo is None:
        yield f"there is no photo {row['mediaID']}"
    if photo is not None and not start <= moment(photo["timestamp"]) <= end:
        yield "the photo lies outside its event"
    kind = row["observationType"]
    if kind == "animal" and not row["scientificName"]:
        yield "an animal without a name"
    if kind in NOT_ANIMALS and any(row[field] for field in ("sex", "lifeStage", "behavior")):
        yield f"a {kind} with sex, life stage or behaviour"
    if row["scientificName"] and row["scientificName"] not in names:
        yield f"{row['scientificName']} is not in taxonomic"
    for place, size in (("bboxX", "bboxWidth"), ("bboxY", "bboxHeight")):
        if row[place] and row[size] and float(row[place]) + float(row[size]) > 1:
            yield f"{place} + {size} is more than 1"


def moment(text: str) -> dt.datetime:
    """A time with its offset; the first of all times for what is none, which of_tables names."""
    try:
        return dt.datetime.strptime(text, DATETIME)
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.UTC)
