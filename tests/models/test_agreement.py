"""Agreement of several people: published examples, a slow twin, and what no figure can say."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from models.agreement import fleiss_kappa, in_words, wilson95
from worker.stopping.intervals import wilson

# The worked example of "Fleiss' kappa" in Wikipedia: 14 people sort 10 subjects into 5 kinds.
WORKED = [
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
]  # fmt: skip


def as_counts(row: tuple[int, ...]) -> Counter[int]:
    """Name -> people, without zeros."""
    return Counter({name: count for name, count in enumerate(row) if count})


def slow_kappa(crops: list[list[int]]) -> float:
    """The same pair by pair: how often two voices of one crop agree, and two voices drawn from two crops drawn at random."""
    observed = 0.0
    for voices in crops:
        pairs = list(itertools.permutations(range(len(voices)), 2))
        observed += sum(voices[a] == voices[b] for a, b in pairs) / len(pairs) / len(crops)
    by_chance = 0.0
    for first, second in itertools.product(crops, repeat=2):
        alike = sum(one == other for one, other in itertools.product(first, second))
        by_chance += alike / (len(first) * len(second)) / len(crops) ** 2
    return (observed - by_chance) / (1 - by_chance)


def test_the_published_example() -> None:
    assert fleiss_kappa([as_counts(row) for row in WORKED]) == pytest.approx(0.210, abs=0.0005)


def test_it_is_its_slow_twin_also_with_unequal_numbers_of_voices() -> None:
    chance = random.Random(1)
    for _ in range(50):
        crops = [
            chance.choices(range(4), (5, 3, 1, 1), k=chance.randrange(2, 7)) for _ in range(chance.randrange(2, 12))
        ]
        if len({name for voices in crops for name in voices}) > 1:
            assert fleiss_kappa([Counter(voices) for voices in crops]) == pytest.approx(slow_kappa(crops))


def test_perfect_agreement_is_one_and_one_name_alone_says_nothing() -> None:
    assert fleiss_kappa([Counter({1: 3}), Counter({2: 3})]) == pytest.approx(1.0)
    assert fleiss_kappa([Counter({1: 3}), Counter({1: 2})]) is None
    assert fleiss_kappa([]) is None


def test_the_words_of_landis_and_koch() -> None:
    words = [in_words(kappa) for kappa in (-0.1, 0.1, 0.3, 0.5, 0.7, 0.9)]
    assert words == ["no more than by chance", "slightly", "fairly", "moderately", "substantially", "almost perfectly"]


def test_wilsons_interval() -> None:
    assert wilson95(9, 10) == pytest.approx((0.5958, 0.9821), abs=0.0001)
    for of in (1, 10, 250):
        for right in {0, of // 3, of}:
            assert wilson95(right, of) == pytest.approx(wilson(right / of, of, 0.05))
