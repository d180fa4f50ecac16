"""Strategies that look into the classifier: badge, deepfool, exploration_p."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.worker.selection.pools import blobs, known_pool
from worker.learning.classifier import HIDDEN, Classifier, fit
from worker.selection import badge, deepfool, exploration_p
from worker.selection.entropy import entropies
from worker.selection.learnt import layers_of

RNG = np.random.default_rng


def taught(classes: int = 4, d: int = 6, seed: int = 0) -> tuple[Classifier, np.ndarray, np.ndarray]:
    vectors, homes = blobs(RNG(seed).normal(0, 2, (classes, d)).tolist(), [30] * classes, spread=1, seed=seed)
    labels = np.array(homes)
    return fit(vectors, labels, classes=list(range(classes)), seed=seed), vectors, labels


def linear(weights: list[list[float]], bias: list[float]) -> Classifier:
    """A network of two inputs that is linear where both are above -100: neuron i passes input i + 100."""
    hidden = np.zeros((HIDDEN, 2), dtype=np.float32)
    hidden[[0, 1], [0, 1]] = 1
    hidden_bias = np.zeros(HIDDEN, dtype=np.float32)
    hidden_bias[:2] = 100
    output = np.zeros((len(weights), HIDDEN), dtype=np.float32)
    output[:, :2] = weights
    lowered = np.array(bias, dtype=np.float32) - 100 * output[:, :2].sum(axis=1)
    zero, one = np.zeros(2, dtype=np.float32), np.ones(2, dtype=np.float32)
    return Classifier(list(range(len(weights))), 0, 0, zero, one, hidden, hidden_bias, output, lowered)


def test_the_layers_are_those_of_the_classifier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.selection.learnt.BLOCK", 7)
    network, vectors, _ = taught()
    rows = np.arange(3, 90, 2)
    inner, chances = layers_of(network, vectors, rows)
    assert np.allclose(chances, network.probabilities(vectors)[rows], atol=1e-5)
    assert inner.shape == (len(rows), HIDDEN) and (inner >= 0).all()


def test_badge_picks_what_k_means_plus_plus_picks_on_gradients_that_are_written_down() -> None:
    network, vectors, labels = taught()
    pool = replace(known_pool(vectors, [0, 40, 80], labels[[0, 40, 80]].tolist()), classifier=network)
    rows = pool.open_rows(0)
    inner, chances = layers_of(network, vectors, rows)
    gradients = np.stack(
        [np.outer(p - np.eye(4)[p.argmax()], h).ravel() for p, h in zip(chances.astype(float), inner, strict=True)]
    )
    draws, points = RNG(5), [int((gradients**2).sum(axis=1).argmax())]
    while len(points) < 25:
        away = ((gradients[:, None] - gradients[points]) ** 2).sum(axis=2).min(axis=1)
        points.append(int(np.searchsorted(np.cumsum(away), draws.random() * away.sum(), side="right")))
    assert badge.select(pool, 25, RNG(5)) == rows[points].tolist()


def test_badge_leaves_out_rows_without_a_gradient_until_nothing_else_is_left() -> None:
    left = np.zeros((50, 3), dtype=np.float32)
    left[[4, 9]] = [[1, 0, 0], [0, 1, 0]]
    points = badge.far_apart(left, np.ones((50, 5), dtype=np.float32), 50, RNG(0))
    # the first is the longest; every other one is as far from it as a certain row (1), but 9 is farther (2)
    assert points[0] == 4 and sorted(points) == list(range(50))
    often = sum(
        badge.far_apart(left[:12], np.ones((12, 5), dtype=np.float32), 2, RNG(seed))[1] == 9 for seed in range(300)
    )
    assert 30 < often < 75  # 2 of 2 + 10: 50 expected, standard deviation 6.5


def test_deepfool_measures_the_plain_distance_where_the_network_is_linear() -> None:
    network = linear([[3, 4], [0, 0]], [-10, 0])  # the boundary: 3 x + 4 y = 10, |w| = 5
    vectors = np.array([[2, 1], [0, 0], [10, 10], [-3, 1]], dtype=np.float32)
    assert deepfool.distances(network, vectors) == pytest.approx([0, 2, 12, 3], abs=1e-3)
    scaled = replace(network, scale=np.array([10, 1], dtype=np.float32))  # now 0.3 x + 4 y = 10
    assert deepfool.distances(scaled, vectors[1:2]) == pytest.approx([10 / np.hypot(0.3, 4)], abs=1e-3)


def test_deepfool_measures_to_the_nearest_of_several_boundaries_and_not_to_classes_without_a_label() -> None:
    network = linear([[0, 0], [1, 0], [0, 1]], [0, -4, -1])
    assert deepfool.distances(network, np.zeros((1, 2), dtype=np.float32)) == pytest.approx([1], abs=1e-3)
    unknown = replace(network, output_bias=np.array([0, -104, -1e4], dtype=np.float32))
    assert deepfool.distances(unknown, np.zeros((1, 2), dtype=np.float32)) == pytest.approx([4], abs=1e-3)


def slow_deepfool(network: Classifier, vector: np.ndarray) -> float:
    """Algorithm 2 of Moosavi-Dezfooli et al. 2016 in the space of the vectors, gradients by torch."""
    names = ["mean", "scale", "hidden", "hidden_bias", "output", "output_bias"]
    weights = {name: torch.tensor(getattr(network, name), dtype=torch.float64) for name in names}

    def scores(x: torch.Tensor) -> torch.Tensor:
        inner = (weights["hidden"] @ ((x - weights["mean"]) / weights["scale"]) + weights["hidden_bias"]).relu()
        return weights["output"] @ inner + weights["output_bias"]

    x0 = torch.tensor(vector, dtype=torch.float64)
    home, push = int(scores(x0).argmax()), torch.zeros_like(x0)
    for _ in range(50):
        x = x0 + 1.02 * push
        said = scores(x)
        if int(said.argmax()) != home:
            break
        slopes = torch.autograd.functional.jacobian(scores, x)
        best = None
        for other in range(len(said)):
            if other != home:
                w, f = slopes[other] - slopes[home], (said[other] - said[home]).abs()
                if best is None or f / w.norm() < best[0]:
                    best = (f / w.norm(), f / w.norm() ** 2 * w)
        push = push + best[1]
    return float(push.norm())


def test_deepfool_is_its_slow_twin_on_a_trained_network() -> None:
    network, vectors, _ = taught()
    slow = np.array([slow_deepfool(network, vector) for vector in vectors[::3]])
    assert deepfool.distances(network, vectors[::3]) == pytest.approx(slow, rel=2e-3, abs=1e-4)
    pool = replace(known_pool(vectors[::3], [], []), classifier=network)
    assert set(deepfool.select(pool, 8, RNG(0))) == set(np.argsort(slow)[:8].tolist())


def test_deepfool_puts_rows_that_no_push_moves_last() -> None:
    network = linear([[1, 0], [0, 0]], [0, 0])
    asleep = np.array([[5, 5], [-200, -200], [0.5, 0]], dtype=np.float32)
    assert deepfool.distances(network, asleep)[1] == np.inf
    assert deepfool.select(replace(known_pool(asleep, [], []), classifier=network), 3, RNG(0)) == [2, 0, 1]


def test_deepfool_asks_the_margin_first_where_rows_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deepfool, "CANDIDATES", 30)
    monkeypatch.setattr(deepfool, "SHARE", 1)
    network, vectors, labels = taught()
    pool = known_pool(vectors, [0, 40], labels[[0, 40]].tolist(), network.probabilities(vectors))
    pool = replace(pool, classifier=network)
    reach = deepfool.distances(network, vectors)
    chances = np.sort(network.probabilities(vectors), axis=1)
    gaps = chances[:, -1] - chances[:, -2]
    few = [row for row in np.argsort(gaps, kind="stable") if row not in (0, 40)][:30]
    assert deepfool.select(pool, 5, RNG(0)) == sorted(few, key=lambda row: reach[row])[:5]


def worth(points: list[int], doubts: np.ndarray, unit: np.ndarray) -> float:
    """I(S) of Ren et al. 2021, eq. 6 and 7, as it is written."""
    redundant = sum(float(unit[i] @ unit[j]) for i in points for j in points)
    return float(doubts[points].sum()) - exploration_p.ALPHA / len(points) * redundant


def test_exploration_p_takes_greedily_what_leaves_the_worth_largest() -> None:
    network, vectors, _ = taught(classes=3)
    inner, chances = layers_of(network, vectors, np.arange(40))
    unit, doubts = inner / np.linalg.norm(inner, axis=1, keepdims=True), entropies(chances)
    points = [3, 17]
    for _ in range(8):
        left = [row for row in range(40) if row not in points]
        points.append(max(left, key=lambda row: worth([*points, row], doubts, unit)))
    assert exploration_p.grown([3, 17], doubts, unit, 10) == points


@pytest.mark.parametrize(("m", "explored"), [(0, 10), (10, 5), (90, 1), (110, 1)])
def test_exploration_p_draws_fewer_by_chance_as_labels_grow(m: int, explored: int) -> None:
    network, vectors, labels = taught(classes=5)
    pool = replace(known_pool(vectors, list(range(m)), labels[:m].tolist()), classifier=network)
    rows = pool.open_rows(0)
    inner, chances = layers_of(network, vectors, rows)
    unit = inner / np.linalg.norm(inner, axis=1, keepdims=True)
    first = []
    for seed in (1, 2, 3):
        picks = (np.array(exploration_p.select(pool, 10, RNG(seed))) - m).tolist()
        assert picks == exploration_p.grown(picks[:explored], entropies(chances), unit, 10)
        first.append(tuple(picks[:explored]))
    assert len(set(first)) == 3
