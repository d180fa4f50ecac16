"""The species as a tree, and what one of them is called elsewhere, as the pages ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.species.queries import Row
from models.errors import NotYours
from models.names import other_names
from models.species import SPECIES, TAXON, CommonName, Species, TaxonId, folded
from models.taxonomy import Tree, path, tree_of


@dataclass
class Branch:
    """A taxon with what hangs below it. answers: its own and those of all below."""

    row: Row
    answers: int = 0
    below: list[Branch] = field(default_factory=list)


def branches(tree: Tree, rows: Iterable[Row]) -> list[Branch]:
    """The tree for the page: the taxa with nothing above them. Retired ones stand there while something hangs below them."""
    found = {row.species.id: Branch(row, row.answers) for row in rows}
    order = [species_id for species_id, _depth in tree.walk() if species_id in found]
    for species_id in reversed(order):
        branch = found[species_id]
        branch.below = [found[below] for below in tree.below(species_id) if below in found and shows(found[below])]
        branch.answers += sum(each.answers for each in branch.below)
    return [found[species_id] for species_id in tree.below(None) if species_id in found and shows(found[species_id])]


def shows(branch: Branch) -> bool:
    """Whether it is on the list, or something below it is."""
    return branch.row.species.retired_at is None or bool(branch.below)


def paths(tree: Tree, rows: Iterable[Row]) -> dict[int, str]:
    """Species id -> Mammals › Carnivora › Felidae, of those that hang below something."""
    listed = list(rows)
    names = {row.species.id: row.species.name for row in listed}
    found = {row.species.id: tree.above(row.species.id) for row in listed}
    return {species_id: path(names, above) for species_id, above in found.items() if above}


def called(session: Session, project_id: int, rows: Iterable[Row], wanted: str) -> list[Row]:
    """Those of which any name holds the words, whatever their case and accents."""
    others, plain = other_names(session, project_id), folded(" ".join(wanted.split()))
    return [
        row
        for row in rows
        if any(
            plain in folded(name)
            for name in (row.species.name, row.species.scientific_name, *others.get(row.species.id, []))
        )
    ]


@dataclass(frozen=True)
class Described:
    """What the page of one species shows besides its names and key."""

    parent: Species | None
    path: str
    below: list[Species]
    common: list[CommonName]
    ids: list[TaxonId]
    into: Species | None
    merged: list[Species]  # into this one
    higher: list[str]  # names that may stand above
    others: list[str]  # names that it may be merged into


def described(session: Session, species: Species) -> Described:
    """Five questions."""
    tree = tree_of(session, species.project_id)
    every = select(Species).where(Species.project_id == species.project_id, Species.kind == TAXON)
    known = {each.id: each for each in session.scalars(every.order_by(Species.name))}
    names = {each.id: each.name for each in known.values()}
    above, within = tree.above(species.id), tree.within(species.id)
    common = select(CommonName).where(CommonName.species_id == species.id).order_by(CommonName.language, CommonName.id)
    ids = select(TaxonId).where(TaxonId.species_id == species.id).order_by(TaxonId.register)
    listed = [each for each in known.values() if each.retired_at is None and each is not species]
    return Described(
        known.get(above[0]) if above else None, path(names, above), [known[each] for each in tree.below(species.id)],
        list(session.scalars(common)), list(session.scalars(ids)), known.get(species.merged_into_id or 0),
        [each for each in known.values() if each.merged_into_id == species.id],
        [each.name for each in listed if each.rank != SPECIES and each.id not in within], [each.name for each in listed],
    )  # fmt: skip


def common_name(session: Session, species: Species, name_id: int) -> CommonName | None:
    """One of its common names, unless it is gone already. Raises NotYours for one of another species."""
    found = session.get(CommonName, name_id) if 0 < name_id < 2**31 else None
    if found is not None and found.species_id != species.id:
        raise NotYours("There is no such name of this species.")
    return found


def taxon_id(session: Session, species: Species, id_: int) -> TaxonId | None:
    """One of its identifiers, unless it is gone already. Raises NotYours for one of another species."""
    found = session.get(TaxonId, id_) if 0 < id_ < 2**31 else None
    if found is not None and found.species_id != species.id:
        raise NotYours("There is no such identifier of this species.")
    return found
