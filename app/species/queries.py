"""The species list as its page and the label page ask for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.box import Box
from models.box_edit import deleted_ids
from models.errors import Invalid, NotYours
from models.meaning import meanings
from models.names import other_names
from models.species import TAXON, Species, Synonym
from models.words import say


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
    meant, found = meanings(session, project_id), Counter[int]()
    for species_id, number in counted.items():
        if species_id:
            found[meant.of(species_id)] += number - deleted.get(species_id, 0)
    return found


def listed(session: Session, project_id: int) -> list[dict[str, object]]:
    """What the label page needs of every answer that is not retired."""
    others = other_names(session, project_id)
    return [as_json(species, sorted(others.get(species.id, []))) for species in Species.open_in(session, project_id)]


def as_json(species: Species, synonyms: list[str]) -> dict[str, object]:
    """One answer for scripts."""
    return {
        "id": species.id,
        "kind": species.kind,
        "name": species.shown_name,
        "scientific_name": species.scientific_name,
        "rank": species.rank,
        "hotkey": species.hotkey,
        "synonyms": synonyms,
        "parent_id": species.parent_id,
        "sensitivity": species.sensitivity,
    }


def taxon(session: Session, project_id: int, species_id: int) -> Species:
    """Raises NotYours for a species of another project, Invalid for one of the four fixed answers."""
    found = session.get(Species, species_id) if 0 < species_id < 2**31 else None
    if found is None or found.project_id != project_id:
        raise NotYours(say("There is no such species in this project."))
    if found.kind != TAXON:
        raise Invalid(say("%(name)s belongs to every project and stays as it is", name=found.name))
    return found


def synonyms_of(session: Session, species_id: int) -> list[Synonym]:
    """Its other names."""
    return list(session.scalars(select(Synonym).where(Synonym.species_id == species_id).order_by(Synonym.name)))


def synonym(session: Session, species: Species, synonym_id: int) -> Synonym | None:
    """One of its other names, unless it is gone already. Raises NotYours for one of another species."""
    found = session.get(Synonym, synonym_id) if 0 < synonym_id < 2**31 else None
    if found is not None and found.species_id != species.id:
        raise NotYours(say("There is no such name of this species."))
    return found
