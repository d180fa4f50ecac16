"""Names for crops that nobody has named, to learn from and then to forget: they are never stored, counted or exported."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from worker.learning.classifier import Classifier
from worker.learning.descent import Floats, Ids
from worker.learning.named_crops import NamedCrops
from worker.learning.propagation import propagate

THRESHOLD, DECAY = 0.05, 0.0033  # of the entropy, in nats
MOST = 20_000  # the surest, where more are sure
GRAPH = 10_000  # crops without a name in the graph, at most


@dataclass(frozen=True, eq=False)
class Guessed:
    """rows: (g,) that are named by guess. labels: (g,) class ids. trust: (g,) how much each counts, 0..1."""

    rows: Ids
    labels: Ids
    trust: Floats


def ceal(crops: NamedCrops, classifier: Classifier, seed: int) -> Guessed:  # noqa: ARG001, no chance in it
    """What the classifier is sure of: entropy below a threshold that falls from round to round; each counts in full.

    Wang et al. 2017, "Cost-effective active learning for deep image classification", sec. III.
    """
    rows = crops.unnamed()
    if len(classifier.named()) < 2:  # one class is certain, and that means nothing
        rows = rows[:0]
    chances = classifier.probabilities(crops.vectors)[rows]
    doubt = doubts(chances)
    sure = np.flatnonzero(doubt < threshold(crops.number))
    sure = np.sort(sure[np.argsort(doubt[sure], kind="stable")[:MOST]])
    named = np.array(classifier.classes, np.int64)[chances[sure].argmax(axis=1)]
    return Guessed(rows[sure], named, np.ones(len(sure), np.float32))


def threshold(number: int) -> float:
    """The entropy in nats below which a guess is taken for a label in round `number`, from 1; 0 in the end."""
    return max(THRESHOLD - DECAY * (number - 1), 0.0)


def propagation(crops: NamedCrops, classifier: Classifier, seed: int) -> Guessed:  # noqa: ARG001, it asks the neighbours
    """What the neighbours say: names flow from named crops along a graph; each counts as much as it is sure.

    The graph has 10,000 rows at most beside the named ones, by the seed. The trust is 1 - H(z) / log C: Iscen et al. 2019,
    "Label propagation for deep semi-supervised learning", sec. 4.1.
    """
    rows = np.sort(np.random.default_rng(seed).permutation(crops.unnamed())[:GRAPH])
    classes, columns = np.unique(crops.labels, return_inverse=True)
    if len(classes) < 2 or not len(rows):
        return Guessed(rows[:0], rows[:0], np.empty(0, np.float32))
    both = np.asarray(crops.vectors[np.concatenate([crops.rows, rows])], np.float32)
    reached = propagate(both, np.arange(len(crops.rows)), columns, len(classes))[len(crops.rows) :]
    trust = np.where(reached.any(axis=1), 1 - doubts(reached) / np.log(len(classes)), 0)
    return Guessed(rows, classes[reached.argmax(axis=1)], np.clip(trust, 0, 1).astype(np.float32))


def doubts(shares: Floats) -> Floats:
    """(n, C) -> (n,) the entropy of each row, in nats; 0 log 0 is 0."""
    terms = shares * np.log(np.where(shares > 0, shares, 1))
    return np.asarray(-terms.sum(axis=1), np.float32)
