"""The two ways into the database: `reading()` and `writing()`.

SQLite: WAL on a library without the WAL-reset bug (else DELETE), synchronous=FULL, every write begins IMMEDIATE and waits in a
fair first-in-first-out line of this process (DECISIONS 6 and 22). PostgreSQL: plain transactions, pre-ping.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from models.errors import Busy
from models.words import say

try:  # the interpreter's own library is often too old for a safe WAL
    from pysqlite3 import dbapi2 as sqlite_module
except ImportError:  # pragma: no cover - platforms without a wheel
    import sqlite3 as sqlite_module

WRITE = "write"
BUSY_TIMEOUT_S = 30.0
MAX_WAITING = 500
# Requests that hold a connection while they hop between threads. With the 40 threads of the pool, which may each want a
# connection for one hop, they stay below the engine's connections: so whoever holds one always gets on.
READING_SEATS, WRITING_SEATS = 16, 8
CHUNK_ROWS = 500  # the most rows one write transaction touches, so that a label never waits long


def wal_is_safe(version: tuple[int, ...]) -> bool:
    """Whether this SQLite library is free of the WAL-reset bug (3.7.0 to 3.51.2, fixed also in 3.50.7 and 3.44.6)."""
    return version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51, 0) or (3, 44, 6) <= version < (3, 45, 0)


class FairLine:
    """A lock that serves its waiters in the order in which they came, whether they wait in a thread or in an event loop.

    Requests wait in the event loop: were they to wait in threads, they could take every thread of the pool and leave none
    for the holder to finish in.
    """

    def __init__(self, max_waiting: int = MAX_WAITING) -> None:
        """max_waiting: how many may stand in the line before the next is told to come back."""
        self._mutex = threading.Lock()
        self._waiting: collections.deque[Future[None]] = collections.deque()
        self._taken = False
        self._max_waiting = max_waiting

    def acquire(self, timeout_s: float) -> None:
        """Wait for the turn in this thread. Raises Busy when the line is full or the turn does not come in time."""
        turn = self._join()
        try:
            turn.result(timeout_s)
        except TimeoutError:
            self._give_up(turn)

    async def acquire_async(self, timeout_s: float) -> None:
        """The same without holding a thread."""
        turn = self._join()
        try:
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(turn)), timeout_s)
        except TimeoutError:
            self._give_up(turn)
        except asyncio.CancelledError:
            self._leave(turn)
            raise

    def release(self) -> None:
        """Give the turn to the next in line."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().set_result(None)
            else:
                self._taken = False

    def _join(self) -> Future[None]:
        turn: Future[None] = Future()
        with self._mutex:
            if not self._taken:
                self._taken = True
                turn.set_result(None)
            elif len(self._waiting) >= self._max_waiting:
                raise Busy(say("too many writers wait; try again in a moment"))
            else:
                self._waiting.append(turn)
        return turn

    def _give_up(self, turn: Future[None]) -> None:
        with self._mutex:
            if turn.done():  # it came while we gave up
                return
            self._waiting.remove(turn)
        raise Busy(say("the database was busy for too long; try again in a moment"))

    def _leave(self, turn: Future[None]) -> None:
        with self._mutex:
            if not turn.done():
                self._waiting.remove(turn)
                return
        self.release()


