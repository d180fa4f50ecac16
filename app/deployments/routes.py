"""Deployments: a list with a map, and a page for each. Everybody in the project may look; experts and administrators change."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import ActingExpert, Viewer
from app.deployments import changes, clock_routes, folder_routes, queries, site_routes, table_routes
from app.deployments.page import deployment_page, list_page
from app.forms import go, tried

router = APIRouter(prefix="/projects/{project_id}/deployments")
router.include_router(table_routes.router)
router.include_router(folder_routes.router)
router.include_router(site_routes.router)
router.include_router(clock_routes.router)
Text = Annotated[str, Form()]


@router.get("")
def show_deployments(request: Request, access: Viewer, after: str = "") -> Response:
    """The list. after: the name of the last one on the page before."""
    return list_page(request, access, after=after)


@router.post("")
def add_deployment(request: Request, access: ActingExpert, name: Text = "") -> Response:
    """One by hand, before its photos come."""
    made: list[int] = []
    change = lambda: made.append(changes.add(access, {"name": name}).id)  # noqa: E731
    refused = tried(request, access.session, change, "add", {"name": name}, "name")
    if refused:
        return list_page(request, access, refused)
    return go(f"/projects/{access.project.id}/deployments/{made[0]}")


@router.get("/{deployment_id}")
def show_deployment(request: Request, access: Viewer, deployment_id: int, saved: str = "") -> Response:
    """One of them."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    return deployment_page(request, access, found, saved=saved)


@router.post("/{deployment_id}")
def save_deployment(
    request: Request, access: ActingExpert, deployment_id: int, version: Text = "", site: Text = "", camera: Text = "",
    camera_model: Text = "", starts_at: Text = "", ends_at: Text = "", zone: Text = "", latitude: Text = "",
    longitude: Text = "", uncertainty_m: Text = "", problems: Text = "", comments: Text = "",
) -> Response:  # fmt: skip
    """Site, camera, period, place, problems."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    typed = {
        "version": version, "site": site, "camera": camera, "camera_model": camera_model, "starts_at": starts_at,
        "ends_at": ends_at, "zone": zone, "latitude": latitude, "longitude": longitude, "uncertainty_m": uncertainty_m,
        "problems": problems, "comments": comments,
    }  # fmt: skip
    refused = tried(request, access.session, lambda: changes.save(access, found, typed), "facts", typed, "form")
    return (
        deployment_page(request, access, found, refused) if refused else saved_at(access.project.id, found.id, "facts")
    )


@router.post("/{deployment_id}/period")
def take_period(request: Request, access: ActingExpert, deployment_id: int) -> Response:
    """First and last photo are the period."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    refused = tried(request, access.session, lambda: changes.take_period(access, found), "facts", {}, "form")
    return (
        deployment_page(request, access, found, refused) if refused else saved_at(access.project.id, found.id, "facts")
    )


def saved_at(project_id: int, deployment_id: int, form: str) -> Response:
    """Back to the form that was saved."""
    return go(f"/projects/{project_id}/deployments/{deployment_id}?saved={form}#{form}")
