"""The species that a project has and those that a file brings, as one list in memory: found by every name."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.species.fields import Said
from models.meaning import meanings
from models.species import TAXON, CommonName, Species, Synonym, TaxonId


@dataclass(eq=False)
class Taxon:
    """One species. row: that of the project, none for a new one. said: what the file says of it, if it does."""

    name: str
    scientific_name: str = ""
    rank: str = ""
    row: Species | None = None
    said: Said | None = None
    parent: Taxon | None = None
    new_parent: Taxon | None = None
    names: set[str] = field(default_factory=set)  # synonyms, in small letters
    common: set[tuple[str, str]] = field(default_factory=set)
    ids: dict[str, str] = field(default_factory=dict)
    key: str = ""
    sensitivity: str = ""

    @property
    def above(self) -> Taxon | None:
        """What it hangs below when all is done."""
        return self.new_parent or self.parent


class Known:
    """Every taxon by its names, in small letters."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.by_name: dict[str, Taxon] = {}
        self.by_scientific: dict[str, Taxon] = {}
        self.by_synonym: dict[str, Taxon] = {}
        self.by_key: dict[str, Taxon] = {}
        self.fixed: set[str] = set()  # names of answers that are no taxa

    @classmethod
    def of(cls, session: Session, project_id: int) -> Known:
        """What the project has: five questions, whatever its size."""
        known, taxa = cls(), {}
        meant = meanings(session, project_id)
        rows = list(session.scalars(select(Species).where(Species.project_id == project_id).order_by(Species.id)))
        for row in rows:
            if row.kind != TAXON:
                known.fixed.add(row.name.lower())
            elif meant.of(row.id) == row.id:
                taxa[row.id] = Taxon(row.name, row.scientific_name, row.rank, row)
        for row in rows:
            taxon = taxa.get(meant.of(row.id))
            if taxon is None:
                continue
            index = known.by_name if taxon.row is row else known.by_synonym
            index[row.name.lower()] = taxon
            taxon.names |= {row.name.lower()} if taxon.row is not row else set()
            if row.scientific_name:
                known.by_scientific.setdefault(row.scientific_name.lower(), taxon)
            if row.hotkey:
                known.by_key[row.hotkey] = taxon
            if taxon.row is row:
                taxon.parent = taxa.get(meant.of(row.parent_id)) if row.parent_id else None
                taxon.key, taxon.sensitivity = row.hotkey or "", row.sensitivity
        here = select(Species.id).where(Species.project_id == project_id)
        for synonym in session.scalars(select(Synonym).where(Synonym.project_id == project_id).order_by(Synonym.id)):
            owner = taxa.get(meant.of(synonym.species_id))
            known.fixed |= {synonym.name.lower()} if owner is None else set()
            if owner is not None:
                known.by_synonym[synonym.name.lower()] = owner
                owner.names.add(synonym.name.lower())
        for name in session.scalars(select(CommonName).where(CommonName.species_id.in_(here))):
            if name.species_id in taxa:
                taxa[name.species_id].common.add((name.language, name.name))
        for each in session.scalars(select(TaxonId).where(TaxonId.species_id.in_(here))):
            if each.species_id in taxa:
                taxa[each.species_id].ids[each.register] = each.value
        return known

    def find(self, name: str) -> Taxon | None:
        """By its name before another one's scientific name before a synonym."""
        wanted = name.lower()
        return self.by_name.get(wanted) or self.by_scientific.get(wanted) or self.by_synonym.get(wanted)

    def is_taken(self, name: str) -> bool:
        """Whether it leads to something."""
        return self.find(name) is not None or name.lower() in self.fixed

    def there(self, name: str) -> Taxon | None:
        """A species of the project under any of its names."""
        found = self.by_name.get(name.lower()) or self.by_synonym.get(name.lower())
        found = found or self.by_scientific.get(name.lower())
        return found if found is not None and found.row is not None else None

    def add(self, taxon: Taxon) -> None:
        """A new one."""
        self.by_name[taxon.name.lower()] = taxon
        if taxon.scientific_name:
            self.by_scientific.setdefault(taxon.scientific_name.lower(), taxon)

    def drop(self, taxon: Taxon) -> None:
        """A new one that is not to be: nothing leads to it any more."""
        for index in (self.by_name, self.by_scientific, self.by_synonym, self.by_key):
            for name in [name for name in names_in(taxon, index) if index.get(name) is taxon]:
                del index[name]

    def levels(self) -> dict[tuple[str, str], Taxon]:
        """(rank, name or scientific name) -> the taxon of that rank."""
        found: dict[tuple[str, str], Taxon] = {}
        for index in (self.by_scientific, self.by_name):
            for name, taxon in index.items():
                found[taxon.rank, name] = taxon
        return found


def names_in(taxon: Taxon, index: dict[str, Taxon]) -> list[str]:
    """The names under which it may stand in the index."""
    said = taxon.said
    names = [taxon.name.lower(), taxon.scientific_name.lower(), taxon.key, *taxon.names]
    return [name for name in (*names, *(each.lower() for each in (said.synonyms if said else []))) if name in index]
