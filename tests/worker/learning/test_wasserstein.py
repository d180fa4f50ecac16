"""WAAL's critic: its losses by hand, and which rows it finds unlike the labelled ones."""

import numpy as np
import pytest
import torch
from torch import nn

from worker.learning import wasserstein
from worker.learning.wasserstein import distance, judgements, mixed, penalty


def linear(weights: list[float]) -> nn.Linear:
    critic = nn.Linear(len(weights), 1)
    with torch.no_grad():
        critic.weight[:] = torch.tensor(weights)
    return critic


def test_the_penalty_of_a_linear_critic_is_that_of_its_length() -> None:
    features = torch.rand(7, 2)
    assert float(penalty(linear([3.0, 4.0]), features).detach()) == pytest.approx((5 - 1) ** 2, rel=1e-5)
    assert float(penalty(linear([0.6, 0.8]), features).detach()) == pytest.approx(0, abs=1e-5)


def test_the_distance_of_two_heaps_is_how_far_apart_the_critic_puts_them() -> None:
    labelled, unlabelled = torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([[4.0, 1.0]])
    assert float(distance(linear([1.0, 10.0]), labelled, unlabelled).detach()) == pytest.approx(4 + 10 - 1)


def test_mixed_points_lie_between_their_pair() -> None:
    chance = torch.Generator().manual_seed(0)
    left, right = torch.zeros(50, 2), torch.tensor([1.0, 3.0]).repeat(50, 1)
    between = mixed(left, right, chance)
    assert torch.allclose(between[:, 1], 3 * between[:, 0])
    assert 0 < float(between[:, 0].min()) < float(between[:, 0].max()) < 1


def test_the_critic_rates_what_is_unlike_the_labelled_rows_higher_and_the_namer_names() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.3, (150, 2)).astype(np.float32)
    vectors[50:100, 0] += 3
    vectors[100:, 1] += 3  # the third heap has no label
    labelled = np.r_[0:20, 50:70]
    unlabelled = np.setdiff1d(np.arange(150), labelled)
    chances, unlike = judgements(vectors, labelled, np.repeat([4, 9], 20), unlabelled, rng)
    strange = unlabelled >= 100
    highest = np.argsort(-unlike)[: strange.sum()]
    assert strange[highest].mean() > 0.8  # by chance it would be 0.45
    assert chances.shape == (110, 2)
    assert chances.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert (chances[~strange].argmax(axis=1) == (unlabelled[~strange] >= 50)).all()


def test_chance_comes_from_the_generator_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wasserstein, "STEPS", 5)
    vectors = np.random.default_rng(0).random((30, 3), dtype=np.float32)
    before = torch.get_rng_state()
    found = [
        judgements(vectors, np.arange(9), np.arange(9) % 2, np.arange(9, 30), np.random.default_rng(seed))[1].tobytes()
        for seed in (1, 1, 2)
    ]
    assert found[0] == found[1] != found[2]
    assert torch.equal(torch.get_rng_state(), before)


def test_an_empty_side_and_a_row_that_is_not_finite_are_said() -> None:
    vectors = np.zeros((4, 2), np.float32)
    nothing, two = np.empty(0, np.int64), np.array([0, 1])
    for labelled, unlabelled in [(nothing, two), (two, nothing)]:
        with pytest.raises(ValueError, match="both"):
            judgements(vectors, labelled, np.zeros(len(labelled), np.int64), unlabelled, np.random.default_rng(0))
    vectors[3, 1] = np.inf
    with pytest.raises(ValueError, match="row 3"):
        judgements(vectors, two, two, np.array([2, 3]), np.random.default_rng(0))
