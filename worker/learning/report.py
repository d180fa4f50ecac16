"""How well a classifier names crops of cameras or bursts that it has not seen, class by class, and how sure it may be."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from worker.learning.classifier import Classifier, softmax
from worker.learning.descent import Floats, Ids
from worker.learning.temperature import calibration_error, temperature_of

FEWEST = 30  # held labels from which a temperature is found; below, the classifier stays as it is


@dataclass(frozen=True)
class OfClass:
    """precision: of the held crops called so, the share that are (nan: none was). recall: of the n that are, the share found."""

    precision: float
    recall: float
    n: int


@dataclass(frozen=True)
class Report:
    """What n_held held labels say. accuracy: share named right (nan of none). per_class: by class id, those that were held.

    temperature: found on all of the held ones; 1 below 30 of them. error_before, error_after: the expected calibration error,
    nan where no temperature was found; after: of each half with the temperature of the other, so that it flatters nobody.
    """

    accuracy: float
    per_class: dict[int, OfClass]
    n_held: int
    temperature: float = 1.0
    error_before: float = math.nan
    error_after: float = math.nan

    def told(self) -> dict[str, Any]:
        """As JSON has it: 4 digits, null for nan, class ids as words."""
        return dict(plain(asdict(self)))


def judge(classifier: Classifier, vectors: Floats, labels: Ids, bursts: Ids) -> Report:
    """Name held crops with a classifier that never saw them. vectors: (h, d). labels: (h,) class ids that it can answer.

    bursts: (h,) which crops are of one sequence; it lies in one half.
    """
    if not len(labels):
        return Report(math.nan, {}, 0)
    classes = np.array(classifier.classes, np.int64)
    logits = classifier.logits(vectors)
    named = classes[logits.argmax(axis=1)]
    per_class = {int(kind): of_class(named, labels, int(kind)) for kind in np.unique(labels)}
    accuracy = float((named == labels).mean())
    if len(labels) < FEWEST:
        return Report(accuracy, per_class, len(labels))
    can = np.isin(classes, list(classifier.named()))
    logits, right = logits[:, can], np.argmax(labels[:, None] == classes[can], axis=1)
    before = calibration_error(softmax(logits, 1.0), right)
    after = calibration_error(crossed(logits, right, bursts), right)
    return Report(accuracy, per_class, len(labels), temperature_of(logits, right), before, after)


def of_class(named: Ids, labels: Ids, kind: int) -> OfClass:
    """One line of the report."""
    said, is_so = named == kind, labels == kind
    hits, calls, n = int((said & is_so).sum()), int(said.sum()), int(is_so.sum())
    return OfClass(hits / calls if calls else math.nan, hits / n, n)


def crossed(logits: Floats, right: Ids, bursts: Ids) -> Floats:
    """(h, C) -> (h, C) probabilities, every second burst with the temperature of the others."""
    odd = np.unique(bursts, return_inverse=True)[1] % 2 == 1
    found = np.empty_like(logits)
    for half in (odd, ~odd):
        found[half] = softmax(logits[half], temperature_of(logits[~half], right[~half]))
    return found


def plain(value: Any) -> Any:
    """Numbers as JSON has them."""
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value
