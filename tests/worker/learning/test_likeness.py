"""A line through the crops on which alike ones are neighbours, and what neighbours say of a name."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.learning import likeness
from worker.learning.likeness import Line
from worker.learning.neighbours import opinions


def herds(count: int, sizes: int, dim: int = 16, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many tight groups of so many vectors each, shuffled; which group each is of."""
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(count, dim)) * 5
    of = rng.permutation(np.repeat(np.arange(count), sizes))
    return (middles[of] + rng.normal(size=(len(of), dim)) * 0.3).astype(np.float32), of


def runs(of: np.ndarray, places: np.ndarray) -> int:
    """How many stretches of one group there are along the line."""
    ordered = of[np.argsort(places, kind="stable")]
    return 1 + int((ordered[1:] != ordered[:-1]).sum())


def test_crops_of_one_kind_stand_together() -> None:
    vectors, of = herds(9, 40)
    places = Line.through(vectors, np.random.default_rng(1)).places(vectors)
    assert runs(of, places) == 9


def test_many_crops_in_few_cells_stand_together_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(likeness, "EXACT", 30)
    vectors, of = herds(9, 80)
    places = Line.through(vectors, np.random.default_rng(1)).places(vectors)
    assert runs(of, places) <= 11


def test_a_crop_that_comes_later_stands_with_its_kind() -> None:
    vectors, of = herds(6, 30)
    line = Line.through(vectors[::2], np.random.default_rng(1))
    places = line.places(vectors)
    assert runs(of, places) == 6
    assert np.array_equal(places[1::2], line.places(vectors[1::2]))  # whoever else is there


@given(st.integers(1, 6), st.integers(0, 50))
def test_any_few_vectors_have_places(count: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(count, 4)).astype(np.float32)
    vectors[: count // 2] = vectors[0]  # equal ones too
    places = Line.through(vectors, np.random.default_rng(0)).places(vectors)
    assert places.shape == (count,) and np.isfinite(places).all() and (places >= 0).all() and (places < count).all()


def slow_opinion(vector, sequence, named, names, of) -> int:  # type: ignore[no-untyped-def]
    """The same by a plain loop."""
    order = np.argsort(((named - vector) ** 2).sum(axis=1), kind="stable")[:16]
    asked = [int(names[row]) for row in order if of[row] != sequence][:5]
    counts = {name: asked.count(name) for name in asked}
    best = max(counts, key=lambda name: (counts[name], -name), default=0)
    return best if counts.get(best, 0) >= 3 else 0


def test_neighbours_say_what_a_plain_loop_says() -> None:
    vectors, of = herds(4, 30, seed=3)
    rng = np.random.default_rng(5)
    names = np.where(rng.random(len(of)) < 0.2, rng.integers(1, 5, len(of)), of + 1)
    sequence = rng.integers(0, 60, len(of))
    said, share = opinions(vectors, sequence, vectors, names, sequence)
    slow = [slow_opinion(vectors[row], sequence[row], vectors, names, sequence) for row in range(len(of))]
    assert said.tolist() == slow and (np.array(slow) > 0).mean() > 0.8
    assert ((share >= 0.6) == (said > 0)).all()


def test_a_wrong_name_among_its_kind_is_contradicted() -> None:
    vectors, of = herds(3, 20)
    names = of + 1
    names[7] = 1 + (of[7] + 1) % 3
    said, _share = opinions(vectors, np.arange(60), vectors, names, np.arange(60))
    assert said[7] == of[7] + 1 != names[7]
    assert (np.delete(said, 7) == np.delete(names, 7)).all()


def test_photos_of_the_same_burst_are_not_asked() -> None:
    vectors = np.zeros((8, 4), np.float32)
    names = np.array([1, 1, 1, 1, 2, 2, 2, 2])
    sequence = np.array([0, 0, 0, 0, 1, 2, 3, 4])
    said, _share = opinions(vectors[:1], sequence[:1], vectors, names, sequence)
    assert said.tolist() == [2]


def test_too_few_names_are_no_opinion() -> None:
    vectors, _of = herds(1, 5)
    none = opinions(vectors, np.arange(5), vectors[:2], np.array([1, 1]), np.arange(2))
    assert none[0].tolist() == [0] * 5
    assert opinions(vectors[:0], np.arange(0), vectors, np.ones(5, int), np.arange(5))[0].shape == (0,)
