"""One species: what it hangs below, what it is called elsewhere, how coarse its places go out, what it was merged into."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import ActingExpert
from app.forms import go, tried
from app.species import describing, queries
from app.species.edit_routes import changed, edit_page

router = APIRouter(prefix="/projects/{project_id}/species/{species_id}")
Text = Annotated[str, Form()]


@router.post("/parent")
def set_parent(request: Request, access: ActingExpert, species_id: int, parent: Text = "") -> Response:
    """What it hangs below."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: describing.set_parent(access, species, parent)  # noqa: E731
    return changed(request, access, species, change, "place", {"parent": parent}, "parent")


@router.post("/sensitivity")
def set_sensitivity(request: Request, access: ActingExpert, species_id: int, sensitivity: Text = "") -> Response:
    """How coarse its places go out."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: describing.set_sensitivity(access, species, sensitivity)  # noqa: E731
    return changed(request, access, species, change, "sensitive", {"sensitivity": sensitivity}, "sensitivity")


@router.post("/names")
def add_common(
    request: Request, access: ActingExpert, species_id: int, language: Text = "", name: Text = ""
) -> Response:
    """A common name of a language."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: describing.add_common(access, species, language, name)  # noqa: E731
    return changed(request, access, species, change, "common", {"language": language, "name": name}, "name")


@router.post("/names/{name_id}/remove")
def remove_common(access: ActingExpert, species_id: int, name_id: int) -> Response:
    """Not called so any more."""
    species = queries.taxon(access.session, access.project.id, species_id)
    describing.remove_common(access, species, name_id)
    return go(f"/projects/{access.project.id}/species/{species.id}/edit?saved=common#common")


@router.post("/ids")
def add_id(
    request: Request,
    access: ActingExpert,
    species_id: int,
    named_by: Annotated[str, Form(alias="register")] = "",
    value: Text = "",
) -> Response:
    """Its identifier in a register."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: describing.add_id(access, species, named_by, value)  # noqa: E731
    return changed(request, access, species, change, "ids", {"register": named_by, "value": value}, "value")


@router.post("/ids/{id_}/remove")
def remove_id(access: ActingExpert, species_id: int, id_: int) -> Response:
    """No more."""
    species = queries.taxon(access.session, access.project.id, species_id)
    describing.remove_id(access, species, id_)
    return go(f"/projects/{access.project.id}/species/{species.id}/edit?saved=ids#ids")


@router.post("/merge")
def merge(request: Request, access: ActingExpert, species_id: int, into: Text = "") -> Response:
    """It means another species from now on."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: describing.merge(access, species, into)  # noqa: E731
    return changed(request, access, species, change, "merge", {"into": into}, "into")


@router.post("/unmerge")
def unmerge(request: Request, access: ActingExpert, species_id: int, into_id: Annotated[int, Form()]) -> Response:
    """It is one of its own again."""
    species = queries.taxon(access.session, access.project.id, species_id)
    refused = tried(request, access.session, lambda: describing.unmerge(access, species, into_id), "merge", {}, "into")
    if refused:
        return edit_page(request, access, species, refused)
    return go(f"/projects/{access.project.id}/species/{species.id}/edit?saved=merge#merge")
