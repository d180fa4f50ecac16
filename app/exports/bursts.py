"""Bursts as they come by while photos are read once: each is put together and waits, sorted, in a file without a name."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterator
from dataclasses import astuple, dataclass

from app.exports.sorted_lines import Sorted

NEVER = dt.datetime.max


@dataclass(slots=True)
class Burst:
    """What a burst's row is made of. first: time (as text), file and id of its first photo. count: the most in one photo.
    corrected: the most in one photo with people's figures in place; none where nobody corrected any."""

    first: tuple[str, str, int]
    deployment: str
    first_at: str
    last_at: str
    photos: int
    states: int  # bits
    count: int
    shown: int  # the most in one photo, with people's figures in place of counts
    is_corrected: bool

    def add(self, other: Burst) -> None:
        """Photos that belong to it."""
        self.first = min(self.first, other.first)
        times = [each for each in (self.first_at, other.first_at) if each]
        self.first_at = min(times, default="")
        self.last_at = max(self.last_at, other.last_at)
        self.photos += other.photos
        self.states |= other.states
        self.count, self.shown = max(self.count, other.count), max(self.shown, other.shown)
        self.is_corrected = self.is_corrected or other.is_corrected


class Bursts:
    """Memory: one burst, and a run of lines."""

    def __init__(self) -> None:
        """None yet."""
        self._waiting = Sorted()
        self._now: tuple[int, int, Burst] | None = None  # place of the deployment, burst

    def add(self, place: int, sequence_id: int, photo: Burst) -> None:
        """One photo. place: of its deployment in the order of export. Photos of a burst lie side by side, but need not."""
        if self._now is not None and self._now[:2] == (place, sequence_id):
            self._now[2].add(photo)
            return
        self._put()
        self._now = place, sequence_id, photo

    def __iter__(self) -> Iterator[tuple[int, Burst]]:
        """(sequence id, burst), deployment after deployment and by id. Once."""
        self._put()
        try:
            for key, lines in itertools.groupby(self._waiting.lines(), key=lambda each: each[:2]):
                parts = [burst_of(text) for *_key, text in lines]
                for part in parts[1:]:
                    parts[0].add(part)
                yield int(key[1]), parts[0]
        finally:
            self._waiting.close()

    def _put(self) -> None:
        if self._now is not None:
            place, sequence_id, burst = self._now
            self._waiting.add(f"{place:010d}", f"{sequence_id:020d}", json.dumps(astuple(burst)))
            self._now = None


def burst_of(text: str) -> Burst:
    """As it was put down."""
    first, *rest = json.loads(text)
    return Burst((first[0], first[1], first[2]), *rest)
