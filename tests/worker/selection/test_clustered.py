"""Strategies that look for doubt first and spread it over clusters: informative_diverse, margin_cluster_mean, -_spread, dmbal."""

from dataclasses import replace

import numpy as np

from tests.worker.selection.pools import blobs, known_pool, two_class_chances
from worker.selection import dmbal, informative_diverse, margin_cluster_mean, margin_spread
from worker.selection.clustering import at_centers, k_means
from worker.selection.informative_diverse import means_of, shares
from worker.selection.margin_spread import lengthened, spread

FAR = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0]]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_informative_diverse_takes_of_each_cluster_its_share_and_there_the_smallest_margins() -> None:
    middles = [[50.0 * home, 0.0] for home in range(10)]
    vectors, homes = blobs(middles, [20] * 10)
    gaps = np.linspace(0.01, 0.99, 200).astype(np.float32)  # margins rise from cloud to cloud: doubt alone takes 0 only
    pool = known_pool(vectors, [198, 199], [0, 1], two_class_chances(gaps))
    picks = informative_diverse.select(pool, 20, rng())
    assert sorted(picks) == sorted(row for home in range(10) for row in [20 * home, 20 * home + 1])
    assert len({homes[row] for row in picks}) == 10


def test_shares_are_whole_parts_and_then_the_largest_rests() -> None:
    assert shares(np.array([70, 20, 10]), 10) == [7, 2, 1]
    assert shares(np.array([66, 24, 10]), 10) == [7, 2, 1]  # 6.6, 2.4, 1.0
    assert shares(np.array([1, 0, 99]), 100) == [1, 0, 99]
    assert shares(np.array([5, 5]), 0) == [0, 0]


def test_the_tree_finds_the_means_of_clouds_of_unequal_size() -> None:
    vectors, _ = blobs(FAR, [30, 5, 100])
    found = means_of(vectors, 3)
    wanted = np.stack([vectors[:30].mean(axis=0), vectors[30:35].mean(axis=0), vectors[35:].mean(axis=0)])
    assert np.allclose(found[np.lexsort(found.T)], wanted[np.lexsort(wanted.T)], atol=1e-4)
    assert len(means_of(vectors[:2], 3)) == 2


def test_a_sample_under_the_tree_still_lets_every_row_be_picked(monkeypatch) -> None:
    monkeypatch.setattr(informative_diverse, "SAMPLE", 40)
    vectors, _ = blobs(FAR, [100, 100, 100])
    gaps = np.full(300, 0.9, dtype=np.float32)
    gaps[[7, 107, 207]] = 0.1
    pool = known_pool(vectors, [298, 299], [0, 1], two_class_chances(gaps))
    monkeypatch.setattr(informative_diverse, "clusters_of", lambda _: 3)
    assert sorted(informative_diverse.select(pool, 3, rng())) == [7, 107, 207]


def test_margin_cluster_mean_picks_in_the_middle_of_each_cloud_inside_the_margin() -> None:
    vectors, _ = blobs([*FAR, [50.0, 50.0]], [21, 21, 21, 60], spread=1)
    gaps = np.full(len(vectors), 0.95, dtype=np.float32)  # the fourth cloud is outside the margin
    gaps[:63] = np.linspace(0.01, 0.45, 63)  # the nine of smallest margin lie in the first cloud
    pool = known_pool(vectors, [121, 122], [0, 1], two_class_chances(gaps))
    middles = []
    for lo in [0, 21, 42]:
        cloud = vectors[lo : lo + 21]
        middles.append(lo + int(((cloud - cloud.mean(axis=0)) ** 2).sum(axis=1).argmin()))
    assert sorted(margin_cluster_mean.select(pool, 3, rng())) == middles


def test_margin_cluster_mean_stays_with_the_smallest_margins_where_the_margin_is_crowded(monkeypatch) -> None:
    monkeypatch.setattr(margin_cluster_mean, "MOST", 10)
    vectors, _ = blobs(FAR, [40, 40, 40])
    gaps = np.linspace(0.01, 0.4, 120).astype(np.float32)
    pool = known_pool(vectors, [118, 119], [0, 1], two_class_chances(gaps))
    assert set(margin_cluster_mean.select(pool, 2, rng())) <= set(range(10))


