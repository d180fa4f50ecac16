"""A camera's wall clock with the offset of its zone at that moment (FORMATS 1 rule 5)."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo

UTC = "UTC"


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo:
    """UTC where nobody said one."""
    return ZoneInfo(name or UTC)


def zoned(moment: dt.datetime, zone: str) -> str:
    """2014-07-10T04:16:55-04:00. An hour that comes twice is its first one; one that is left out keeps the offset before it."""
    return moment.replace(microsecond=0, tzinfo=zone_named(zone)).isoformat()


def is_odd(moment: dt.datetime, zone: str) -> bool:
    """Whether the zone's clocks showed this time twice or never."""
    at = moment.replace(tzinfo=zone_named(zone))
    return at.utcoffset() != at.replace(fold=1).utcoffset()


def utc(moment: dt.datetime) -> str:
    """A moment of the server."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
