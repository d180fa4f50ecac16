"""Whether a cell of a Camtrap DP table may hold its text, by the rules in app/formats/camtrap_dp.py."""

from __future__ import annotations

import datetime as dt
import math

from app.formats.camtrap_dp import BOOLEANS, DATETIME, FILE_PATH, INTEGERS, MEDIA_TYPE, NUMBERS, TIMES, WORDS


def fault(field: str, text: str) -> str:
    """What is wrong with a cell that is not empty; "" when nothing is."""
    if field in WORDS:
        return "" if text in WORDS[field] else f"{text!r} is none of {', '.join(WORDS[field])}"
    if field in BOOLEANS:
        return "" if text in ("true", "false") else f"{text!r} is neither true nor false"
    if field in INTEGERS or field in NUMBERS:
        return number_fault(field, text)
    if field in TIMES:
        return time_fault(text)
    if field == "filePath" and not FILE_PATH.match(text):
        return f"{text!r} is no relative path"
    if field == "fileMediatype" and not MEDIA_TYPE.match(text):
        return f"{text!r} is no media type"
    return ""


def number_fault(field: str, text: str) -> str:
    """Not a number, not a whole one, or out of its range."""
    try:
        value = int(text) if field in INTEGERS else float(text)
    except ValueError:
        return f"{text!r} is no {'whole ' if field in INTEGERS else ''}number"
    least, most = INTEGERS[field] if field in INTEGERS else NUMBERS[field]
    good = math.isfinite(value) and (least is None or value >= least) and (most is None or value <= most)
    return "" if good else f"{text} is out of range"


def time_fault(text: str) -> str:
    """Not a time with an offset."""
    try:
        dt.datetime.strptime(text, DATETIME)
    except ValueError:
        return f"{text!r} is no time like 2026-03-01T06:30:00-05:00"
    return "" if "." not in text else f"{text!r} has fractions of a second"
