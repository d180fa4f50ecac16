"""Names rolled up the tree: where the classifier is not sure of a species, it may be sure of the genus, the family, ...

The probabilities of all that hangs below a taxon are summed, its own among them, from the species upwards, until the sum reaches
a bar (PRACTICE 1.6; AddaxAI rolls up at 0.65).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from models.taxonomy import Tree

BAR = 0.65
PARTS = 5  # names that a reason lists
NAUGHT = 0.005  # below half a percent nothing is listed


@dataclass(frozen=True)
class RolledUp:
    """Which level is sure enough, and why.

    parts: (species id, probability) of what was summed, the largest first; the first alone where nothing had to be summed.
    """

    species_id: int
    p: float
    parts: tuple[tuple[int, float], ...]

    @property
    def is_sum(self) -> bool:
        """Whether it stands above what the classifier names first."""
        return self.parts[0][0] != self.species_id or len(self.parts) > 1


def rolled_up(tree: Tree, probabilities: Mapping[int, float], bar: float = BAR) -> RolledUp | None:
    """The lowest taxon whose sum reaches the bar; None where none does.

    probabilities: species id -> what the classifier says, calibrated (Predictions.every): taxa and other answers, which hang in
    no tree and stand for themselves. Where taxa of two branches reach a low bar the likelier one counts, of equal
    ones the lower id. Rounding may bring a sum above 1: it counts as 1.
    """
    if not probabilities:
        return None
    first = min(probabilities, key=lambda species_id: (-probabilities[species_id], species_id))
    if probabilities[first] >= bar:
        return RolledUp(first, probabilities[first], ((first, probabilities[first]),))
    sums: dict[int, float] = {}
    for species_id, p in probabilities.items():
        for at in (species_id, *tree.above(species_id)):
            sums[at] = sums.get(at, 0.0) + p
    reached = {species_id for species_id, total in sums.items() if total >= bar}
    lowest = reached - {up for species_id in reached for up in tree.above(species_id)}
    if not lowest:
        return None
    found = min(lowest, key=lambda species_id: (-sums[species_id], species_id))
    below = tree.within(found)
    summed = [(species_id, p) for species_id, p in probabilities.items() if species_id in below and p >= NAUGHT]
    parts = tuple(sorted(summed, key=lambda pair: (-pair[1], pair[0]))[:PARTS])
    return RolledUp(found, min(sums[found], 1.0), parts)
