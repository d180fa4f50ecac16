"""Times, degrees and problem periods as people and tables write them."""

from __future__ import annotations

import datetime as dt
import math
import re
from zoneinfo import ZoneInfo

from models.deployment import PROBLEMS
from models.effort import NOON, Problem
from models.errors import Invalid

DAY = r"(\d{4})[-/.:](\d{1,2})[-/.:](\d{1,2})"
MOMENT = re.compile(DAY + r"(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?)?")
NOTHING = ("", "NA", "NaN", "nan", "NULL")


def moment(field: str, text: str, zone: str = "") -> dt.datetime | None:
    """2026-03-01 10:00, 2026-03-01T10:00:00+01:00, or a date alone, which is noon. Nothing is None. Raises Invalid.

    A time with an offset becomes the wall clock of the zone; where no zone is known (UTC says nothing), it is taken as written.
    """
    cleaned = text.strip()
    if cleaned in NOTHING:
        return None
    match = MOMENT.fullmatch(cleaned)
    try:
        return moment_of(match, zone) if match else refuse(field, cleaned)
    except (ValueError, OverflowError):
        return refuse(field, cleaned)


def moment_of(match: re.Match[str], zone: str) -> dt.datetime:
    """Raises ValueError for a day that is none."""
    day = dt.date(int(match[1]), int(match[2]), int(match[3]))
    if match[4] is None:
        return dt.datetime.combine(day, NOON)
    written = dt.datetime.combine(day, dt.time(int(match[4]), int(match[5]), int(match[6] or 0)))
    if match[7] is None or zone in ("", "UTC"):
        return written
    offset = dt.datetime.strptime(match[7].replace("Z", "+0000"), "%z").tzinfo
    return written.replace(tzinfo=offset).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def refuse(field: str, text: str) -> dt.datetime:
    """Raises Invalid."""
    raise Invalid(f"{field}: {text[:40]!r} is no time; write it like 2026-03-01 10:00")


def degrees(field: str, text: str) -> float | None:
    """-12.5461, or -12,5461. Nothing is None. Raises Invalid."""
    cleaned = text.strip()
    if cleaned in NOTHING:
        return None
    try:
        number = float(cleaned.replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{field}: {cleaned[:40]!r} is no number of degrees, like -12.5461")
    return number


def metres(field: str, text: str) -> int | None:
    """30, or 30.0. Nothing is None. Raises Invalid."""
    number = degrees(field, text)
    return None if number is None else math.ceil(number)


def problem_lines(text: str, ends_at: dt.datetime | None) -> tuple[Problem, ...]:
    """One problem a line: `knocked_down; 2026-03-05 14:00; 2026-03-09`. Without the second time it lasts to the end.

    Raises Invalid and names the line.
    """
    lines = [line for line in text.replace("\r", "").split("\n") if line.strip()]
    return tuple(problem_line(line, number, ends_at) for number, line in enumerate(lines, start=1))


def problem_line(line: str, number: int, ends_at: dt.datetime | None) -> Problem:
    """One of them."""
    kind, *times = [part.strip() for part in line.split(";")]
    named = kind.lower().replace(" ", "_")
    if named not in PROBLEMS or not 1 <= len(times) <= 2:
        raise Invalid(f"problems: line {number}: write it like knocked down; 2026-03-05 14:00; 2026-03-09")
    from_at = moment("problems", times[0])
    to_at = (moment("problems", times[1]) if len(times) == 2 else None) or ends_at
    if from_at is None or to_at is None:
        raise Invalid(f"problems: line {number}: it needs a time at which it begins, and one at which it ends")
    return Problem(named, from_at, to_at)


def as_lines(problems: tuple[Problem, ...]) -> str:
    """The other way round."""
    return "\n".join(
        f"{each.kind.replace('_', ' ')}; {as_typed(each.from_at)}; {as_typed(each.to_at)}" for each in problems
    )


def as_typed(at: dt.datetime | None) -> str:
    """A moment as it is typed; seconds only where there are some."""
    return (
        ""
        if at is None
        else f"{at:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
        if at.second == 0
        else f"{at:%Y-%m-%d %H:%M:%S}"
    )
