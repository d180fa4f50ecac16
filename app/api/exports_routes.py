"""Tables: which there are, what their columns mean, and the rows of one snapshot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from app.api.access import Exporter, Viewer
from app.api.shapes import Listed, Shape
from app.dependencies import InHouse
from app.exports.formats import FORMATS
from app.exports.routes import Days, streamed
from app.exports.study import Options

router = APIRouter(tags=["Exports"])
FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A table (UTF-8, a header, LF, quotes as in RFC 4180), JSON or an archive",
        "content": {"text/csv": {}, "application/json": {}, "application/zip": {}},
    }
}


class ColumnShape(Shape):
    """One column, or one file or key of a format that is no table."""

    name: str
    meaning: str


class TableShape(Shape):
    """One format that can be downloaded."""

    name: str
    title: str
    summary: str
    file: str = Field(description="The name that a download gets.")
    media_type: str
    options: list[str] = Field(description="Query parameters that it reads: people, occasion_days, forward_slashes.")
    columns: list[ColumnShape] = Field(
        description="Text that a spreadsheet would take for a formula begins with an apostrophe (')."
    )


@router.get("/projects/{project_id}/exports")
def list_tables(_member: Viewer) -> Listed[TableShape]:
    """Every format with the meaning of its columns or files."""
    items = [
        TableShape(
            name=each.name, title=each.title, summary=each.summary, file=each.file, media_type=each.media_type,
            options=list(each.options), columns=[ColumnShape(name=name, meaning=meaning) for name, meaning in each.about],
        )
        for each in FORMATS.values()
    ]  # fmt: skip
    return Listed[TableShape](items=items)


@router.get("/projects/{project_id}/exports/{name}", response_class=Response, responses=FILE)
def download(
    member: Exporter, house: InHouse, name: Annotated[str, Path(max_length=100)], people: bool = False,
    occasion_days: Days = Options.occasion_days, forward_slashes: bool = False, manifest: bool = False,
) -> Response:  # fmt: skip
    """One format of this moment's snapshot, streamed while it is written. A connection that breaks off means that it is not
    whole: it is never cut short without that. manifest: in its place what it would be: the snapshot, the networks, rows, size and
    SHA-256, and what the format cannot carry; it takes as long."""
    return streamed(house, member.project, name, Options(people, occasion_days, forward_slashes), manifest=manifest)
