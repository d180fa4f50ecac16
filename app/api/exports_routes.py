"""Tables: which there are, what their columns mean, and the rows of one snapshot."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from app.api.access import Exporter, Viewer
from app.api.shapes import Listed, Shape
from app.dependencies import InHouse
from app.exports.columns import COLUMNS, SUMMARY
from app.exports.routes import streamed

router = APIRouter(tags=["Exports"])
CSV: dict[int | str, dict[str, Any]] = {
    200: {"description": "The table: UTF-8, a header, LF, quotes as in RFC 4180", "content": {"text/csv": {}}}
}


class ColumnShape(Shape):
    """One column."""

    name: str
    meaning: str


class TableShape(Shape):
    """One table that can be downloaded."""

    name: str
    summary: str
    columns: list[ColumnShape] = Field(
        description="Text that a spreadsheet would take for a formula begins with an apostrophe (')."
    )


@router.get("/projects/{project_id}/exports")
def list_tables(_member: Viewer) -> Listed[TableShape]:
    """Every table with the meaning of its columns."""
    items = [
        TableShape(name=name, summary=SUMMARY[name], columns=[ColumnShape.model_validate(each) for each in columns])
        for name, columns in COLUMNS.items()
    ]
    return Listed[TableShape](items=items)


@router.get("/projects/{project_id}/exports/{name}", response_class=Response, responses=CSV)
def download(member: Exporter, house: InHouse, name: Annotated[str, Path(max_length=100)]) -> Response:
    """One table of this moment's snapshot, streamed while it is written. A connection that breaks off means that the table is
    not whole: it is never cut short without that."""
    return streamed(house, member.project, name)
