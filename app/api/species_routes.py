"""The species list: what can be answered."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictStr

from app.api.access import Id, SpeciesAdder, SpeciesEditor, Viewer
from app.api.shapes import KEY, Listed, Moment, Sent, Shape
from app.dependencies import Access
from app.species import changes, queries
from models.names import other_names
from models.species import RANKS, SPECIES, Species

router = APIRouter(tags=["Species"])
Rank = Literal["species", "genus", "family", "order", "class", "phylum", "kingdom", "group"]
Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Scientific = Annotated[StrictStr, Field(max_length=200)]
Key = Annotated[
    StrictStr, Field(max_length=1, description="The key of the label page; empty: the next free one, or none.")
]
assert set(RANKS) == set(Rank.__args__)  # type: ignore[attr-defined]


class SpeciesShape(Shape):
    """One possible answer of a project."""

    id: int
    kind: str = Field(
        description="taxon, or one of the four that every project has: not_animal, cannot_tell, person, vehicle."
    )
    name: str
    scientific_name: str
    rank: str = Field(description=f"{', '.join(RANKS)}; empty for the four.")
    hotkey: str | None = Field(description="Its key on the label page.")
    synonyms: list[str] = Field(description="Other names under which it is found.")
    parent_id: int | None = Field(description="The taxon above, in the same project.")
    merged_into_id: int | None = Field(description="The species that says what this one means now.")
    sensitivity: str = Field(description="How coarse its places are published: empty, low, medium, high or extreme.")
    retired_at: Moment | None = Field(description="Taken off the list; old answers keep it.")
    answers: int = Field(description="Boxes with this settled name.")
    guesses: int = Field(description="Boxes that the classifier calls so.")


class NewSpecies(Sent):
    """A new one."""

    name: Name
    scientific_name: Scientific = ""
    rank: Rank = "species"
    hotkey: Key = ""
    idempotency_key: Annotated[StrictStr, KEY]


class SpeciesChange(Sent):
    """What is left out stays."""

    name: Name | None = None
    scientific_name: Scientific | None = None
    rank: Rank | None = None
    hotkey: Key | None = Field(None, description="Empty: it has none any more.")
    retired: StrictBool | None = Field(None, description="Off the list, or on it again.")


@router.get("/projects/{project_id}/species")
def list_species(member: Viewer) -> Listed[SpeciesShape]:
    """All of them, in the order in which they were added, retired ones too."""
    return Listed[SpeciesShape](items=shapes(member))


@router.post("/projects/{project_id}/species", status_code=201)
def add_species(member: SpeciesAdder, new: NewSpecies) -> SpeciesShape:
    """Add one. A name that leads to a species already is refused."""
    typed = {
        "name": new.name, "scientific_name": new.scientific_name, "rank": new.rank or SPECIES, "key": new.hotkey,
        "idempotency_key": new.idempotency_key,
    }  # fmt: skip
    return shape_of(member, changes.add(member, typed))


@router.patch("/projects/{project_id}/species/{species_id}")
def change_species(member: SpeciesEditor, species_id: Id, change: SpeciesChange) -> SpeciesShape:
    """Another name, rank or key; off the list or on it again. Answers keep the species whatever it is called."""
    species = queries.taxon(member.session, member.project.id, species_id)
    if change.name is not None or change.scientific_name is not None or change.rank is not None:
        scientific = species.scientific_name if change.scientific_name is None else change.scientific_name
        changes.rename(member, species, change.name or species.name, scientific, change.rank or "")
    if change.hotkey is not None:
        changes.set_key(member, species, change.hotkey)
    if change.retired is not None:
        (changes.retire if change.retired else changes.bring_back)(member, species)
    return shape_of(member, species)


def shape_of(member: Access, species: Species) -> SpeciesShape:
    """One of them."""
    member.session.flush()
    return next(each for each in shapes(member) if each.id == species.id)


def shapes(member: Access) -> list[SpeciesShape]:
    """Every one with its other names and its figures."""
    session, project_id = member.session, member.project.id
    synonyms = other_names(session, project_id)
    plain = [field for field in SpeciesShape.model_fields if field not in ("synonyms", "answers", "guesses")]
    return [
        SpeciesShape(
            **{field: getattr(row.species, field) for field in plain}, synonyms=synonyms.get(row.species.id, []),
            answers=row.answers, guesses=row.guesses,
        )
        for row in queries.rows(session, project_id)
    ]  # fmt: skip
