"""A download that is written as fast as the database reads and sent as fast as the browser takes it.

In between lies a file without a name. So a slow or stalled browser never holds the snapshot open (SQLite's log would grow,
PostgreSQL's cleaning would wait), the memory stays the same for any number of rows, and the download begins at once.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable

from app.exports.sinks import ByteSink
from models.errors import Busy
from models.storage import Store
from models.words import say

AT_ONCE = 4  # exports that one process writes at the same time
BLOCK = 1 << 16
SPACE_EVERY = 1 << 24  # bytes between two looks at the free space
seats = threading.BoundedSemaphore(AT_ONCE)


class Abandoned(Exception):
    """The browser went away."""


class Spool:
    """One export on its way. Iterate it once."""

    def __init__(self, store: Store, write: Callable[[ByteSink], object]) -> None:
        """write: fills the file; it runs in a thread of its own. Raises Busy when enough of them run, NoSpace."""
        store.check_space()
        self._store, self._write = store, write
        self._file = tempfile.TemporaryFile(dir=store.root / "staging")  # noqa: SIM115 - it lives as long as the download
        if not seats.acquire(blocking=False):
            raise Busy(say("%(at_once)s exports are being written already; try again in a moment", at_once=AT_ONCE))
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._written = 0
        self._ended, self._abandoned = False, False
        self._error: BaseException | None = None
        threading.Thread(target=self._run, name="export", daemon=True).start()

    def write(self, piece: bytes) -> None:
        """From the writing thread: keep a piece until a block is full."""
        self._pending.append(piece)
        self._pending_size += len(piece)
        if self._pending_size >= BLOCK:
            self._flush()

    def wait_for_start(self) -> None:
        """Until there is something to send. Raises what went wrong before, while it can still become an error page."""
        while not self._written and not self._ended:
            time.sleep(0.005)
        if self._error is not None:
            raise self._error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """What was written, block by block. Raises what went wrong, which breaks the download off: never a file cut short."""
        sent = 0
        try:
            while True:
                ended = self._ended
                if sent < self._written:
                    block = await asyncio.to_thread(os.pread, self._file.fileno(), BLOCK, sent)
                    sent += len(block)
                    yield block
                elif not ended:
                    await asyncio.sleep(0.02)
                elif self._error is not None:
                    raise self._error
                else:
                    return
        finally:
            self._abandoned = True

    def _run(self) -> None:
        try:
            self._write(self)
            self._flush()
        except BaseException as error:
            self._error = error
        finally:
            self._ended = True
            seats.release()

    def _flush(self) -> None:
        if self._abandoned:
            raise Abandoned
        block = b"".join(self._pending)
        self._pending, self._pending_size = [], 0
        if self._written // SPACE_EVERY != (self._written + len(block)) // SPACE_EVERY:
            self._store.check_space()
        self._file.write(block)
        self._file.flush()
        self._written += len(block)
