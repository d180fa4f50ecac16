"""The story of one file that is sent: receive the bytes, then write its row in a short session; say what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.dependencies import House
from app.uploads.receiving import Body, receive
from app.uploads.sender import Sender
from models.batch import REFUSED, Batch, BatchFile, clean_path
from models.errors import DomainError, Invalid, TooLarge
from models.storage import NotAPhoto, Received, Store
from models.unlinking import unlink_unused
from models.words import say


@dataclass(frozen=True)
class Taken:
    """What became of the file. error: why it was refused; it is listed, and the batch goes on."""

    answer: dict[str, Any]
    error: DomainError | None = None


async def take(body: Body, house: House, sender: Sender, batch_id: int, path: str) -> Taken:
    """Receive a file and record it. Raises Invalid for a path that is none or bytes that are not whole, NoSpace."""
    try:
        return await take_or_refuse(body, house, sender, batch_id, clean_path(path))
    except DomainError:
        await body.drain()
        raise


async def take_or_refuse(body: Body, house: House, sender: Sender, batch_id: int, path: str) -> Taken:
    """A file that is no photo is recorded with its reason."""
    try:
        received = await receive(body, house.store)
    except (NotAPhoto, TooLarge) as error:
        reason = str(error)
        size = body.size or 0
        await write(house, sender, batch_id, lambda session, batch: batch.refuse(session, path, size, reason))
        await body.drain()
        return Taken({"state": REFUSED, "reason": reason}, error)
    file = await write(house, sender, batch_id, partial(keep, path=path, received=received, store=house.store))
    return Taken({"state": file.state, "reason": file.reason, "sha256": file.sha256, "size": file.size})


def keep(session: Session, batch: Batch, path: str, received: Received, store: Store) -> BatchFile:
    """The row of a stored file. Raises Invalid where the same photo was just deleted and took the bytes along.

    Bytes of a photo that was erased are not kept either.
    """
    if not store.has(received.sha256):
        raise Invalid(say("The same photo was being deleted just now. Send it again."))
    file = batch.receive(session, path, received)
    if file.state == REFUSED:
        unlink_unused(session, store, received.sha256)
    return file


async def write(
    house: House, sender: Sender, batch_id: int, change: Callable[[Session, Batch], BatchFile]
) -> BatchFile:
    """Wait for the turn in the event loop, write in a thread, commit. Not in a thread of the uploads: who has the turn must
    never wait for somebody's slow disk."""
    async with house.database.writing_async() as session:
        return await run_in_threadpool(lambda: change(session, sender.batch(session, batch_id)))
