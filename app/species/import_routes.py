"""A species list out as a CSV, and in: first what the file would do, then the good rows or nothing."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from app.dependencies import Access, ActingExpert, Expert, Viewer
from app.forms import Refusal, go, tried
from app.pages import page, wants_page
from app.species import importing, listing, sheet
from app.species.plan import Plan, planned
from models.audit import note

router = APIRouter(prefix="/projects/{project_id}/species", max_body_size=16 << 20)
SHOWN = 200  # rows of each kind on the page


@router.get("/list.csv")
def download(access: Viewer) -> Response:
    """The list, as an import reads it back."""
    lines = list(listing.written(access.session, access.project.id))
    headers = {"content-disposition": f'attachment; filename="species-{access.project.id}.csv"'}
    return StreamingResponse(iter(lines), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/import")
def show_import(request: Request, access: Expert) -> Response:
    """Where a file is chosen."""
    return import_page(request, access)


@router.post("/import")
def look(request: Request, access: ActingExpert, file: Annotated[UploadFile, File()]) -> Response:
    """What the file would do. Nothing is stored."""
    content = file.file.read(sheet.MOST_BYTES + 1)
    made: list[tuple[Plan, str]] = []

    def plan() -> None:
        text, encoding = sheet.decoded(content)
        made.append((planned(access.session, access.project.id, sheet.read(text, encoding)), text))

    refused = tried(request, access.session, plan, "import", {}, "file")
    if refused:
        return import_page(request, access, refused)
    return told(request, access, *made[0])


@router.post("/import/confirm")
def confirm(
    request: Request,
    access: ActingExpert,
    text: Annotated[str, Form()] = "",
    encoding: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """The good rows go in, as they were shown; where the list changed meanwhile, it is shown anew."""
    access.project.lock(access.session)
    made: list[Plan] = []

    def plan() -> None:
        read = encoding if encoding in (sheet.UTF_8, sheet.UTF_16, sheet.LATIN_1) else sheet.UTF_8
        plain, _encoding = sheet.decoded(text.encode())
        made.append(planned(access.session, access.project.id, sheet.read(plain, read)))

    refused = tried(request, access.session, plan, "import", {}, "file")
    if refused:
        return import_page(request, access, refused)
    if made[0].seen != seen:
        return told(request, access, made[0], text, again=True)
    importing.carry_out(access.session, access.project.id, made[0])
    new, changed = len(made[0].new), len(made[0].changes)
    if new or changed:
        note(
            access.session, "species.imported", user=access.user, project_id=access.project.id, added=new, changed=changed
        )  # fmt: skip
    if not wants_page(request):
        return JSONResponse({"added": new, "changed": changed})
    return go(f"/projects/{access.project.id}/species?added={new}&changed={changed}#main")


def told(request: Request, access: Access, plan: Plan, text: str, *, again: bool = False) -> Response:
    """The plan, for a person or a script."""
    if not wants_page(request):
        return JSONResponse(as_json(plan), status_code=409 if again else 200)
    return import_page(request, access, plan=plan, text=text, again=again)


def as_json(plan: Plan) -> dict[str, object]:
    """What a script needs to decide."""
    return {
        "encoding": plan.sheet.encoding,
        "separator": plan.sheet.separator,
        "rows": len(plan.sheet.rows),
        "unread": plan.unread,
        "new": [each.name for each in plan.new],
        "changes": {taxon.name: words for taxon, words in plan.changes},
        "same": plan.same,
        "bad": [{"line": each.line, "field": each.field, "reason": each.words} for each in plan.problems],
        "seen": plan.seen,
    }


def import_page(
    request: Request, access: Access, refused: Refusal | None = None, *, plan: Plan | None = None, text: str = "",
    again: bool = False,
) -> Response:  # fmt: skip
    """The file's form, and below it what the file would do."""
    return page(
        request,
        "species/import.html",
        status_code=refused.status if refused else 409 if again else 200,
        project=access.project,
        tab="Species",
        refused=refused,
        plan=plan,
        text=text,
        again=again,
        shown=SHOWN,
        most_mb=sheet.MOST_BYTES // 1_000_000,
        most_rows=sheet.MOST_ROWS,
    )
