"""Batches: begin one, ask which files are still needed, send them one by one, finish; what became of each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictInt, StrictStr
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.api.access import FileSender, Id, Uploader, Viewer
from app.api.problems import refusal
from app.api.shapes import KEY, USUAL, After, Limit, Listed, Moment, Sent, Shape, cursor, place_of
from app.dependencies import InHouse
from app.uploads import queries
from app.uploads.beginning import NewBatch, begin
from app.uploads.missing import HASH, MOST_ASKED, Asked, missing
from app.uploads.queries import BatchRow
from app.uploads.receiving import Body as Incoming
from app.uploads.sender import batch_of
from app.uploads.taking import take

ANY_SIZE = 1 << 60  # the store counts and refuses by itself
BINARY = {"type": "string", "format": "binary"}
router = APIRouter(tags=["Batches"], max_body_size=8 << 20)
Path = Annotated[StrictStr, Field(max_length=4096, description="Relative to the folder, with forward slashes.")]


class BatchShape(Shape):
    """One folder of photos that came in together."""

    id: int
    name: str
    by: str = Field(description="Who brought it.")
    created_at: Moment
    finished_at: Moment | None = Field(description="When the sender said that every file is here; null: it goes on.")
    announced: int | None = Field(description="Files in the sender's folder, where it was said.")
    here: int = Field(description="Files that brought a new photo.")
    duplicates: int = Field(description="Files whose bytes the project had already.")
    refused: int = Field(description="Files that are no photos.")
    broken: int = Field(description="Photos that cannot be opened.")
    photos: int = Field(description="Photos that it brought first.")
    waits: int = Field(description="Of them those that the worker has not looked at yet.")
    job_id: str | None = Field(description="The job that looks at them, while it is not at its end.")


class FileShape(Shape):
    """One file of a batch and what became of it."""

    path: str
    size: int = Field(description="Bytes.")
    state: str = Field(description="here, duplicate, refused or quarantined.")
    reason: str


class Begun(Sent):
    """A batch to begin, or to go on with: an unfinished one of the same name and person goes on."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=255)]
    idempotency_key: Annotated[StrictStr, KEY]
    files: Annotated[StrictInt, Field(ge=0, lt=1 << 40)] = Field(0, description="How many the folder holds.")
    bytes: Annotated[StrictInt, Field(ge=0, lt=1 << 60)] = Field(0, description="And how many bytes.")


class HasFile(Sent):
    """A file of the sender's folder."""

    path: Path
    size: Annotated[StrictInt, Field(ge=0, lt=1 << 50)] = Field(description="Bytes.")
    sha256: Annotated[StrictStr, Field(pattern=HASH)] | None = Field(
        None,
        description="With it, a file whose bytes the project has is recorded at once; at most 500 files with it at a time.",
    )


class Folder(Sent):
    """The files of the sender's folder, or some of them."""

    files: Annotated[list[HasFile], Field(max_length=MOST_ASKED)]


class RefusedPath(Shape):
    """A file whose name cannot be kept."""

    path: str
    reason: str


class Needed(Shape):
    """Which of the files need to be sent."""

    needed: list[str] = Field(description="Paths, exactly as they were asked.")
    known: int = Field(description="Dealt with before.")
    duplicates: int = Field(description="The project has their bytes already.")
    passed_over: int = Field(description="Lie on camera cards and are no photos, like Thumbs.db.")
    refused: list[RefusedPath]


class TakenFile(Shape):
    """What became of the file that was sent."""

    state: str = Field(description="here, duplicate or quarantined.")
    reason: str
    sha256: str | None = None
    size: int | None = Field(None, description="Bytes.")


class Finished(Shape):
    """What follows."""

    job_id: str | None = Field(description="The job that looks at the photos; null: none of them waits.")


