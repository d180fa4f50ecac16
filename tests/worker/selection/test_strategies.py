"""What holds for every strategy, and the order that the uncertain ones give."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.learning.small_games import shorten
from tests.worker.selection.pools import make_pool
from worker.selection.confidence import select as least_confident
from worker.selection.entropy import entropies
from worker.selection.errors import NotEnough
from worker.selection.margin import margins
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES

# those that teach a network at each call are tried less often
EXAMPLES = {"discriminative": 6, "ensemble": 8}
EXAMPLES |= dict.fromkeys(["bald", "batch_bald", "badge", "deepfool", "exploration_p"], 8)
EXAMPLES |= dict.fromkeys(["typiclust", "probcover", "margin_cluster_mean", "dmbal", "informative_diverse"], 20)
EXAMPLES |= dict.fromkeys(["learning_loss", "waal", "vaal", "ta_vaal", "sraal", "latent_k_center"], 6)


@pytest.fixture(autouse=True)
def short_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """How well a network learns is no matter here."""
    monkeypatch.setattr("worker.learning.classifier.COLD_STEPS", (10, 10))
    monkeypatch.setattr("worker.learning.classifier.WARM_STEPS", 5)


def small_pool(n: int, gone: list[int], split: int) -> Pool:
    chance = np.random.default_rng(n)
    vectors = chance.integers(0, 3, (n, 3)).astype(np.float32)
    pool = make_pool(vectors, gone[:split], taken=gone[split:])
    return replace(pool, crops=chance.integers(0, 256, (n, 5, 6, 3), dtype=np.uint8))


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """What must hold of any picks holds after two steps of training."""
    shorten(monkeypatch)


@pytest.mark.parametrize("name", STRATEGIES)
def test_picks_are_k_different_open_rows_and_the_same_twice(name: str) -> None:
    @settings(max_examples=EXAMPLES.get(name, 60), deadline=None)
    @given(n=st.integers(1, 60), data=st.data())
    def holds(n: int, data: st.DataObject) -> None:
        gone = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=n))
        split = data.draw(st.integers(0, len(gone)))
        k = data.draw(st.integers(0, n - len(gone)))
        seed = data.draw(st.integers(0, 9))
        picks = STRATEGIES[name](small_pool(n, gone, split), k, np.random.default_rng(seed))
        again = STRATEGIES[name](small_pool(n, gone, split), k, np.random.default_rng(seed))
        assert len(picks) == len(set(picks)) == k
        assert not set(picks) & set(gone)
        assert all(type(row) is int and 0 <= row < n for row in picks)
        assert picks == again

    holds()


@pytest.mark.parametrize("name", STRATEGIES)
def test_halves_are_picked_as_the_same_numbers_in_float32(name: str) -> None:
    chance = np.random.default_rng(4)
    halves = chance.standard_normal((60, 8)).astype(np.float16)
    crops = chance.integers(0, 256, (60, 5, 6, 3), dtype=np.uint8)
    stored = replace(make_pool(halves, [1, 2, 3, 4, 5, 6], taken=[9]), crops=crops)
    whole = replace(stored, vectors=halves.astype(np.float32))
    assert STRATEGIES[name](stored, 8, np.random.default_rng(0)) == STRATEGIES[name](whole, 8, np.random.default_rng(0))


@pytest.mark.parametrize("name", STRATEGIES)
def test_more_rows_than_are_open_are_refused(name: str) -> None:
    with pytest.raises(NotEnough):
        STRATEGIES[name](small_pool(10, [1, 2, 3], 2), 8, np.random.default_rng(0))


@pytest.mark.parametrize("name", ["confidence", "margin", "entropy"])
def test_probabilities_that_are_not_finite_are_named(name: str) -> None:
    chances = np.full((6, 2), 0.5, dtype=np.float32)
    chances[4] = np.nan
    pool = small_pool(6, [0], 1)
    object.__setattr__(pool, "fit", lambda: chances)
    with pytest.raises(ValueError, match="row 4"):
        STRATEGIES[name](pool, 2, np.random.default_rng(0))


def test_uncertain_rows_come_first_and_ties_go_to_the_lowest_row() -> None:
    chances = np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5], [0.6, 0.4], [0.5, 0.5]], dtype=np.float32)
    pool = small_pool(5, [], 0)
    object.__setattr__(pool, "fit", lambda: chances)
    for name in ["confidence", "margin", "entropy"]:
        assert STRATEGIES[name](pool, 3, np.random.default_rng(0)) == [2, 4, 1]
    assert least_confident(pool, 4, np.random.default_rng(0)) == [2, 4, 1, 3]


def test_margin_and_entropy_as_the_papers_say() -> None:
    chances = np.array([[0.7, 0.2, 0.1], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3]], dtype=np.float32)
    assert margins(chances) == pytest.approx([0.5, 1, 0], abs=1e-6)
    assert margins(chances[:, :1]) == pytest.approx([0.7, 1, 1 / 3])
    assert entropies(chances) == pytest.approx([0.8018, 0, np.log(3)], abs=1e-4)


def test_a_pool_refuses_arrays_that_disagree() -> None:
    vectors = np.zeros((4, 2), dtype=np.float32)
    for labelled, taken in [([0, 4], []), ([-1], []), ([1, 1], []), ([1], [1])]:
        with pytest.raises(ValueError, match="row"):
            make_pool(vectors, labelled, taken=taken)
    with pytest.raises(ValueError, match="vectors"):
        make_pool(np.zeros(4, dtype=np.float32), [])
