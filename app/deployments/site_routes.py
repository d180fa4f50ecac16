"""Sites: the places where cameras stand, with coordinates that count for cameras without their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Viewer
from app.deployments import queries
from app.deployments.reading import degrees, metres
from app.forms import Refusal, go, tried
from app.pages import page
from models.audit import note
from models.errors import Conflict
from models.membership import Role
from models.site import Site
from models.species import clean_name
from models.words import say

router = APIRouter(prefix="/sites")
Text = Annotated[str, Form()]


@router.get("")
def show_sites(request: Request, access: Viewer, saved: int = 0) -> Response:
    """All of them, by name."""
    return sites_page(request, access, saved=saved)


@router.post("")
def add_site(
    request: Request, access: ActingExpert, name: Text = "", title: Text = "", latitude: Text = "", longitude: Text = "",
    uncertainty_m: Text = "",
) -> Response:  # fmt: skip
    """One by hand, before a camera stands there."""
    typed = {
        "name": name, "title": title, "latitude": latitude, "longitude": longitude, "uncertainty_m": uncertainty_m,
    }  # fmt: skip
    made: list[Site] = []

    def change() -> None:
        access.project.lock(access.session)
        cleaned = clean_name(name)
        if queries.site_named(access.session, access.project.id, cleaned) is not None:
            raise Conflict("name: " + say("there is already a site called %(name)s", name=cleaned))
        made.append(Site.of_name(access.session, access.project.id, cleaned))
        describe(access, made[0], typed)

    refused = tried(request, access.session, change, "add", typed, "name")
    return sites_page(request, access, refused) if refused else saved_at(access, made[0])


@router.post("/{site_id}")
def save_site(
    request: Request, access: ActingExpert, site_id: int, title: Text = "", latitude: Text = "", longitude: Text = "",
    uncertainty_m: Text = "",
) -> Response:  # fmt: skip
    """Its longer name and where it is."""
    site = queries.site(access.session, access.project.id, site_id)
    typed = {"title": title, "latitude": latitude, "longitude": longitude, "uncertainty_m": uncertainty_m}
    refused = tried(
        request, access.session, lambda: describe(access, site, typed), f"site-{site_id}", typed, "latitude"
    )
    return sites_page(request, access, refused) if refused else saved_at(access, site)


def describe(access: Access, site: Site, typed: dict[str, str]) -> None:
    """As typed; one line in the history where anything changed. Raises Invalid at the field."""
    said = {
        "title": typed["title"].strip(), "latitude": degrees("latitude", typed["latitude"]),
        "longitude": degrees("longitude", typed["longitude"]), "uncertainty_m": metres("uncertainty_m", typed["uncertainty_m"]),
    }  # fmt: skip
    changed = site.describe(said)
    if changed or "name" in typed:
        note(
            access.session, "site.saved", user=access.user, project_id=access.project.id, name=site.name, changes=changed
        )  # fmt: skip


def sites_page(request: Request, access: Access, refused: Refusal | None = None, *, saved: int = 0) -> Response:
    """A form each."""
    return page(
        request, "deployments/sites.html", status_code=refused.status if refused else 200, project=access.project,
        tab="Deployments", may=access.may(Role.expert), refused=refused, saved=saved,
        sites=queries.sites(access.session, access.project.id),
    )  # fmt: skip


def saved_at(access: Access, site: Site) -> Response:
    """Back to the one that was saved."""
    access.session.flush()
    return go(f"/projects/{access.project.id}/deployments/sites?saved={site.id}#site-{site.id}")
