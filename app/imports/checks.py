"""What a cell of a foreign table may hold: each check gives the value or says what is wrong. An empty cell is nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from app.imports.tables import Row, number

MISSING = ("", "NA", "NaN", "nan")
Check = Callable[[str], Any]


class Wrong(ValueError):
    """A cell; the message says why."""


@dataclass(frozen=True)
class Column:
    """One column of a table that we know. needed: its cell must not be empty."""

    check: Check
    needed: bool = False


def cells_of(row: Row, columns: Mapping[str, Column]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The values of a row by column, empty ones left out, and every (column, reason) that is wrong."""
    values: dict[str, Any] = {}
    wrong: list[tuple[str, str]] = []
    if "" in row.cells:
        wrong.append(("", "the row has more cells than the header"))
    for name, column in columns.items():
        text = row.get(name)
        if text in MISSING:
            if column.needed:
                wrong.append((name, "it is empty"))
            continue
        try:
            values[name] = column.check(text)
        except ValueError as error:
            wrong.append((name, str(error) if isinstance(error, Wrong) else f"{text[:60]!r} is no such value"))
    return values, wrong


def text(cell: str) -> str:
    """Words that can be stored."""
    if "\0" in cell:
        raise Wrong("it has a character that cannot be shown")
    return cell


def one_of(*words: str) -> Check:
    """One of some words."""

    def check(cell: str) -> str:
        if cell not in words:
            raise Wrong(f"{cell[:60]!r} is not one of {', '.join(words)}")
        return cell

    return check


def real(least: float = -1e300, most: float = 1e300, decimal: str = ".") -> Check:
    """A number between two."""

    def check(cell: str) -> float:
        try:
            value = number(cell, decimal)
        except ValueError:
            raise Wrong(f"{cell[:60]!r} is no number") from None
        if not least <= value <= most:
            raise Wrong(f"{cell[:60]!r} is not between {least:g} and {most:g}")
        return value

    return check


def whole(least: int = -(2**31), most: int = 2**31 - 1) -> Check:
    """A whole number between two; 3.0 is 3."""

    def check(cell: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,10}(\.0+)?", cell):
            raise Wrong(f"{cell[:60]!r} is no whole number")
        value = int(float(cell))
        if not least <= value <= most:
            raise Wrong(f"{cell[:60]!r} is not between {least} and {most}")
        return value

    return check


def truth(cell: str) -> bool:
    """true or false, however written."""
    words = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}
    if cell.lower() not in words:
        raise Wrong(f"{cell[:60]!r} is neither true nor false")
    return words[cell.lower()]


def moment(zone: str) -> Check:
    """ISO 8601 -> the camera's wall clock without a zone. With an offset the clock stands as written; in UTC (Z) it is that of
    the project's zone."""

    def check(cell: str) -> str:
        try:
            found = dt.datetime.fromisoformat(cell)
        except ValueError:
            raise Wrong(f"{cell[:60]!r} is no date and time") from None
        if found.tzinfo is not None and cell.rstrip().endswith(("Z", "z")):
            found = found.astimezone(ZoneInfo(zone))
        return found.replace(tzinfo=None, microsecond=0).isoformat(sep=" ")

    return check


FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y:%m:%d %H:%M:%S", "%d-%b-%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%Y-%m-%d", "%d-%b-%Y",
)  # fmt: skip


def clock(cell: str) -> str:
    """A wall clock in one of the forms that tools write. Day and month with slashes could mean either and are refused."""
    plain = re.sub(r"\.[0-9]+$", "", cell.strip())
    for form in FORMS:
        try:
            return dt.datetime.strptime(plain, form).isoformat(sep=" ")
        except ValueError:
            continue
    try:
        return dt.datetime.fromisoformat(plain).replace(tzinfo=None).isoformat(sep=" ")
    except ValueError:
        raise Wrong(f"{cell[:60]!r} is no date and time that can mean only one") from None