class Database:
    """One engine and its two kinds of sessions. Made once per process; never carried across a fork."""

    def __init__(self, url: str) -> None:
        """url: an SQLAlchemy address; a SQLite file is created with its folder when it is missing."""
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = sqlite_engine(url) if self.is_sqlite else postgres_engine(url)
        self._writing_engine = self.engine.execution_options(**{WRITE: True})
        self._line = FairLine() if self.is_sqlite else None
        self._reading_seats = asyncio.Semaphore(READING_SEATS)
        self._writing_seats = asyncio.Semaphore(WRITING_SEATS)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one snapshot. Closing rolls back; what was loaded stays readable afterwards."""
        with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
            if not self.is_sqlite:
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextlib.contextmanager
    def writing(self, *, timeout_s: float = BUSY_TIMEOUT_S) -> Iterator[Session]:
        """A session that commits when the block ends well and rolls back when it raises. Raises Busy after timeout_s."""
        if self._line is not None:
            self._line.acquire(timeout_s)
        try:
            with Session(self._writing_engine, expire_on_commit=False) as session:
                yield session
                session.commit()
        finally:
            if self._line is not None:
                self._line.release()

    @contextlib.asynccontextmanager
    async def reading_async(self) -> AsyncIterator[Session]:
        """reading() for a request: it waits for a seat in the event loop, before it takes a connection or a thread."""
        async with self._reading_seats:
            reading = self.reading()
            session = await asyncio.to_thread(reading.__enter__)
            try:
                yield session
            finally:
                await asyncio.shield(asyncio.to_thread(reading.__exit__, None, None, None))

    @contextlib.asynccontextmanager
    async def writing_async(self) -> AsyncIterator[Session]:
        """writing() for a request: it waits for its turn in the event loop; commit and close run in a thread."""
        async with self._turn():
            session = Session(self._writing_engine, expire_on_commit=False)
            try:
                yield session
                await asyncio.to_thread(session.commit)
            finally:
                await asyncio.shield(asyncio.to_thread(session.close))

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """A request's turn to write: in the line on SQLite, a seat on PostgreSQL."""
        if self._line is None:
            async with self._writing_seats:
                yield
            return
        await self._line.acquire_async(BUSY_TIMEOUT_S)
        try:
            yield
        finally:
            self._line.release()

    def dispose(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def facts(self) -> dict[str, Any]:
        """What doctor wants to know: product, version, journal."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                return {
                    "product": "PostgreSQL",
                    "version": str(connection.execute(sa.text("show server_version")).scalar()),
                }
            return {
                "product": "SQLite",
                "version": sqlite_module.sqlite_version,
                "journal": str(connection.execute(sa.text("pragma journal_mode")).scalar()),
                "synchronous": connection.execute(sa.text("pragma synchronous")).scalar(),
            }


def sqlite_engine(url: str) -> Engine:
    """An engine over pysqlite3 (or the interpreter's library) with our pragmas and BEGIN IMMEDIATE for writers."""
    path = Path(sa.make_url(url).database or "").resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    module: ModuleType = sqlite_module
    safe = wal_is_safe(tuple(module.sqlite_version_info))
    engine = sa.create_engine(
        f"sqlite:///{path}",
        module=module,
        connect_args={"isolation_level": None, "check_same_thread": False, "timeout": BUSY_TIMEOUT_S},
        pool_size=20,
        max_overflow=80,
    )

    @sa.event.listens_for(engine, "connect")
    def set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"journal_mode={'WAL' if safe else 'DELETE'}",
            "synchronous=FULL",
            f"busy_timeout={int(BUSY_TIMEOUT_S * 1000)}",
            "foreign_keys=ON",
            "cache_size=-65536",
        ):
            set_pragma(cursor, pragma)
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITE) else "BEGIN")

    return engine


def set_pragma(cursor: Any, pragma: str) -> None:
    """Run one pragma; switching to WAL needs a moment alone with the file, so it is tried again for a while."""
    for _attempt in range(100):
        try:
            cursor.execute(f"PRAGMA {pragma}")
            return
        except sqlite_module.OperationalError as error:
            if "locked" not in str(error):
                raise
            time.sleep(0.1)
    raise Busy(say("the database stayed locked while setting %(pragma)s", pragma=pragma))


def postgres_engine(url: str) -> Engine:
    """An engine over psycopg that checks a connection before use and gives up on a silent server in 10 s."""
    return sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=20,
        max_overflow=50,
        connect_args={
            "connect_timeout": 10,
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    )
