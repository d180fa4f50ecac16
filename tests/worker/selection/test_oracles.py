"""The strategies against scikit-activeml, where it can be given the same input."""

from dataclasses import replace

import numpy as np
import pytest
from skactiveml.pool import CoreSet, ProbCover, TypiClust, uncertainty_scores
from skactiveml.pool._badge import _d_2 as squared_away
from skactiveml.pool._bald import batch_bald as joint_information

from tests.worker.selection.pools import blobs, known_pool
from worker.learning.classifier import HIDDEN
from worker.selection import confidence, entropy, k_center, margin, probcover, typiclust
from worker.selection.badge import far_apart
from worker.selection.batch_bald import greedy_joint

RNG = np.random.default_rng
MIDDLES = [[0.0, 0.0], [50.0, 0.0], [0.0, 50.0], [50.0, 50.0], [25.0, 90.0]]


def unlabelled(n: int, labelled: list[int]) -> np.ndarray:
    """(n,) labels as scikit-activeml wants them: NaN where there is none."""
    labels = np.full(n, np.nan)
    labels[labelled] = 0
    return labels


@pytest.mark.parametrize(
    ("strategy", "method"),
    [(confidence, "least_confident"), (margin, "margin_sampling"), (entropy, "entropy")],
)
def test_the_uncertain_come_in_the_oracles_order(strategy, method: str) -> None:
    chances = RNG(0).dirichlet(np.ones(5), 80).astype(np.float32)
    pool = known_pool(RNG(1).random((80, 2)), [1, 2, 3], [0, 1, 2], chances)
    scores = uncertainty_scores(chances / chances.sum(axis=1, keepdims=True, dtype=float), method=method)
    wanted = [row for row in np.argsort(-scores) if row not in (1, 2, 3)]
    assert strategy.select(pool, 77, RNG(0)) == wanted


def test_k_center_is_the_oracles_core_set() -> None:
    vectors = RNG(0).standard_normal((150, 6), dtype=np.float32)
    picks = CoreSet(random_state=0).query(vectors, unlabelled(150, [0, 7]), batch_size=40)
    assert k_center.select(known_pool(vectors, [0, 7], [0, 1]), 40, RNG(0)) == picks.tolist()


def test_typiclust_is_the_oracles() -> None:
    vectors, _ = blobs(MIDDLES, [70, 60, 50, 40, 30], spread=1)
    oracle = TypiClust(random_state=0, k=typiclust.NEIGHBOURS, cluster_algo_dict={"n_init": 10})
    picks = oracle.query(vectors, unlabelled(250, [71, 200]), batch_size=3)
    assert typiclust.select(known_pool(vectors, [71, 200], [0, 1]), 3, RNG(0)) == picks.tolist()


class Halves:
    """Two clusters, by the first number."""

    def __init__(self, n_clusters: int) -> None:
        self.n_clusters = n_clusters

    def fit_predict(self, vectors: np.ndarray) -> np.ndarray:
        return (vectors[:, 0] > 0).astype(np.int64)


@pytest.mark.filterwarnings("ignore:The maximum purity")  # a single delta is not tried for purity
def test_probcover_picks_what_the_oracle_finds_best_and_delta_is_its_delta() -> None:
    vectors = RNG(0).standard_normal((120, 2), dtype=np.float32)
    homes = Halves(2).fit_predict(vectors)
    delta = probcover.radius(vectors, homes) ** 0.5
    grid = np.arange(1, 400) * delta / 200.5
    oracle = ProbCover(n_classes=2, deltas=grid, cluster_algo=Halves, random_state=0)
    oracle.query(vectors, unlabelled(120, [0]))
    assert oracle.delta_max_ == pytest.approx(delta, rel=0.01)
    points = probcover.cover(vectors, np.zeros(120, dtype=bool), delta**2, 30)
    for done, point in enumerate(points[1:], 1):
        same = ProbCover(n_classes=2, deltas=[delta * (1 - 1e-6)], cluster_algo=Halves, random_state=0)
        _, worth = same.query(vectors, unlabelled(120, points[:done]), return_utilities=True)
        assert worth[0, point] == np.nanmax(worth) > 0


@pytest.mark.parametrize("seed", range(3))
def test_batch_bald_picks_what_the_oracle_finds_best(seed: int) -> None:
    chances = RNG(seed).dirichlet(np.full(3, 0.5), (10, 40)).astype(np.float32)
    worth = joint_information(chances.astype(float), 4, n_MC_samples=1000, random_state=0)
    assert greedy_joint(chances, 4, RNG(0)) == np.nanargmax(worth, axis=1).tolist()


def test_badge_draws_by_the_distances_that_the_oracle_draws_by() -> None:
    left, right = RNG(0).normal(0, 1, (60, 3)), RNG(1).random((60, HIDDEN))
    gradients = (left[:, :, None] * right[:, None]).reshape(60, -1)
    points, draws = [int(squared_away(gradients, []).argmax())], RNG(3)
    away = np.full(60, np.inf)
    while len(points) < 20:
        away = squared_away(gradients, points[-1:], away)
        points.append(int(np.searchsorted(np.cumsum(away), draws.random() * away.sum(), side="right")))
    assert far_apart(left.astype(np.float32), right.astype(np.float32), 20, RNG(3)) == points


def test_taken_rows_are_centres_of_the_oracle_too() -> None:
    vectors = RNG(0).standard_normal((60, 3), dtype=np.float32)
    pool = replace(known_pool(vectors, [0], [0]), taken=np.array([5, 9]))
    picks = CoreSet(random_state=0).query(vectors, unlabelled(60, [0, 5, 9]), batch_size=10)
    assert k_center.select(pool, 10, RNG(0)) == picks.tolist()
