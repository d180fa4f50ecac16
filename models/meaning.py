"""What a species means now: itself, or the one it was merged into.

Answers keep the id that was said; whoever settles names, counts voices or sums guesses reads them through here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import overload

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.species import Species


class Meanings:
    """Species id -> the species that it means now."""

    def __init__(self, merged: Mapping[int, int] | None = None) -> None:
        """merged: species id -> the one it was merged into, which may itself be merged into another."""
        self._now = {species_id: last(species_id, merged) for species_id in merged} if merged else {}

    def __bool__(self) -> bool:
        """Whether any species means another."""
        return bool(self._now)

    @overload
    def of(self, species_id: int) -> int: ...
    @overload
    def of(self, species_id: None) -> None: ...
    def of(self, species_id: int | None) -> int | None:
        """The species that is meant; none where nothing was said."""
        return None if species_id is None else self._now.get(species_id, species_id)

    def said_as(self, species_id: int) -> set[int]:
        """Every id that means this species now, its own among them."""
        return {species_id, *(said for said, now in self._now.items() if now == species_id)}

    @property
    def merged(self) -> Mapping[int, int]:
        """Species id -> what it means, of those that mean another."""
        return self._now


def last(species_id: int, merged: Mapping[int, int]) -> int:
    """The end of the way."""
    seen = {species_id}
    while (after := merged.get(species_id)) is not None and after not in seen:
        seen.add(species_id := after)
    return species_id


def meanings(session: Session, project_id: int) -> Meanings:
    """Those of a project: one look into a small index."""
    rows = session.execute(
        select(Species.id, Species.merged_into_id).where(
            Species.project_id == project_id, Species.merged_into_id.is_not(None)
        )
    )
    return Meanings({species_id: into for species_id, into in rows if into is not None})
