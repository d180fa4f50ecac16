"""One poller a process feeds every open stream (DECISIONS 21): no client holds a database session.

It reads only the projects that somebody watches, tells only those whose line changed, and stops when nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import structlog

from app.now import Now, now_of
from models.database import Database
from models.errors import Busy
from models.words import say

EVERY_S = 1.0
HEARTBEAT_S = 15.0
LIFE_S = 600.0  # then the browser connects again, and its right is checked again (RELIABILITY H24)
MAX_STREAMS = 500
log = structlog.get_logger("web")


class Progress:
    """Who watches which project, and what was last seen there. Lives in one event loop."""

    def __init__(self, read: Callable[[list[int]], dict[int, Now]], *, every_s: float = EVERY_S) -> None:
        """read: the lines of some projects, in one short session; it runs in a thread."""
        self._read, self._every_s = read, every_s
        self._watchers: dict[int, set[asyncio.Event]] = {}
        self._latest: dict[int, Now] = {}
        self._poller: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def is_polling(self) -> bool:
        """Whether the database is asked at all."""
        return self._poller is not None

    def check_room(self) -> None:
        """Raises Busy when so many watch that the next one has to ask now and then instead."""
        if sum(map(len, self._watchers.values())) >= MAX_STREAMS:
            raise Busy(say("too many pages watch the worker; this one asks every few seconds instead"))

    def close(self) -> None:
        """End every stream now, so that the server can stop."""
        self._closed = True
        for watchers in self._watchers.values():
            for woken in watchers:
                woken.set()

    async def follow(self, project_id: int, first: Now) -> AsyncIterator[Now | None]:
        """The line at once and after every change; None as a heartbeat. Ends when the server does, or after LIFE_S."""
        woken = asyncio.Event()
        woken.set()  # what was seen between `first` and now
        self._watchers.setdefault(project_id, set()).add(woken)
        self._poller = self._poller or asyncio.create_task(self._poll())
        ends_at = asyncio.get_running_loop().time() + LIFE_S
        sent = first
        try:
            yield first
            while not self._closed and asyncio.get_running_loop().time() < ends_at:
                try:
                    await asyncio.wait_for(woken.wait(), HEARTBEAT_S)
                except TimeoutError:
                    yield None
                woken.clear()
                newest = self._latest.get(project_id, sent)
                if newest != sent:
                    sent = newest
                    yield sent
        finally:
            self._leave(project_id, woken)

    def _leave(self, project_id: int, woken: asyncio.Event) -> None:
        self._watchers[project_id].discard(woken)
        if not self._watchers[project_id]:
            del self._watchers[project_id]
            self._latest.pop(project_id, None)

    async def _poll(self) -> None:
        while self._watchers and not self._closed:
            try:
                seen = await asyncio.to_thread(self._read, list(self._watchers))
            except Exception as error:  # the database restarts; the next turn tries again
                log.warning("progress could not be read", error=str(error).split("\n")[0])
            else:
                self._tell(seen)
            await asyncio.sleep(self._every_s)
        self._poller = None

    def _tell(self, seen: dict[int, Now]) -> None:
        for project_id, now in seen.items():
            if project_id in self._watchers and self._latest.get(project_id) != now:
                self._latest[project_id] = now
                for woken in self._watchers[project_id]:
                    woken.set()


def progress_over(database: Database) -> Progress:
    """The poller of this process."""

    def read(project_ids: list[int]) -> dict[int, Now]:
        with database.reading() as session:
            return {project_id: now_of(session, project_id) for project_id in project_ids}

    return Progress(read)
