"""k-center against its slow twin."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tests.worker.selection.pools import make_pool, slow_k_center
from worker.selection import coverage as coverage_module
from worker.selection import nearest
from worker.selection.coverage import Coverage
from worker.selection.errors import NotEnough
from worker.selection.k_center import k_center, select

RNG = np.random.default_rng(0)


def cloud(n: int, d: int = 8, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, d), dtype=np.float32)


@pytest.mark.parametrize("n", [1, 2, 9, 10, 60])
@pytest.mark.parametrize("m", [0, 1, 7])
def test_it_picks_what_brute_force_picks(n: int, m: int) -> None:
    vectors, centers = cloud(n), cloud(m, seed=1)
    k = min(n, 10)
    assert k_center(vectors, centers, k) == slow_k_center(vectors, centers, k)


@settings(max_examples=150, deadline=None)
@given(
    vectors=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 40), st.just(2)), elements=st.sampled_from([0, 1, 2, 3])
    ),
    m=st.integers(0, 5),
    data=st.data(),
)
def test_ties_and_duplicates_go_to_the_lowest_row(vectors: np.ndarray, m: int, data: st.DataObject) -> None:
    centers = vectors[: min(m, len(vectors))]
    k = data.draw(st.integers(0, len(vectors)))
    assert k_center(vectors, centers, k) == slow_k_center(vectors, centers, k)


@settings(max_examples=100, deadline=None)
@given(
    vectors=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 30), st.just(3)), elements=st.floats(-1e3, 1e3, width=32)
    ),
    centers=arrays.arrays(
        np.float32, st.tuples(st.integers(0, 6), st.just(3)), elements=st.floats(-1e3, 1e3, width=32)
    ),
)
def test_near_ties_are_settled_by_the_distance_itself(vectors: np.ndarray, centers: np.ndarray) -> None:
    assert k_center(vectors, centers, len(vectors)) == slow_k_center(vectors, centers, len(vectors))


def test_vectors_far_from_the_origin_keep_the_same_picks() -> None:
    vectors = cloud(80) * np.float32(1e-3) + np.float32(100)
    assert k_center(vectors, vectors[:5], 40) == slow_k_center(vectors, vectors[:5], 40)


def test_all_equal_rows_are_picked_in_order() -> None:
    vectors = np.ones((50, 4), dtype=np.float32)
    assert k_center(vectors, vectors[:1], 20) == list(range(20))
    assert k_center(vectors, vectors[:0], 20) == list(range(20))


def test_no_rows_and_no_picks() -> None:
    empty = np.empty((0, 4), dtype=np.float32)
    assert k_center(empty, empty, 0) == []
    assert k_center(cloud(5), cloud(0), 0) == []
    with pytest.raises(NotEnough):
        k_center(empty, empty, 1)


def test_asking_for_all_rows_works_and_for_one_more_does_not() -> None:
    vectors = cloud(12)
    assert sorted(k_center(vectors, vectors[:2], 12)) == list(range(12))
    with pytest.raises(NotEnough):
        k_center(vectors, vectors[:2], 13)


def test_many_refills_of_a_short_list_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in [("PAIRS", 7), ("SHORTLIST", 18), ("SAMPLE", 100), ("SMALLEST", 2)]:
        monkeypatch.setattr(coverage_module, name, value)
    vectors = np.repeat(cloud(40), 30, axis=0) + cloud(1200, seed=2) * np.float32(0.01)
    picks = slow_k_center(vectors, vectors[:3], 60)
    coverage = Coverage(vectors, vectors[:3])
    assert [row for _ in range(60) for row in coverage.farthest(1)] == picks
    assert k_center(vectors, vectors[:3], 60) == picks


def test_many_centres_go_through_cells_and_the_picks_stay() -> None:
    vectors, centers = cloud(300, d=16), cloud(nearest.FLAT + 50, d=16, seed=3)
    assert k_center(vectors, centers, 30) == slow_k_center(vectors, centers, 30)


def test_any_guess_of_the_nearest_centre_gives_the_same_picks() -> None:
    vectors, centers = cloud(200), cloud(20, seed=4)
    guess = np.random.default_rng(5).integers(0, 20, 200).astype(np.int32)
    assert Coverage(vectors, centers, guess).farthest(30) == k_center(vectors, centers, 30)


def test_a_kept_coverage_picks_as_a_fresh_one() -> None:
    vectors = cloud(500)
    kept = Coverage.of_rows(vectors, np.arange(10))
    first = kept.farthest(20)
    kept.add(np.array([400, 401]))
    gone = np.array([*range(10), *first, 400, 401])
    assert kept.farthest(20) == slow_k_center(vectors, vectors[gone], 20, set(gone.tolist()))


def test_a_stored_coverage_goes_on_and_takes_in_new_rows() -> None:
    vectors = cloud(400)
    kept = Coverage.of_rows(vectors[:300], np.arange(10))
    first = kept.farthest(20)
    back = Coverage.resumed(vectors, {name: array.copy() for name, array in kept.to_arrays().items()})
    gone = np.array([*range(10), *first])
    assert back.farthest(40) == slow_k_center(vectors, vectors[gone], 40, set(gone.tolist()))


def test_a_stored_coverage_of_other_vectors_is_refused() -> None:
    kept = Coverage.of_rows(cloud(30), np.arange(3))
    with pytest.raises(ValueError, match="does not fit 20 vectors"):
        Coverage.resumed(cloud(20), kept.to_arrays())
    with pytest.raises(ValueError, match="no row"):
        Coverage(cloud(30), cloud(3)).to_arrays()


@settings(max_examples=60, deadline=None)
@given(
    rounds=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 5)), max_size=6),
    seed=st.integers(0, 99),
    shortlist=st.sampled_from([1, 2, 7, 500]),
)
def test_any_mixture_of_rounds_and_foreign_choices_is_plain_greedy(
    rounds: list[tuple[int, int]], seed: int, shortlist: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:  # ties on both sides of the end of the list
        patch.setattr(coverage_module, "SHORTLIST", shortlist)
        play(rounds, seed)


def play(rounds: list[tuple[int, int]], seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(0, 4, (120, 3)).astype(np.float32)
    kept, gone = Coverage.of_rows(vectors, np.arange(2)), [0, 1]
    for picked, foreign in rounds:
        expected = slow_k_center(vectors, vectors[gone], picked, set(gone))
        assert kept.farthest(picked) == expected
        gone += expected
        others = rng.choice(np.setdiff1d(np.arange(120), gone), foreign, replace=False)
        kept.add(others)
        gone += others.tolist()


def test_a_coverage_in_the_pool_never_changes_the_picks() -> None:
    vectors = cloud(300)
    pool = make_pool(vectors, [1, 2, 3], taken=[9])
    warm = make_pool(vectors, [1, 2, 3], taken=[9])
    object.__setattr__(warm, "coverage", Coverage.of_rows(vectors, np.array([1, 2, 3])))
    expected = slow_k_center(vectors, vectors[[1, 2, 3, 9]], 25, {1, 2, 3, 9})
    assert select(pool, 25, RNG) == select(warm, 25, RNG) == select(warm, 25, RNG) == expected


def test_memory_mapped_vectors_are_read_and_left_alone(tmp_path) -> None:
    vectors = cloud(200)
    np.save(tmp_path / "vectors.npy", vectors)
    mapped = np.load(tmp_path / "vectors.npy", mmap_mode="r")
    assert select(make_pool(mapped, [0, 5]), 20, RNG) == slow_k_center(vectors, vectors[[0, 5]], 20, {0, 5})


def test_halves_are_picked_by_the_distances_of_the_numbers_as_stored() -> None:
    halves = cloud(400).astype(np.float16)
    whole = halves.astype(np.float32)
    kept = Coverage.of_rows(halves, np.arange(10))
    first = kept.farthest(30)
    assert first == slow_k_center(whole, whole[:10], 30, set(range(10)))
    gone = [*range(10), *first]
    back = Coverage.resumed(halves, kept.to_arrays())
    assert back.farthest(20) == slow_k_center(whole, whole[gone], 20, set(gone))
    assert Coverage(halves, halves[:0]).farthest(5) == slow_k_center(whole, whole[:0], 5)


@pytest.mark.parametrize("works", [True, False])
def test_a_card_is_asked_where_there_is_one_and_done_without_where_it_says_no(
    monkeypatch: pytest.MonkeyPatch, works: bool
) -> None:
    """A card that is not there: FAISS would search the same index on it."""
    asked = []

    def to_card(_resources: object, number: int, index: object) -> object:
        asked.append(number)
        if not works:
            raise RuntimeError("CUDA error 2 out of memory")
        return index

    rng = np.random.default_rng(0)
    vectors, centers = rng.random((300, 8), dtype=np.float32), rng.random((200, 8), dtype=np.float32)
    expected = k_center(vectors, centers, 20)
    monkeypatch.setattr(nearest.faiss, "get_num_gpus", lambda: 1)
    monkeypatch.setattr(nearest.faiss, "StandardGpuResources", object, raising=False)
    monkeypatch.setattr(nearest.faiss, "index_cpu_to_gpu", to_card, raising=False)
    assert k_center(vectors, centers, 20) == expected
    assert asked and set(asked) == {0}


def test_later_rounds_compare_few_pairs() -> None:
    rng = np.random.default_rng(8)
    vectors = 3 * cloud(40, seed=9)[rng.integers(0, 40, 20_000)] + cloud(20_000)
    kept = Coverage.of_rows(vectors, np.arange(500))
    kept.farthest(100)
    before = kept.compared
    kept.farthest(100)
    assert kept.compared - before < 0.1 * 100 * len(vectors)


@pytest.mark.parametrize("m", [1, nearest.FLAT, 400])
def test_what_is_found_lies_as_near_as_is_said(m: int) -> None:
    vectors, centers = cloud(3_000, d=16), cloud(m, d=16, seed=3)
    found, distances = nearest.nearest_centers(vectors, centers)
    true = ((vectors[:, None] - centers) ** 2).sum(axis=2)
    assert np.allclose(distances, true[np.arange(3_000), found], rtol=1e-4)
    right = found == true.argmin(axis=1)
    assert right.all() if m <= nearest.FLAT else right.mean() > 0.3


def test_the_rows_farthest_from_what_was_found_are_searched_in_more_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, centers = cloud(3_000, d=16), cloud(400, d=16, seed=3)
    true = ((vectors[:, None] - centers) ** 2).sum(axis=2).min(axis=1)
    monkeypatch.setattr(nearest, "AGAIN", 80)  # all there are
    monkeypatch.setattr(nearest, "WORST", 4)
    worst = np.sort(nearest.nearest_centers(vectors, centers)[1] / true)[::-1]
    monkeypatch.setattr(nearest, "WORST", 1_000_000)
    assert worst.mean() < np.sort(nearest.nearest_centers(vectors, centers)[1] / true).mean()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e30])
def test_a_row_that_is_not_finite_is_named(bad: float) -> None:
    vectors = cloud(30)
    vectors[17, 3] = bad
    with pytest.raises(ValueError, match="row 17"):
        k_center(vectors, cloud(2), 3)


def test_shapes_and_types_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="must be"):
        k_center(cloud(5, d=4), cloud(5, d=3), 1)
    with pytest.raises(ValueError, match="float32 or float16"):
        k_center(cloud(5).astype(np.float64), cloud(2), 1)


def test_it_covers_clusters_better_than_chance() -> None:
    rng = np.random.default_rng(6)
    home = rng.choice(20, 2000, p=np.array([0.62] + [0.02] * 19))
    vectors = 20 * np.eye(20, dtype=np.float32)[home] + cloud(2000, d=20)  # far apart: 28 against a spread of 6
    picks = k_center(vectors, vectors[:1], 30)
    by_chance = rng.choice(2000, 30, replace=False)
    assert len(set(home[picks])) > len(set(home[by_chance]))
    assert len(set(home[picks])) == 20
