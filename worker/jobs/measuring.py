"""Measures the disk beside the jobs, in a thread of its own that gives way: a few hundred folders, then a pause."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import DBAPIError

from models.disk import is_due, measure
from models.errors import DomainError
from worker.jobs.bench import Abandoned, Bench, first_line

log = structlog.get_logger()
LOOK_EVERY_S = 5.0
FOLDERS, PAUSE_S = 200, 0.02


class Measuring:
    """Looks every few seconds whether it is time."""

    def __init__(self, bench: Bench) -> None:
        self._bench, self._folders = bench, 0
        self._thread = threading.Thread(target=self._until_stopped, name="measuring", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for its end after the word to stop."""
        self._thread.join(timeout_s)

    def _until_stopped(self) -> None:
        while not self._bench.stopping.wait(LOOK_EVERY_S):
            try:
                if is_due(self._bench.store):
                    measure(self._bench.database, self._bench.store, self._give_way)
            except Abandoned:
                return
            except (DBAPIError, DomainError, OSError) as error:
                log.warning("the disk was not measured", error=first_line(error))

    def _give_way(self) -> None:
        self._folders += 1
        if self._bench.stopping.is_set():
            raise Abandoned
        if self._folders % FOLDERS == 0:
            self._bench.stopping.wait(PAUSE_S)
