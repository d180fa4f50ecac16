"""How well the classifier names cameras that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.learning.classifier import fit
from worker.learning.descent import Floats, Ids
from worker.learning.splits import by_group


@dataclass(frozen=True)
class Report:
    """accuracy: share of the held labels that are named right; per_class: the same for each class id that was held.

    n_held: how many labels that rests on. Both are empty of meaning where it is 0: accuracy is then NaN.
    """

    accuracy: float
    per_class: dict[int, float]
    n_held: int


def report(
    vectors: Floats, labels: Ids, deployment: Ids, *, classes: Sequence[int], seed: int, share: float = 0.2
) -> Report:
    """Hold whole deployments back, fit on the rest, name what was held. vectors: (m, d); labels, deployment: (m,)."""
    kept, held = by_group(deployment, labels, share, np.random.default_rng(seed))
    if not len(held):
        return Report(float("nan"), {}, 0)
    classifier = fit(vectors[kept], labels[kept], classes=classes, seed=seed)
    named = np.array(classifier.classes)[classifier.probabilities(vectors[held]).argmax(axis=1)]
    right = named == labels[held]
    per_class = {int(number): float(right[labels[held] == number].mean()) for number in np.unique(labels[held])}
    return Report(float(right.mean()), per_class, len(held))
