"""The page of visits: filters in the address, a strip of photos each, and a form for what a person counted."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import LARGEST_ID, Access, ActingAnnotator, Viewer, not_yours
from app.forms import Refusal, go, tried, whole
from app.pages import page
from app.pictures import photo_pictures
from app.visits.queries import Filters, cameras_of, event_of, lines, species_of
from models.event import bin_of
from models.privacy import veils
from models.upkeep import are_current
from models.visit_counts import count_visit

router = APIRouter(prefix="/projects/{project_id}/events")
Text = Annotated[str, Form()]


def filters_of(species: str = "", camera: str = "", since: str = "", until: str = "", after: str = "") -> Filters:
    """As typed: what is no number and no day narrows nothing."""
    return Filters(number(species), number(camera), day(since), day(until), number(after))


FromAddress = Annotated[Filters, Depends(filters_of)]


@router.get("")
def show_visits(request: Request, access: Viewer, filters: FromAddress, saved: str = "") -> Response:
    """A page of them."""
    return visits_page(request, access, filters, saved=number(saved))


@router.post("/{event_id}/count")
def save_count(
    request: Request, access: ActingAnnotator, filters: FromAddress, event_id: int, count: Text = "", unseen: Text = "",
    idempotency_key: Text = "",
) -> Response:  # fmt: skip
    """What a person counted; an empty figure lets MaxN stand again."""
    event = event_of(access.session, access.project.id, event_id) if 0 < event_id <= LARGEST_ID else None
    if event is None:
        raise not_yours()

    def change() -> None:
        count_visit(
            access.session, event, whole("count", count) if count.strip() else None, whole("unseen", unseen or "0"),
            by=access.user.id, key=idempotency_key,
        )  # fmt: skip

    refused = tried(request, access.session, change, f"visit-{event_id}", {"count": count, "unseen": unseen}, "count")
    if refused:
        return visits_page(request, access, filters, refused)
    return go(f"/projects/{access.project.id}/events{query(filters, saved=event_id)}#visit-{event_id}")


def visits_page(
    request: Request, access: Access, filters: Filters, refused: Refusal | None = None, saved: int | None = None
) -> Response:
    """Everything the template needs."""
    session, project = access.session, access.project
    found, more = lines(session, project, filters)
    shown = [image_id for line in found for image_id, _at in line.photos]
    over = veils(session, shown)
    return page(
        request, "visits/visits.html", status_code=refused.status if refused else 200, project=project, tab="Overview",
        access=access, found=found, filters=filters, refused=refused, saved=saved, query=query, bin_of=bin_of,
        pictures={image_id: photo_pictures(image_id, over.get(image_id)) for image_id in shown},
        older=query(filters, after=more) if more else "", newest=query(filters, after="") if filters.after else "",
        species=species_of(session, project.id), cameras=cameras_of(session, project.id),
        is_current=are_current(session, project), key=secrets.token_hex(16), lasts=lasts,
    )  # fmt: skip


def query(filters: Filters, **changes: object) -> str:
    """The filters as an address, some of them changed."""
    said: Mapping[str, object] = {
        "species": filters.species, "camera": filters.camera, "since": filters.since, "until": filters.until,
        "after": filters.after,
    } | changes  # fmt: skip
    kept = {name: value for name, value in said.items() if value}
    return f"?{urlencode(kept)}" if kept else ""


def lasts(first: dt.datetime, last: dt.datetime) -> str:
    """06:12 / 06:12 to 06:40 / 06:12 to 7 March, 01:10."""
    if last.replace(second=0) == first.replace(second=0):
        return f"{first:%H:%M}"
    same_day = last.date() == first.date()
    return f"{first:%H:%M}–{last:%H:%M}" if same_day else f"{first:%H:%M} – {last.day} {last:%B, %H:%M}"


def number(typed: str) -> int | None:
    """An id, or none."""
    return int(typed) if typed.isascii() and typed.isdecimal() and 0 < int(typed[:12]) <= LARGEST_ID else None


def day(typed: str) -> dt.date | None:
    """2026-03-01, or none."""
    try:
        return dt.date.fromisoformat(typed)
    except ValueError:
        return None
