"""Photos of a species from the project's own sure answers, with those of the species that it is most often taken for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from sqlalchemy.orm import Session
from starlette.responses import JSONResponse, Response

from app.dependencies import LARGEST_ID, Viewer, not_yours
from app.labeling import reference_queries
from app.labeling.reference_queries import AnyRow
from app.labeling.veils import crops_now
from models.species import TAXON, Species

router = APIRouter()
KEPT = 5  # crops of a species: three are shown, those of the burst on the desk are not


@router.get("/projects/{project_id}/species/{species_id}/references")
def show_references(member: Viewer, species_id: int) -> Response:
    """Of this species, and what it is taken for."""
    session = member.session
    species = session.get(Species, species_id) if 0 < species_id <= LARGEST_ID else None
    if species is None or species.project_id != member.project.id:
        raise not_yours()
    newest = reference_queries.newest_of(session, species)
    told = told_of(session, species, newest)
    return JSONResponse(told | {"taken_for": other_of(session, species, newest)})


def told_of(session: Session, species: Species, newest: list[AnyRow]) -> dict[str, Any]:
    """Its crops, each with its photo and burst, so that the page can leave out those of the crop on the desk."""
    sure = reference_queries.references(session, species, newest, KEPT)
    pictures = crops_now(session, [row.id for row in sure])
    crops = [
        {
            "box_id": row.id,
            "image_id": row.image_id,
            "sequence_id": row.sequence_id,
            "picture": pictures[row.id],
        }
        for row in sure
    ]
    return {"species_id": species.id, "crops": crops}


def other_of(session: Session, species: Species, newest: list[AnyRow]) -> dict[str, Any] | None:
    """The same for the species that the classifier most often said instead, with how often."""
    found = reference_queries.taken_for(session, species, newest) if species.kind == TAXON else None
    if found is None:
        return None
    other, count, of = found
    return told_of(session, other, reference_queries.newest_of(session, other)) | {"count": count, "of": of}
