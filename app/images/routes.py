"""Thumbnails, previews and crops: re-encoded by us, without the camera's metadata. Originals are never served."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import House, get_house, signed_in
from app.images.queries import Seen, of_box, of_photo
from app.security.sessions import token_of
from models.errors import NotYours
from models.image import QUARANTINED, REFUSED

router = APIRouter()
NOBODY = "This photo does not exist, or is not yours to see."
BROKEN = "This photo cannot be shown; its file is damaged."
NOT_YET = "Nobody has looked through this photo yet; its picture is made then."
FOR_A_DAY = "private, max-age=86400, immutable"


def thumbnail(request: Request) -> Response:
    """At most 320 px."""
    house = get_house(request)
    seen = found(request, house, of_photo(house.database.engine, token_of(request), request.path_params["image_id"]))
    return picture(house.store.thumbnail(seen.sha256), seen)


def preview(request: Request) -> Response:
    """At most 1,600 px."""
    house = get_house(request)
    seen = found(request, house, of_photo(house.database.engine, token_of(request), request.path_params["image_id"]))
    return picture(house.store.preview(seen.sha256), seen)


def crop(request: Request) -> Response:
    """The 256x256 crop that the networks see."""
    house, box_id = get_house(request), request.path_params["box_id"]
    seen = found(request, house, of_box(house.database.engine, token_of(request), box_id))
    return picture(house.store.crop(seen.sha256, box_id), seen)


def found(request: Request, house: House, seen: Seen | None) -> Seen:
    """Raises NotSignedIn or NotYours when there is nothing for this person."""
    if seen is None:
        with house.database.reading() as session:
            signed_in(request, session)
        raise NotYours(NOBODY)
    return seen


def picture(path: Path, seen: Seen) -> Response:
    """The bytes in one read. Raises NotYours while there are none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotYours(BROKEN if seen.state in (QUARANTINED, REFUSED) else NOT_YET) from None
    return Response(
        content, media_type="image/jpeg", headers={"cache-control": "no-store" if seen.private else FOR_A_DAY}
    )


# Plain routes: the pages' machinery (forms, validation, sessions) would double the price of a picture.
router.add_route("/images/{image_id:int}/thumbnail.jpg", thumbnail)
router.add_route("/images/{image_id:int}/preview.jpg", preview)
router.add_route("/boxes/{box_id:int}/crop.jpg", crop)
