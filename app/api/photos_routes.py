"""Photos, boxes and their pictures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.api import box_queries, photo_queries
from app.api.access import Viewer, ViewerAtBox, ViewerAtPhoto
from app.api.photo_shapes import BoxShape, PhotoShape, PhotoState, PhotoWithBoxes, box_fields, photo_fields
from app.api.shapes import USUAL, After, Limit, Listed, cursor, place_of
from app.dependencies import LARGEST_ID, Access, House, InHouse, not_yours
from app.images.queries import Seen, of_member
from app.images.routes import CROP_PX, picture
from app.labeling.page import desk_of
from models.box import Box
from models.errors import Invalid
from models.image import Image
from models.privacy import veils
from models.words import say

router = APIRouter(tags=["Photos and boxes"])
Number = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
JPEG: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A JPEG, or a grey SVG where people are on it and the blurred one is not made yet",
        "content": {"image/jpeg": {}},
    }
}  # fmt: skip


@router.get("/projects/{project_id}/photos")
def list_photos(
    member: Viewer, state: Annotated[PhotoState | None, Query(description="Only these.")] = None,
    batch: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only what this batch brought first.")] = None,
    deployment: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only of this camera.")] = None,
    since: Annotated[dt.datetime | None, Query(description="The camera's corrected clock from here on, without a zone.")] = None,
    until: Annotated[dt.datetime | None, Query(description="Up to here, included.")] = None,
    limit: Limit = USUAL, after: After = "",
) -> Listed[PhotoShape]:  # fmt: skip
    """Photos by id; with deployment, since or until camera by camera, each by its clock, those without a time last."""
    session, project = member.session, member.project
    for name, clock in (("since", since), ("until", until)):
        if clock is not None and clock.tzinfo is not None:
            raise Invalid(f"{name}: " + say("a camera's clock has no zone; send it like 2026-03-01T06:30:00"))
    asked = photo_queries.Asked(project.id, state, batch, deployment, since, until)
    if asked.by_time:
        place = place_of(after, int, int, dt.datetime, int)
        found = photo_queries.by_time(session, asked, place, limit + 1)
    else:
        found = photo_queries.by_id(session, asked, (place_of(after, int) or (0,))[0], limit + 1)
    shown = found[:limit]
    place_shown = photo_queries.place_of_photo(shown[-1]) if asked.by_time and shown else None
    ended = cursor(*(place_shown or [shown[-1].id])) if len(found) > limit else None
    return Listed[PhotoShape](items=[PhotoShape(**each) for each in fields_of(member, shown)], next=ended)


@router.get("/photos/{photo_id}")
def show_photo(at: ViewerAtPhoto, house: InHouse) -> PhotoWithBoxes:
    """One photo with its boxes."""
    boxes = photo_queries.boxes_in(at.access.session, [at.photo.id])[at.photo.id]
    fields = fields_of(at.access, [at.photo])[0]
    return PhotoWithBoxes(**fields, boxes=shown_boxes(at.access, house, boxes))


@router.get("/photos/{photo_id}/thumbnail.jpg", response_class=Response, responses=JPEG)
def show_thumbnail(at: ViewerAtPhoto, house: InHouse) -> Response:
    """At most 320 px. People are blurred."""
    seen = of_member(at.access.session, at.photo)
    return picture(house, seen, house.store.thumbnail(seen.sha256), "thumbnail", (seen.width_px, seen.height_px))


@router.get("/photos/{photo_id}/preview.jpg", response_class=Response, responses=JPEG)
def show_preview(at: ViewerAtPhoto, house: InHouse) -> Response:
    """At most 1,600 px. People are blurred."""
    seen = of_member(at.access.session, at.photo)
    return picture(house, seen, house.store.preview(seen.sha256), "preview", (seen.width_px, seen.height_px))


@router.get("/boxes/{box_id}/crop.jpg", response_class=Response, responses=JPEG)
def show_crop(at: ViewerAtBox, house: InHouse) -> Response:
    """256 x 256 px, as the networks see it. People are blurred."""
    seen: Seen = of_member(at.access.session, at.access.session.get_one(Image, at.box.image_id))
    return picture(house, seen, house.store.crop(seen.sha256, at.box.id), f"crop-{at.box.id}", (CROP_PX, CROP_PX))


@router.get("/projects/{project_id}/boxes")
def list_boxes(
    member: Viewer, house: InHouse,
    state: Annotated[
        Literal["named", "unnamed", "waits"] | None, Query(description="waits: for another voice or an expert.")
    ] = None,
    species: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Settled as this species.")] = None,
    guess: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="The classifier's likeliest answer.")] = None,
    score: Annotated[
        float | None, Query(ge=0, le=1, allow_inf_nan=False, description="The detector's score from here on.")
    ] = None,
    limit: Limit = USUAL, after: After = "",
) -> Listed[BoxShape]:  # fmt: skip
    """Boxes by id; named ones, or those of a species, by species and then as they were named. A page may hold fewer than limit
    although `next` is there: what you are still to be asked about is not listed by its name."""
    asked = box_queries.Asked(member.project.id, state, species, guess, score)
    if asked.by_name:
        found = box_queries.by_name(member.session, asked, place_of(after, int, int, int), limit + 1)
    else:
        found = box_queries.by_id(member.session, asked, (place_of(after, int) or (0,))[0], limit + 1)
    shown = found[:limit]
    place_shown = box_queries.place_of_name(shown[-1]) if asked.by_name and shown else None
    ended = cursor(*(place_shown or [shown[-1].id])) if len(found) > limit else None
    secret = bool(asked.by_name or guess or state)
    return Listed[BoxShape](items=shown_boxes(member, house, shown, only_told=secret), next=ended)


@router.get("/boxes/{box_id}")
def show_box(at: ViewerAtBox, house: InHouse) -> BoxShape:
    """One box; for one that was moved the one in its place. A deleted one is not there."""
    box = box_queries.standing(at.access.session, at.box)
    if box.deleted_at is not None:
        raise not_yours()
    return shown_boxes(at.access, house, [box])[0]


def fields_of(member: Access, photos: Sequence[Image]) -> list[dict[str, Any]]:
    """What PhotoShape is made of."""
    cameras = photo_queries.zones_of(member.session, [photo.deployment_id for photo in photos])
    over = veils(member.session, [photo.id for photo in photos])
    return [photo_fields(photo, member.project, cameras, over) for photo in photos]


def shown_boxes(member: Access, house: House, boxes: Sequence[Box], *, only_told: bool = False) -> list[BoxShape]:
    """As this member may see them. only_told: without those of which the member must not hear."""
    silent, blind = box_queries.untold(desk_of(member, house), boxes)
    over = veils(member.session, {box.image_id for box in boxes})
    return [
        BoxShape(**box_fields(box, over.get(box.image_id), unheard=box.id in silent, blind=box.id in blind))
        for box in boxes
        if not (only_told and box.id in blind)
    ]
