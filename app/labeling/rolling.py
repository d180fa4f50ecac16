"""What the label page says where the classifier is not sure of a species: the genus, the family, ... that it is sure of."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from models.desk import Desk
from models.rolling_up import rolled_up
from models.taxonomy import Tree, has_levels, tree_of


class Rolling:
    """The tree of the project, read once for many crops, and not before one needs it."""

    def __init__(self, desk: Desk, retired: set[int]) -> None:
        """retired: species that are not offered any more; nothing is rolled up to one of them."""
        self._desk, self._retired, self._bar = desk, retired, desk.project.roll_up_above

    @cached_property
    def _tree(self) -> Tree:
        return tree_of(self._desk.session, self._desk.project.id)

    def beside(self, box_id: int, first_p: float) -> dict[str, Any]:
        """{"rolled": species_id, p and parts} for a crop whose first guess is below the bar, where a taxon above reaches it."""
        if self._bar >= 1 or first_p >= self._bar or not self._tree.has_levels:
            return {}
        found = rolled_up(self._tree, self._desk.predictions.every(box_id), self._bar)
        if found is None or not found.is_sum or found.species_id in self._retired:
            return {}
        parts = [[species_id, round(p, 3)] for species_id, p in found.parts]
        return {"rolled": {"species_id": found.species_id, "p": round(found.p, 3), "parts": parts}}


def rolls(desk: Desk) -> bool:
    """Whether any crop may be rolled up, so that the panel keeps a place for it."""
    return desk.project.roll_up_above < 1 and has_levels(desk.session, desk.project.id)
