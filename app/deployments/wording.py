"""Clocks in words: what is seen, what is proposed, what was corrected."""

from __future__ import annotations

import datetime as dt

from app.pages import camera_time
from models.clock_finding import FUTURE, OUTSIDE, PAIR, RESET, SUN, ClockFinding
from models.correcting import DRIFT, SHIFT, SWAP, Correction
from models.words import mark_many, say, say_many

UNITS = (
    (86400, *mark_many("%(num)s day", "%(num)s days")), (3600, *mark_many("%(num)s hour", "%(num)s hours")),
    (60, *mark_many("%(num)s minute", "%(num)s minutes")), (1, *mark_many("%(num)s second", "%(num)s seconds")),
)  # fmt: skip
TITLES = {
    OUTSIDE: "Photos lie outside the deployment's period",
    RESET: "The clock fell back to a default date",
    FUTURE: "Photos lie in the future",
    SUN: "Nights are bright and days are dark",
    PAIR: "Another camera of the site tells other times",
}


def seen(finding: ClockFinding) -> str:
    """The figures in one or two sentences."""
    figures = finding.figures
    if finding.kind == SUN:
        return say(
            "By this clock the photos are darker by day (mean %(by_day)s of 255, %(days)s photos) than by night "
            "(%(by_night)s, %(nights)s photos). Twelve hours on it is the other way round.", **figures,
        )  # fmt: skip
    if finding.kind == PAIR:
        said = {"length": span(abs(figures["seconds"])), **figures}
        if figures["seconds"] > 0:
            return say(
                "%(photos)s of %(of)s visits are also seen by %(other)s, but %(length)s later; %(as_is)s at the same time. "
                "One of the two clocks is wrong.", **said,
            )  # fmt: skip
        return say(
            "%(photos)s of %(of)s visits are also seen by %(other)s, but %(length)s earlier; %(as_is)s at the same time. "
            "One of the two clocks is wrong.", **said,
        )  # fmt: skip
    first, last = (camera_time(dt.datetime.fromisoformat(figures[name])) for name in ("first", "last"))
    how_many = {"num": figures["photos"], "of": figures["of"], "first": first, "last": last}
    if finding.kind == FUTURE:
        return say("%(num)s of %(of)s photos are later than now, up to %(last)s.", **how_many)
    if finding.kind == OUTSIDE:
        return say(
            "%(num)s of %(of)s photos: %(before)s before the day it began, %(after)s after the day it ended. "
            "The earliest says %(first)s, the latest %(last)s.",
            before=figures["before"], after=figures["after"], **how_many,
        )  # fmt: skip
    return say(
        "From %(file)s on, %(num)s of %(of)s photos say %(first)s to %(last)s. %(bounds)s",
        file=figures["file"], bounds=bounds(figures["earliest"], figures["latest"]), **how_many,
    )  # fmt: skip


def bounds(earliest: str, latest: str) -> str:
    """Between which moments the first photo after a reset was truly taken."""
    low, high = (camera_time(dt.datetime.fromisoformat(at)) if at else "" for at in (earliest, latest))
    if low and high:
        return say(
            "The first of them was taken between %(low)s and %(high)s; the earliest is proposed.", low=low, high=high
        )
    if low:
        return say("The first of them was taken at %(low)s or later; the earliest is proposed.", low=low)
    if high:
        return say("The first of them was taken at %(high)s or earlier; that is proposed.", high=high)
    return say("Nothing says when they were taken.")


def told(correction: Correction) -> str:
    """What a correction does."""
    parameters = correction.parameters
    if correction.kind == SHIFT:
        length = span(abs(parameters["seconds"]))
        words = (
            say("%(length)s later", length=length)
            if parameters["seconds"] > 0
            else say("%(length)s earlier", length=length)
        )
    elif correction.kind == SWAP:
        words = say("Day and month swapped")
    elif correction.kind == DRIFT:
        words = say(
            "Drift: %(shown_1)s was truly %(true_1)s, and %(shown_2)s was truly %(true_2)s",
            **{name: at.replace("T", " ") for name, at in parameters.items()},
        )
    else:
        words = say(
            "Summer time of %(zone)s, for a clock that was set on %(set_at)s", zone=parameters["zone"],
            set_at=parameters["set_at"].replace("T", " "),
        )  # fmt: skip
    return f"{words}{reach(correction)}"


def reach(correction: Correction) -> str:
    """Which photos are meant, unless all are."""
    low, high = (None if at is None else f"{at:%Y-%m-%d %H:%M:%S}" for at in (correction.from_at, correction.to_at))
    if low and high:
        return say(" (photos that say %(low)s to %(high)s)", low=low, high=high)
    if low:
        return say(" (photos that say %(low)s or later)", low=low)
    return say(" (photos that say %(high)s or earlier)", high=high) if high else ""


def span(seconds: int) -> str:
    """3 days 4 hours 5 seconds."""
    parts = []
    for size, one, many in UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(say_many(one, many, count))
    return " ".join(parts) or say("nothing")
