"""What a wrong clock showed becomes what was true: pure functions of a wall clock, one a kind of correction.

A correction sees what those before it made of the moment; its range is always of the moment as shot, so that it names photos.
Times are whole seconds as cameras write them; a drifting clock's are rounded to seconds.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from models.errors import Invalid

SHIFT, DRIFT, SWAP, ZONE = "shift", "drift", "swap", "zone"
LONGEST_S = 200 * 366 * 86400
PAIR = ("shown_1", "true_1", "shown_2", "true_2")

Parameters = Mapping[str, Any]
Apply = Callable[[dt.datetime, Parameters], dt.datetime | None]


@dataclass(frozen=True)
class Correction:
    """One correction. from_at, to_at: of the moment as shot, both included; None is no bound."""

    kind: str
    parameters: Parameters = field(default_factory=dict)
    from_at: dt.datetime | None = None
    to_at: dt.datetime | None = None

    def covers(self, shot: dt.datetime) -> bool:
        """Whether the photo is one of those that are meant."""
        return (self.from_at is None or self.from_at <= shot) and (self.to_at is None or shot <= self.to_at)

    def of(self, moment: dt.datetime) -> dt.datetime | None:
        """The true moment; None where this kind cannot say one (the 13th of a month is no month)."""
        try:
            return KINDS[self.kind](moment, self.parameters)
        except (OverflowError, ValueError):
            return None

    @classmethod
    def checked(
        cls, kind: str, parameters: Parameters, from_at: dt.datetime | None = None, to_at: dt.datetime | None = None
    ) -> Correction:
        """Raises Invalid at the field for what makes no sense."""
        if kind not in KINDS:
            raise Invalid(f"kind: {kind[:20]!r} is not one of {', '.join(KINDS)}")
        if from_at is not None and to_at is not None and from_at > to_at:
            raise Invalid("to-at: lies before the first photo that is meant")
        return cls(kind, CHECKS[kind](parameters), from_at, to_at)


def corrected(shot: dt.datetime | None, corrections: Iterable[Correction]) -> dt.datetime | None:
    """The moment as shot through all corrections, in order. What a correction cannot say stays as it was."""
    if shot is None:
        return None
    moment = shot
    for correction in corrections:
        if correction.covers(shot):
            moment = correction.of(moment) or moment
    return moment


def refused(shots: Iterable[dt.datetime], before: Sequence[Correction], correction: Correction) -> int:
    """How many of the photos that are meant the correction cannot move, after those before it."""
    moments = ((shot, corrected(shot, before)) for shot in shots if correction.covers(shot))
    return sum(1 for _shot, moment in moments if moment is not None and correction.of(moment) is None)


def shifted(moment: dt.datetime, parameters: Parameters) -> dt.datetime:
    """A fixed number of seconds later, or earlier."""
    return moment + dt.timedelta(seconds=parameters["seconds"])


def undrifted(moment: dt.datetime, parameters: Parameters) -> dt.datetime:
    """On the line through both pairs, also beyond them: a clock drifts at one rate. Both pairs are hit exactly."""
    shown_1, true_1, shown_2, true_2 = (dt.datetime.fromisoformat(parameters[name]) for name in PAIR)
    ahead = (moment - shown_1) * ((true_2 - true_1) / (shown_2 - shown_1))
    return true_1 + dt.timedelta(seconds=round(ahead.total_seconds()))


def swapped(moment: dt.datetime, _parameters: Parameters) -> dt.datetime | None:
    """Day and month change places; None where the day is no month."""
    return moment.replace(month=moment.day, day=moment.month) if moment.day <= 12 else None


def in_zone(moment: dt.datetime, parameters: Parameters) -> dt.datetime:
    """What the place's clocks showed, for a camera whose clock was right at set_at and knew no summer time."""
    zone = ZoneInfo(parameters["zone"])
    offset = dt.datetime.fromisoformat(parameters["set_at"]).replace(tzinfo=zone).utcoffset() or dt.timedelta()
    return (moment - offset).replace(tzinfo=dt.UTC).astimezone(zone).replace(tzinfo=None)


def check_shift(parameters: Parameters) -> Parameters:
    """Whole seconds, not none, and no more than two centuries."""
    seconds = parameters.get("seconds")
    if not isinstance(seconds, int) or not 0 < abs(seconds) <= LONGEST_S:
        raise Invalid("true: the two times are the same, or more than 200 years apart")
    return {"seconds": seconds}


def check_drift(parameters: Parameters) -> Parameters:
    """Two pairs of times in order."""
    try:
        shown_1, true_1, shown_2, true_2 = (dt.datetime.fromisoformat(parameters[name]) for name in PAIR)
    except (KeyError, TypeError, ValueError):
        raise Invalid("shown-1: a drift needs two pairs of times") from None
    if not shown_1 < shown_2:
        raise Invalid("shown-2: lies before the first shown time")
    if not true_1 < true_2:
        raise Invalid("true-2: lies before the first true time")
    return {name: parameters[name] for name in PAIR}


def check_swap(_parameters: Parameters) -> Parameters:
    """Nothing to say."""
    return {}


def check_zone(parameters: Parameters) -> Parameters:
    """A known zone, and the moment at which the clock was set."""
    zone = known_zone(str(parameters.get("zone", "")), "zone")
    if not zone:
        raise Invalid("zone: a zone is needed, like Europe/Berlin")
    try:
        set_at = dt.datetime.fromisoformat(str(parameters.get("set_at", "")))
    except ValueError:
        raise Invalid("set-at: write a time, like 2026-03-01 10:00") from None
    return {"zone": zone, "set_at": set_at.isoformat()}


def known_zone(name: str, field: str) -> str:
    """The name of a zone of the IANA list, or nothing. Raises Invalid for another one."""
    cleaned = name.strip()
    if not cleaned:
        return ""
    try:
        if cleaned in available_timezones() and ZoneInfo(cleaned):
            return cleaned
    except (ZoneInfoNotFoundError, ValueError):
        pass
    raise Invalid(f"{field}: {cleaned[:40]!r} is no zone of the IANA list, like Europe/Berlin")


KINDS: dict[str, Apply] = {SHIFT: shifted, DRIFT: undrifted, SWAP: swapped, ZONE: in_zone}
CHECKS: dict[str, Callable[[Parameters], Parameters]] = {
    SHIFT: check_shift, DRIFT: check_drift, SWAP: check_swap, ZONE: check_zone,
}  # fmt: skip
