"""Strategies that ask several networks: bald, batch_bald, ensemble."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from tests.worker.selection.pools import blobs, known_pool
from worker.learning.classifier import HIDDEN
from worker.selection import bald, batch_bald, ensemble, members
from worker.selection.batch_bald import after, expected_doubts, greedy_joint
from worker.selection.pool import Pool

RNG = np.random.default_rng


def crowd(samples: int, u: int, classes: int, seed: int = 0) -> np.ndarray:
    return RNG(seed).dirichlet(np.full(classes, 0.5), (samples, u)).astype(np.float32)


def entropy(chances: np.ndarray) -> float:
    return -sum(p * np.log(p) for p in chances.ravel().tolist() if p > 0)


def joint_information(chances: np.ndarray, points: list[int]) -> float:
    """I(y_1..y_b; w) with every answer enumerated: Kirsch et al. 2019, eq. 8."""
    samples, _, classes = chances.shape
    joint = [
        np.mean(
            [np.prod([chances[w, point, y] for point, y in zip(points, answers, strict=True)]) for w in range(samples)]
        )
        for answers in product(range(classes), repeat=len(points))
    ]
    alone = sum(entropy(chances[w, point]) for w in range(samples) for point in points) / samples
    return entropy(np.array(joint)) - alone


def between() -> Pool:
    """Two clouds, ten labels in each, and a third cloud where nobody has labelled, far to the side of both."""
    vectors, homes = blobs([[-4, 0], [4, 0], [0, 1]], [60, 60, 20], spread=0.5)
    labelled = [*range(10), *range(60, 70)]
    return known_pool(vectors, labelled, [homes[row] for row in labelled])


def test_the_doubts_are_the_entropy_of_the_mean_and_the_mean_entropy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members, "BLOCK", 7)
    pool = between()
    networks = members.ensemble(pool, 3, RNG(0))
    rows = np.array([1, 20, 70, 75, 99, 125, 130, 138, 139])
    chances = members.chances_of(networks, pool.vectors[rows])
    whole, own = members.doubts_of(networks, pool.vectors, rows)
    assert whole == pytest.approx([entropy(chances[:, at].mean(axis=0)) for at in range(9)], abs=1e-5)
    assert own == pytest.approx([np.mean([entropy(p) for p in chances[:, at]]) for at in range(9)], abs=1e-5)


def test_a_dropout_sample_is_one_network_without_half_of_its_neurons() -> None:
    pool, rng = between(), RNG(0)
    whole = members.taught_with_dropout(members.fitted(pool, rng), pool, rng)
    networks = members.dropout_samples(pool, 40, RNG(0))
    assert all((network.hidden == networks[0].hidden).all() for network in networks)
    silent = np.stack([(network.output == 0).all(axis=0) for network in networks])
    assert abs(silent.mean() - 0.5) < 0.05 and silent.any(axis=0).all() and not silent.all(axis=0).any()
    for network, gone in zip(networks, silent, strict=True):  # the others speak twice as loud: the mean stays
        np.testing.assert_allclose(network.output[:, ~gone], 2 * whole.output[:, ~gone], rtol=1e-6)


def test_dropout_teaches_neurons_to_do_without_each_other() -> None:
    pool = between()
    plain = members.fitted(pool, RNG(0))
    taught = members.taught_with_dropout(plain, pool, RNG(0))
    masks = (RNG(1).random((30, HIDDEN)) < 0.5) * np.float32(2)

    def loss(network: members.Classifier) -> float:
        chances = members.chances_of([replace(network, output=network.output * m) for m in masks], pool.vectors[:20])
        return float(-np.log(np.maximum(chances[:, np.arange(10), pool.labels[:10]], 1e-9)).mean())

    assert not np.array_equal(plain.output, taught.output)
    assert loss(taught) < loss(plain)


@pytest.mark.parametrize("strategy", [bald, ensemble, batch_bald])
def test_networks_disagree_where_nobody_has_labelled(strategy) -> None:
    picks = strategy.select(between(), 8, RNG(0))
    assert sum(row >= 120 for row in picks) >= 6  # by chance 1.3 of 8


def test_bald_and_ensemble_rank_by_their_own_measure() -> None:
    pool = between()
    rows = pool.open_rows(0)
    whole, own = members.doubts_of(members.dropout_samples(pool, bald.SAMPLES, RNG(3)), pool.vectors, rows)
    assert bald.select(pool, 9, RNG(3)) == rows[np.argsort(own - whole, kind="stable")[:9]].tolist()
    whole, _ = members.doubts_of(members.ensemble(pool, ensemble.NETWORKS, RNG(3)), pool.vectors, rows)
    assert ensemble.select(pool, 9, RNG(3)) == rows[np.argsort(-whole, kind="stable")[:9]].tolist()


def test_the_members_of_an_ensemble_are_different() -> None:
    first, second = members.ensemble(between(), 2, RNG(0))
    assert not np.allclose(first.hidden, second.hidden)


@pytest.mark.parametrize("seed", range(4))
def test_batch_bald_is_greedy_on_the_enumerated_joint_information(seed: int) -> None:
    chances = crowd(6, 9, 3, seed)
    points: list[int] = []
    for _ in range(4):
        left = [point for point in range(9) if point not in points]
        points.append(max(left, key=lambda point: joint_information(chances, [*points, point])))
    assert greedy_joint(chances, 4, RNG(0)) == points


def test_batch_bald_takes_two_of_a_kind_once() -> None:
    one, two = crowd(10, 1, 2, 1), crowd(10, 1, 2, 2)
    chances = np.concatenate([one, one, one, two], axis=1)
    assert sorted(greedy_joint(chances, 2, RNG(0))) == [0, 3]


def test_drawn_answers_estimate_what_enumerated_ones_say(monkeypatch: pytest.MonkeyPatch) -> None:
    chances = crowd(20, 12, 4, 3)

    def doubts(answers: int) -> np.ndarray:
        monkeypatch.setattr(batch_bald, "ANSWERS", answers)
        beliefs, shares, rng = np.full((1, 20), 1 / 20, dtype=np.float32), np.ones(1, dtype=np.float32), RNG(0)
        for point in range(5):
            beliefs, shares = after(beliefs, shares, chances[:, point], rng)
        assert len(shares) <= answers and shares.sum() == pytest.approx(1, abs=1e-4)
        return expected_doubts(beliefs, shares, chances)

    exact = doubts(4**5)
    assert np.abs(doubts(1000) - exact).max() < 0.02  # five answers enumerate 1,024: the last step draws
    assert np.abs(doubts(60) - exact).max() < 0.15
    monkeypatch.setattr(batch_bald, "BLOCK", 1)
    assert doubts(4**5) == pytest.approx(exact, abs=1e-5)


def test_batch_bald_goes_on_by_bald_after_the_joint_picks(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = between()
    monkeypatch.setattr(batch_bald, "JOINTLY", 4)
    picks = batch_bald.select(pool, 12, RNG(0))
    assert picks[:4] == batch_bald.select(pool, 4, RNG(0))
    networks = members.dropout_samples(pool, batch_bald.SAMPLES, RNG(0))
    rows = pool.open_rows(0)
    whole, own = members.doubts_of(networks[: batch_bald.FIRST], pool.vectors, rows)
    order = [row for row in rows[np.argsort(own - whole, kind="stable")].tolist() if row not in picks[:4]]
    assert picks[4:] == order[:8]
