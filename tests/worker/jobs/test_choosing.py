"""What k-center knows is kept from round to round, through restarts and, in part, through a change of embedders."""

from __future__ import annotations

import numpy as np
import pytest

from models.round import Drawing
from models.storage import Store
from tests.worker.selection.pools import make_pool, slow_k_center
from worker.jobs.choosing import Choice, coverage_of, keep_coverage
from worker.selection import coverage as coverage_module
from worker.selection.coverage import Coverage

IDS = np.arange(100, 400)
GONE = list(range(0, 40, 2))


def cloud(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((300, 8), dtype=np.float32)


@pytest.fixture
def kept(store: Store) -> list[int]:
    """One round was chosen; what it knew lies in the store. Its picks."""
    coverage = Coverage.of_rows(cloud(1), np.array(GONE))
    picks = coverage.farthest(20)
    keep_coverage(store, 7, "one", Choice(2, "k_center", [], Drawing({}, 0, 0, 0.9, []), IDS, coverage))
    return picks


def test_after_a_restart_the_next_round_goes_on_from_what_was_known(store: Store, kept: list[int]) -> None:
    pool = make_pool(cloud(1), [*GONE, *kept])
    back = coverage_of(store.coverage(7), "one", pool, IDS)
    assert back.rows.tolist() == [*GONE, *kept] and back.started == len(GONE)
    assert back.checked.any()
    assert back.farthest(20) == slow_k_center(cloud(1), cloud(1)[[*GONE, *kept]], 20, {*GONE, *kept})


def test_other_vectors_start_from_the_nearest_centres_of_the_old_ones(
    store: Store, kept: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage_module, "nearest_centers", None)  # nothing is searched
    gone = [*kept, *GONE[:-1]]  # in another order, and one was taken back
    tuned = cloud(1) + np.float32(0.1) * cloud(2)
    fresh = coverage_of(store.coverage(7), "two", make_pool(tuned, gone), IDS)
    assert not fresh.checked.any()
    assert fresh.farthest(20) == slow_k_center(tuned, tuned[gone], 20, set(gone))


@pytest.mark.parametrize("spoil", ["cut", "other crops", "missing"])
def test_a_file_that_does_not_fit_changes_no_pick(store: Store, kept: list[int], spoil: str) -> None:
    path, ids = store.coverage(7), IDS
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:-20])
    elif spoil == "missing":
        path.unlink()
    else:
        ids = IDS + 1
    gone = [*GONE, *kept]
    fresh = coverage_of(path, "one", make_pool(cloud(1), gone), ids)
    assert fresh.started == len(gone)
    assert fresh.farthest(20) == slow_k_center(cloud(1), cloud(1)[gone], 20, set(gone))
