"""Whose token it is, and the projects that this person is in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictStr
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from app.api.access import Known, ProjectMaker, Reader, Viewer, token_of_request
from app.api.problems import NOT_FOUND
from app.api.shapes import KEY, Listed, Moment, Sent, Shape, etag
from app.dependencies import InHouse
from app.projects.queries import projects_of
from app.projects.starting import start_project
from models.errors import NotYours
from models.membership import Role
from models.offered import STARTER
from models.project import MAX_NOTE
from models.words import say

router = APIRouter(tags=["Projects"])


class Me(Shape):
    """Whose token this is."""

    user_id: int
    name: str
    is_admin: bool = Field(description="May start projects and make accounts, on pages and with the scope admin.")
    token: str = Field(description="The token's name.")
    scopes: list[str]
    expires_at: Moment


class ProjectShape(Shape):
    """A project as its member sees it."""

    id: int
    name: str
    note: str
    role: Role = Field(description="Of this token's person in it.")
    created_at: Moment
    version: int = Field(description="Of its settings; rises with every change.")
    zone: str = Field(description="IANA name of the zone of its cameras' clocks.")
    photos: int
    waiting: int = Field(description="Photos that the worker has not looked at yet.")
    cameras: int
    answers: int = Field(description="Boxes with a settled name.")
    round: int | None = Field(description="Number of the round that is answered now.")


class NewProject(Sent):
    """A project to start."""

    name: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    note: Annotated[StrictStr, Field(max_length=MAX_NOTE)] = ""
    species: Annotated[list[Annotated[StrictStr, Field(max_length=500)]], Field(max_length=500)] = Field(
        [], description="Names; a scientific name after a semicolon.", examples=[["Jaguar; Panthera onca", "Ocelot"]]
    )
    detector: Annotated[StrictStr, Field(max_length=300)] = STARTER
    embedder: Annotated[StrictStr, Field(max_length=300)] = STARTER
    idempotency_key: Annotated[StrictStr, KEY]


@router.get("/me")
def show_me(request: Request, caller: Known, house: InHouse) -> Me:
    """Whose token this is and what it may do; any token that works may ask."""
    token = token_of_request(request, caller.session, house, None)
    return Me(
        user_id=caller.user.id, name=caller.user.name, is_admin=caller.user.is_admin, token=token.name,
        scopes=token.scopes.split(), expires_at=token.expires_at,
    )  # fmt: skip


@router.get("/projects")
def list_projects(caller: Reader) -> Listed[ProjectShape]:
    """All projects of this person, by name."""
    return Listed[ProjectShape](items=shapes_of(caller.session, caller.user.id))


@router.post("/projects", status_code=201)
def start(caller: ProjectMaker, new: NewProject, house: InHouse) -> ProjectShape:
    """Start a project; this person becomes its administrator. For administrators of the installation."""
    typed = {
        "name": new.name, "note": new.note, "detector": new.detector, "embedder": new.embedder,
        "species": "\n".join(new.species), "idempotency_key": new.idempotency_key,
    }  # fmt: skip
    project_id = start_project(caller.session, caller.user, typed, house.settings.weights)
    return shape_of(caller.session, caller.user.id, project_id)


@router.get("/projects/{project_id}")
def show_project(member: Viewer, response: Response) -> ProjectShape:
    """One project."""
    response.headers.update(etag(member.project.version))
    return shape_of(member.session, member.user.id, member.project.id)


def shape_of(session: Session, user_id: int, project_id: int) -> ProjectShape:
    """One of the person's projects. Raises NotYours when the person left it since (a key that was sent again)."""
    found = next((each for each in shapes_of(session, user_id) if each.id == project_id), None)
    if found is None:
        raise NotYours(say(NOT_FOUND))
    return found


def shapes_of(session: Session, user_id: int) -> list[ProjectShape]:
    """The person's projects, by name."""
    return [
        ProjectShape(
            **{field: getattr(line.project, field) for field in ("id", "name", "note", "created_at", "version", "zone")},
            role=line.role, photos=line.photos, waiting=line.waiting, cameras=line.cameras, answers=line.answers,
            round=line.round.number if line.round else None,
        )
        for line in projects_of(session, user_id)
    ]  # fmt: skip
