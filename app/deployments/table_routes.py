"""Deployments from a table: what was read and what each line would change, and only then the good lines or nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Expert
from app.deployments import table, table_changes
from app.forms import Refusal, go, tried
from app.pages import page, wants_page
from models.errors import Invalid, TooLarge
from models.words import say

router = APIRouter(prefix="/table")
Text = Annotated[str, Form()]
SHOWN = 50


async def sent_table(request: Request, _access: Expert) -> tuple[str, str]:
    """(text, encoding) of the file that was chosen, else of what was pasted; read only for who may. Raises Invalid, TooLarge."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or int(length) > 2 * table.MOST_BYTES:
        raise TooLarge(f"table: at most {table.MOST_BYTES >> 20} MB")
    form = await request.form(max_files=1, max_fields=5, max_part_size=table.MOST_BYTES)
    file = form.get("file")
    if isinstance(file, UploadFile) and file.size:
        return table.decoded(await file.read())
    return str(form.get("text", "")), "UTF-8"


Sent = Annotated[tuple[str, str], Depends(sent_table)]


@router.get("")
def show_form(request: Request, access: Expert) -> Response:
    """Choose a file, or paste."""
    return table_page(request, access)


@router.post("")
def dry_run(request: Request, access: Expert, sent: Sent) -> Response:
    """What was read. Changes nothing."""
    text, encoding = sent
    try:
        read = table.read(text, encoding, access.project.zone)
    except Invalid as error:
        if not wants_page(request):
            raise
        return table_page(request, access, Refusal.of(error, "table", {"text": text}, "table"))
    planned = table_changes.plan(access.session, access.project.id, read)
    return page(
        request, "deployments/table_read.html", project=access.project, tab="Deployments", table=read, planned=planned,
        text=text, encoding=encoding, shown=SHOWN,
    )  # fmt: skip


@router.post("/save")
def save(request: Request, access: ActingExpert, text: Text = "", encoding: Text = "UTF-8") -> Response:
    """The good lines."""
    change = lambda: table_changes.save(access, table.read(text, encoding[:10], access.project.zone))  # noqa: E731
    refused = tried(request, access.session, change, "table", {"text": text}, "table")
    return table_page(request, access, refused) if refused else go(f"/projects/{access.project.id}/deployments")


def table_page(request: Request, access: Access, refused: Refusal | None = None) -> Response:
    """The form."""
    columns = say(
        "deployment, site, camera, camera model, start, end, zone, latitude, longitude, uncertainty_m, comments"
    )
    return page(
        request, "deployments/table.html", status_code=refused.status if refused else 200, project=access.project,
        tab="Deployments", refused=refused, columns=columns,
    )  # fmt: skip
