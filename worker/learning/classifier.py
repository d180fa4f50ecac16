"""The small network that names crops: a vector -> 100 ReLU -> classes (Norouzzadeh et al. 2019, sec. 3.1, step 4).

Decisions:
* Weights are NumPy arrays, so that naming needs no torch and a file of them is plain. Training is torch on the CPU.
* Inputs are standardised by the labels of the first, cold fit; a warm fit keeps that scale.
* A class without a label gets probability 0: a network cannot know what it has never seen.
* The temperature (worker/learning/temperature.py) is carried beside the weights: a warm fit goes on from what was learnt,
  not from what was made of it.
* Chance comes from the seed alone; the global generators of torch and NumPy are left as they were.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from worker.learning.descent import BATCH, BETA, Floats, Ids, class_weights, descend

HIDDEN = 100
COLD_EPOCHS, COLD_STEPS, COLD_RATE = 15, (200, 2000), 5e-3
WARM_STEPS, WARM_RATE = 60, 1e-3
WEIGHTS = ["mean", "scale", "hidden", "hidden_bias", "output", "output_bias"]
NEVER = np.float32(-1e4)  # the bias of a class without a label: exp of it is 0 in float32
BLOCK = 16_384  # rows named at a time


@dataclass(frozen=True, eq=False)
class Classifier:
    """Weights and the classes that their outputs mean.

    classes: the class id of each of the C outputs, in order. seed: of the fit. n_labels: how many it learned from.
    mean, scale: (d,) of the standardised input. hidden: (100, d) and hidden_bias: (100,). output: (C, 100) and
    output_bias: (C,). All float32. temperature: what the logits are divided by; 1 changes nothing.
    """

    classes: list[int]
    seed: int
    n_labels: int
    mean: Floats
    scale: Floats
    hidden: Floats
    hidden_bias: Floats
    output: Floats
    output_bias: Floats
    temperature: float = 1.0

    def probabilities(self, vectors: NDArray[np.floating]) -> Floats:
        """(n, d), may be memory-mapped or float16 -> (n, C) float32, each row sums to 1, at the classifier's temperature.

        In blocks: the vectors are not copied. Raises ValueError on another d, and naming the first row that is not finite.
        """
        found = self.logits(vectors)
        for lo in range(0, len(found), BLOCK):
            found[lo : lo + BLOCK] = softmax(found[lo : lo + BLOCK], self.temperature)
        return found

    def logits(self, vectors: NDArray[np.floating]) -> Floats:
        """(n, d) -> (n, C) float32, what the output layer says before temperature and softmax. Raises as probabilities()."""
        if vectors.ndim != 2 or vectors.shape[1] != len(self.mean):
            raise ValueError(f"vectors must be (n, {len(self.mean)}), not {vectors.shape}")
        hidden = self.hidden / self.scale
        hidden_bias = self.hidden_bias - hidden @ self.mean
        found = np.empty((len(vectors), len(self.classes)), dtype=np.float32)
        for lo in range(0, len(vectors), BLOCK):
            block = np.asarray(vectors[lo : lo + BLOCK], dtype=np.float32)
            refuse_endless(block, lo)
            inner = np.maximum(block @ hidden.T + hidden_bias, 0)
            found[lo : lo + BLOCK] = inner @ self.output.T + self.output_bias
        return found

    def to_arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything as named arrays, for a safetensors file."""
        return {
            "classes": np.array(self.classes, dtype=np.int64),
            "seed": np.array([self.seed], dtype=np.int64),
            "n_labels": np.array([self.n_labels], dtype=np.int64),
            "mean": self.mean,
            "scale": self.scale,
            "hidden": self.hidden,
            "hidden_bias": self.hidden_bias,
            "output": self.output,
            "output_bias": self.output_bias,
            "temperature": np.array([self.temperature], dtype=np.float64),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Classifier:
        """The inverse of to_arrays. Files from before temperatures have 1.

        Raises ValueError where an array is missing, not finite or of the wrong shape.
        """
        missing = sorted({"classes", "seed", "n_labels", *WEIGHTS} - set(arrays))
        if missing:
            raise ValueError(f"a classifier needs {', '.join(missing)}")
        weights = {name: np.array(arrays[name], dtype=np.float32) for name in WEIGHTS}
        classes = [int(number) for number in arrays["classes"]]
        width, c = len(weights["mean"]), len(classes)
        expected = [(width,), (width,), (HIDDEN, width), (HIDDEN,), (c, HIDDEN), (c,)]
        for (name, weight), shape in zip(weights.items(), expected, strict=True):
            if weight.shape != shape or not np.isfinite(weight).all():
                raise ValueError(f"{name} must be finite and {shape}, not {weight.shape}")
        temperature = float(arrays["temperature"][0]) if "temperature" in arrays else 1.0
        if not 0 < temperature < np.inf:
            raise ValueError(f"temperature must be above 0, not {temperature}")
        seed, n_labels = int(arrays["seed"][0]), int(arrays["n_labels"][0])
        return cls(classes=classes, seed=seed, n_labels=n_labels, temperature=temperature, **weights)

    def named(self) -> set[int]:
        """The class ids that had a label, those that it can answer."""
        return {number for number, bias in zip(self.classes, self.output_bias, strict=True) if bias > NEVER / 2}


def fit(
    vectors: NDArray[np.floating],
    labels: Ids,
    *,
    classes: Sequence[int],
    seed: int,
    warm: Classifier | None = None,
    beta: float = BETA,
    trust: Floats | None = None,
) -> Classifier:
    """Train on (m, d) float32 vectors whose class ids are labels (m,); the outputs are `classes`, in that order.

    warm: an earlier classifier to go on from, in few steps. Classes that it knows keep their rows, new ones get rows,
    those no longer listed lose theirs. It is ignored where d differs or it never learned two classes. beta: of the
    class weights, 0: every label counts alike. trust: (m,) how much each label counts beside that, all 1 where None.
    One labelled class: that class with probability 1. None: all alike. The same arguments give the same bytes on one
    machine. The temperature is 1.
    Raises ValueError on shapes that disagree, a class listed twice, a label that is not listed, a row not finite.
    """
    inputs: Floats = np.asarray(vectors, dtype=np.float32)
    check(inputs, labels, classes, trust)
    known = set(labels.tolist())
    present = [int(number) for number in classes if number in known]
    chance = torch.Generator().manual_seed(seed)
    if len(present) < 2:
        return spread(blank(inputs.shape[1], present), classes, seed, len(labels))
    if warm is not None and len(warm.named()) > 1 and len(warm.mean) == inputs.shape[1]:
        start, rate = grown(warm, present, chance), WARM_RATE
        steps = max(WARM_STEPS, len(labels) // BATCH)  # at least, every label once
    else:
        start, rate = fresh(inputs, present, chance), COLD_RATE
        steps = int(np.clip(COLD_EPOCHS * len(labels) / BATCH, *COLD_STEPS))
    order = np.argsort(present)
    outputs = order[np.searchsorted(present, labels, sorter=order)]
    inputs = (inputs - start.mean) / start.scale
    weights = class_weights(outputs, len(present), beta)[outputs]
    weights = weights if trust is None else weights * trust
    layers = [start.hidden, start.hidden_bias, start.output, start.output_bias]
    hidden, hidden_bias, output, output_bias = descend(layers, inputs, outputs, weights, steps, rate, chance)
    trained = replace(start, hidden=hidden, hidden_bias=hidden_bias, output=output, output_bias=output_bias)
    return spread(trained, classes, seed, len(labels))


def check(vectors: Floats, labels: Ids, classes: Sequence[int], trust: Floats | None) -> None:
    """Raise ValueError where fit() cannot know what is meant."""
    if vectors.ndim != 2 or labels.shape != (len(vectors),):
        raise ValueError(f"vectors {vectors.shape} and labels {labels.shape} must be (m, d) and (m,)")
    if trust is not None and (trust.shape != labels.shape or not (trust >= 0).all()):
        raise ValueError(f"trust must be (m,) numbers from 0 on, not {trust.shape}")
    if len(set(classes)) != len(classes):
        raise ValueError("a class is listed twice")
    strange = sorted(set(labels.tolist()) - set(classes))
    if strange:
        raise ValueError(f"labels of classes that are not listed: {strange[:10]}")
    refuse_endless(vectors, 0)


def blank(d: int, present: list[int]) -> Classifier:
    """A network that says the same to every vector: 1 / C for each class."""
    zeros = [
        np.zeros(shape, dtype=np.float32) for shape in [d, (HIDDEN, d), HIDDEN, (len(present), HIDDEN), len(present)]
    ]
    return Classifier(present, 0, 0, zeros[0], np.ones(d, dtype=np.float32), *zeros[1:])


def fresh(vectors: Floats, present: list[int], chance: torch.Generator) -> Classifier:
    """Random weights (He et al. 2015 in the hidden layer, small in the output), and the scale of these vectors."""
    d = vectors.shape[1]
    spread_of_all = vectors.var(axis=0, dtype=np.float64)
    # a tenth of the mean variance on top: a dimension that is flat in few labels must not blow up on the rest
    scale = np.sqrt(spread_of_all + 0.1 * spread_of_all.mean() + 1e-12)
    return replace(
        blank(d, present),
        mean=vectors.mean(axis=0, dtype=np.float64).astype(np.float32),
        scale=scale.astype(np.float32),
        hidden=noise((HIDDEN, d), (2 / d) ** 0.5, chance),
        output=noise((len(present), HIDDEN), 0.1, chance),
    )


def grown(warm: Classifier, present: list[int], chance: torch.Generator) -> Classifier:
    """The earlier network with exactly these classes: rows it has named are kept, the others start small."""
    output, bias = noise((len(present), HIDDEN), 0.1, chance), np.zeros(len(present), dtype=np.float32)
    old = {number: row for row, number in enumerate(warm.classes)}
    for row, number in enumerate(present):
        if number in warm.named():
            output[row], bias[row] = warm.output[old[number]], warm.output_bias[old[number]]
    return replace(warm, classes=present, output=output, output_bias=bias)


def spread(trained: Classifier, classes: Sequence[int], seed: int, n_labels: int) -> Classifier:
    """The same network over all classes: those without a label get probability 0, unless none has one."""
    ids = [int(number) for number in classes]
    output = np.zeros((len(ids), HIDDEN), dtype=np.float32)
    bias = np.full(len(ids), NEVER if trained.classes else 0, dtype=np.float32)
    at = [ids.index(number) for number in trained.classes]
    output[at], bias[at] = trained.output, trained.output_bias
    return replace(trained, classes=ids, seed=seed, n_labels=n_labels, output=output, output_bias=bias, temperature=1.0)


def noise(shape: tuple[int, int], deviation: float, chance: torch.Generator) -> Floats:
    """Normal numbers of this deviation."""
    drawn: Floats = (torch.randn(shape, generator=chance) * deviation).numpy()
    return drawn


def softmax(logits: Floats, temperature: float) -> Floats:
    """(n, C) -> softmax(logits / temperature), (n, C), each row sums to 1."""
    if not logits.shape[1]:
        return logits
    powers = np.exp((logits - logits.max(axis=1, keepdims=True)) / np.float32(temperature))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def refuse_endless(vectors: Floats, first: int) -> None:
    """Raise ValueError naming the first row that is not finite; the rows are numbered from `first`."""
    bad = ~np.isfinite(vectors.sum(axis=1))
    if bad.any():
        raise ValueError(f"the vector of row {first + int(bad.argmax())} is not finite")
