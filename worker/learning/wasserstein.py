"""WAAL's networks: features on which a classifier names the labelled rows and a critic tells them from the unlabelled ones.

Decisions: the paper's convolutions are the embedder here, so the features are one hidden layer on the vectors; batches hold as
many labelled as unlabelled rows; the critic is kept smooth by a gradient penalty. Steps, batch and rows learned from are
bounded, and every unlabelled row is scored once.
Shui et al. 2020, sec. 4; Gulrajani et al. 2017, eq. 3 (penalty).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from worker.learning.descent import Floats, Ids, single_thread

STEPS, BATCH, RATE = 300, 64, 2e-3
HIDDEN, CRITIC = 100, 50
BALANCE = 0.01  # weight of the distance beside the cross-entropy, the paper's mu
PENALTY = 10.0
MOST_ROWS = 20_000  # of the unlabelled ones, by chance
BLOCK = 16_384


def judgements(
    vectors: Floats, labelled: Ids, labels: Ids, unlabelled: Ids, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """What one training says of the unlabelled rows: (u, C) probabilities and (u,) the critic's, high where unlike labelled.

    vectors: (n, d), may be memory-mapped. labelled: (m,) rows, m > 0, labels: (m,) their classes; C counts those alone.
    unlabelled: (u,) rows, u > 0. Raises ValueError where a side is empty, or naming a row that is not finite.
    """
    if not len(labelled) or not len(unlabelled):
        raise ValueError(f"{len(labelled)} labelled and {len(unlabelled)} unlabelled rows: a critic needs both")
    classes, outputs = np.unique(labels, return_inverse=True)
    some = np.sort(rng.permutation(unlabelled)[:MOST_ROWS])
    known, unknown = rows_of(vectors, labelled), rows_of(vectors, some)
    mean, spread = known.mean(axis=0), known.std(axis=0)
    spread = np.sqrt(spread**2 + 0.1 * (spread**2).mean() + 1e-12)
    with single_thread():
        duel = Duel(vectors.shape[1], len(classes), rng)
        sides = [torch.from_numpy((side - mean) / spread).float() for side in (known, unknown)]
        chance = torch.Generator().manual_seed(int(rng.integers(2**62)))
        names = torch.from_numpy(outputs.astype(np.int64))
        for _ in range(STEPS):
            rows = torch.randint(len(known), (BATCH,), generator=chance)
            others = torch.randint(len(unknown), (BATCH,), generator=chance)
            duel.turn(sides[0][rows], names[rows], sides[1][others], chance)
        found = [
            duel.judge(torch.from_numpy((rows_of(vectors, unlabelled[lo : lo + BLOCK]) - mean) / spread).float())
            for lo in range(0, len(unlabelled), BLOCK)
        ]
    chances, critic = zip(*found, strict=True)
    return np.concatenate(chances), np.concatenate(critic)


def rows_of(vectors: Floats, rows: Ids) -> Floats:
    """(m, d) float32. Raises ValueError naming the first row that is not finite."""
    found = np.asarray(vectors[rows], dtype=np.float32)
    bad = ~np.isfinite(found.sum(axis=1))
    if bad.any():
        raise ValueError(f"the vector of row {rows[int(bad.argmax())]} is not finite")
    return found


class Duel:
    """Features and classifier on one side, the critic on the other."""

    def __init__(self, d: int, classes: int, rng: np.random.Generator) -> None:
        with torch.random.fork_rng(devices=[]):  # torch.manual_seed() would seed the GPUs too
            torch.default_generator.manual_seed(int(rng.integers(2**62)))
            self.features = nn.Sequential(nn.Linear(d, HIDDEN), nn.ReLU())
            self.namer = nn.Linear(HIDDEN, classes)
            self.critic = nn.Sequential(nn.Linear(HIDDEN, CRITIC), nn.ReLU(), nn.Linear(CRITIC, 1))
        self.learner = torch.optim.Adam([*self.features.parameters(), *self.namer.parameters()], lr=RATE)
        self.examiner = torch.optim.Adam(self.critic.parameters(), lr=RATE)

    def turn(self, known: Tensor, names: Tensor, unknown: Tensor, chance: torch.Generator) -> None:
        """One batch of either side: features and classifier bring the sides together, then the critic moves them apart."""
        with torch.enable_grad():
            labelled, unlabelled = self.features(known), self.features(unknown)
            naming = cross_entropy(self.namer(labelled), names)
            self.learner.zero_grad()
            torch.autograd.backward(naming + BALANCE * distance(self.critic, labelled, unlabelled))
            self.learner.step()
            with torch.no_grad():
                labelled, unlabelled = self.features(known), self.features(unknown)
            between = mixed(labelled, unlabelled, chance)
            self.examiner.zero_grad()
            torch.autograd.backward(
                PENALTY * penalty(self.critic, between) - distance(self.critic, labelled, unlabelled)
            )
            self.examiner.step()

    @torch.no_grad()
    def judge(self, vectors: Tensor) -> tuple[Floats, Floats]:
        """(b, d) standardised -> (b, C) probabilities and (b,) the critic's."""
        features = self.features(vectors)
        return self.namer(features).softmax(dim=1).numpy(), self.critic(features)[:, 0].numpy()


def distance(critic: nn.Module, labelled: Tensor, unlabelled: Tensor) -> Tensor:
    """The critic's mean on unlabelled features less that on labelled ones: the Wasserstein-1 distance where it is the best."""
    difference: Tensor = critic(unlabelled).mean() - critic(labelled).mean()
    return difference


def mixed(labelled: Tensor, unlabelled: Tensor, chance: torch.Generator) -> Tensor:
    """Points by chance between pairs of features."""
    share = torch.rand(len(labelled), 1, generator=chance)
    return share * labelled + (1 - share) * unlabelled


def penalty(critic: nn.Module, features: Tensor) -> Tensor:
    """(n, h) -> mean squared gap between the length of the critic's slope and 1. Gulrajani et al. 2017, eq. 3."""
    at = features.detach().requires_grad_()
    (slopes,) = torch.autograd.grad(critic(at).sum(), at, create_graph=True)
    return ((slopes.square().sum(dim=1) + 1e-12).sqrt() - 1).square().mean()
