"""One photo with its facts and flags; the first and last hours of every camera."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query
from fastapi import Path as InPath
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import (
    LARGEST_ID,
    Access,
    ActingExpert,
    Reading,
    ReadingUser,
    Viewer,
    Writing,
    WritingUser,
    access,
)
from app.forms import Refusal, go, tried, whole
from app.keeping.photo_queries import CAMERAS_A_PAGE, deployment_of, ends, facts
from app.keeping.queries import photo_to_erase
from app.pages import page
from app.pictures import photo_pictures
from models.flags import MINUTES, MOST_MINUTES, at_end, fell, mark_setup, standing_fall, stands_again
from models.image import Image
from models.membership import Role
from models.privacy import veils

router = APIRouter()
Text = Annotated[str, Form()]
Id = Annotated[int, InPath(ge=1, le=LARGEST_ID)]
Minutes = Annotated[int, Query(ge=1, le=MOST_MINUTES)]


@router.get("/photos/{image_id}")
def show_photo(request: Request, image_id: Id, session: Reading, user: ReadingUser) -> Response:
    """Where it comes from, when it was shot, and what may be said about it."""
    image = photo_to_erase(session, image_id)
    return photo_page(request, access(session, user, image.project_id, Role.viewer), image, None)


@router.post("/photos/{image_id}/setup")
def mark_photo(request: Request, image_id: Id, session: Writing, user: WritingUser, setup: Text = "") -> Response:
    """Setup, calibration, or neither."""
    image, member = acting(session, user, image_id, Role.annotator)
    change = lambda: mark_setup(session, member.project, [image.id], setup, user)  # noqa: E731
    refused = tried(request, session, change, "setup", {"setup": setup}, "setup")
    return photo_page(request, member, image, refused) if refused else go(f"/photos/{image.id}")


@router.post("/photos/{image_id}/fell")
def camera_fell(request: Request, image_id: Id, session: Writing, user: WritingUser) -> Response:
    """From this photo on the camera saw nothing."""
    image, member = acting(session, user, image_id, Role.expert)
    refused = tried(request, session, lambda: fell(session, image, user), "fell", {}, "photo")
    return photo_page(request, member, image, refused) if refused else go(f"/photos/{image.id}")


@router.post("/photos/{image_id}/stands")
def camera_stands(request: Request, image_id: Id, session: Writing, user: WritingUser) -> Response:
    """Take it back."""
    image, member = acting(session, user, image_id, Role.expert)
    deployment = deployment_of(session, member.project.id, image.deployment_id)
    refused = tried(request, session, lambda: stands_again(session, deployment, user), "fell", {}, "photo")
    return photo_page(request, member, image, refused) if refused else go(f"/photos/{image.id}")


@router.get("/projects/{project_id}/setup")
def show_setup(
    request: Request, access: Viewer, minutes: Minutes = MINUTES, after: Annotated[str, Query(max_length=255)] = ""
) -> Response:
    """Cameras with the photos of their first and last hours: people set cameras up and fetch them then."""
    return setup_page(request, access, minutes, after, None)


@router.post("/projects/{project_id}/setup/{deployment_id}")
def mark_ends(
    request: Request, access: ActingExpert, deployment_id: Id, which: Text = "", setup: Text = "setup",
    minutes: Text = str(MINUTES),
) -> Response:  # fmt: skip
    """Mark what a person has looked at."""
    deployment = deployment_of(access.session, access.project.id, deployment_id)

    def mark() -> None:
        ids = at_end(access.session, deployment, which, whole("minutes", minutes))
        mark_setup(access.session, access.project, ids, setup, access.user)

    refused = tried(request, access.session, mark, f"camera-{deployment_id}", {"minutes": minutes}, "minutes")
    if refused:
        return setup_page(request, access, MINUTES, "", refused)
    return go(f"/projects/{access.project.id}/setup?minutes={whole('minutes', minutes)}")


def acting(session: Writing, user: WritingUser, image_id: int, least: Role) -> tuple[Image, Access]:
    """The photo and the member who may act on it."""
    image = photo_to_erase(session, image_id)
    member = access(session, user, image.project_id, least)
    member.project.expect_open()
    return image, member


def photo_page(request: Request, member: Access, image: Image, refused: Refusal | None) -> Response:
    """People on it are blurred here too."""
    session = member.session
    veil = veils(session, [image.id]).get(image.id)
    return page(
        request, "keeping/photo.html", status_code=refused.status if refused else 200, project=member.project, tab="Review",
        image=image, facts=facts(session, image), picture=photo_pictures(image.id, veil), refused=refused, member=member,
        fall=standing_fall(session, image.deployment_id),
    )  # fmt: skip


def setup_page(request: Request, access: Access, minutes: int, after: str, refused: Refusal | None) -> Response:
    """The list of cameras."""
    rows = ends(access.session, access.project.id, minutes, after)
    return page(
        request, "keeping/setup.html", status_code=refused.status if refused else 200, project=access.project, tab="Batches",
        rows=rows[:CAMERAS_A_PAGE], more=len(rows) > CAMERAS_A_PAGE, minutes=minutes, access=access, refused=refused,
    )  # fmt: skip
