"""Pools with nothing to learn from: the strategies that need vectors and a classifier still pick k open rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.worker.selection.pools import known_pool
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES

NAMES = [
    "informative_diverse", "margin_cluster_mean", "bald", "batch_bald", "ensemble", "badge", "dmbal", "exploration_p",
    "deepfool", "discriminative", "typiclust", "probcover",
]  # fmt: skip
VECTORS = np.random.default_rng(0).standard_normal((30, 4), dtype=np.float32)


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """How well a network learns is no matter here."""
    monkeypatch.setattr("worker.learning.classifier.COLD_STEPS", (10, 10))
    monkeypatch.setattr("worker.learning.classifier.WARM_STEPS", 5)


def no_label() -> Pool:
    """The probabilities have no column then, as a learn job gives them."""
    return replace(known_pool(VECTORS, [], []), fit=lambda: np.empty((30, 0), dtype=np.float32))


def one_class() -> Pool:
    return known_pool(VECTORS, [3, 4, 5], [0, 0, 0])


def duplicates() -> Pool:
    chances = np.full((30, 2), 0.5, dtype=np.float32)
    return known_pool(np.ones((30, 4), dtype=np.float32), [0, 1, 2, 3], [0, 1, 0, 1], chances)


@pytest.mark.parametrize("make", [no_label, one_class, duplicates])
@pytest.mark.parametrize("name", NAMES)
def test_none_one_and_all_rows_can_be_picked_whatever_is_known(name: str, make) -> None:
    pool = make()
    pool.vectors.setflags(write=False)
    rows = pool.open_rows(0)
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()
    for k in [0, 1, len(rows)]:
        picks = STRATEGIES[name](pool, k, np.random.default_rng(0))
        assert len(picks) == len(set(picks)) == k and set(picks) <= set(rows.tolist())
        assert all(type(row) is int for row in picks)
        assert picks == STRATEGIES[name](pool, k, np.random.default_rng(0))
    assert (np.random.get_state()[1] == state).all() and torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("name", [*NAMES, "margin", "confidence", "entropy", "learning_loss", "margin_spread"])
def test_while_one_class_is_known_the_picks_are_spread_and_not_the_first_rows(name: str) -> None:
    vectors = np.random.default_rng(1).standard_normal((300, 4), dtype=np.float32)
    pool = known_pool(vectors, [290, 295, 299], [0, 0, 0], np.ones((300, 1), np.float32))
    picks = STRATEGIES[name](pool, 10, np.random.default_rng(0))
    assert max(picks) > 50


@pytest.mark.parametrize("name", NAMES)
def test_a_vector_that_is_not_finite_is_refused(name: str) -> None:
    vectors = VECTORS.copy()
    vectors[[9, 10, 11]] = np.nan
    chances = np.full((30, 2), 0.5, dtype=np.float32)
    with pytest.raises(ValueError, match=r"finite|NaN"):
        STRATEGIES[name](known_pool(vectors, [3, 4, 12, 13], [0, 1, 0, 1], chances), 20, np.random.default_rng(0))
