"""Files of other tools: send one, read the dry run row by row, take the good rows or nothing, take it all back."""

from __future__ import annotations

from typing import Annotated, Any, BinaryIO, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StrictStr
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.api import import_queries
from app.api.access import FileBringer, Id, ImportTaker, Viewer
from app.api.shapes import USUAL, After, Limit, Listed, Moment, Sent, Shape, listed, place_of
from app.dependencies import InHouse
from app.imports import wording
from app.imports.files import MOST_BYTES
from app.imports.formats import AUTO, FORMATS
from app.imports.staging import bring, judge_rest, read_again
from models.errors import Invalid
from models.imported import Import

MOST_FILES = 12
MOST_COLUMNS = 60
router = APIRouter(tags=["Imports"])
Verdict = Literal["good", "bad", "aside", "known", "later", "lacking"]
Column = Annotated[StrictStr, Field(max_length=200)]


class ImportShape(Shape):
    """One file, or the files of one package, that somebody brought."""

    id: int
    format: str
    name: str
    state: str = Field(
        description="reading, asks (its columns are not named yet), checked (the dry run), taking, stopped, taken, undoing, "
        "undone or failed."
    )
    error: str = Field(description="Why it could not be read, or stopped.")
    rows: dict[str, int] = Field(description="How many rows have which verdict.")
    happens: list[str] = Field(description="What taking it does, or did, in sentences.")
    source: dict[str, Any] = Field(
        description="What the file says of its detector and classifier; while it asks, its first rows."
    )
    job_id: str | None = Field(description="The job that takes it, or took it.")
    created_at: Moment
    taken_at: Moment | None


class RowShape(Shape):
    """One thing that the file says."""

    number: int = Field(description="1, 2, ... in the order of the file.")
    place: str = Field(description="line 12, or images[17].detections[2].bbox.")
    kind: str = Field(description="deployment, photo or sighting.")
    photo: str = Field(description="The path that it is about.")
    verdict: str
    field: str = Field(description="The cell that is wrong.")
    reason: str
    record: dict[str, Any] = Field(description="What was read.")


class ReadAs(Sent):
    """How the file is to be read. What is left out stays."""

    strip_prefix: Annotated[StrictStr, Field(max_length=1024)] | None = None
    said_by: Literal["human", "machine"] | None = Field(None, description="Names in formats that do not say it.")
    absent: StrictBool | None = Field(None, description="Write down photos that the project lacks.")
    encoding: Annotated[StrictStr, Field(max_length=20)] | None = None
    delimiter: Literal[",", ";", "\t"] | None = None
    decimal: Literal[".", ","] | None = None
    columns: Annotated[dict[str, Column], Field(max_length=MOST_COLUMNS)] | None = Field(
        None, description="What is wanted -> the name of the column; what may be wanted stands in source while it asks."
    )
    confirmed: StrictBool = Field(True, description="Somebody has seen how the first rows are read.")


@router.get("/projects/{project_id}/imports")
def list_imports(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[ImportShape]:
    """By id."""
    found = import_queries.imports(member.session, member.project.id, (place_of(after, int) or (0,))[0], limit + 1)
    return listed([import_shape(each) for each in found], limit, ImportShape, "id")


SENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {
                            "type": "array", "items": {"type": "string", "format": "binary"}, "maxItems": MOST_FILES,
                            "description": "The file, or those of one package.",
                        },
                        "format": {"type": "string", "enum": [AUTO, *FORMATS], "default": AUTO},
                        "strip_prefix": {"type": "string", "description": "What paths of the file begin with and yours do not."},
                        "said_by": {"type": "string", "enum": ["human", "machine"], "default": "human"},
                        "absent": {"type": "boolean", "description": "Write down photos that the project lacks."},
                    },
                }
            }
        },
    }
}  # fmt: skip


