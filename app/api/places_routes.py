"""Where cameras stood, and the visits that they saw."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from app.api import place_queries
from app.api.access import Viewer
from app.api.shapes import USUAL, After, Limit, Listed, Shape, WallClock, cursor, listed, place_of
from app.dependencies import LARGEST_ID, Access
from models.deployment import Deployment

router = APIRouter(tags=["Places and events"])


class ProblemShape(Shape):
    """A time in which a camera did not do its work."""

    kind: str = Field(description="not_working, knocked_down, moved or blocked.")
    from_at: WallClock
    to_at: WallClock
    note: str


class DeploymentShape(Shape):
    """A camera's stay at a place: first the folder below the batch, then what people say of it."""

    id: int
    name: str
    site_id: int | None
    camera: str = Field(description="Its number or name.")
    camera_model: str
    starts_at: WallClock | None = Field(
        description="The place's clock; the first moment at which it could have made photos."
    )
    ends_at: WallClock | None = Field(description="The last one.")
    zone: str = Field(description="IANA name of the zone of its clock; the project's where it has none of its own.")
    latitude: float | None = Field(description="Degrees, WGS84; wins over the site's.")
    longitude: float | None
    uncertainty_m: int | None = Field(description="Of the coordinates, in metres.")
    comments: str
    details: dict[str, Any] = Field(description="Further fields of Camtrap DP's deployments, by their names there.")
    version: int
    problems: list[ProblemShape]


class SiteShape(Shape):
    """A place where cameras stand."""

    id: int
    name: str
    title: str = Field(description="A longer name.")
    latitude: float | None = Field(description="Degrees, WGS84.")
    longitude: float | None
    uncertainty_m: int | None = Field(description="Of the coordinates, in metres.")


class EventShape(Shape):
    """An independent visit: the photos of one species at one place that count once. Made anew by the worker when photos, names
    or the rule change, so its id is no name to keep."""

    id: int
    deployment_id: int
    species_id: int
    first_photo_id: int = Field(description="The record itself.", validation_alias="first_image_id")
    first_at: WallClock = Field(description="The camera's corrected clock at its first photo.")
    last_at: WallClock = Field(description="At its last one.")
    photos: int = Field(description="In which the species counts.")
    max_count: int = Field(description="The most individuals in any one of them.")


@router.get("/projects/{project_id}/deployments")
def list_deployments(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[DeploymentShape]:
    """By id."""
    found = place_queries.deployments(member.session, member.project.id, (place_of(after, int) or (0,))[0], limit + 1)
    shown = found[:limit]
    return Listed[DeploymentShape](
        items=deployment_shapes(member, shown), next=cursor(shown[-1].id) if len(found) > limit else None
    )


def deployment_shapes(member: Access, shown: list[Deployment]) -> list[DeploymentShape]:
    """As scripts see them, with their problem periods."""
    problems = place_queries.problems(member.session, [each.id for each in shown])
    fields = [field for field in DeploymentShape.model_fields if field not in ("problems", "zone")]
    return [
        DeploymentShape(
            **{field: getattr(each, field) for field in fields}, zone=each.zone or member.project.zone,
            problems=[ProblemShape.model_validate(period) for period in problems.get(each.id, [])],
        )
        for each in shown
    ]  # fmt: skip


@router.get("/projects/{project_id}/sites")
def list_sites(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[SiteShape]:
    """By id."""
    found = place_queries.sites(member.session, member.project.id, (place_of(after, int) or (0,))[0], limit + 1)
    return listed(found, limit, SiteShape, "id")


@router.get("/projects/{project_id}/events")
def list_events(
    member: Viewer, species: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only of this species.")] = None,
    deployment: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only at this camera.")] = None,
    limit: Limit = USUAL, after: After = "",
) -> Listed[EventShape]:  # fmt: skip
    """By camera, then by time."""
    found = place_queries.events(
        member.session, member.project.id, place_of(after, int, dt.datetime, int), limit + 1,
        species_id=species, deployment_id=deployment,
    )  # fmt: skip
    return listed(found, limit, EventShape, "deployment_id", "first_at", "id")
