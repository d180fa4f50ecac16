"""The list of projects, a new one, and the overview of one."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import House, InHouse, Reading, ReadingSiteAdmin, ReadingUser, SiteAdmin, Viewer, Writing
from app.forms import Refusal, go, tried
from app.pages import page
from app.projects import people_routes
from app.projects.overview import next_words, overview_of, role_words
from app.projects.queries import projects_of
from app.projects.starting import start_project
from models.checkpoint import DETECTOR, EMBEDDER
from models.offered import STARTER, offers

router = APIRouter()
router.include_router(people_routes.router)
Text = Annotated[str, Form()]


@router.get("/projects")
def show_projects(request: Request, session: Reading, user: ReadingUser) -> Response:
    """The projects of the person."""
    lines = projects_of(session, user.id)
    return page(request, "projects/projects.html", lines=lines, role_words=role_words, next_words=next_words)


@router.get("/projects/new")
def show_form(request: Request, _user: ReadingSiteAdmin, house: InHouse) -> Response:
    """An empty form."""
    return new_project_page(request, house, None)


@router.post("/projects")
def start(
    request: Request, session: Writing, user: SiteAdmin, house: InHouse, name: Text = "", note: Text = "",
    detector: Text = STARTER, embedder: Text = STARTER, species: Text = "", idempotency_key: Text = "",
) -> Response:  # fmt: skip
    """Make it and go there."""
    typed = {
        "name": name, "note": note, "detector": detector, "embedder": embedder, "species": species,
        "idempotency_key": idempotency_key,
    }  # fmt: skip
    made: list[int] = []

    def make() -> None:
        made.append(start_project(session, user, typed, house.settings.weights))

    refused = tried(request, session, make, "start", typed, "name")
    return new_project_page(request, house, refused) if refused else go(f"/projects/{made[0]}")


@router.get("/projects/{project_id}")
def show_overview(request: Request, access: Viewer, house: InHouse) -> Response:
    """What stands, and what is next."""
    view = overview_of(house, access)
    template = "projects/overview.html" if view.figures.photos else "projects/empty.html"
    return page(request, template, project=access.project, tab="Overview", access=access, view=view, now=view.now)


def new_project_page(request: Request, house: House, refused: Refusal | None) -> Response:
    """The form, empty or as it came back."""
    weights = house.settings.weights
    return page(
        request, "projects/new.html", status_code=refused.status if refused else 200, refused=refused,
        idempotency_key=uuid.uuid4().hex, detectors=offers(weights, DETECTOR), embedders=offers(weights, EMBEDDER),
    )  # fmt: skip
