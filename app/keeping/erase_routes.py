"""Erase a photo of a person: asked twice, then gone at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi import Path as InPath
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import (
    LARGEST_ID,
    House,
    InHouse,
    Reading,
    ReadingUser,
    Writing,
    WritingUser,
    access,
)
from app.forms import go
from app.keeping.queries import admin_in, photo_to_erase
from app.pages import page
from models.erasing import elsewhere, erase
from models.errors import NotAllowed
from models.membership import Role
from models.unlinking import unlink_pictures
from models.words import say

router = APIRouter()
Id = Annotated[int, InPath(ge=1, le=LARGEST_ID)]


@router.get("/photos/{image_id}/erase")
def ask_erase(request: Request, image_id: Id, session: Reading, user: ReadingUser) -> Response:
    """What goes and what stays; nothing happens yet."""
    image = photo_to_erase(session, image_id)
    member = access(session, user, image.project_id, Role.admin)
    others = elsewhere(session, image)
    mine = admin_in(session, user.id)
    return page(
        request, "keeping/erase.html", project=member.project, tab="Review", image=image, others=len(others),
        may_everywhere=user.is_admin or all(project.id in mine for _image, project in others),
    )  # fmt: skip


@router.post("/photos/{image_id}/erase")
def erase_photo(
    image_id: Id, session: Writing, user: WritingUser, house: InHouse, everywhere: Annotated[str, Form()] = ""
) -> Response:
    """Its pictures are gone when the answer is read; the worker then removes its vectors."""
    image = photo_to_erase(session, image_id)
    member = access(session, user, image.project_id, Role.admin)
    member.project.expect_open()
    found = [(image, member.project)]
    if everywhere:
        mine = admin_in(session, user.id)
        others = elsewhere(session, image)
        if not user.is_admin and not all(project.id in mine for _image, project in others):
            raise NotAllowed(say("Another project has this photo, and you are not its administrator."))
        found += others
    for each, _project in found:
        erase(session, each, user)
    places = [(each.project_id, each.sha256) for each, _project in found]
    answer = go(f"/projects/{member.project.id}/keeping?saved=erased#deleted")
    answer.background = BackgroundTask(unlink_now, house, places)
    return answer


def unlink_now(house: House, places: list[tuple[int, str]]) -> None:
    """After the commit. Should this process end first, the worker does it."""
    with house.database.writing() as session:
        for project_id, sha256 in places:
            unlink_pictures(session, house.store, project_id, sha256)
