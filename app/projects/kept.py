"""Figures that cost something are kept for as long as they are worth: twenty times what it took to make them.

Quick ones are always fresh. A slow one that has grown old is given out once more while a thread makes the next, so a page
waits only for the very first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import structlog

Value = TypeVar("Value")
QUICK_S = 0.1
WORTH = 20.0
TOO_OLD_S = 300.0  # nobody looked for so long that the page had better wait
log = structlog.get_logger("web")


class Entry(Generic[Value]):
    """One value with its age and its price."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.lock = threading.Lock()
        self.value: Value | None = None
        self.begun_at, self.cost_s = 0.0, 0.0

    def renew(self, make: Callable[[], Value]) -> Value:
        """Make it now; of several who ask at once, one makes it and all get it."""
        asked_at = time.monotonic()
        with self.lock:
            if self.value is None or self.begun_at < asked_at:
                begun_at = time.monotonic()
                self.value = make()
                self.begun_at, self.cost_s = begun_at, time.monotonic() - begun_at
            return self.value

    def renew_behind(self, make: Callable[[], Value]) -> None:
        """The same in a thread, unless one is at it."""
        if not self.lock.locked():
            threading.Thread(target=self._renew_or_log, args=(make,), name="figures", daemon=True).start()

    def _renew_or_log(self, make: Callable[[], Value]) -> None:
        try:
            self.renew(make)
        except Exception as error:  # the old figures stay; the next page tries again
            log.warning("figures could not be counted", error=str(error).split("\n")[0])


class Kept(Generic[Value]):
    """Values by key; the ones used longest ago go first."""

    def __init__(self, most: int = 256) -> None:
        """most: how many are kept."""
        self._entries: OrderedDict[Hashable, Entry[Value]] = OrderedDict()
        self._most, self._mutex = most, threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key. make: opens its own session, since it may run after the request."""
        entry = self._entry(key)
        age_s = time.monotonic() - entry.begun_at
        if entry.value is None or entry.cost_s < QUICK_S or age_s > TOO_OLD_S:
            return entry.renew(make)
        if age_s > WORTH * entry.cost_s:
            entry.renew_behind(make)
        return entry.value

    def _entry(self, key: Hashable) -> Entry[Value]:
        with self._mutex:
            entry = self._entries.setdefault(key, Entry())
            self._entries.move_to_end(key)
            while len(self._entries) > self._most:
                self._entries.popitem(last=False)
            return entry
