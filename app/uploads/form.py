"""Photos from a plain form, for browsers without script: slower (every byte is written twice), the same rows in the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.dependencies import House
from app.pages import day_of
from app.uploads.sender import Sender
from models.act import Act
from models.base import utc_now
from models.batch import PASSED_OVER, Batch, clean_path
from models.errors import Invalid
from models.importing import ROWS, Arrival, arrive, record, shown
from models.project import Project
from models.storage import CHUNK, Store
from models.words import figure, say

MOST_FILES = 1000


@dataclass(frozen=True)
class Sent:
    """What a form held. holds: the photos wait for boxes from a file. files: (path as the browser says it, size, open file)."""

    name: str
    key: str
    holds: bool
    files: Sequence[tuple[str, int, BinaryIO]]


async def read_form(request: Request, store: Store) -> Sent:
    """The form's parts; files wait in temporary files. Raises Invalid, NoSpace."""
    store.check_space(int(request.headers.get("content-length") or 0))
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=20)
    except HTTPException as error:
        raise Invalid(
            say(
                "A form takes at most %(most_files)s files, and this one could not be read: %(detail)s Use a "
                "browser with script, or `waterhole import`.",
                most_files=figure(MOST_FILES),
                detail=error.detail,
            )
        ) from None
    uploads = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
    if not uploads:
        raise Invalid(say("Choose a folder or some photos first."))
    files = [(upload.filename or "", upload.size or 0, upload.file) for upload in uploads]
    return Sent(text(form.get("name")), text(form.get("idempotency_key")), bool(form.get("hold")), files)


def text(value: UploadFile | str | None) -> str:
    """A field that holds words."""
    return value.strip() if isinstance(value, str) else ""


def keep_form(house: House, sender: Sender, sent: Sent) -> int:
    """Store every file, write the rows in short transactions, ask for the ingest; the batch's id."""
    folder = common_folder([path for path, _size, _file in sent.files])
    today = utc_now()
    name = sent.name or folder or say("Photos of %(time)s", time=f"{day_of(today)}, {today:%H:%M}")
    with house.database.writing() as session:
        sender.still_may(session)
        act, fresh = Act.once(
            session, sender.user_id, sent.key, "form", {"upload": folder or sent.name}, sender.project_id
        )
        if fresh:
            act.answer = {"batch_id": Batch.resume_or_start(session, sender.project_id, name, sender.user_id).id}
        batch_id: int = act.answer["batch_id"]
    arrived: list[Arrival] = []
    for path, size, file in sent.files:
        place = path.replace("\\", "/").removeprefix(f"{folder}/" if folder else "")
        if not PASSED_OVER.search(place):
            arrived.append(take_in(house.store, place, size, file))
        if len(arrived) == ROWS:
            write_down(house, sender, batch_id, arrived)
    write_down(house, sender, batch_id, arrived)
    with house.database.writing() as session:
        batch = sender.batch(session, batch_id)
        if sent.holds:
            batch.hold(session)
        else:
            batch.finish(session, session.get_one(Project, sender.project_id))
    return batch_id


def take_in(store: Store, path: str, size: int, file: BinaryIO) -> Arrival:
    """One file, stored or refused with a reason."""
    try:
        return arrive(store, clean_path(path), size, pieces(file))
    except Invalid as error:
        return Arrival(shown(path), size, None, str(error))


def write_down(house: House, sender: Sender, batch_id: int, arrived: list[Arrival]) -> None:
    """The rows of some files in one transaction; `arrived` is empty afterwards."""
    with house.database.writing() as session:
        record(session, sender.batch(session, batch_id), arrived)
    arrived.clear()


def common_folder(paths: Sequence[str]) -> str:
    """The chosen folder, when every path begins with it; it names the batch and is no camera."""
    firsts = {path.replace("\\", "/").partition("/")[0] if "/" in path else "" for path in paths}
    return firsts.pop() if len(firsts) == 1 else ""


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """An uploaded file in pieces."""
    while piece := file.read(CHUNK):
        yield piece
