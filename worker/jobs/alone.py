"""One worker of a name on one database: a second one is refused while the first lives, however the first may end."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import time
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from models.database import Database
from models.errors import Conflict
from models.settings import Settings
from models.words import say

PATIENCE_S = 3.0  # a server needs a moment to notice that a killed worker is gone


@contextlib.contextmanager
def only_one(settings: Settings, database: Database) -> Iterator[None]:
    """Hold the name while the block runs. Both locks go with the process. Raises Conflict."""
    with contextlib.ExitStack() as held:
        held.enter_context(file_lock(settings))
        if not database.is_sqlite:
            held.enter_context(advisory_lock(settings, database))
        yield


@contextlib.contextmanager
def file_lock(settings: Settings) -> Iterator[None]:
    """A lock on a file in the home folder."""
    number = lock_number(settings.worker_name)
    path = settings.home.resolve() / f"worker-{number:x}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise taken(settings) from error
        yield


@contextlib.contextmanager
def advisory_lock(settings: Settings, database: Database) -> Iterator[None]:
    """A lock of the server's, for workers on several machines; it ends with its connection."""
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        deadline = time.monotonic() + PATIENCE_S
        while not try_lock(connection, lock_number(settings.worker_name)):
            if time.monotonic() > deadline:
                raise taken(settings)
            time.sleep(0.1)
        yield


def try_lock(connection: Connection, number: int) -> bool:
    """Whether the lock is ours now."""
    return bool(connection.execute(sa.text("select pg_try_advisory_lock(:number)"), {"number": number}).scalar())


def lock_number(worker_name: str) -> int:
    """A 62-bit number of this name, the same on every machine."""
    return int.from_bytes(hashlib.sha256(f"worker {worker_name}".encode()).digest()[:8], "big") >> 2


def taken(settings: Settings) -> Conflict:
    """In words."""
    return Conflict(
        say(
            "A worker called %(worker_name)s is already running on this database. Stop it, or give this one "
            "another name: WATERHOLE_WORKER_NAME.",
            worker_name=settings.worker_name,
        )
    )
