"""Guesses that are added up the tree until they are sure enough, against a slow twin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.meaning import Meanings
from models.rolling_up import BAR, rolled_up
from models.taxonomy import Tree

# 1 Mammals < 2 Carnivora < 3 Cats < 4 Jaguar, 5 Ocelot; 2 < 6 Coati; 7 Birds < 8 Curassow; 9 Person
PARENTS = {1: None, 2: 1, 3: 2, 4: 3, 5: 3, 6: 2, 7: None, 8: 7, 9: None}
TREE = Tree(PARENTS)


def test_two_cats_make_a_cat_and_say_why() -> None:
    found = rolled_up(TREE, {4: 0.41, 5: 0.41, 6: 0.1, 9: 0.08})
    assert found is not None and (found.species_id, found.p) == (3, pytest.approx(0.82))
    assert found.parts == ((4, 0.41), (5, 0.41)) and found.is_sum


@pytest.mark.parametrize(
    ("probabilities", "bar", "species_id", "is_sum"),
    [
        ({4: 0.7, 5: 0.3}, BAR, 4, False), ({4: 0.65, 5: 0.35}, BAR, 4, False), ({4: 0.4, 6: 0.4, 8: 0.2}, BAR, 2, True),
        ({4: 0.5, 3: 0.2, 8: 0.3}, BAR, 3, True), ({4: 0.5, 8: 0.5}, BAR, None, False), ({}, BAR, None, False),
        ({9: 0.6, 4: 0.4}, BAR, None, False), ({9: 0.9, 4: 0.1}, BAR, 9, False), ({77: 0.3, 4: 0.4, 5: 0.3}, BAR, 3, True),
    ],
)  # fmt: skip
def test_the_lowest_level_that_reaches_the_bar(
    probabilities: dict[int, float], bar: float, species_id: int | None, is_sum: bool
) -> None:
    found = rolled_up(TREE, probabilities, bar)
    assert (found.species_id if found else None) == species_id
    assert (found.is_sum if found else False) is is_sum


PARENT = st.dictionaries(st.integers(1, 9), st.none() | st.integers(1, 12), max_size=9)


@given(
    parents=PARENT,
    shares=st.dictionaries(st.integers(1, 11), st.floats(0.001, 1), min_size=1, max_size=8),
    bar=st.floats(0.5, 1, exclude_min=True),
    merged=st.dictionaries(st.integers(1, 4), st.integers(5, 9), max_size=2),
)
def test_it_is_what_a_slow_search_finds(
    parents: dict[int, int | None], shares: dict[int, float], bar: float, merged: dict[int, int]
) -> None:
    total = sum(shares.values())
    probabilities = {species_id: p / total for species_id, p in shares.items()}
    tree = Tree(parents, Meanings(merged))
    found = rolled_up(tree, probabilities, bar)
    nodes = {*probabilities, *(up for species_id in probabilities for up in tree.above(species_id))}
    sums = {node: sum(p for each, p in probabilities.items() if each in tree.within(node)) for node in nodes}
    near = [total for total in sums.values() if abs(total - bar) < 1e-9]
    if near:
        return
    reached = [node for node in nodes if sums[node] >= bar]
    if not reached:
        assert found is None
        return
    deepest = max(reached, key=lambda node: len(tree.above(node)))
    assert found is not None and found.species_id == deepest
    assert bar <= found.p <= 1 and found.p == pytest.approx(min(sums[deepest], 1))
    assert all(part in tree.within(deepest) for part, _p in found.parts)


@given(parents=st.dictionaries(st.integers(1, 6), st.none() | st.integers(1, 6), max_size=6))
def test_a_tree_has_no_circle_and_shows_every_taxon_once(parents: dict[int, int | None]) -> None:
    tree = Tree(parents)
    walked = [species_id for species_id, _depth in tree.walk()]
    assert sorted(walked) == sorted(parents)
    for species_id, depth in tree.walk():
        assert len(tree.above(species_id)) == depth and species_id not in tree.above(species_id)
        assert species_id in tree.within(species_id)


def test_what_hung_below_a_merged_taxon_hangs_below_the_other() -> None:
    tree = Tree({1: None, 2: None, 3: 1, 4: 3}, Meanings({1: 2}))
    assert tree.above(4) == [3, 2] and tree.below(None) == [2]
    assert [each for each, _depth in tree.walk()] == [2, 3, 4]
