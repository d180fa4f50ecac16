"""Several networks fitted on the labels of a pool, from different starts or by dropout, and where they disagree."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch.nn.functional import cross_entropy, linear

from worker.learning.classifier import BLOCK, HIDDEN, WARM_RATE, WARM_STEPS, Classifier
from worker.learning.descent import BATCH, Ids, batches, class_weights, one_cycle, single_thread
from worker.selection.entropy import entropies
from worker.selection.learnt import fitted
from worker.selection.nearest import Vectors
from worker.selection.pool import Floats, Pool, Rows

DROPPED = 0.5  # of the hidden neurons


def ensemble(pool: Pool, count: int, rng: np.random.Generator) -> list[Classifier]:
    """Networks with different first weights and batches, fitted alike. Lakshminarayanan et al. 2017, Alg. 1."""
    return [fitted(pool, rng) for _ in range(count)]


def dropout_samples(pool: Pool, count: int, rng: np.random.Generator) -> list[Classifier]:
    """One network taught with dropout behind its hidden layer, seen through `count` masks. Gal et al. 2017, sec. 3.

    A mask holds for all rows, so that the samples can be joined over rows. A mask only changes the output weights.
    """
    network = taught_with_dropout(fitted(pool, rng), pool, rng)
    masks = (rng.random((count, HIDDEN)) >= DROPPED).astype(np.float32) / np.float32(1 - DROPPED)
    return [replace(network, output=network.output * mask) for mask in masks]


def taught_with_dropout(start: Classifier, pool: Pool, rng: np.random.Generator) -> Classifier:
    """Go on from a fitted network with half of the hidden neurons dropped at each step. Srivastava et al. 2014."""
    if len(start.classes) < 2:
        return start
    chance = torch.Generator().manual_seed(int(rng.integers(2**31)))
    steps = max(2 * WARM_STEPS, 4 * len(pool.labels) // BATCH)
    right = np.searchsorted(start.classes, pool.labels)
    layers = trained(start, (pool.vectors[pool.labelled] - start.mean) / start.scale, right, steps, chance)
    hidden, hidden_bias, output, output_bias = layers
    return replace(start, hidden=hidden, hidden_bias=hidden_bias, output=output, output_bias=output_bias)


def trained(start: Classifier, inputs: Floats, outputs: Ids, steps: int, chance: torch.Generator) -> list[Floats]:
    """hidden (100, d), its bias, output (C, 100), its bias, after `steps` batches of Adam with dropout.

    Kingma & Ba 2015, Alg. 1, by hand: torch.optim loads a compiler, which takes seconds.
    """
    with single_thread(), torch.enable_grad():
        first = [start.hidden, start.hidden_bias, start.output, start.output_bias]
        layers = [torch.tensor(weight).requires_grad_() for weight in first]
        hidden, hidden_bias, output, output_bias = layers
        drifts, energies = [torch.zeros_like(layer) for layer in layers], [torch.zeros_like(layer) for layer in layers]
        x, y = torch.tensor(inputs), torch.tensor(outputs)
        weigh = torch.tensor(class_weights(outputs, len(first[3])))
        rates = one_cycle(steps, WARM_RATE)
        for step, (rows, rate) in enumerate(zip(batches(len(x), steps, chance), rates, strict=True), 1):
            inner = linear(x[rows], hidden, hidden_bias).relu()
            kept = (torch.rand(inner.shape, generator=chance) >= DROPPED) / (1 - DROPPED)
            slopes = torch.autograd.grad(
                cross_entropy(linear(inner * kept, output, output_bias), y[rows], weigh), layers
            )
            for layer, slope, drift, energy in zip(layers, slopes, drifts, energies, strict=True):
                drift.lerp_(slope, 0.1)
                energy.mul_(0.999).addcmul_(slope, slope, value=0.001)
                size = energy.div(1 - 0.999**step).sqrt_().add_(1e-8)
                layer.data.addcdiv_(drift, size, value=-rate / (1 - 0.9**step))
        return [layer.detach().numpy().copy() for layer in layers]


def chances_of(networks: Sequence[Classifier], vectors: Floats) -> Floats:
    """(b, d) -> (S, b, C) the probabilities of each network."""
    return np.stack([network.probabilities(vectors) for network in networks])


def doubts_of(networks: Sequence[Classifier], vectors: Vectors, rows: Rows) -> tuple[Floats, Floats]:
    """(n, d) and (u,) rows -> H(E p) and E H(p) over the networks, both (u,) in nats; in blocks.

    The first is all doubt; the second is what every network doubts by itself; the difference is BALD's.
    """
    whole, own = np.empty(len(rows), dtype=np.float32), np.empty(len(rows), dtype=np.float32)
    for lo in range(0, len(rows), BLOCK):
        at = slice(lo, lo + BLOCK)
        block = np.asarray(vectors[rows[at]], dtype=np.float32)
        mean = np.zeros((len(block), len(networks[0].classes)), dtype=np.float32)
        alone = np.zeros(len(block), dtype=np.float32)
        for network in networks:
            chances = network.probabilities(block)
            mean += chances / len(networks)
            alone += entropies(chances) / len(networks)
        whole[at], own[at] = entropies(mean), alone
    return whole, own
