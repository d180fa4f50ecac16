"""One species: its name, key, other names, and the way off the list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Expert
from app.forms import Refusal, go, tried
from app.pages import page
from app.species import changes, queries, taxa
from models.names import REGISTERS
from models.species import RANKS, SENSITIVITIES, Species

router = APIRouter(prefix="/projects/{project_id}/species/{species_id}")
Text = Annotated[str, Form()]


@router.get("/edit")
def show_species(request: Request, access: Expert, species_id: int, saved: str = "") -> Response:
    """Everything about it that can be changed."""
    return edit_page(request, access, queries.taxon(access.session, access.project.id, species_id), saved=saved)


@router.post("/rename")
def rename(
    request: Request, access: ActingExpert, species_id: int, name: Text = "", scientific_name: Text = "",
    rank: Text = "", keep: Text = "",
) -> Response:  # fmt: skip
    """Another name or rank. keep: the old name stays one under which it is found."""
    species = queries.taxon(access.session, access.project.id, species_id)
    typed = {"name": name, "scientific_name": scientific_name, "rank": rank or species.rank}
    change = lambda: changes.rename(access, species, name, scientific_name, rank, keep=bool(keep))  # noqa: E731
    return changed(request, access, species, change, "rename", typed, "name")


@router.post("/key")
def set_key(request: Request, access: ActingExpert, species_id: int, key: Text = "") -> Response:
    """Another key, or none."""
    species = queries.taxon(access.session, access.project.id, species_id)
    return changed(
        request, access, species, lambda: changes.set_key(access, species, key), "hotkey", {"key": key}, "key"
    )


@router.post("/give-key")
def give_key(request: Request, access: ActingExpert, species_id: int, key: Text = "") -> Response:
    """The key that the list proposed."""
    species = queries.taxon(access.session, access.project.id, species_id)
    change = lambda: changes.give_key(access, species, key)  # noqa: E731
    refused = tried(request, access.session, change, "hotkey", {"key": key}, "key")
    return edit_page(request, access, species, refused) if refused else go(f"/projects/{access.project.id}/species")


@router.post("/synonyms")
def add_synonym(request: Request, access: ActingExpert, species_id: int, name: Text = "") -> Response:
    """Another name under which it is found."""
    species = queries.taxon(access.session, access.project.id, species_id)
    return changed(
        request, access, species, lambda: changes.add_synonym(access, species, name), "synonym", {"name": name}, "name"
    )


@router.post("/synonyms/{synonym_id}/remove")
def remove_synonym(access: ActingExpert, species_id: int, synonym_id: int) -> Response:
    """Not under this name any more."""
    species = queries.taxon(access.session, access.project.id, species_id)
    changes.remove_synonym(access, species, synonym_id)
    return go(f"/projects/{access.project.id}/species/{species.id}/edit?saved=synonym#synonym")


@router.post("/retire")
def retire(access: ActingExpert, species_id: int) -> Response:
    """Off the list."""
    changes.retire(access, queries.taxon(access.session, access.project.id, species_id))
    return go(f"/projects/{access.project.id}/species")


@router.post("/bring-back")
def bring_back(access: ActingExpert, species_id: int) -> Response:
    """On the list again."""
    changes.bring_back(access, queries.taxon(access.session, access.project.id, species_id))
    return go(f"/projects/{access.project.id}/species")


def changed(
    request: Request,
    access: Access,
    species: Species,
    change: Callable[[], None],
    form: str,
    typed: Mapping[str, str],
    field: str,
) -> Response:
    """Back to the species, with the change or with what is wrong."""
    refused = tried(request, access.session, change, form, typed, field)
    if refused:
        return edit_page(request, access, species, refused)
    return go(f"/projects/{access.project.id}/species/{species.id}/edit?saved={form}#{form}")


def edit_page(
    request: Request, access: Access, species: Species, refused: Refusal | None = None, *, saved: str = ""
) -> Response:
    """The forms of one species."""
    return page(
        request,
        "species/edit.html",
        status_code=refused.status if refused else 200,
        project=access.project,
        tab="Species",
        species=species,
        about=taxa.described(access.session, species),
        sensitivities=SENSITIVITIES,
        registers=REGISTERS,
        synonyms=queries.synonyms_of(access.session, species.id),
        free=Species.free_keys(access.session, access.project.id),
        ranks=RANKS,
        refused=refused,
        saved=saved,
    )
