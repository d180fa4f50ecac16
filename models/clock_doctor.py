"""What looks wrong about a clock, as pure functions of the times of a deployment's photos in the order of their files.

Three things are looked for, and a proposal is made only where one kind of correction explains (nearly) all of what is seen:
* reset: the clock falls back by a month or more to the first days of a January (the default of most firmware) and counts on. What
  is true then lies between the last good photo and the next good one or the end of the period; the earliest is proposed.
* outside: photos before the day on which the deployment began, or after that on which it ended. Day and month swapped, another
  year, or all photos from the start on: the first of these that brings them in.
* future: the same against now, where no period says more.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from models.clock_finding import FUTURE, OUTSIDE, RESET
from models.correcting import SHIFT, SWAP, Correction

BACK = dt.timedelta(days=30)  # a fall of the clock, rather than files in another order
FRESH = dt.timedelta(days=2)  # of a January: so soon after a reset the first photo comes
DAY = dt.timedelta(days=1)
EXPLAINED = 0.95  # of the photos must fit after a correction that is proposed


class Shot(NamedTuple):
    """One photo. shot: as the camera wrote it. taken: the same after the corrections that stand. brightness: 0 to 255."""

    id: int
    path: str
    shot: dt.datetime
    taken: dt.datetime
    brightness: int | None = None


class Found(NamedTuple):
    """One finding. mark: what it is about, so that it is known again. figures: in words of JSON."""

    kind: str
    mark: str
    figures: dict[str, Any]
    proposal: Correction | None


class Period(NamedTuple):
    """Of a deployment; None is not known. Photos of its first and last day belong to it, whatever the hour."""

    start: dt.datetime | None
    end: dt.datetime | None

    def holds(self, moment: dt.datetime) -> bool:
        """Whether a photo may be of this moment."""
        return not self.is_before(moment) and not self.is_after(moment)

    def is_before(self, moment: dt.datetime) -> bool:
        """Before its first day."""
        return self.start is not None and moment.date() < self.start.date()

    def is_after(self, moment: dt.datetime) -> bool:
        """After its last day."""
        return self.end is not None and moment.date() > self.end.date()


def in_file_order(shots: Iterable[Shot]) -> list[Shot]:
    """As the camera numbered them: digits in a path count as numbers."""
    return sorted(shots, key=lambda shot: ([natural(part) for part in re.split(r"(\d+)", shot.path)], shot.id))


def natural(part: str) -> tuple[int, str]:
    """IMG_9 before IMG_10."""
    return (int(part), "") if part.isdecimal() else (0, part)


def look(shots: Sequence[Shot], period: Period, now: dt.datetime) -> list[Found]:
    """Everything that looks wrong. shots: in file order. now: anywhere on earth, so a day ahead is no future yet."""
    runs = resets(shots, period)
    found = [reset_of(shots, run, period) for run in runs]
    fallen = {number for run in runs for number in run}
    rest = [shot for number, shot in enumerate(shots) if number not in fallen]
    outside = [shot for shot in rest if not period.holds(shot.taken)]
    ahead = [shot for shot in rest if shot.taken > now + DAY]
    if outside:
        mark = "/".join("" if at is None else at.date().isoformat() for at in period)
        found.append(finding(OUTSIDE, mark, rest, outside, period))
    elif ahead:
        found.append(finding(FUTURE, "", rest, ahead, Period(period.start, now)))
    return found


def finding(kind: str, mark: str, rest: list[Shot], wrong: list[Shot], period: Period) -> Found:
    """Photos that lie where they cannot."""
    times = [shot.taken for shot in wrong]
    figures: dict[str, Any] = {
        "photos": len(wrong),
        "of": len(rest),
        "before": sum(period.is_before(moment) for moment in times),
        "after": sum(period.is_after(moment) for moment in times),
        "first": min(times).isoformat(),
        "last": max(times).isoformat(),
    }
    return Found(kind, mark, figures, explained(rest, wrong, period))


# --- resets --------------------------------------------------------------------------------------------------------------


def resets(shots: Sequence[Shot], period: Period) -> list[range]:
    """Runs of places in `shots` whose clock had fallen back, each from the fall to the next good photo."""
    runs: list[range] = []
    began: int | None = None
    good: dt.datetime | None = None  # the latest moment that may be believed
    for number, shot in enumerate(shots):
        falls = is_fresh(shot.taken) and fell(shots, number, good, period)
        if began is not None:
            if falls and shot.taken < shots[number - 1].taken - DAY:
                runs.append(range(began, number))
                began = number
            elif is_set_again(shot.taken, shots[number - 1].taken, good, period):
                runs.append(range(began, number))
                began = None
        elif falls:
            began = number
        if began is None:
            good = shot.taken if good is None else max(good, shot.taken)
    return runs if began is None else [*runs, range(began, len(shots))]


def is_fresh(moment: dt.datetime) -> bool:
    """In the first days of a January, where firmware begins to count."""
    return moment - moment.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0) < FRESH


def fell(shots: Sequence[Shot], number: int, good: dt.datetime | None, period: Period) -> bool:
    """Whether the clock stands far behind a good photo, or began far behind the period or everything that follows."""
    moment = shots[number].taken
    if good is not None:
        return moment < good - BACK
    if period.start is not None:
        return moment < period.start - BACK
    later = shots[number + 1 :]
    return any(other.taken > before.taken + 10 * BACK for before, other in zip(shots[number:], later, strict=False))


def is_set_again(moment: dt.datetime, before: dt.datetime, good: dt.datetime | None, period: Period) -> bool:
    """Whether somebody set the clock between two photos of a run: it jumps to where the good photos were, or beyond."""
    if moment - before < BACK:
        return False
    if good is not None:
        return moment >= good
    return period.holds(moment) if period.start is not None else moment - before > 10 * BACK


def reset_of(shots: Sequence[Shot], run: range, period: Period) -> Found:
    """The finding about one run."""
    first, last = shots[run[0]], shots[run[-1]]
    earliest = shots[run[0] - 1].taken if run[0] else period.start
    follows = shots[run[-1] + 1].taken if run[-1] + 1 < len(shots) else period.end
    length = last.taken - first.taken
    latest = None if follows is None else follows - length
    if earliest is not None and latest is not None and latest < earliest:
        latest = None
    true = earliest or latest
    figures = {
        "photos": len(run),
        "of": len(shots),
        "first": first.taken.isoformat(),
        "last": last.taken.isoformat(),
        "file": first.path,
        "earliest": earliest.isoformat() if earliest else "",
        "latest": latest.isoformat() if latest else "",
    }
    low, high = (pick(shots[number].shot for number in run) for pick in (min, max))
    apart = not any(low <= shot.shot <= high for number, shot in enumerate(shots) if number not in run)
    if true is None or not apart:
        return Found(RESET, str(first.id), figures, None)
    return Found(RESET, str(first.id), figures, shift(true - first.taken, low, high))


# --- what would explain it -----------------------------------------------------------------------------------------------


def explained(rest: list[Shot], wrong: list[Shot], period: Period) -> Correction | None:
    """The first correction that brings the photos in: of all of them, else of the wrong ones where their times set them apart."""
    for correction in candidates(rest, period, from_start=True):
        if fits(rest, correction, period):
            return correction
    low, high = (pick(shot.shot for shot in wrong) for pick in (min, max))
    if sum(low <= shot.shot <= high for shot in rest) > len(wrong):
        return None
    for correction in candidates(wrong, period, from_start=False):
        bounded = Correction(correction.kind, correction.parameters, low, high)
        if fits(wrong, bounded, period):
            return bounded
    return None


def candidates(shots: Sequence[Shot], period: Period, *, from_start: bool) -> list[Correction]:
    """Day and month swapped; another year; from the start on."""
    first, last = (pick(shot.taken for shot in shots) for pick in (min, max))
    years: list[int] = []
    if period.start is not None:
        years.append(period.start.year - first.year)
    if period.end is not None:
        years += [period.end.year - last.year, period.end.year - last.year - 1]
    found = [Correction(SWAP)]
    found += [shift(of_year(first, first.year + more) - first) for more in dict.fromkeys(years) if more]
    if from_start and period.start is not None and first != period.start:
        found.append(shift(period.start - first))
    return found


def fits(shots: Sequence[Shot], correction: Correction, period: Period) -> bool:
    """Whether (nearly) all photos lie in the period afterwards; one that cannot be corrected does not."""
    moved = [correction.of(shot.taken) for shot in shots]
    return sum(moment is not None and period.holds(moment) for moment in moved) >= EXPLAINED * len(shots)


def of_year(moment: dt.datetime, year: int) -> dt.datetime:
    """The same day in another year; 29 February becomes the 28th."""
    try:
        return moment.replace(year=year)
    except ValueError:
        return moment.replace(year=year, day=28)


def shift(by: dt.timedelta, from_at: dt.datetime | None = None, to_at: dt.datetime | None = None) -> Correction:
    """By whole seconds."""
    return Correction(SHIFT, {"seconds": round(by.total_seconds())}, from_at, to_at)
