"""Batches and triplets, beside slow loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from worker.learning.triplets import RandomSemiHard, SoftmaxLoss, TripletLoss, draw_batch, loss_named


@settings(max_examples=60, deadline=None)
@given(counts=st.lists(st.integers(0, 9), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_a_batch_has_equal_parts_of_its_classes_and_repeats_only_what_is_short(counts: list[int], seed: int) -> None:
    outputs = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    if not len(outputs):
        return
    rows = draw_batch(outputs, 4, 3, np.random.default_rng(seed))
    kinds, taken = np.unique(outputs[rows], return_counts=True)
    assert len(kinds) == min(4, np.count_nonzero(counts))
    assert set(taken.tolist()) == {12 // len(kinds)}
    for kind in kinds:
        times = np.bincount(rows[outputs[rows] == kind])
        assert times.max() <= -(-taken[0] // counts[kind])


def test_equal_chance_gives_equal_batches() -> None:
    outputs = np.arange(50) % 7
    one, two, other = (draw_batch(outputs, 5, 4, np.random.default_rng([1, step])) for step in (3, 3, 4))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_every_pair_with_a_semi_hard_negative_meets_exactly_one_of_them() -> None:
    vectors = F.normalize(torch.randn(24, 8, generator=torch.Generator().manual_seed(0)), dim=1)
    labels, margin = torch.arange(24) % 4, 0.3
    distances = torch.cdist(vectors, vectors)
    possible: dict[tuple[int, int], set[int]] = {}
    for a in range(24):
        for p in range(24):
            for n in range(24):
                gap = float(distances[a, n] - distances[a, p])
                if a != p and labels[a] == labels[p] != labels[n] and 0 < gap <= margin:
                    possible.setdefault((a, p), set()).add(n)
    seen: dict[tuple[int, int], set[int]] = {}
    for seed in range(40):
        mined = RandomSemiHard(margin, torch.Generator().manual_seed(seed))(vectors, labels)
        triplets = [tuple(map(int, each)) for each in zip(*mined, strict=True)]
        assert sorted((a, p) for a, p, _ in triplets) == sorted(possible)
        for a, p, n in triplets:
            assert n in possible[a, p]
            seen.setdefault((a, p), set()).add(n)
    assert sum(map(len, seen.values())) > 0.9 * sum(map(len, possible.values()))  # random, not always the same


def test_the_loss_is_the_mean_over_the_mined_triplets() -> None:
    vectors = F.normalize(torch.randn(20, 6, generator=torch.Generator().manual_seed(1)), dim=1)
    labels, margin = torch.arange(20) % 5, 0.4
    a, p, n = RandomSemiHard(margin, torch.Generator().manual_seed(7))(vectors, labels)
    distance = torch.cdist(vectors, vectors)
    expected = (distance[a, p] - distance[a, n] + margin).mean()
    torch.testing.assert_close(TripletLoss(margin)(vectors, labels, 7), expected)


def test_where_no_triplet_is_semi_hard_the_loss_is_zero_and_has_a_gradient() -> None:
    vectors = torch.eye(4).repeat_interleave(2, 0).requires_grad_()
    loss = TripletLoss(0.2)(vectors, torch.arange(8) // 2, 0)
    loss.backward()
    assert float(loss.detach()) == 0
    assert vectors.grad is None or not vectors.grad.any()


def test_losses_are_chosen_by_name() -> None:
    assert isinstance(loss_named("triplet", 8, 3, 0.2), TripletLoss)
    softmax = loss_named("softmax", 8, 3, 0.2)
    assert isinstance(softmax, SoftmaxLoss)
    assert softmax(torch.eye(8)[:3], torch.arange(3), 0).shape == ()
    with pytest.raises(ValueError, match="'hinge' is unknown"):
        loss_named("hinge", 8, 3, 0.2)