@router.get("/projects/{project_id}/batches")
def list_batches(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[BatchShape]:
    """The newest first."""
    before = place_of(after, int)
    rows = queries.batches(member.session, member.project.id, before[0] if before else None, limit)
    items = [shape_of(row) for row in rows[:limit]]
    return Listed[BatchShape](items=items, next=cursor(items[-1].id) if len(rows) > limit else None)


@router.post("/projects/{project_id}/batches", status_code=201)
def begin_batch(member: Uploader, new: Begun) -> BatchShape:
    """Begin, or go on where an upload broke off."""
    begun = begin(member, NewBatch(**new.model_dump()))
    return shape_of(row_of(member, begun["id"]))


@router.get("/projects/{project_id}/batches/{batch_id}")
def show_batch(member: Viewer, batch_id: Id) -> BatchShape:
    """How far it is."""
    return shape_of(row_of(member, batch_id))


@router.get("/projects/{project_id}/batches/{batch_id}/files")
def list_files(
    member: Viewer, batch_id: Id,
    state: Annotated[Literal["here", "duplicate", "refused", "quarantined"] | None, Query(description="Only these.")] = None,
    limit: Limit = USUAL, after: After = "",
) -> Listed[FileShape]:  # fmt: skip
    """Every file by path."""
    batch = batch_of(member.session, member.project.id, batch_id)
    rows = queries.files(member.session, batch.id, state, (place_of(after, str) or ("",))[0], limit)
    items = [FileShape.model_validate(row) for row in rows[:limit]]
    return Listed[FileShape](items=items, next=cursor(items[-1].path) if len(rows) > limit else None)


@router.post("/projects/{project_id}/batches/{batch_id}/missing")
def ask_missing(member: Uploader, batch_id: Id, folder: Folder) -> Needed:
    """Which of these files are still needed: what an upload that goes on need not send again."""
    asked = [Asked(**each.model_dump()) for each in folder.files]
    return Needed(**missing(member.session, batch_of(member.session, member.project.id, batch_id), asked).as_json())


@router.put(
    "/projects/{project_id}/batches/{batch_id}/files", max_body_size=ANY_SIZE, response_model=TakenFile,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": {"schema": BINARY}}}},
)  # fmt: skip
async def send_file(
    request: Request, batch_id: Id, sender: FileSender, house: InHouse,
    path: Annotated[str, Query(max_length=4096, description="Relative to the folder; its first folder is the camera.")],
) -> Response:  # fmt: skip
    """One file as the body, as it is. X-Content-SHA256 (optional): its hash, which is then checked. A file that is no photo is
    listed with its reason and answered 422; the batch goes on."""
    taken = await take(Incoming(request), house, sender, batch_id, path)
    return refusal(request, taken.error) if taken.error else JSONResponse(answered(taken.answer))


@router.post("/projects/{project_id}/batches/{batch_id}/finish")
def finish_batch(member: Uploader, batch_id: Id) -> Finished:
    """Every file that will come is here: the worker looks at them."""
    job = batch_of(member.session, member.project.id, batch_id).finish(member.session, member.project)
    return Finished(job_id=job.id if job else None)


def answered(answer: dict[str, Any]) -> dict[str, Any]:
    """As TakenFile."""
    return TakenFile(**answer).model_dump()


def row_of(member: Viewer, batch_id: int) -> BatchRow:
    """One batch with its figures. Raises NotYours."""
    return queries.with_figures(member.session, [batch_of(member.session, member.project.id, batch_id)])[0]


def shape_of(row: BatchRow) -> BatchShape:
    """As scripts see it."""
    batch = row.batch
    return BatchShape(
        id=batch.id, name=batch.name, by=row.by, created_at=batch.created_at, finished_at=batch.finished_at,
        announced=row.announced.files if row.announced else None, here=row.here, duplicates=row.duplicates,
        refused=row.refused, broken=row.broken, photos=row.photos, waits=row.waits, job_id=row.job.id if row.job else None,
    )  # fmt: skip
