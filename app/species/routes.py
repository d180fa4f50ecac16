"""The species list: look, add one, paste many; and as JSON for the label page."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import Access, ActingAnnotator, ActingExpert, Viewer
from app.forms import Refusal, go, tried
from app.pages import page, wants_page
from app.species import changes, edit_routes, queries
from app.species.keys import proposals
from models.species import RANKS, SPECIES, TAXON, Species

router = APIRouter()
router.include_router(edit_routes.router)
Text = Annotated[str, Form()]


@router.get("/projects/{project_id}/species")
def show_species(request: Request, access: Viewer, added: int = -1, known: int = 0) -> Response:
    """The list with its keys."""
    return species_page(request, access, added=added, known=known)


@router.get("/projects/{project_id}/species.json")
def list_species(access: Viewer) -> JSONResponse:
    """Every answer that can be given, with its key and its other names."""
    return JSONResponse(queries.listed(access.session, access.project.id))


@router.post("/projects/{project_id}/species")
def add_species(
    request: Request, access: ActingAnnotator, name: Text = "", scientific_name: Text = "", key: Text = "",
    rank: Text = SPECIES, idempotency_key: Text = "",
) -> Response:  # fmt: skip
    """One more, also from the label page. `key`: a letter; empty takes the next free one."""
    typed = {
        "name": name, "scientific_name": scientific_name, "key": key, "rank": rank, "idempotency_key": idempotency_key,
    }  # fmt: skip
    made: list[Species] = []
    refused = tried(request, access.session, lambda: made.append(changes.add(access, typed)), "add", typed, "key")
    if refused:
        return species_page(request, access, refused)
    if not wants_page(request):
        return JSONResponse(queries.as_json(made[0], []))
    return go(f"/projects/{access.project.id}/species?added=1#main")


@router.post("/projects/{project_id}/species/list")
def add_list(request: Request, access: ActingExpert, names: Text = "") -> Response:
    """Many at once; those already there are passed over."""
    done: list[tuple[int, int]] = []
    refused = tried(
        request, access.session, lambda: done.append(changes.add_list(access, names)), "list", {"names": names}, "names"
    )
    if refused:
        return species_page(request, access, refused)
    return go(f"/projects/{access.project.id}/species?added={done[0][0]}&known={done[0][1]}#main")


def species_page(
    request: Request, access: Access, refused: Refusal | None = None, *, added: int = -1, known: int = 0
) -> Response:
    """The table, and the two forms for those who may."""
    rows = queries.rows(access.session, access.project.id)
    free = Species.free_keys(access.session, access.project.id)
    return page(
        request,
        "species/species.html",
        status_code=refused.status if refused else 200,
        project=access.project,
        tab="Species",
        may_add=access.may("annotator"),
        may_edit=access.may("expert"),
        refused=refused,
        taxa=[row for row in rows if row.species.kind == TAXON and row.species.retired_at is None],
        fixed=[row for row in rows if row.species.kind != TAXON],
        retired=[row for row in rows if row.species.retired_at is not None],
        free=free,
        proposals=proposals(rows, free) if access.may("expert") else [],
        ranks=RANKS,
        added=added,
        known=known,
        key=uuid.uuid4().hex,
    )
