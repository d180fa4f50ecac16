"""Imports: choose a file, read the dry run, take the good rows or nothing, take it all back."""

from __future__ import annotations

from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Path, Query
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import LARGEST_ID, ActingAdmin, InHouse, Viewer
from app.forms import go
from app.imports import queries, wording
from app.imports.bringer import ProjectBringer
from app.imports.files import MOST_BYTES
from app.imports.formats import AUTO, FORMATS
from app.imports.staging import bring, judge_rest, read_again
from app.imports.tables import DELIMITERS, ENCODINGS
from app.pages import page, wants_page
from models.errors import Invalid
from models.imported import BAD, Import
from models.membership import Role

MOST_FILES = 12
router = APIRouter(max_body_size=1 << 20)
ImportId = Annotated[int, Path(ge=1, le=LARGEST_ID)]
After = Annotated[int, Query(ge=0, le=LARGEST_ID)]


@router.get("/projects/{project_id}/imports")
def show_imports(
    request: Request, at: Viewer, before: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    batch: Annotated[int, Query(ge=0, le=LARGEST_ID)] = 0,
) -> Response:  # fmt: skip
    """The form, and what came in before. batch: whose photos wait for boxes from a file."""
    lines = queries.imports(at.session, at.project.id, before)
    waiting = queries.batch_named(at.session, at.project.id, batch) if batch else None
    return page(
        request, "imports/imports.html", project=at.project, tab="Batches", at=at, words=wording, formats=FORMATS,
        lines=lines[: queries.IMPORTS_A_PAGE], more=len(lines) > queries.IMPORTS_A_PAGE, before=before, waiting=waiting,
        wrong="", may=at.may(Role.admin),
    )  # fmt: skip


@router.post("/projects/{project_id}/imports", max_body_size=MOST_BYTES)
async def take_files(request: Request, who: ProjectBringer, house: InHouse) -> Response:
    """Files come in, are read and judged; nothing of them is taken yet."""
    house.store.check_space(int(request.headers.get("content-length") or 0))
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=20)
    except HTTPException as error:
        raise Invalid(f"files: at most {MOST_FILES} files at a time. {error.detail}") from None
    uploads = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
    files: dict[str, BinaryIO] = {each.filename or "": each.file for each in uploads}
    import_id = await run_in_threadpool(
        bring, house.database, house.store, who.project_id, who.user_id, files, format=text(form, "format") or AUTO,
        options=options_of(form),
    )  # fmt: skip
    there = address(who.project_id, import_id)
    return go(there) if wants_page(request) else JSONResponse({"id": import_id, "address": there})


@router.get("/projects/{project_id}/imports/{import_id}")
def show_import(request: Request, import_id: ImportId, at: Viewer, rows: str = "", after: After = 0) -> Response:
    """The dry run, or what came of it; the rows of one verdict, a page at a time."""
    import_ = Import.of(at.session, at.project.id, import_id)
    verdicts = wording.verdicts(import_)
    verdict = rows if rows in wording.VERDICTS else next((each[0] for each in verdicts if each[0] == BAD), "")
    listed = queries.rows(at.session, import_.id, verdict, after) if verdict else []
    return page(
        request, "imports/import.html", project=at.project, tab="Batches", at=at, words=wording, import_=import_,
        format=FORMATS[import_.format], verdicts=verdicts, verdict=verdict, rows=listed[: queries.ROWS_A_PAGE],
        more=len(listed) > queries.ROWS_A_PAGE, after=after, job=queries.job_of(at.session, import_), may=at.may(Role.admin),
        encodings=ENCODINGS, delimiters=DELIMITERS,
    )  # fmt: skip


@router.post("/projects/{project_id}/imports/{import_id}/take")
def take(import_id: ImportId, at: ActingAdmin) -> Response:
    """The worker takes the good rows."""
    Import.of(at.session, at.project.id, import_id).take(at.session)
    return go(address(at.project.id, import_id))


@router.post("/projects/{project_id}/imports/{import_id}/rest")
async def take_rest(import_id: ImportId, who: ProjectBringer, house: InHouse) -> Response:
    """Rows that waited are judged anew, and the worker takes those that are good now."""
    await run_in_threadpool(judge_rest, house.database, who.project_id, import_id)
    return go(address(who.project_id, import_id))


@router.post("/projects/{project_id}/imports/{import_id}/take-back")
def take_back(import_id: ImportId, at: ActingAdmin) -> Response:
    """Everything that it brought goes, where nobody said anything about it."""
    Import.of(at.session, at.project.id, import_id).take_back(at.session)
    return go(address(at.project.id, import_id))


@router.post("/projects/{project_id}/imports/{import_id}/read")
async def read(request: Request, import_id: ImportId, who: ProjectBringer, house: InHouse) -> Response:
    """Again, as the person says."""
    form = await request.form(max_files=0, max_fields=60)
    await run_in_threadpool(
        read_again, house.database, house.store, who.project_id, import_id, options_of(form) | said_of_table(form)
    )
    return go(address(who.project_id, import_id))


def options_of(form: FormData) -> dict[str, Any]:
    """What the first form asks."""
    options: dict[str, Any] = {"strip_prefix": text(form, "strip_prefix")[:1024]}
    if said_by := text(form, "said_by"):
        options["said_by"] = "machine" if said_by == "machine" else "human"
    if absent := text(form, "absent"):
        options["absent"] = absent == "keep"
    return options


def said_of_table(form: FormData) -> dict[str, Any]:
    """How a table is to be read, as the page with its first rows asks. Raises Invalid."""
    encoding, delimiter, decimal = text(form, "encoding"), form.get("delimiter"), text(form, "decimal")
    if encoding and encoding not in ENCODINGS:
        raise Invalid(f"encoding: {encoding[:20]!r} is not one of {', '.join(ENCODINGS)}")
    marks = {"comma": ",", "semicolon": ";", "tab": "\t"}
    columns = {
        name.removeprefix("column-"): str(value) for name, value in form.items() if name.startswith("column-") and value
    }
    return {
        "encoding": encoding, "delimiter": marks.get(str(delimiter), ""), "decimal": "," if decimal == "," else ".",
        "columns": columns, "confirmed": text(form, "confirmed") == "yes",
    }  # fmt: skip


def text(form: FormData, name: str) -> str:
    """A field that holds words."""
    value = form.get(name)
    return value.strip() if isinstance(value, str) else ""


def address(project_id: int, import_id: int) -> str:
    """The page of an import."""
    return f"/projects/{project_id}/imports/{import_id}"
