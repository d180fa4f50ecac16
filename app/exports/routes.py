"""The export page and its downloads."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.dependencies import House, InHouse, Viewer, not_yours
from app.exports.cells import TextSink
from app.exports.columns import COLUMNS, SUMMARY
from app.exports.files import write_table
from app.exports.queries import anything_looked_at
from app.exports.rows import ROWS
from app.exports.spool import Spool
from app.pages import page
from models.project import Project

router = APIRouter()


@router.get("/projects/{project_id}/export")
def export_page(request: Request, access: Viewer, house: InHouse, table: str = "species.csv") -> Response:
    """The tables with the meaning of their columns and the first row."""
    if table not in COLUMNS:
        raise not_yours()
    filled = anything_looked_at(access.session, access.project)
    first = next(ROWS[table](access.session, house.store, access.project), None) if filled else None
    return page(
        request, "exports/export.html", project=access.project, tab="Export", tables=SUMMARY, table=table,
        filled=filled, columns=COLUMNS[table], first=first,
    )  # fmt: skip


@router.get("/projects/{project_id}/export/{table}")
def download(access: Viewer, house: InHouse, table: str) -> Response:
    """One table of one snapshot, streamed."""
    return streamed(house, access.project, table)


def streamed(house: House, project: Project, table: str) -> Response:
    """The table as it is written. Raises NotYours for one that there is not, Busy, NoSpace."""
    if table not in COLUMNS:
        raise not_yours()
    spool = Spool(house.store, lambda stream: write_snapshot(house, project.id, table, stream))
    spool.wait_for_start()
    return StreamingResponse(
        aiter(spool),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": disposition(project.name, table)},
    )


def write_snapshot(house: House, project_id: int, table: str, stream: TextSink) -> None:
    """The export's own session: the request's ends before the last byte is sent."""
    with house.database.reading() as session:
        write_table(session, house.store, session.get_one(Project, project_id), table, stream)


def disposition(project_name: str, table: str) -> str:
    """The name under which the browser keeps it, in any script (RFC 6266)."""
    return f"attachment; filename=\"{table}\"; filename*=UTF-8''{quote(f'{project_name} {table}', safe='')}"
