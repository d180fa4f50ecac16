"""Static detections: one tile a group, decided once for all its boxes, and taken back as a whole."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.checks.desks import desk_of
from app.checks.statics_queries import AT_ONCE, group_of, tiles
from app.dependencies import LARGEST_ID, Access, ActingAnnotator, InHouse, Viewer, not_yours
from app.forms import go
from app.pages import page
from app.pictures import crop_picture, photo_pictures
from models.answering import MOST_AT_ONCE
from models.deciding import decide, reopen_group
from models.job import STEPS
from models.privacy import veils
from models.queue import ask_again
from models.static import FEWEST, STATICS, StaticGroup

router = APIRouter(prefix="/projects/{project_id}/static")
Text = Annotated[str, Form()]


@router.get("")
def show_statics(request: Request, access: Viewer) -> Response:
    """What waits, then what is decided."""
    session, project = access.session, access.project
    open_, decided = tiles(session, project.id, decided=False), tiles(session, project.id, decided=True)
    over = veils(session, {tile.image_id for tile in (*open_, *decided)})
    pictures = {
        tile.group.id: crop_picture(tile.group.first_box_id, over.get(tile.image_id))
        if tile.is_cut
        else photo_pictures(tile.image_id, over.get(tile.image_id))["thumbnail"]
        for tile in (*open_, *decided)
    }
    return page(
        request, "checks/statics.html", project=project, tab="Overview", access=access,
        waiting=StaticGroup.waiting(session, project.id),
        open=open_, decided=decided, pictures=pictures, key=secrets.token_hex(16), shown=AT_ONCE, fewest=FEWEST,
        most=MOST_AT_ONCE, may=access.may("annotator"),
    )  # fmt: skip


@router.post("")
def look_again(access: ActingAnnotator) -> Response:
    """The worker looks through every camera again, with the crops that there are now."""
    ask_again(access.session, STATICS, access.project.id, line="Looking for static detections", unit=STEPS)
    return go(f"/projects/{access.project.id}/static")


@router.post("/{group_id}")
def decide_group(
    access: ActingAnnotator, house: InHouse, group_id: int, verdict: Text = "", idempotency_key: Text = ""
) -> Response:
    """One word for all its boxes."""
    decide(desk_of(access, house), found(access, group_id), verdict, key=idempotency_key)
    return go(f"/projects/{access.project.id}/static#group-{group_id}")


@router.post("/{group_id}/undo")
def take_group_back(access: ActingAnnotator, house: InHouse, group_id: int, idempotency_key: Text = "") -> Response:
    """Everything as it was."""
    reopen_group(desk_of(access, house), found(access, group_id), key=idempotency_key)
    return go(f"/projects/{access.project.id}/static#group-{group_id}")


def found(access: Access, group_id: int) -> StaticGroup:
    """Raises NotYours for one of another project."""
    group = group_of(access.session, access.project.id, group_id) if 0 < group_id <= LARGEST_ID else None
    if group is None:
        raise not_yours()
    return group
