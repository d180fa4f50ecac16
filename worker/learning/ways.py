"""The ways to teach the classifier, and what every one of them comes to: weights, a temperature, a report.

Decisions:
* The classifier that is used learns from all labels. Its temperature and its report come from a second one, taught the same
  way from nothing, that never saw the held part (whole deployments, else whole sequences); a warm start would have seen it.
* Warm starts save time where labels are many, but a long chain of them grows ever surer of itself while it names no more
  crops right, and no classifier that was taught from nothing says how much surer. So up to 5,000 labels every fit begins
  from nothing, and beyond that one in every 10% more labels.
* The second one learns from at most 6,000 labels: a person waits. So with more labels its report is a little too modest.
* Which way is PLAIN was decided by the harness (docs/lab-log.md); the others are there to be compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from worker.learning.classifier import Classifier, fit
from worker.learning.descent import BETA
from worker.learning.named_crops import NamedCrops
from worker.learning.pseudo_labels import Guessed, ceal, propagation
from worker.learning.report import Report, judge
from worker.learning.splits import bursts, unseen

ANEW_UP_TO, ANEW_EVERY = 5_000, 1.1
HELD_SHARE = 0.2
MOST_JUDGED = 6_000

Guess = Callable[[NamedCrops, Classifier, int], Guessed]


@dataclass(frozen=True)
class Way:
    """beta: of the class weights, 0: none. guess: where more names to learn from come from. calibrated: has a temperature.

    warm: goes on from the classifier before, always.
    """

    beta: float = BETA
    guess: Guess | None = None
    calibrated: bool = True
    warm: bool = False


PLAIN = "plain"
WAYS: dict[str, Way] = {
    PLAIN: Way(),
    "uncalibrated": Way(calibrated=False),
    "warm": Way(warm=True),
    "unweighted": Way(beta=0.0),
    "ceal": Way(guess=ceal),
    "propagation": Way(guess=propagation),
}


def learn(
    crops: NamedCrops, seed: int, warm: Classifier | None = None, way: Way = WAYS[PLAIN]
) -> tuple[Classifier, Report]:
    """A classifier of all classes that have a label, ascending, and what the held part says about its like.

    warm: an earlier classifier, to go on from where that pays. The report is empty where nothing can be held. Equal
    arguments, equal bytes.
    """
    classifier = taught(crops, seed, warm if way.warm or goes_on(warm, len(crops.rows)) else None, way)
    if not way.calibrated:
        return classifier, Report(float("nan"), {}, 0)
    found = judged(crops, seed, way)
    return replace(classifier, temperature=found.temperature), found


def goes_on(warm: Classifier | None, labels: int) -> bool:
    """Whether a fit on so many labels begins where an earlier one ended."""
    if warm is None or not 0 < warm.n_labels <= labels or labels <= ANEW_UP_TO:
        return False
    return int(math.log(labels, ANEW_EVERY)) == int(math.log(warm.n_labels, ANEW_EVERY))


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
    kept, held = unseen(few.deployment, few.sequence, few.labels, HELD_SHARE, chance)
    if not len(held):
        return Report(float("nan"), {}, 0)
    probe = taught(replace(few.only(kept), aside=few.rows[held]), seed, None, way)
    return judge(probe, crops.vectors[few.rows[held]], few.labels[held], bursts(few.sequence)[held])
