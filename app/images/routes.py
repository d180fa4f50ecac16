"""Thumbnails, previews and crops: re-encoded by us, without the camera's metadata. Originals are never served.

Where people are on a photo, what is sent is the worker's blurred picture, to everybody and from the first paint; while there is
none yet, a grey one. A photo that somebody with the right opened is sent as it is, to that person, under `?open=`.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import LARGEST_ID, House, Writing, WritingUser, access, get_house, signed_in
from app.forms import go
from app.images.queries import Seen, of_box, of_photo, photo_to_open
from app.pages import wants_page
from app.security.sessions import token_of
from models.errors import Busy, NotYours
from models.image import ABSENT, QUARANTINED, REFUSED
from models.membership import Role
from models.privacy import HIDDEN, Opening, ask_blurs
from models.words import mark, translated

router = APIRouter()
NOBODY = mark("This photo does not exist, or is not yours to see.")
BROKEN = mark("This photo cannot be shown; its file is damaged.")
NOT_YET = mark("Nobody has looked through this photo yet; its picture is made then.")
ABSENT_WORDS = mark("An import named this photo; its file is not here. Upload it under the same path and it is shown.")
WHY_NOT = {QUARANTINED: BROKEN, REFUSED: BROKEN, ABSENT: ABSENT_WORDS}  # state of the photo -> why it has no picture
FOR_A_DAY = "private, max-age=86400, immutable"
CROP_PX = 256
GREY = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
    '<rect width="100%" height="100%" fill="#5f6862"/></svg>'
)


def thumbnail(request: Request) -> Response:
    """At most 320 px."""
    house, seen = photo_of(request)
    return picture(house, seen, house.store.thumbnail(seen.sha256), "thumbnail", (seen.width_px, seen.height_px))


def preview(request: Request) -> Response:
    """At most 1,600 px."""
    house, seen = photo_of(request)
    return picture(house, seen, house.store.preview(seen.sha256), "preview", (seen.width_px, seen.height_px))


def crop(request: Request) -> Response:
    """The 256x256 crop that the networks see."""
    house, box_id = get_house(request), request.path_params["box_id"]
    seen = found(request, house, of_box(house.database.engine, token_of(request), box_id, opening_of(request)))
    return picture(house, seen, house.store.crop(seen.sha256, box_id), f"crop-{box_id}", (CROP_PX, CROP_PX))


def photo_of(request: Request) -> tuple[House, Seen]:
    """The photo of the address."""
    house, image_id = get_house(request), request.path_params["image_id"]
    seen = of_photo(house.database.engine, token_of(request), image_id, opening_of(request))
    return house, found(request, house, seen)


def opening_of(request: Request) -> int:
    """The opening that the address names; nonsense is none."""
    named = request.query_params.get("open", "")
    return int(named) if named.isascii() and named.isdecimal() and len(named) < 20 else 0


def found(request: Request, house: House, seen: Seen | None) -> Seen:
    """Raises NotSignedIn or NotYours when there is nothing for this person."""
    if seen is None:
        with house.database.reading() as session:
            signed_in(request, session)
        raise NotYours(translated(NOBODY))
    return seen


def picture(house: House, seen: Seen, sharp: Path, name: str, size_px: tuple[int, int]) -> Response:
    """The bytes in one read: the sharp picture, or the one with its veil. Raises NotYours while there are none."""
    if seen.veil is None:
        content = read(sharp)
    elif not sharp.is_file():
        content = None
    elif seen.veil.kind == HIDDEN:
        return grey(size_px)
    else:
        content = read(house.store.blurred(seen.project_id, seen.sha256, seen.veil.mark) / f"{name}.jpg")
        if content is None:
            have_blurred(house, seen.project_id)
            return grey(size_px)
    if content is None:
        raise NotYours(translated(WHY_NOT.get(seen.state, NOT_YET)))
    caching = "no-store" if seen.private else FOR_A_DAY
    return Response(content, media_type="image/jpeg", headers={"cache-control": caching})


def read(path: Path) -> bytes | None:
    """None where there is no such file."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def grey(size_px: tuple[int, int]) -> Response:
    """A picture of this size that shows nothing."""
    drawn = GREY.format(w=size_px[0], h=size_px[1])
    return Response(drawn, media_type="image/svg+xml", headers={"cache-control": "no-store"})


def have_blurred(house: House, project_id: int) -> None:
    """Ask the worker; when the writers' line is busy, the next look does it."""
    with contextlib.suppress(Busy), house.database.writing(timeout_s=0.2) as session:
        ask_blurs(session, project_id)


@router.post("/images/{image_id}/open")
def open_photo(
    request: Request,
    image_id: Annotated[int, InPath(ge=1, le=LARGEST_ID)],
    session: Writing,
    user: WritingUser,
    box: Annotated[int, Form(ge=0, le=LARGEST_ID)] = 0,
    at: Annotated[str, Form(pattern="^(label|review)$")] = "label",
    erase: Annotated[str, Form()] = "",
) -> Response:
    """Look at a photo of a person as it is: recorded, for this person, for ten minutes. Back to the page it came from.

    erase: the other button of the form; on to the page that asks.
    """
    image = photo_to_open(session, image_id)
    member = access(session, user, image.project_id, Role.viewer)
    if erase:
        return go(f"/photos/{image.id}/erase")
    opening = Opening.make(session, member.project, image, user, member.role)
    if wants_page(request):
        asked = ([f"box={box}"] if box else []) + ([f"open={opening.id}"] if opening else [])
        return go(f"/projects/{member.project.id}/{at}?{'&'.join(asked)}")
    return JSONResponse({"id": opening.id, "ends_at": opening.ends_at.isoformat()} if opening else {})


# Plain routes: the pages' machinery (forms, validation, sessions) would double the price of a picture.
router.add_route("/images/{image_id:int}/thumbnail.jpg", thumbnail)
router.add_route("/images/{image_id:int}/preview.jpg", preview)
router.add_route("/boxes/{box_id:int}/crop.jpg", crop)
