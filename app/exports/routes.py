"""The export page and its downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.dependencies import ActingAdmin, House, InHouse, Viewer, not_yours
from app.exports.formats import (
    FORMATS,
    FORWARD_SLASHES,
    JSON,
    OCCASION_DAYS,
    PEOPLE,
    Format,
    write_export,
    write_manifest,
)
from app.exports.lost import lost_lines
from app.exports.publication import (
    DATA_LICENSES,
    DESIGNS,
    MEDIA_LICENSES,
    ROLES,
    Publication,
    publication_from,
)
from app.exports.queries import anything_looked_at
from app.exports.rows import ROWS
from app.exports.sinks import ByteSink
from app.exports.spool import Spool
from app.exports.study import Options, Study
from app.forms import Refusal, go, tried
from app.pages import page
from models.audit import note
from models.membership import Role
from models.project import Project

router = APIRouter()
LICENSES = [[(each, each) for each in names] for names in (DATA_LICENSES, MEDIA_LICENSES)]  # of tables, of photos
Text = Annotated[str, Form()]
Days = Annotated[int, Query(ge=1, le=366)]


@router.get("/projects/{project_id}/export")
def export_page(
    request: Request, access: Viewer, house: InHouse, table: str = "species.csv", saved: bool = False
) -> Response:
    """The formats; of one of them what it says, its options, and what it cannot carry."""
    return shown(request, access, house, table, saved=saved)


def shown(
    request: Request, access: Viewer, house: House, name: str, refused: Refusal | None = None, *, saved: bool = False
) -> Response:
    """The page, with the publication's form where the format asks for one."""
    if name not in FORMATS:
        raise not_yours()
    chosen, project = FORMATS[name], access.project
    filled = anything_looked_at(access.session, project)
    study = Study(access.session, house.store, project)
    rows = ROWS.get(name)
    first = next(rows(access.session, house.store, project), None) if filled and rows else None
    return page(
        request, "exports/export.html", project=project, tab="Export", formats=FORMATS.values(), chosen=chosen, filled=filled,
        first=first, lost=lost_lines(name, study), people=PEOPLE in chosen.options, occasions=OCCASION_DAYS in chosen.options,
        slashes=FORWARD_SLASHES in chosen.options,
        said=Publication.of(project) if name == "camtrap-dp" else None, lacking=chosen.lacking(study),
        designs=DESIGNS, licenses=LICENSES, roles=ROLES, refused=refused,
        saved="publication" if saved else None, may=access.may(Role.admin), status_code=refused.status if refused else 200,
    )  # fmt: skip


@router.post("/projects/{project_id}/export/publication")
def save_publication(
    request: Request, access: ActingAdmin, house: InHouse, title: Text = "", description: Text = "", design: Text = "",
    contributors: Text = "", data_license: Text = "", media_license: Text = "",
) -> Response:  # fmt: skip
    """What a package says of the study as a whole."""
    form = {
        "title": title, "description": description, "design": design, "contributors": contributors,
        "data_license": data_license, "media_license": media_license,
    }  # fmt: skip

    def change() -> None:
        access.project.publication = publication_from(form).as_row()
        note(access.session, "publication.saved", user=access.user, project_id=access.project.id)

    refused = tried(request, access.session, change, "publication", form, "title")
    if refused is not None:
        return shown(request, access, house, "camtrap-dp", refused)
    return go(f"/projects/{access.project.id}/export?table=camtrap-dp&saved=1#publication")


@router.get("/projects/{project_id}/export/{name}")
def download(
    access: Viewer, house: InHouse, name: str, people: bool = False, occasion_days: Days = Options.occasion_days,
    forward_slashes: bool = False, manifest: bool = False,
) -> Response:  # fmt: skip
    """One format of one snapshot, streamed; manifest: what it would hold instead, with its hash."""
    return streamed(house, access.project, name, Options(people, occasion_days, forward_slashes), manifest=manifest)


def streamed(
    house: House, project: Project, name: str, options: Options | None = None, *, manifest: bool = False
) -> Response:
    """The format as it is written, or its manifest. Raises NotYours for one that there is not, Invalid, Busy, NoSpace."""
    if name not in FORMATS:
        raise not_yours()
    chosen = FORMATS[name]
    write = write_manifest if manifest else write_export
    spool = Spool(house.store, lambda stream: write_snapshot(house, project.id, chosen, stream, options, write))
    spool.wait_for_start()
    file = f"{chosen.file}.manifest.json" if manifest else chosen.file
    return StreamingResponse(
        aiter(spool),
        media_type=JSON if manifest else chosen.media_type,
        headers={"content-disposition": disposition(project.name, file)},
    )


def write_snapshot(
    house: House,
    project_id: int,
    chosen: Format,
    stream: ByteSink,
    options: Options | None,
    write: Callable[..., object],
) -> None:
    """The export's own session: the request's ends before the last byte is sent."""
    with house.database.reading() as session:
        write(session, house.store, session.get_one(Project, project_id), chosen.name, stream, options)


def disposition(project_name: str, file: str) -> str:
    """The name under which the browser keeps it, in any script (RFC 6266)."""
    return f"attachment; filename=\"{file}\"; filename*=UTF-8''{quote(f'{project_name} {file}', safe='')}"
