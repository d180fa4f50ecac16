"""How far people agree: with each other over many crops, and one of them with what is beyond doubt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

from models.words import mark, translated

Z95 = 1.959963984540054  # of the normal distribution, two-sided 95%
ENOUGH_CROPS = 30  # below, an agreement is not told
# Landis & Koch 1977: the least kappa of each word
WORDS = (
    (0.8, mark("almost perfectly")),
    (0.6, mark("substantially")),
    (0.4, mark("moderately")),
    (0.2, mark("fairly")),
    (0.0, mark("slightly")),
)


def fleiss_kappa(crops: Sequence[Mapping[int, int]]) -> float | None:
    """Agreement beyond chance, 1 for perfect; None where chance alone makes everybody agree (one name) or nothing is there.

    crops: of each the names and how many people said them, two people or more. Fleiss 1971. Crops may have unequal numbers of
    voices, then each crop weighs the same, in what was observed and in what chance would give (Gwet 2014, chap. 2).
    """
    if not crops:
        return None
    observed, shares = 0.0, dict[int, float]()
    for counts in crops:
        voices = sum(counts.values())
        observed += sum(count * (count - 1) for count in counts.values()) / (voices * (voices - 1)) / len(crops)
        for name, count in counts.items():
            shares[name] = shares.get(name, 0.0) + count / voices / len(crops)
    by_chance = sum(share * share for share in shares.values())
    return None if by_chance > 1 - 1e-12 else (observed - by_chance) / (1 - by_chance)


def in_words(kappa: float) -> str:
    """How well that is: moderately, substantially; not at all, below 0."""
    return translated(next((word for least, word in WORDS if kappa >= least), mark("no more than by chance")))


def wilson95(right: int, of: int) -> tuple[float, float]:
    """(low, high) of the share right / of, 0..1, of > 0. Wilson 1927."""
    share = right / of
    middle = (share + Z95 * Z95 / (2 * of)) / (1 + Z95 * Z95 / of)
    reach = Z95 / (1 + Z95 * Z95 / of) * sqrt(share * (1 - share) / of + Z95 * Z95 / (4 * of * of))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
