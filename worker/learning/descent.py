"""Gradient descent for the small classifier: AdamW, one rise and fall of the rate, every label with its weight."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy, linear

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]

BATCH = 256
BETA = 0.99
DECAY = 0.5


def descend(
    start: list[Floats],
    inputs: Floats,
    outputs: Ids,
    weights: Floats,
    steps: int,
    peak_rate: float,
    chance: torch.Generator,
) -> list[Floats]:
    """Weights after `steps` batches: hidden (100, d), its bias (100,), output (C, 100), its bias (C,), as given.

    inputs: (m, d) standardised, m > 0. outputs: (m,) the row of the output layer that is right. weights: (m,) how much
    each counts in the mean of its batch. peak_rate: of AdamW.
    Only `chance` is drawn from. One flat vector holds all weights, so that a step of AdamW is six operations.
    Loshchilov & Hutter 2019, Alg. 2 (AdamW); Smith & Topin 2018 (one cycle).
    """
    with single_thread(), torch.enable_grad():
        flat = torch.cat([torch.tensor(weight).ravel() for weight in start])
        ends = np.cumsum([0] + [weight.size for weight in start]).tolist()
        layers = [
            flat[lo:hi].view(weight.shape).detach().requires_grad_()
            for weight, lo, hi in zip(start, ends[:-1], ends[1:], strict=True)
        ]
        hidden, hidden_bias, output, output_bias = layers
        # biases do not decay
        decay = torch.cat([torch.full((weight.size,), DECAY * (weight.ndim - 1)) for weight in start])
        drift, energy = torch.zeros_like(flat), torch.zeros_like(flat)
        x, y, weigh = torch.tensor(inputs), torch.tensor(outputs), torch.tensor(weights)
        for step, (rows, rate) in enumerate(
            zip(batches(len(x), steps, chance), one_cycle(steps, peak_rate), strict=True), 1
        ):
            logits = linear(linear(x[rows], hidden, hidden_bias).relu(), output, output_bias)
            losses, counts = cross_entropy(logits, y[rows], reduction="none"), weigh[rows]
            slopes = torch.autograd.grad(losses.dot(counts) / counts.sum().clamp_min(1e-8), layers)
            slope = torch.cat([part.ravel() for part in slopes])
            drift.lerp_(slope, 0.1)
            energy.mul_(0.999).addcmul_(slope, slope, value=0.001)
            size = energy.div(1 - 0.999**step).sqrt_().add_(1e-8)
            flat.addcmul_(flat, decay, value=-rate).addcdiv_(drift, size, value=-rate / (1 - 0.9**step))
        return [layer.detach().numpy().copy() for layer in layers]


@contextmanager
def single_thread() -> Iterator[None]:
    """One thread: on matrices so small two lose more by waiting than they win, and the bytes then depend on no count."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_cycle(steps: int, peak: float) -> list[float]:
    """The rate of each step: a cosine from peak / 25 up to the peak in the first 30%, then one down to nearly 0."""
    at = np.arange(steps) / steps
    rise = 1 / 25 + (1 - 1 / 25) * (1 - np.cos(np.pi * at / 0.3)) / 2
    fall = (1 + np.cos(np.pi * (at - 0.3) / 0.7)) / 2
    rates: list[float] = (peak * np.where(at < 0.3, rise, fall)).tolist()
    return rates


def class_weights(outputs: Ids, classes: int, beta: float = BETA) -> Floats:
    """(m,) -> (classes,): rare classes weigh more, with beta 0.99 up to a hundred times, with 0 not. Cui et al. 2019, eq. 2.

    So one deer among ten thousand cows counts, and one mistyped label does not rule. The mean over the labels is 1.
    """
    counts = np.bincount(outputs, minlength=classes)
    weights = (1 - beta) / (1 - beta ** np.maximum(counts, 1))
    balanced: Floats = (weights * len(outputs) / (weights * counts).sum()).astype(np.float32)
    return balanced


def batches(m: int, steps: int, chance: torch.Generator) -> torch.Tensor:
    """(steps, min(m, 256)) rows: one shuffle of all of them after another, cut into batches of equal size."""
    size = min(m, BATCH)
    shuffles = -(-steps * size // m)
    rows = torch.cat([torch.randperm(m, generator=chance) for _ in range(shuffles)])
    return rows[: steps * size].view(steps, size)
