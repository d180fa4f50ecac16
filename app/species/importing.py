"""The good rows of a species list become rows: all of them or none, in a handful of statements."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.species.known import Taxon
from app.species.plan import Plan, fresh_synonyms
from models.base import utc_now
from models.species import SPECIES, CommonName, Species, Synonym, TaxonId


def carry_out(session: Session, project_id: int, plan: Plan) -> None:
    """Write what the plan says. The caller holds the project and made the plan in this transaction."""
    taxa = [*plan.new, *(taxon for taxon, _words in plan.changes)]
    for taxon in plan.new:
        said = taxon.said
        taxon.row = Species(
            project_id=project_id,
            name=taxon.name,
            scientific_name=taxon.scientific_name,
            rank=taxon.rank or SPECIES,
            hotkey=None if said and said.retired else taxon.key or None,
            sensitivity=taxon.sensitivity,
            retired_at=utc_now() if said and said.retired else None,
        )
        session.add(taxon.row)
    session.flush()
    for taxon, _words in plan.changes:
        change(session, taxon)
    for taxon in taxa:
        if taxon.new_parent is not None and taxon.row is not None and taxon.new_parent.row is not None:
            taxon.row.parent_id = taxon.new_parent.row.id
    session.flush()
    known = known_ids(session, [taxon for taxon in taxa if taxon.ids])
    for taxon in taxa:
        if taxon.said is not None:
            add_names(session, project_id, taxon, known)
    session.flush()


def change(session: Session, taxon: Taxon) -> None:
    """A species that was there; what the row leaves empty stays."""
    said, row = taxon.said, taxon.row
    assert row is not None
    if said is None:
        return
    row.scientific_name = said.scientific_name or row.scientific_name
    row.rank = said.rank or row.rank
    row.sensitivity = said.sensitivity or row.sensitivity
    if said.key and row.retired_at is None:
        row.set_hotkey(session, said.key)
        session.flush()
    if said.retired and row.retired_at is None:
        row.retire()


def known_ids(session: Session, taxa: list[Taxon]) -> dict[tuple[int, str], TaxonId]:
    """(species id, register) -> its row."""
    ids = [taxon.row.id for taxon in taxa if taxon.row]
    found: dict[tuple[int, str], TaxonId] = {}
    for start in range(0, len(ids), 500):
        rows = session.scalars(select(TaxonId).where(TaxonId.species_id.in_(ids[start : start + 500])))
        found |= {(each.species_id, each.register): each for each in rows}
    return found


def add_names(session: Session, project_id: int, taxon: Taxon, known: dict[tuple[int, str], TaxonId]) -> None:
    """Synonyms, common names and identifiers that it does not have yet."""
    said, row = taxon.said, taxon.row
    assert said is not None and row is not None
    session.add_all(Synonym(project_id=project_id, species_id=row.id, name=name) for name in fresh_synonyms(taxon))
    common = dict.fromkeys(each for each in said.common if each not in taxon.common)
    session.add_all(CommonName(species_id=row.id, language=language, name=name) for language, name in common)
    for register, value in said.ids.items():
        if (row.id, register) in known:
            known[row.id, register].value = value
        else:
            session.add(TaxonId(species_id=row.id, register=register, value=value))
