"""What every job works with: rows, files, networks, decoders, and the word to stop."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from models.base import utc_now
from models.database import Database
from models.errors import Busy
from models.storage import Store
from worker.images.decoder import DecoderPool
from worker.jobs.networks import Networks

log = structlog.get_logger()
T = TypeVar("T")
Step = Callable[[str, Callable[[], int]], int]
"""Do this under that name, at most once to the end: after a crash a finished step only gives its number again."""

LONGEST_WAIT_S = 10.0


class Abandoned(BaseException):
    """The worker stops: leave the step where it stands; it is done again after the next start.

    Not an Exception, so that nothing on the way takes it for a failure of the job.
    """


class Paused(Exception):
    """The job lies still until a person lets it go on: it neither ended nor failed."""


@dataclass
class Bench:
    """One worker's workplace."""

    worker: str
    database: Database
    store: Store
    networks: Networks
    decoder_processes: int = 2
    halves: bool = False  # whether the packed vectors of a project are float16
    stopping: threading.Event = field(default_factory=threading.Event)
    worked_at: dt.datetime | None = None
    photos: threading.Lock = field(
        default_factory=threading.Lock
    )  # one job at a time uses detector, embedder, decoders

    def breathe(self) -> None:
        """Called between photos: something was done. Raises Abandoned when the worker stops."""
        if self.stopping.is_set():
            raise Abandoned
        self.worked_at = utc_now()

    @contextmanager
    def decoders(self) -> Iterator[DecoderPool]:
        """Decoder processes for one job; they end with it."""
        with self.photos, DecoderPool(self.decoder_processes) as pool:
            yield pool

    def patiently(self, do: Callable[[], T]) -> T:
        """Do it again while the database is away or busy. Raises Abandoned when the worker stops meanwhile."""
        wait_s = 0.2
        while True:
            try:
                return do()
            except (Busy, DBAPIError) as error:
                if not is_passing(error):
                    raise
                log.warning("the database does not answer, trying again", wait_s=wait_s, error=first_line(error))
            if self.stopping.wait(wait_s):
                raise Abandoned
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def is_passing(error: Exception) -> bool:
    """Whether waiting helps: the server is away or restarting, the file is locked. A full or broken disk is not passing."""
    if isinstance(error, Busy):
        return True
    if not isinstance(error, DBAPIError):
        return False
    of_sqlite = "sqlite" in type(error.orig).__module__
    if of_sqlite:
        return "locked" in str(error.orig)
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def first_line(error: BaseException) -> str:
    """An error in one line for people: no traceback, no SQL."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    line = next((line.strip() for line in said.splitlines() if line.strip()), "")
    return (line or type(error).__name__)[:300]


class Pace:
    """How fast a job goes: what was done since this process took it up."""

    def __init__(self) -> None:
        """Starts now."""
        self._began = time.monotonic()
        self._done = 0

    def after(self, done: int) -> float:
        """Count `done` more; photos a second so far."""
        self._done += done
        return self._done / max(time.monotonic() - self._began, 1e-6)
