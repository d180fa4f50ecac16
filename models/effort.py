"""How long a camera could have made photos, in trap nights.

The rule: a day counts as its active share, as in camtrapR's camera operation (cameraOperation, since version 2.1; the same in
camtraptor's get_cam_op), so a trap night is 24 hours in which the camera was there and worked. A date without a time is read as
noon, also as camtrapR does since then (NOON): from 1 to 31 March are 30 trap nights. The effort is the period
of the deployment minus the union of its problem periods, however they overlap. A camera that is knocked down or moved sees
another place from then on: that closes the effort, and whoever sets it up again begins another deployment. Clocks are taken as
they are written: the hour that summer time gives or takes is not counted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

DAY = dt.timedelta(days=1)
NOON = dt.time(12)  # of a date that somebody wrote without a time
CLOSING = ("knocked_down", "moved")  # kinds of problems after which the camera sees another place


class Problem(NamedTuple):
    """A time in which the camera did not do its work. kind: of models/deployment.PROBLEMS."""

    kind: str
    from_at: dt.datetime
    to_at: dt.datetime


class Span(NamedTuple):
    """From a moment to another, the second one not included."""

    from_at: dt.datetime
    to_at: dt.datetime


def active_spans(start: dt.datetime, end: dt.datetime, problems: Iterable[Problem]) -> list[Span]:
    """The times in which the camera worked, in order, apart from each other. start, end: wall clock of the place."""
    stops = [Span(max(each.from_at, start), end if each.kind in CLOSING else min(each.to_at, end)) for each in problems]
    spans, free_from = [], start
    for stop in sorted(stop for stop in stops if stop.from_at < stop.to_at):
        if stop.from_at > free_from:
            spans.append(Span(free_from, stop.from_at))
        free_from = max(free_from, stop.to_at)
    if free_from < end:
        spans.append(Span(free_from, end))
    return spans


def trap_nights(start: dt.datetime | None, end: dt.datetime | None, problems: Iterable[Problem]) -> float | None:
    """Active days of 24 hours; None where the period is not known, which is not zero."""
    if start is None or end is None:
        return None
    return sum(((to_at - from_at) / DAY for from_at, to_at in active_spans(start, end, problems)), 0.0)


def active_shares(start: dt.datetime, end: dt.datetime, problems: Iterable[Problem]) -> dict[dt.date, float]:
    """Each day that the period touches -> the share of its 24 hours in which the camera worked, 0 to 1."""
    first, last = start.date(), (end - dt.timedelta.resolution if end > start else end).date()
    shares = {first + dt.timedelta(days=number): 0.0 for number in range((last - first).days + 1)}
    for span in active_spans(start, end, problems):
        for from_at, to_at in pairwise(cuts(span)):
            shares[from_at.date()] += (to_at - from_at) / DAY
    return shares


def cuts(span: Span) -> Sequence[dt.datetime]:
    """The span's ends and every midnight between them."""
    midnight = dt.datetime.combine(span.from_at.date(), dt.time()) + DAY
    found = [span.from_at]
    while midnight < span.to_at:
        found.append(midnight)
        midnight += DAY
    return [*found, span.to_at]
