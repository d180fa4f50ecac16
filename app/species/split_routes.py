"""Split a species: choose crops by camera, day or person, look at them, name them anew as one act, take it back."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Expert, InHouse
from app.forms import Refusal, go, tried
from app.pages import page
from app.species import describing, queries, splits
from app.species.changes import noted
from models.answering import MOST_AT_ONCE
from models.species import Species
from models.splitting import Part, split, unsplit

router = APIRouter(prefix="/projects/{project_id}/species/{species_id}/split")
Text = Annotated[str, Form()]


@router.get("")
def show_split(
    request: Request, access: Expert, species_id: int, cameras: Annotated[list[str], Query()] = [],  # noqa: B006
    first: str = "", last: str = "", person: str = "", into: str = "", done: int = 0, back: int = 0,
) -> Response:  # fmt: skip
    """Which crops are meant, and the first of them."""
    species = queries.taxon(access.session, access.project.id, species_id)
    typed = {"first": first, "last": last, "person": person, "into": into}
    parts: list[Part] = []
    read = lambda: parts.append(splits.part_of(species, cameras, first, last, person))  # noqa: E731
    refused = tried(request, access.session, read, "split", typed, "first")
    return split_page(
        request, access, species, parts[0] if parts else Part(species.id), typed, refused, done=done, back=back
    )


@router.post("")
def split_species(
    request: Request, access: ActingExpert, house: InHouse, species_id: int, cameras: Annotated[list[str], Form()] = [],  # noqa: B006
    first: Text = "", last: Text = "", person: Text = "", into: Text = "", idempotency_key: Text = "",
) -> Response:  # fmt: skip
    """Name them anew."""
    species = queries.taxon(access.session, access.project.id, species_id)
    typed = {"first": first, "last": last, "person": person, "into": into}
    parts, named = [Part(species.id)], [0]

    def change() -> None:
        parts[0] = splits.part_of(species, cameras, first, last, person)
        other = describing.named(access, into, "into")
        act = split(splits.desk_of(access, house), parts[0], other, key=idempotency_key)
        named[0] = len(act.answer["boxes"])
        noted(access, "species.split", name=species.name, into=other.name, crops=named[0])

    refused = tried(request, access.session, change, "split", typed, "into")
    if refused:
        return split_page(request, access, species, parts[0], typed, refused)
    return go(f"/projects/{access.project.id}/species/{species.id}/split?done={named[0]}#main")


@router.post("/{act_id}/undo")
def undo_split(
    access: ActingExpert, house: InHouse, species_id: int, act_id: int, idempotency_key: Text = ""
) -> Response:
    """Every crop is called again as it was."""
    species = queries.taxon(access.session, access.project.id, species_id)
    unsplit(splits.desk_of(access, house), act_id, key=idempotency_key)
    noted(access, "species.unsplit", name=species.name)
    return go(f"/projects/{access.project.id}/species/{species.id}/split?back=1#main")


def split_page(
    request: Request, access: Access, species: Species, part: Part, typed: dict[str, str], refused: Refusal | None,
    *, done: int = 0, back: int = 0,
) -> Response:  # fmt: skip
    """The choice, the crops, and the way back."""
    return page(
        request,
        "species/split.html",
        status_code=refused.status if refused else 200,
        project=access.project,
        tab="Species",
        species=species,
        part=part,
        typed_in=typed,
        refused=refused,
        sight=splits.sight_of(access.session, access.project.id, access.user.id, part),
        others=[
            each.name
            for each in Species.open_in(access.session, access.project.id)
            if each.rank and each is not species
        ],
        most=MOST_AT_ONCE,
        done=done,
        back=back,
        key=uuid.uuid4().hex,
    )
