"""One file as the body of one request: from the network to the store, without ever holding a whole photo or the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.requests import ClientDisconnect, Request

from models.errors import Invalid, TooLarge
from models.storage import CHUNK, Incoming, Received, Store
from models.words import figure, say, written

STALL_S = 60  # a sender who is silent for so long is gone
DRAIN_BYTES = 16 << 20  # so much of a refused file is read on, since browsers hear the answer only after sending
SHA256 = re.compile(r"[0-9a-f]{64}")
# Threads of their own: waiting for the disk must never take the threads in which pages are made.
DISK = CapacityLimiter(8)

P = ParamSpec("P")
T = TypeVar("T")


async def on_disk(act: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run something that waits for the disk."""
    return await run_sync(lambda: act(*args, **kwargs), limiter=DISK)


class Body:
    """The body of one request. size: what the sender says that the file has, or None."""

    def __init__(self, request: Request) -> None:
        """X-File-Size: the size of the whole file, where only its beginning is sent since it is no photo anyway."""
        self._pieces = request.stream()
        self.announced = number(request, "content-length")
        self.size = number(request, "x-file-size") or self.announced
        self.sha256 = request.headers.get("x-content-sha256", "").lower()
        if self.sha256 and not SHA256.fullmatch(self.sha256):
            raise Invalid(say("X-Content-SHA256: 64 hexadecimal digits"))

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes, in pieces that are worth a thread. Raises Invalid when the sender breaks off or falls silent."""
        pending = bytearray()
        while (piece := await self._next()) is not None:
            pending += piece
            if len(pending) >= CHUNK:
                yield bytes(pending)
                pending.clear()
        if pending:
            yield bytes(pending)

    async def drain(self) -> None:
        """Read on for a while and forget it, so that the sender hears the answer."""
        left = DRAIN_BYTES
        with contextlib.suppress(Invalid, RuntimeError):
            while left > 0 and (piece := await self._next()) is not None:
                left -= len(piece)

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(STALL_S):
                return await anext(self._pieces, None)
        except (ClientDisconnect, TimeoutError):
            raise Invalid(say("The connection broke; nothing of this file was kept. Send it again.")) from None


async def receive(body: Body, store: Store) -> Received:
    """Take the file in. Raises NotAPhoto, TooLarge, NoSpace, and Invalid when it is not what was announced; then nothing
    of it is kept."""
    if (body.size or 0) > store.max_photo_bytes:
        raise TooLarge(
            written("the file is larger than %(max_photo_bytes)s MB", max_photo_bytes=store.max_photo_bytes >> 20)
        )
    with store.receiving() as incoming:
        async for chunk in body.chunks():
            await on_disk(incoming.write, chunk)
        check_whole(body, incoming)
        return await on_disk(incoming.keep)


def check_whole(body: Body, incoming: Incoming) -> None:
    """Raises Invalid when bytes are missing or are others than announced."""
    if body.size is not None and incoming.size != body.size:
        raise Invalid(
            say(
                "%(size)s of %(size_2)s bytes came; nothing of this file was kept. Send it again.",
                size=figure(incoming.size),
                size_2=figure(body.size),
            )
        )
    if body.sha256 and body.sha256 != incoming.sha256:
        raise Invalid(
            say("The bytes that came are not those that were announced (SHA-256). Nothing was kept. Send it again.")
        )


def number(request: Request, header: str) -> int | None:
    """A header that counts bytes. Raises Invalid."""
    text = request.headers.get(header)
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise Invalid(f"{header}: " + say("a number of bytes"))
    return int(text)
