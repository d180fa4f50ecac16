"""The species list as its page and the label page ask for it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.box import Box
from models.box_edit import deleted_ids
from models.errors import Invalid, NotYours
from models.species import TAXON, Species, Synonym


@dataclass(frozen=True)
class Row:
    """A species with what was said and guessed about it."""

    species: Species
    answers: int
    guesses: int


def rows(session: Session, project_id: int) -> list[Row]:
    """Every answer of the project in the order in which it was added, retired ones too. Both counts are read off an index."""
    answers, guesses = (
        boxes_by(session, project_id, column) for column in (Box.settled_species_id, Box.guess_species_id)
    )
    found = session.scalars(select(Species).where(Species.project_id == project_id).order_by(Species.id))
    return [Row(species, answers.get(species.id, 0), guesses.get(species.id, 0)) for species in found]


def boxes_by(session: Session, project_id: int, column: InstrumentedAttribute[int | None]) -> dict[int, int]:
    """species id -> how many boxes of the project have it in this column."""
    every = (
        select(column, func.count()).where(Box.project_id == project_id, column.is_not(None), *which).group_by(column)
        for which in ((), (Box.id.in_(deleted_ids(project_id)),))
    )
    counted, deleted = (dict(session.execute(each).all()) for each in every)
    return {species_id: number - deleted.get(species_id, 0) for species_id, number in counted.items() if species_id}


def listed(session: Session, project_id: int) -> list[dict[str, object]]:
    """What the label page needs of every answer that is not retired."""
    synonyms = synonyms_by_species(session, project_id)
    return [as_json(species, synonyms[species.id]) for species in Species.open_in(session, project_id)]


def synonyms_by_species(session: Session, project_id: int) -> dict[int, list[str]]:
    """Species id -> its other names; an empty list for those without."""
    synonyms: dict[int, list[str]] = defaultdict(list)
    for synonym in session.scalars(select(Synonym).where(Synonym.project_id == project_id).order_by(Synonym.name)):
        synonyms[synonym.species_id].append(synonym.name)
    return synonyms


def as_json(species: Species, synonyms: list[str]) -> dict[str, object]:
    """One answer for scripts."""
    return {
        "id": species.id,
        "kind": species.kind,
        "name": species.name,
        "scientific_name": species.scientific_name,
        "rank": species.rank,
        "hotkey": species.hotkey,
        "synonyms": synonyms,
    }


def taxon(session: Session, project_id: int, species_id: int) -> Species:
    """Raises NotYours for a species of another project, Invalid for one of the four fixed answers."""
    found = session.get(Species, species_id) if 0 < species_id < 2**31 else None
    if found is None or found.project_id != project_id:
        raise NotYours("There is no such species in this project.")
    if found.kind != TAXON:
        raise Invalid(f"{found.name} belongs to every project and stays as it is")
    return found


def synonyms_of(session: Session, species_id: int) -> list[Synonym]:
    """Its other names."""
    return list(session.scalars(select(Synonym).where(Synonym.species_id == species_id).order_by(Synonym.name)))


def synonym(session: Session, species: Species, synonym_id: int) -> Synonym | None:
    """One of its other names, unless it is gone already. Raises NotYours for one of another species."""
    found = session.get(Synonym, synonym_id) if 0 < synonym_id < 2**31 else None
    if found is not None and found.species_id != species.id:
        raise NotYours("There is no such name of this species.")
    return found
