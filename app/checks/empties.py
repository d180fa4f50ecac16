"""Photos that count as empty, one at a time: by a random sample with its estimate, or the strongest low boxes first."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.checks.desks import desk_of
from app.checks.empties_queries import LOW, SAMPLE, best_box, estimate, found, image_of, newest_sample, next_photo
from app.dependencies import LARGEST_ID, ActingAnnotator, InHouse, Viewer, not_yours
from app.forms import go
from app.pages import page
from app.pictures import photo_pictures
from models.checking import check, last_check, take_check_back
from models.empty import draw_sample
from models.privacy import veils

router = APIRouter(prefix="/projects/{project_id}/empties")
Text = Annotated[str, Form()]


@router.get("")
def show_empties(request: Request, access: Viewer, house: InHouse, order: str = SAMPLE) -> Response:
    """The next photo, what the sample says, what was found."""
    session, project = access.session, access.project
    order = order if order in (SAMPLE, LOW) else SAMPLE
    sample, image, done = (
        newest_sample(session, project.id),
        next_photo(session, project, order),
        found(session, project.id),
    )
    shown = [image_id for image_id, _box_id, _named in done] + ([image.id] if image else [])
    over = veils(session, shown)
    return page(
        request, "checks/empties.html", project=project, tab="Overview", access=access, order=order,
        estimate=estimate(session, sample) if sample else None, image=image,
        box=best_box(session, image.id) if image else None, found=done,
        pictures={image_id: photo_pictures(image_id, over.get(image_id)) for image_id in shown},
        last=last_check(desk_of(access, house)), key=secrets.token_hex(16), may=access.may("annotator"),
    )  # fmt: skip


@router.post("/sample")
def draw(access: ActingAnnotator) -> Response:
    """A new sample of what counts as empty now; the looks stay."""
    draw_sample(access.session, access.project, access.user.id)
    return go(f"/projects/{access.project.id}/empties")


@router.post("/undo")
def take_back(access: ActingAnnotator, house: InHouse, order: Text = SAMPLE) -> Response:
    """This person's last look."""
    desk = desk_of(access, house)
    last = last_check(desk)
    if last is not None:
        take_check_back(desk, last)
    return go(f"/projects/{access.project.id}/empties?order={LOW if order == LOW else SAMPLE}")


@router.post("/{image_id}")
def look(
    access: ActingAnnotator,
    house: InHouse,
    image_id: int,
    verdict: Text = "",
    order: Text = SAMPLE,
    idempotency_key: Text = "",
) -> Response:
    """What is in the photo."""
    image = image_of(access.session, access.project.id, image_id) if 0 < image_id <= LARGEST_ID else None
    if image is None:
        raise not_yours()
    check(desk_of(access, house), image, verdict, key=idempotency_key)
    return go(f"/projects/{access.project.id}/empties?order={LOW if order == LOW else SAMPLE}")
