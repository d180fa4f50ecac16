"""Records become independent visits: a pure function over arrays, a million records in about a second.

The rules are those of camtrapR (recordTable, deltaTimeComparedTo): one timer per species and station; a record is independent
when at least the gap lies between it and the last record, or the last independent one. Records of one second are one moment, as
camtrapR removes duplicates, but here every photo of it goes into the visit and none is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.event import LAST_RECORD

Ids = NDArray[np.int64]
Shares = NDArray[np.float32]


@dataclass(frozen=True)
class Records:
    """(n,) each: one row per photo and species that counts in it, in the order of export. seconds: the camera's clock.

    shares: the classifier's highest probability for one of its boxes, NaN where it named none.
    """

    image_ids: Ids
    deployment_ids: Ids
    species_ids: Ids
    seconds: Ids
    counts: Ids
    by_people: NDArray[np.bool_]
    shares: Shares


@dataclass(frozen=True)
class Visits:
    """(m,) each, one row a visit, by species and time. delta_s: since the record or the visit that the rule looks back to, 0 for
    the first (camtrapR's delta.time.secs)."""

    deployment_ids: Ids
    species_ids: Ids
    first_image_ids: Ids
    first_s: Ids
    last_s: Ids
    photos: Ids
    named: Ids
    max_counts: Ids
    delta_s: Ids
    shares: Shares  # the highest of its records


def visits(records: Records, gap_s: int, rule: str) -> Visits:
    """The visits to one place, whose cameras share their timers."""
    order = np.lexsort((records.seconds, records.species_ids))  # stable: photos of one second stay in their order
    species, seconds = records.species_ids[order], records.seconds[order]
    is_new = np.ones(len(order), bool)  # a moment begins
    is_new[1:] = (np.diff(species) != 0) | (np.diff(seconds) != 0)
    moments = np.flatnonzero(is_new)
    begins = beginnings(species[moments], seconds[moments], gap_s, rule)
    starts = moments[begins]
    first = order[starts]
    last_s = seconds[np.append(starts[1:], len(order))[: len(starts)] - 1]
    return Visits(
        records.deployment_ids[first], species[starts], records.image_ids[first], seconds[starts], last_s,
        np.diff(np.append(starts, len(order))), summed(records.by_people[order], starts),
        np.maximum.reduceat(records.counts[order], starts) if len(starts) else starts,
        deltas(species[starts], seconds[starts], last_s, rule),
        np.fmax.reduceat(records.shares[order], starts) if len(starts) else records.shares[:0],
    )  # fmt: skip


def beginnings(species: Ids, seconds: Ids, gap_s: int, rule: str) -> Ids:
    """Which moments begin a visit. species, seconds: (k,) by species, then rising time, no moment twice."""
    if not len(seconds):
        return np.zeros(0, np.int64)
    other = np.ones(len(species), bool)
    other[1:] = np.diff(species) != 0
    if rule == LAST_RECORD:
        far = np.ones(len(species), bool)
        far[1:] = np.diff(seconds) >= gap_s
        return np.flatnonzero(other | far)
    # Every species on a stretch of its own of one line, further apart than a gap: the next beginning is one search away.
    low = int(seconds.min())
    line = (np.cumsum(other) - 1) * (int(seconds.max()) - low + gap_s + 2) + seconds - low
    following = np.searchsorted(line, line + max(gap_s, 1)).tolist()
    begins, at = [], 0
    while at < len(following):
        begins.append(at)
        at = following[at]
    return np.array(begins, np.int64)


def deltas(species: Ids, first_s: Ids, last_s: Ids, rule: str) -> Ids:
    """(m,) seconds since what the rule looks back to, 0 for the first visit of a species."""
    since = np.zeros(len(species), np.int64)
    before = last_s if rule == LAST_RECORD else first_s
    since[1:] = np.where(np.diff(species) == 0, first_s[1:] - before[:-1], 0)
    return since


def summed(marks: NDArray[np.bool_], starts: Ids) -> Ids:
    """(m,) how many are true in each stretch."""
    return np.add.reduceat(marks.astype(np.int64), starts) if len(starts) else starts
