"""The page of one person in a project. Only its administrators and the person see it."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Viewer
from app.pages import page
from app.projects.members_queries import member
from app.projects.people import figures_of
from models.errors import NotAllowed
from models.membership import Role
from models.words import say

router = APIRouter()


@router.get("/projects/{project_id}/people/{user_id}")
def show_person(request: Request, access: Viewer, user_id: int) -> Response:
    """Speed and accuracy. Raises NotAllowed for everybody else's."""
    if user_id != access.user.id and not access.may(Role.admin):
        raise NotAllowed(say("Only administrators of the project and the person see this."))
    found = member(access.session, access.project.id, user_id)
    view = figures_of(access.session, access.project.id, user_id)
    is_self = user_id == access.user.id
    return page(
        request, "projects/person.html", project=access.project, tab="", member=found, view=view, is_self=is_self
    )  # fmt: skip
