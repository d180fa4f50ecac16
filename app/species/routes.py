"""The species list: look, add one, paste many; and as JSON for the label page."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import Access, ActingAnnotator, ActingExpert, Viewer
from app.forms import Refusal, go, tried
from app.pages import page, wants_page
from app.species import changes, describe_routes, edit_routes, import_routes, queries, split_routes, taxa
from app.species.keys import proposals
from models.species import RANKS, SPECIES, TAXON, Species
from models.taxonomy import tree_of

router = APIRouter()
router.include_router(import_routes.router)
router.include_router(edit_routes.router)
router.include_router(describe_routes.router)
router.include_router(split_routes.router)
Text = Annotated[str, Form()]
A_PAGE = 500  # species


@dataclass(frozen=True)
class Shown:
    """Which part of the list. view: tree, or the table. find: a part of a name. start: of the table's page."""

    view: str = ""
    find: str = ""
    start: int = 0


EVERYTHING = Shown()


@router.get("/projects/{project_id}/species")
def show_species(
    request: Request, access: Viewer, added: int = -1, known: int = 0, changed: int = -1, view: str = "", find: str = "",
    start: int = 0, saved: str = "",
) -> Response:  # fmt: skip
    """The list with its keys, or the tree. find: only those that are called so. start: how many stand on the pages before."""
    shown = Shown("tree" if view == "tree" else "", " ".join(find.split())[:200], max(start, 0))
    return species_page(request, access, shown=shown, added=added, known=known, changed=changed, saved=saved)


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


@router.post("/projects/{project_id}/species/names")
def set_names(request: Request, access: ActingExpert, language: Text = "", roll_up_above: Text = "") -> Response:
    """The language of names, and the bar of the roll-up."""
    typed = {"language": language, "roll_up_above": roll_up_above}
    change = lambda: changes.set_names(access, language, roll_up_above)  # noqa: E731
    refused = tried(request, access.session, change, "names", typed, "language")
    if refused:
        return species_page(request, access, refused)
    return go(f"/projects/{access.project.id}/species?saved=names#names")


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
    request: Request, access: Access, refused: Refusal | None = None, *, shown: Shown = EVERYTHING, added: int = -1,
    known: int = 0, changed: int = -1, saved: str = "",
) -> Response:  # fmt: skip
    """The table or the tree, and the two forms for those who may."""
    rows = queries.rows(access.session, access.project.id)
    tree = tree_of(access.session, access.project.id)
    found = taxa.called(access.session, access.project.id, rows, shown.find) if shown.find else rows
    listed = [row for row in found if row.species.kind == TAXON and row.species.retired_at is None]
    here = listed[shown.start : shown.start + A_PAGE]
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
        taxa=here,
        total=len(listed),
        shown=shown,
        a_page=A_PAGE,
        branches=taxa.branches(tree, rows) if shown.view else [],
        paths=taxa.paths(tree, rows),
        fixed=[row for row in found if row.species.kind != TAXON],
        retired=[row for row in found if row.species.retired_at is not None and row.species.merged_into_id is None],
        merged=[row for row in found if row.species.merged_into_id is not None],
        names={row.species.id: row.species.name for row in rows},
        free=free,
        proposals=proposals(rows, free) if access.may("expert") else [],
        ranks=RANKS,
        added=added,
        known=known,
        changed=changed,
        saved=saved,
        key=uuid.uuid4().hex,
    )
