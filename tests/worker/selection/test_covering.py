"""Strategies that look at where nobody has looked: typiclust, probcover, discriminative."""

from dataclasses import replace

import numpy as np
import pytest

from tests.worker.selection.pools import blobs, known_pool
from worker.selection import discriminative, probcover, typiclust

RNG = np.random.default_rng
MIDDLES = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [50.0, 50.0]]


def most_typical(vectors: np.ndarray, rows: list[int], near: int = 20) -> int:
    """The row of these with the smallest mean distance to its nearest ones, by loops."""
    far = {
        row: sorted(float(np.linalg.norm(vectors[row] - vectors[other])) for other in rows if other != row)
        for row in rows
    }
    return min(rows, key=lambda row: np.mean(far[row][:near]))


def test_typiclust_takes_the_most_typical_of_the_largest_clusters_without_a_label() -> None:
    vectors, _ = blobs(MIDDLES, [60, 50, 40, 30], spread=1)
    pool = known_pool(vectors, [3], [0])
    second, third = most_typical(vectors, list(range(60, 110))), most_typical(vectors, list(range(110, 150)))
    fourth = most_typical(vectors, list(range(150, 180)))
    assert typiclust.select(pool, 3, RNG(0)) == [second, third, fourth]


def test_typiclust_comes_back_to_a_cluster_when_all_are_looked_at_and_to_small_ones_last(monkeypatch) -> None:
    vectors, homes = blobs(MIDDLES, [40, 30, 20, 4], spread=0.5)
    monkeypatch.setattr(typiclust, "MOST_CLUSTERS", 4)
    picks = typiclust.select(known_pool(vectors, [], []), 94, RNG(0))
    assert [homes[row] for row in picks[:7]] == [0, 1, 2, 0, 1, 2, 0]
    assert [homes[row] for row in picks[-4:]] == [3] * 4


def test_typiclust_counts_taken_rows_as_looked_at() -> None:
    vectors, homes = blobs(MIDDLES, [60, 50, 40, 30], spread=1)
    pool = replace(known_pool(vectors, [61], [0]), taken=np.array([5, 160]))
    assert [homes[row] for row in typiclust.select(pool, 1, RNG(0))] == [2]


def test_in_a_crowd_only_some_are_compared_and_the_rest_come_last(monkeypatch) -> None:
    monkeypatch.setattr(typiclust, "CROWD", 10)
    vectors, _ = blobs(MIDDLES[:1], [50])
    order = typiclust.by_typicality(vectors, np.arange(50), 45, RNG(0))
    compared = np.sort(RNG(0).choice(50, 10, replace=False))
    assert sorted(order) == list(range(45))
    assert set(order[: (compared < 45).sum()]) == set(compared[compared < 45].tolist())


def slow_radius(vectors: np.ndarray, homes: np.ndarray) -> float:
    """The largest of all distances at which 95% of the open balls are pure (Yehuda et al. 2022, sec. 3.2), by trying."""
    away = np.linalg.norm(vectors[:, None] - vectors[None], axis=2)
    other = homes[:, None] != homes[None]
    pure = [delta for delta in np.unique(away) if 1 - ((away < delta) & other).any(axis=1).mean() >= 0.95 - 1e-9]
    return float(max(pure))


@pytest.mark.parametrize("n", [1, 19, 20, 57, 100])
def test_delta_is_the_largest_radius_of_pure_balls(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probcover, "BLOCK", 16)
    vectors = RNG(n).normal(0, 1, (n, 3)).astype(np.float32)
    homes = (vectors[:, 0] > 0).astype(np.int64)
    if len(set(homes)) == 1:
        assert probcover.radius(vectors, homes) == np.inf
    else:
        assert probcover.radius(vectors, homes) ** 0.5 == pytest.approx(slow_radius(vectors, homes), rel=1e-4)


def slow_cover(vectors: np.ndarray, covered: np.ndarray, delta: float, k: int) -> list[int]:
    """Algorithm 1 of Yehuda et al. 2022: a graph, and edges to covered rows are taken out."""
    edges = np.linalg.norm(vectors[:, None] - vectors[None], axis=2) < delta
    edges[:, covered] = False
    points: list[int] = []
    for _ in range(k):
        if not edges.any():
            break
        points.append(int(edges.sum(axis=1).argmax()))
        edges[:, edges[points[-1]]] = False
    return points


@pytest.mark.parametrize("seed", range(5))
def test_probcover_is_greedy_on_the_graph(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probcover, "BLOCK", 13)
    vectors = RNG(seed).normal(0, 1, (150, 2)).astype(np.float32)
    covered = RNG(seed).random(150) < 0.3
    for delta in [0.05, 0.3, 1.0]:
        points = probcover.cover(vectors, covered, delta**2, 60)
        assert points == slow_cover(vectors, covered, delta, 60)


def test_probcover_starts_in_the_largest_cloud_that_no_label_covers(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors, homes = blobs([[50.0 * home, 0.0] for home in range(10)], [30, 29, 60, 27, 26, 25, 24, 23, 22, 21])
    monkeypatch.setattr(probcover, "k_means", lambda some, *_: ((some[:, 0] / 50).round().astype(np.int64), None))
    pool = known_pool(vectors, [0, 31], [0, 1])
    # balls reach over their cloud and no farther: 95% are pure, and the clouds are 50 apart
    picks = probcover.select(pool, 8, RNG(0))
    assert homes[picks[0]] == 2 and sorted(homes[row] for row in picks) == [2, 3, 4, 5, 6, 7, 8, 9]


def test_probcover_goes_on_by_chance_when_all_is_covered() -> None:
    vectors, _ = blobs([[50.0 * home, 0.0] for home in range(10)], [12] * 10)
    pool = known_pool(vectors, [], [])
    one, other = probcover.select(pool, 40, RNG(1)), probcover.select(pool, 40, RNG(2))
    assert len(set(one)) == 40 and set(one[10:]) != set(other[10:])


def test_discriminative_goes_where_no_label_is_and_then_on_from_where_it_has_been() -> None:
    vectors, homes = blobs(MIDDLES, [100, 20, 20, 20], spread=1)
    pool = known_pool(vectors, list(range(60)), [0] * 60)
    picks = discriminative.select(pool, 10, RNG(0))
    assert {homes[row] for row in picks} == {1, 2, 3}


def test_discriminative_starts_by_chance_where_nobody_has_looked_and_taken_rows_count_as_looked_at() -> None:
    vectors, homes = blobs(MIDDLES[:2], [60, 60], spread=1)
    nothing = known_pool(vectors, [], [])
    assert len({discriminative.select(nothing, 1, RNG(seed))[0] for seed in range(5)}) > 1
    taken = replace(nothing, taken=np.arange(50))
    assert homes[discriminative.select(taken, 1, RNG(0))[0]] == 1


def test_sub_batches_add_up() -> None:
    assert discriminative.sub_batches(0) == []
    assert discriminative.sub_batches(3) == [1, 1, 1]
    assert discriminative.sub_batches(104) == [11, 11, 11, 11, 10, 10, 10, 10, 10, 10]
