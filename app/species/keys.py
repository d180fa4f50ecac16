"""Keys learnt from use: which free one would suit a species that is named often and has none. Only an expert's click fixes it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.species.queries import Row
from models.species import TAXON, Species, folded

OFTEN = 20  # answers from which on a key would save time
SHOWN = 3


@dataclass(frozen=True)
class Proposal:
    """A species without a key, how often it was named, and the key that would suit."""

    species: Species
    answers: int
    key: str


def proposals(rows: list[Row], free: list[str]) -> list[Proposal]:
    """The most used first, each with a key of its own. free: the keys that nobody has."""
    left = list(free)
    found = []
    wanting = [row for row in rows if wants_key(row.species) and row.answers >= OFTEN]
    for row in sorted(wanting, key=lambda row: (-row.answers, row.species.id))[: min(SHOWN, len(left))]:
        key = next(each for each in suiting(row.species.name, left) if each in left)
        left.remove(key)
        found.append(Proposal(row.species, row.answers, key))
    return found


def wants_key(species: Species) -> bool:
    """Whether it is answered by hand and has no key."""
    return species.kind == TAXON and species.retired_at is None and species.hotkey is None


def suiting(name: str, free: list[str]) -> Iterator[str]:
    """The initials of its words, then its other letters, then any key."""
    words = folded(name).upper().split()
    yield from (word[0] for word in words)
    yield from "".join(words)
    yield from free
