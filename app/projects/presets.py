"""Thresholds that come as a pair: the paper's, and those that the detector's own card names (DECISIONS 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from models.checkpoint import Checkpoint
from models.project import FLOOR


@dataclass(frozen=True)
class Preset:
    """Two thresholds under a name."""

    name: str
    classify_above: float
    count_above: float


PAPER = Preset("paper", 0.90, 0.90)


def presets(detector: Checkpoint | None) -> list[Preset]:
    """What one click can choose."""
    own = of_card(detector) if detector else None
    return [own, PAPER] if own else [PAPER]


def of_card(detector: Checkpoint) -> Preset | None:
    """The pair on the detector's card: it counts from count_above on and classifies from a third of it, unless it says so."""
    presets = detector.card.get("presets")
    own = presets.get("card") if isinstance(presets, dict) else detector.card  # a boxes file has them at the top
    count_above = own.get("count_above") if isinstance(own, dict) else None
    if not isinstance(own, dict) or not is_score(count_above):
        return None
    classify_above = own.get("classify_above", count_above / 3)
    if not is_score(classify_above):
        classify_above = FLOOR
    return Preset("detector", min(round(float(classify_above), 3), float(count_above)), float(count_above))


def is_score(value: object) -> TypeGuard[float]:
    """Whether a card's figure can be a threshold."""
    return isinstance(value, int | float) and FLOOR <= value <= 1