@router.post("/projects/{project_id}/imports", status_code=201, max_body_size=MOST_BYTES, openapi_extra=SENT)
async def send_import(request: Request, who: FileBringer, house: InHouse) -> ImportShape:
    """Send a file as a form does. It is read and every row is judged; nothing of it is taken yet. A table whose columns are not
    known asks (state asks): read it again with them."""
    house.store.check_space(int(request.headers.get("content-length") or 0))
    try:
        form = await request.form(max_files=MOST_FILES, max_fields=10)
    except HTTPException as error:
        raise Invalid(f"files: at most {MOST_FILES} files at a time, as multipart/form-data. {error.detail}") from None
    sent = [each for each in form.getlist("files") if isinstance(each, UploadFile) and each.filename]
    files: dict[str, BinaryIO] = {each.filename or "": each.file for each in sent}
    said = {name: str(form.get(name, "")).strip() for name in ("format", "strip_prefix", "said_by", "absent")}
    import_id = await run_in_threadpool(
        bring, house.database, house.store, who.project_id, who.user_id, files, format=said["format"] or AUTO,
        options=options_of(said),
    )  # fmt: skip
    return await run_in_threadpool(now, house, who.project_id, import_id)


def options_of(said: dict[str, str]) -> dict[str, Any]:
    """The fields beside the files. Raises Invalid."""
    for name, words in (("said_by", ("", "human", "machine")), ("absent", ("", "true", "false"))):
        if said[name] not in words:
            raise Invalid(f"{name}: {said[name][:20]!r} is not one of {', '.join(words[1:])}")
    for text in said.values():
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise Invalid("strip_prefix: it has a character that cannot be kept")
    options: dict[str, Any] = {"strip_prefix": said["strip_prefix"][:1024]}
    options |= {"said_by": said["said_by"]} if said["said_by"] else {}
    return options | ({"absent": said["absent"] == "true"} if said["absent"] else {})


@router.get("/projects/{project_id}/imports/{import_id}")
def show_import(member: Viewer, import_id: Id) -> ImportShape:
    """Where it stands."""
    return import_shape(Import.of(member.session, member.project.id, import_id))


@router.get("/projects/{project_id}/imports/{import_id}/rows")
def list_rows(
    member: Viewer, import_id: Id, verdict: Annotated[Verdict | None, Query(description="Only these.")] = None,
    limit: Limit = USUAL, after: After = "",
) -> Listed[RowShape]:  # fmt: skip
    """What was read, in the order of the file; the bad ones with field and reason."""
    import_ = Import.of(member.session, member.project.id, import_id)
    found = import_queries.rows(member.session, import_.id, verdict, (place_of(after, int) or (0,))[0], limit + 1)
    return listed(found, limit, RowShape, "number")


@router.post("/projects/{project_id}/imports/{import_id}/read")
def read_import(who: FileBringer, house: InHouse, import_id: Id, how: ReadAs) -> ImportShape:
    """Read it again, as you say. Not once rows of it were taken: 409."""
    options = {name: value for name, value in how.model_dump().items() if value is not None}
    read_again(house.database, house.store, who.project_id, import_id, options)
    return now(house, who.project_id, import_id)


@router.post("/projects/{project_id}/imports/{import_id}/take")
def take_import(member: ImportTaker, import_id: Id) -> ImportShape:
    """The worker takes the good rows; its job tells how far it is."""
    import_ = Import.of(member.session, member.project.id, import_id)
    import_.take(member.session)
    return import_shape(import_)


@router.post("/projects/{project_id}/imports/{import_id}/rest")
def take_rest(who: FileBringer, house: InHouse, import_id: Id) -> ImportShape:
    """Rows that waited for their photos are judged anew, and the worker takes those that are good now."""
    judge_rest(house.database, who.project_id, import_id)
    return now(house, who.project_id, import_id)


@router.post("/projects/{project_id}/imports/{import_id}/take-back")
def take_import_back(member: ImportTaker, import_id: Id) -> ImportShape:
    """Everything that it brought goes, unless somebody has said something about it since: then all of it stays."""
    import_ = Import.of(member.session, member.project.id, import_id)
    import_.take_back(member.session)
    return import_shape(import_)


def now(house: InHouse, project_id: int, import_id: int) -> ImportShape:
    """As it stands after what was done in other sessions."""
    with house.database.reading() as session:
        return import_shape(Import.of(session, project_id, import_id))


def import_shape(import_: Import) -> ImportShape:
    """One of them."""
    plain = {field: getattr(import_, field) for field in ImportShape.model_fields if field not in ("rows", "happens")}
    return ImportShape(**plain, rows=import_.counts.get("rows", {}), happens=wording.what_happens(import_))
