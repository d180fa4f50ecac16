"""The ways to teach the classifier, and what every one of them comes to: weights, a temperature, a report.

Decisions:
* The classifier that is used learns from all labels. Its temperature and its report come from a second one, taught the same
  way from nothing, that never saw the held part (whole deployments, else whole sequences); a warm start would have seen it.
* The second one learns from at most 6,000 labels: a person waits. So with more labels its report is a little too modest.
* Which way is PLAIN was decided by the harness (docs/lab-log.md); the others are there to be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from worker.learning.classifier import Classifier, fit
from worker.learning.descent import BETA
from worker.learning.named_crops import NamedCrops
from worker.learning.pseudo_labels import Guessed, ceal, propagation
from worker.learning.report import Report, judge
from worker.learning.splits import unseen

HELD_SHARE = 0.2
MOST_JUDGED = 6_000

Guess = Callable[[NamedCrops, Classifier, int], Guessed]


@dataclass(frozen=True)
class Way:
    """beta: of the class weights, 0: none. guess: where more names to learn from come from. calibrated: has a temperature."""

    beta: float = BETA
    guess: Guess | None = None
    calibrated: bool = True


PLAIN = "plain"
WAYS: dict[str, Way] = {
    PLAIN: Way(),
    "uncalibrated": Way(calibrated=False),
    "unweighted": Way(beta=0.0),
    "ceal": Way(guess=ceal),
    "propagation": Way(guess=propagation),
}


def learn(
    crops: NamedCrops, seed: int, warm: Classifier | None = None, way: Way = WAYS[PLAIN]
) -> tuple[Classifier, Report]:
    """A classifier of all classes that have a label, ascending, and what the held part says about its like.

    warm: an earlier classifier to go on from. The report is empty where nothing can be held. Equal arguments, equal bytes.
    """
    classifier = taught(crops, seed, warm, way)
    if not way.calibrated:
        return classifier, Report(float("nan"), {}, 0)
    found = judged(crops, seed, way)
    return replace(classifier, temperature=found.temperature), found


def taught(crops: NamedCrops, seed: int, warm: Classifier | None, way: Way) -> Classifier:
    """Fit on the names; then, where the way guesses more names, go on with both."""
    labels, known = crops.labels, crops.vectors[crops.rows]
    classes = np.unique(labels).tolist()
    classifier = fit(known, labels, classes=classes, seed=seed, warm=warm, beta=way.beta)
    if way.guess is None:
        return classifier
    guessed = way.guess(crops, classifier, seed)
    if not len(guessed.rows):
        return classifier
    both = fit(
        np.concatenate([known, crops.vectors[guessed.rows]]), np.concatenate([labels, guessed.labels]), classes=classes,
        seed=seed, warm=classifier, beta=way.beta,
        trust=np.concatenate([np.ones(len(labels), np.float32), guessed.trust]),
    )  # fmt: skip
    return replace(both, n_labels=len(labels))


def judged(crops: NamedCrops, seed: int, way: Way) -> Report:
    """Hold a part back, teach the rest from nothing, name the part."""
    chance = np.random.default_rng(seed)
    few = crops.only(np.sort(chance.permutation(len(crops.rows))[:MOST_JUDGED]))
    kept, held, groups = unseen(few.deployment, few.sequence, few.labels, HELD_SHARE, chance)
    if not len(held):
        return Report(float("nan"), {}, 0)
    probe = taught(few.only(kept), seed, None, way)
    return judge(probe, crops.vectors[few.rows[held]], few.labels[held], groups[held])
