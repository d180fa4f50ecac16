"""The tree that the species of a project hang in: who stands above whom, read through merges."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.errors import Invalid
from models.meaning import Meanings
from models.species import TAXON, Species

DEEPEST = 40  # levels; no taxonomy has more


class Tree:
    """Species id -> the one above it. Pure: rows come in, no database after that."""

    def __init__(self, parents: Mapping[int, int | None], meant: Meanings | None = None) -> None:
        """parents: of every species, in the order in which siblings shall stand. A merged one stands nowhere, what hung below it
        hangs below the one that it means. A parent that is not there, or that would close a circle, counts as none.
        """
        meant = meant or Meanings()
        here = [species_id for species_id in parents if meant.of(species_id) == species_id]
        known = set(here)
        above = {species_id: meant.of(parents[species_id]) for species_id in here}
        self._above = {species_id: up for species_id, up in above.items() if up in known and up != species_id}
        for species_id in here:
            if circle(self._above, species_id):
                del self._above[species_id]
        self._below: dict[int | None, list[int]] = defaultdict(list)
        for species_id in here:
            self._below[self._above.get(species_id)].append(species_id)

    @property
    def has_levels(self) -> bool:
        """Whether anything hangs below anything."""
        return bool(self._above)

    def above(self, species_id: int) -> list[int]:
        """The taxa above it, the nearest first."""
        found = []
        while (up := self._above.get(species_id)) is not None:
            found.append(species_id := up)
        return found

    def below(self, species_id: int | None) -> list[int]:
        """The taxa right below it; below None stand those with nothing above."""
        return self._below.get(species_id, [])

    def within(self, species_id: int) -> set[int]:
        """The taxon and everything below it."""
        return {species_id, *(below for each in self.below(species_id) for below in self.within(each))}

    def walk(self, start: int | None = None, depth: int = 0) -> Iterator[tuple[int, int]]:
        """(species id, depth) of all below start, each before what hangs below it."""
        waiting = [(species_id, depth) for species_id in reversed(self.below(start))]
        while waiting:
            species_id, level = waiting.pop()
            yield species_id, level
            waiting += [(below, level + 1) for below in reversed(self.below(species_id))]


def circle(above: Mapping[int, int], species_id: int) -> bool:
    """Whether the way up from a species comes back to it, or is longer than any that there is."""
    at: int | None = above.get(species_id)
    for _ in range(DEEPEST):
        if at is None:
            return False
        if at == species_id:
            return True
        at = above.get(at)
    return True


def tree_of(session: Session, project_id: int) -> Tree:
    """The taxa of a project, siblings by name."""
    rows = session.execute(
        select(Species.id, Species.parent_id, Species.merged_into_id, Species.name)
        .where(Species.project_id == project_id, Species.kind == TAXON)
        .order_by(Species.id)
    ).all()
    parents = {row.id: row.parent_id for row in sorted(rows, key=lambda row: row.name.casefold())}
    return Tree(parents, Meanings({row.id: row.merged_into_id for row in rows if row.merged_into_id}))


def has_levels(session: Session, project_id: int) -> bool:
    """Whether anything hangs below anything in a project."""
    hangs = select(Species.id).where(Species.project_id == project_id, Species.parent_id.is_not(None)).limit(1)
    return session.scalar(hangs) is not None


def place_below(session: Session, species: Species, parent: Species | None) -> None:
    """Hang a species below another of its project, or below none. Raises Invalid when it would stand above itself."""
    if parent is not None:
        if parent.project_id != species.project_id or parent.kind != TAXON:
            raise Invalid(f"parent: {parent.name} is no taxon of this list")
        tree = tree_of(session, species.project_id)
        if parent.merged_into_id is not None:
            raise Invalid(f"parent: {parent.name} was merged into another. Choose that one.")
        if species.id == parent.id or species.id in tree.above(parent.id):
            raise Invalid(f"parent: {parent.name} is below {species.name} already")
        if len(tree.above(parent.id)) >= DEEPEST // 2:
            raise Invalid(f"parent: more than {DEEPEST // 2} levels")
    species.parent_id = parent.id if parent else None


def crooked(session: Session) -> Iterator[str]:
    """What the doctor says of the trees: no foreign key holds these columns, so a parent or a merge might lead nowhere."""
    rows = session.execute(
        select(Species.id, Species.project_id, Species.parent_id, Species.merged_into_id).order_by(Species.id)
    ).all()
    home = {row.id: row.project_id for row in rows}
    parents = {row.id: row.parent_id for row in rows if row.parent_id is not None}
    merges = {row.id: row.merged_into_id for row in rows if row.merged_into_id is not None}
    for words, up in (("hangs below", parents), ("was merged into", merges)):
        for species_id, other in up.items():
            if home.get(other) != home[species_id]:
                yield f"species {species_id} {words} {other}, which is not in its project"
            elif circle(up, species_id):
                yield f"species {species_id} {words} {other}, and that way leads back to itself"


def path(names: Mapping[int, str], above: Iterable[int]) -> str:
    """Mammals › Carnivora › Felidae. above: the nearest first."""
    return " › ".join(reversed([names[each] for each in above]))
