"""Learning loss: a small module that says from what the classifier sees in a crop how wrong it will be.

Decisions: the module learns from pairs, since only the order counts; the classifier is not changed, it has been trained; what
goes in is standardised by the labelled rows. Steps and batch are fixed, so the time does not grow with the labels.
Yoo & Kweon 2019, sec. 3.2 and 3.3; Kim et al. 2021, sec. 3 (the ranker of TA-VAAL).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from worker.learning.descent import Floats, single_thread

STEPS, PAIRS, RATE, DECAY = 300, 64, 3e-3, 1e-3
WIDTH = 64
GAP = 1.0  # the paper's margin xi

PairLoss = Callable[[Tensor, Tensor], Tensor]


def margin_ranking(predicted: Tensor, true: Tensor) -> Tensor:
    """(p, 2) predicted and true losses of p pairs -> mean of max(0, -sign(l_i - l_j) (l^_i - l^_j) + 1).

    Pairs of equal loss teach nothing. Yoo & Kweon 2019, sec. 3.3.
    """
    order = (true[:, 0] - true[:, 1]).sign()
    wrong = (GAP - order * (predicted[:, 0] - predicted[:, 1])).clamp(min=0)
    return (wrong * order.abs()).mean()


def logistic_ranking(predicted: Tensor, true: Tensor) -> Tensor:
    """(p, 2), (p, 2) -> mean cross-entropy of "i is worse than j". Pairs of equal loss teach nothing. Kim et al. 2021, sec. 3."""
    order = (true[:, 0] - true[:, 1]).sign()
    wrong = binary_cross_entropy_with_logits(predicted[:, 0] - predicted[:, 1], (order + 1) / 2, reduction="none")
    return (wrong * order.abs()).mean()


def predicted_losses(
    labelled: Floats, losses: Floats, everything: Floats, rng: np.random.Generator, pair_loss: PairLoss = margin_ranking
) -> Floats:
    """(n,) how wrong the classifier will be about each row, on a scale of its own: only the order means something.

    labelled: (m, h) what the classifier's hidden layer says of the labelled rows, m > 1; losses: (m,) its cross-entropy there;
    everything: (n, h) the hidden layer of all rows. Raises ValueError on shapes that disagree or fewer than two labels.
    """
    if len(labelled) < 2 or losses.shape != (len(labelled),):
        raise ValueError(f"{len(labelled)} labelled rows and {losses.shape} losses: two are needed, and one loss each")
    mean, spread = labelled.mean(axis=0), labelled.std(axis=0) + 1e-3 * (1 + labelled.std())
    chance = torch.Generator().manual_seed(int(rng.integers(2**62)))
    seen, true = torch.from_numpy((labelled - mean) / spread).float(), torch.from_numpy(losses).float()
    with single_thread():
        module = new_module(labelled.shape[1], rng)
        optimizer = torch.optim.Adam(module.parameters(), lr=RATE, weight_decay=DECAY)
        with torch.enable_grad():
            for _ in range(STEPS):
                pairs = torch.randint(len(seen), (PAIRS, 2), generator=chance)
                loss = pair_loss(module(seen[pairs])[..., 0], true[pairs])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
        with torch.no_grad():
            asked = torch.from_numpy((everything - mean) / spread).float()
            found: Floats = module(asked)[:, 0].numpy()
    return found


def new_module(inputs: int, rng: np.random.Generator) -> nn.Sequential:
    """Two layers on the hidden layer, as one branch of the paper's module; weights from rng alone."""
    with torch.random.fork_rng(devices=[]):  # torch.manual_seed() would seed the GPUs too
        torch.default_generator.manual_seed(int(rng.integers(2**62)))
        return nn.Sequential(nn.Linear(inputs, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))