def test_dmbal_spreads_over_the_most_doubtful_and_leaves_the_sure_alone() -> None:
    vectors, homes = blobs([*FAR, [50.0, 50.0]], [10, 10, 10, 90], spread=1)
    gaps = np.full(120, 0.9, dtype=np.float32)
    gaps[:30] = np.linspace(0.01, 0.3, 30)  # 10 k candidates: the first three clouds
    pool = known_pool(vectors, [118, 119], [0, 1], two_class_chances(gaps))
    assert sorted(homes[row] for row in dmbal.select(pool, 3, rng())) == [0, 1, 2]


def test_dmbal_lets_the_more_doubtful_pull_the_centre() -> None:
    line = np.arange(10, dtype=np.float32)[:, None]
    gaps = np.full(12, 0.99, dtype=np.float32)
    gaps[7] = 0.0  # weighs a hundred times as much as each of the others
    pool = known_pool(np.concatenate([line, [[900], [901]]]), [10, 11], [0, 1], two_class_chances(gaps))
    assert dmbal.select(pool, 1, rng()) == [7]
    even = known_pool(pool.vectors, [10, 11], [0, 1], two_class_chances(np.full(12, 0.5)))
    assert dmbal.select(even, 1, rng())[0] in (4, 5)  # the plain mean, 4.5


def test_each_centre_takes_another_point() -> None:
    vectors = np.array([[0.0], [1.0], [5.0]], dtype=np.float32)
    centers = np.array([[0.1], [0.0], [0.2]], dtype=np.float32)
    assert at_centers(vectors, centers) == [0, 1, 2]


def test_both_kinds_of_k_means_find_far_clouds(monkeypatch) -> None:
    vectors, homes = blobs(FAR, [200, 200, 200])
    for many in [10_000, 100]:
        monkeypatch.setattr("worker.selection.clustering.MANY", many)
        found, centers = k_means(vectors, 3, rng())
        assert len(set(zip(homes, found.tolist(), strict=True))) == 3
        assert np.allclose(np.sort(centers, axis=0), np.sort(np.array(FAR), axis=0), atol=0.1)


def test_margin_spread_asks_one_doubt_of_each_kind_before_a_second_one() -> None:
    vectors, homes = blobs([[50.0, 0.0], [0.0, 50.0], [-50.0, 0.0]], [8, 20, 20])
    gaps = np.concatenate([np.full(8, 0.10), np.full(20, 0.12), np.full(20, 0.99)]).astype(np.float32)
    pool = known_pool(vectors, [46, 47], [0, 1], two_class_chances(gaps))
    two, four = (margin_spread.select(pool, k, rng()) for k in (2, 4))
    assert sorted(homes[row] for row in two) == [0, 1]  # margin alone takes two of home 0
    assert {homes[row] for row in four} == {0, 1}  # the sure cloud lies outside 5 k


def test_margin_spread_is_the_greedy_it_says() -> None:
    chance = np.random.default_rng(4)
    vectors = chance.standard_normal((60, 6)).astype(np.float32)
    gaps = chance.random(60).astype(np.float32)
    pool = known_pool(vectors, [3, 8], [0, 1], two_class_chances(gaps))
    rows = sorted((row for row in range(60) if row not in (3, 8)), key=lambda row: gaps[row])[:40]
    length_one = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    picks: list[int] = []
    while len(picks) < 8:

        def worth(row: int) -> float:
            near = min((float(((length_one[row] - length_one[pick]) ** 2).sum()) for pick in picks), default=1.0)
            return (1 - float(gaps[row])) * near

        picks.append(max((row for row in rows if row not in picks), key=worth))
    assert margin_spread.select(pool, 8, rng()) == picks


def test_margin_spread_asked_for_more_goes_on_as_if_it_had_been_asked_at_once() -> None:
    draws = np.random.default_rng(5)
    vectors, doubts = lengthened(draws.standard_normal((40, 4)).astype(np.float32)), draws.random(40, dtype=np.float32)
    points = spread(doubts, vectors, 8, vectors[:0])
    others = np.setdiff1d(np.arange(40), points[:5])
    more = spread(doubts[others], vectors[others], 3, vectors[points[:5]])
    assert others[more].tolist() == points[5:]
    pool = known_pool(vectors, [0, 1], [0, 1], two_class_chances(np.linspace(0.1, 0.9, 40).astype(np.float32)))
    first = np.array(margin_spread.select(pool, 5, rng()))
    again = replace(pool, taken=first)
    assert margin_spread.select(again, 3, rng()) != margin_spread.select(replace(again, picked=first), 3, rng())
