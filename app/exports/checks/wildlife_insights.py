"""Everything that is wrong with an upload set of Wildlife Insights (FORMATS 6; the checks of the platform's wi_validation.R)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from app.formats.wildlife_insights import BLANK_ID, COLUMNS, DATETIME, REQUIRED

Row = dict[str, str]
Tables = dict[str, list[Row]]


def check(path: Path) -> list[str]:
    """One line a fault: table, line, field, what. Nothing when all is well."""
    with zipfile.ZipFile(path) as packed:
        tables = {name: rows_of(packed, name) for name in COLUMNS if name in packed.namelist()}
    lacking = [f"{name} is missing" for name in COLUMNS if name not in tables]
    return lacking or [*of_tables(tables), *of_deployments(tables), *of_images(tables), *of_orphans(tables)]


def rows_of(packed: zipfile.ZipFile, name: str) -> list[Row]:
    """A table as text."""
    with packed.open(name) as file:
        return list(csv.DictReader(io.TextIOWrapper(file, "utf-8", newline="")))


def of_tables(tables: Tables) -> Iterator[str]:
    """Headers and required cells."""
    for name, rows in tables.items():
        for number, row in enumerate(rows, start=2):
            if tuple(row) != COLUMNS[name]:
                yield f"{name} line {number}: other columns than the platform's"
            yield from (f"{name} line {number}: {field} is empty" for field in REQUIRED[name] if not row.get(field))


def of_deployments(tables: Tables) -> Iterator[str]:
    """Coordinates, periods, and names that come twice."""
    seen: set[str] = set()
    for number, row in enumerate(tables["deployments.csv"], start=2):
        where = f"deployments.csv line {number}"
        for field, most in (("latitude", 90), ("longitude", 180)):
            if not is_within(row[field], most):
                yield f"{where}: {field} {row[field]!r} is out of range"
        start, end = moment(row["start_date"]), moment(row["end_date"])
        if start is None or end is None:
            yield f"{where}: start_date and end_date are written like 2026-03-01 06:30:00"
        elif start > end:
            yield f"{where}: end_date is before start_date"
        if row["deployment_id"] in seen:
            yield f"{where}: deployment_id {row['deployment_id']!r} comes twice"
        seen.add(row["deployment_id"])


def of_images(tables: Tables) -> Iterator[str]:
    """Times within the deployment, counts, blanks, and a species that comes twice in a photo."""
    periods = {
        row["deployment_id"]: (moment(row["start_date"]), moment(row["end_date"])) for row in tables["deployments.csv"]
    }
    seen: set[tuple[str, str]] = set()
    for number, row in enumerate(tables["images.csv"], start=2):
        where, at = f"images.csv line {number}", moment(row["timestamp"])
        start, end = periods.get(row["deployment_id"], (None, None))
        if at is None:
            yield f"{where}: timestamp is written like 2026-03-01 06:30:00"
        elif start and end and not start <= at <= end:
            yield f"{where}: timestamp lies outside of the deployment"
        if not row["number_of_objects"].isdecimal() or (row["wi_taxon_id"] == BLANK_ID) != (
            row["number_of_objects"] == "0"
        ):
            yield f"{where}: number_of_objects {row['number_of_objects']!r}; 0 is for Blank alone"
        key = (row["image_id"], row["wi_taxon_id"])
        if key in seen:
            yield f"{where}: image_id {key[0]!r} has this species twice"
        seen.add(key)


def of_orphans(tables: Tables) -> Iterator[str]:
    """Names that one table has and the other lacks, in both directions."""
    for field, one, other in (
        ("deployment_id", "images.csv", "deployments.csv"), ("camera_id", "deployments.csv", "cameras.csv"),
        ("project_id", "images.csv", "projects.csv"), ("project_id", "deployments.csv", "projects.csv"),
    ):  # fmt: skip
        here, there = ({row[field] for row in tables[name]} for name in (one, other))
        yield from (f"{one}: {field} {name!r} is not in {other}" for name in sorted(here - there))
        if here:
            yield from (f"{other}: {field} {name!r} is not in {one}" for name in sorted(there - here))


def moment(text: str) -> dt.datetime | None:
    """None where it is no time of this form."""
    try:
        return dt.datetime.strptime(text, DATETIME)
    except ValueError:
        return None


def is_within(text: str, most: float) -> bool:
    """A number of degrees."""
    try:
        return -most <= float(text) <= most
    except ValueError:
        return False
