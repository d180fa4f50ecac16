"""Batches: the page that takes photos in, the protocol of its script, and what became of every file."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import LARGEST_ID, ActingAdmin, InHouse, Viewer, not_yours
from app.errors import status_of
from app.forms import go
from app.pages import page, wants_page
from app.uploads import queries, wording
from app.uploads.beginning import NewBatch, address, begin
from app.uploads.form import keep_form, read_form
from app.uploads.missing import MOST_ASKED, Asked, missing
from app.uploads.receiving import Body as Incoming
from app.uploads.receiving import on_disk
from app.uploads.sender import BatchSender, ProjectSender, batch_of
from app.uploads.taking import take
from models.batch import PASSED_OVER
from models.membership import Role

ANY_SIZE = 1 << 60  # the store counts and refuses by itself
router = APIRouter(max_body_size=8 << 20)

BatchId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/projects/{project_id}/batches")
def show_batches(
    request: Request, at: Viewer, house: InHouse, before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None
) -> Response:
    """The drop zone, the batches that wait, the files that broke, all batches."""
    rows = queries.batches(at.session, at.project.id, before)
    mine = queries.unfinished(at.session, at.project.id, at.user.id) if at.may(Role.admin) else []
    return page(
        request, "batches/batches.html", project=at.project, tab="Batches", at=at, words=wording,
        rows=rows[: queries.BATCHES_A_PAGE], more=len(rows) > queries.BATCHES_A_PAGE, before=before, waiting=mine,
        broken=queries.broken_files(at.session, [row.batch.id for row in mine], queries.FIRST_BROKEN),
        photos=queries.photos_in(at.session, at.project.id), key=uuid.uuid4().hex, max_bytes=house.store.max_photo_bytes,
        passed_over=PASSED_OVER.pattern,
    )  # fmt: skip


@router.post("/projects/{project_id}/batches")
def begin_batch(at: ActingAdmin, new: NewBatch) -> JSONResponse:
    """Begin an upload, or go on with the person's unfinished one of this name."""
    return JSONResponse(begin(at, new))


@router.post("/projects/{project_id}/upload", max_body_size=ANY_SIZE)
async def take_form(request: Request, sender: ProjectSender, house: InHouse) -> Response:
    """Photos from a plain form, for browsers without script."""
    sent = await read_form(request, house.store)
    batch_id = await on_disk(keep_form, house, sender, sent)
    return go(waiting_address(sender.project_id, batch_id) if sent.holds else address(sender.project_id, batch_id))


@router.get("/projects/{project_id}/batches/{batch_id}")
def show_batch(
    request: Request, batch_id: BatchId, at: Viewer, state: str = "", after: Annotated[str, Query(max_length=1100)] = ""
) -> Response:
    """One batch: how far it is, what broke and why, every file."""
    batch = batch_of(at.session, at.project.id, batch_id)
    if batch.deletion_id is not None:
        raise not_yours()
    row = queries.with_figures(at.session, [batch])[0]
    files = queries.files(at.session, batch.id, queries.FILTERS.get(state), after)
    return page(
        request, "batches/batch.html", project=at.project, tab="Batches", at=at, words=wording, row=row,
        state=state if state in queries.FILTERS else "", after=after, files=files[: queries.FILES_A_PAGE],
        more=len(files) > queries.FILES_A_PAGE, people=queries.people_words(at.session, at.project, batch.id),
        broken=queries.broken_files(at.session, [batch.id], queries.FIRST_BROKEN),
        deleted_before=queries.deleted_before(at.session, batch),
    )  # fmt: skip


@router.post("/projects/{project_id}/batches/{batch_id}/missing")
def ask_missing(
    batch_id: BatchId, at: ActingAdmin, files: Annotated[list[Asked], Body(max_length=MOST_ASKED)]
) -> JSONResponse:
    """Which of these files are still needed."""
    return JSONResponse(missing(at.session, batch_of(at.session, at.project.id, batch_id), files).as_json())


@router.put("/projects/{project_id}/batches/{batch_id}/files", max_body_size=ANY_SIZE)
async def take_file(request: Request, batch_id: BatchId, path: str, sender: BatchSender, house: InHouse) -> Response:
    """One file as the body."""
    taken = await take(Incoming(request), house, sender, batch_id, path)
    return JSONResponse(taken.answer, status_code=status_of(taken.error) if taken.error else 200)


@router.post("/projects/{project_id}/batches/{batch_id}/finish")
def finish_batch(request: Request, batch_id: BatchId, at: ActingAdmin) -> Response:
    """Every file that will come is here: ask the worker to look through them."""
    batch_of(at.session, at.project.id, batch_id).finish(at.session, at.project)
    there = address(at.project.id, batch_id)
    return go(there) if wants_page(request) else JSONResponse({"address": there})


@router.post("/projects/{project_id}/batches/{batch_id}/hold")
def hold_batch(request: Request, batch_id: BatchId, at: ActingAdmin) -> Response:
    """Every file is here, and the boxes come from a file of another detector: lead to where it is brought in."""
    batch_of(at.session, at.project.id, batch_id).hold(at.session)
    there = waiting_address(at.project.id, batch_id)
    return go(there) if wants_page(request) else JSONResponse({"address": there})


def waiting_address(project_id: int, batch_id: int) -> str:
    """Where a detections file is brought in for the photos of a batch."""
    return f"/projects/{project_id}/imports?batch={batch_id}"
