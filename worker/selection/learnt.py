"""What the labels of a pool teach: its classifier, or one that is fitted here, and what that says of its rows."""

import numpy as np

from worker.learning.classifier import BLOCK, Classifier, fit, softmax
from worker.selection.margin import margins
from worker.selection.nearest import Vectors
from worker.selection.pool import Floats, Pool, Rows


def classifier_of(pool: Pool, rng: np.random.Generator) -> Classifier:
    """pool.classifier; where it is None, one fitted on the labels. Raises ValueError naming a row not finite."""
    return pool.classifier if pool.classifier is not None else fitted(pool, rng)


def fitted(pool: Pool, rng: np.random.Generator) -> Classifier:
    """A classifier fitted on the pool's labels, its outputs the labelled classes ascending; one class, 0, without any."""
    classes = np.unique(pool.labels).tolist() or [0]
    return fit(pool.vectors[pool.labelled], pool.labels, classes=classes, seed=int(rng.integers(2**31)))


def tells_apart(pool: Pool) -> bool:
    """Whether two classes have a label. Where not, every row looks alike to a network and its doubts say nothing."""
    return len(np.unique(pool.labels)) > 1


def margins_of(pool: Pool, rng: np.random.Generator) -> Floats:
    """(n,) p1 - p2 of pool.probabilities(); numbers by chance while it cannot tell classes apart."""
    if not tells_apart(pool):
        return rng.random(len(pool.vectors), dtype=np.float32)
    return margins(pool.probabilities())


def layers_of(classifier: Classifier, vectors: Vectors, rows: Rows) -> tuple[Floats, Floats]:
    """(n, d) and (u,) rows -> the hidden layer after ReLU (u, 100) and the probabilities (u, C). In blocks.

    Raises ValueError naming the first row that is not finite.
    """
    hidden = classifier.hidden / classifier.scale
    bias = classifier.hidden_bias - hidden @ classifier.mean
    inner = np.empty((len(rows), len(bias)), dtype=np.float32)
    chances = np.empty((len(rows), len(classifier.classes)), dtype=np.float32)
    for lo in range(0, len(rows), BLOCK):
        at = slice(lo, lo + BLOCK)
        block = np.asarray(vectors[rows[at]], dtype=np.float32)
        refuse(block, rows[at])
        inner[at] = np.maximum(block @ hidden.T + bias, 0)
        chances[at] = softmax(inner[at] @ classifier.output.T + classifier.output_bias, classifier.temperature)
    return inner, chances


def refuse(vectors: Floats, rows: Rows) -> None:
    """Raise ValueError naming the first of these rows of the pool, (b, d) and (b,), that is not finite."""
    bad = ~np.isfinite(vectors.sum(axis=1))
    if bad.any():
        raise ValueError(f"the vector of row {rows[int(bad.argmax())]} is not finite")
