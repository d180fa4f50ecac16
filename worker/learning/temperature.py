"""Probabilities that mean what they say: of the crops named with 0.9, nine in ten are right.

One number, the temperature, divides what the last layer says (Guo et al. 2017, "On calibration of modern neural networks",
sec. 4.2). It moves every probability nearer to 1 / C or nearer to 0 and 1 and leaves the order of the classes of a crop.
It must be found on crops that the network was not taught with: on those that it knows, it is always too sure.
"""

import numpy as np

from worker.learning.classifier import softmax
from worker.learning.descent import Floats, Ids

COLDEST, HOTTEST = 1 / 8, 8.0
HALVINGS = 40
BINS = 15


def temperature_of(logits: Floats, right: Ids) -> float:
    """The T > 0 that makes softmax(logits / T) most likely. Guo et al. 2017, eq. 9; 1 where nothing can be learnt.

    logits: (h, C) of held-out crops. right: (h,) the column that is right. One more answer is thought of, by chance among
    all classes (as in Platt 1999, sec. 2): a few crops that are all named right do not make the network certain. The
    loss is convex in 1 / T, so T is where its slope is 0, between 1/8 and 8. Raises ValueError on shapes that disagree.
    """
    if logits.ndim != 2 or right.shape != (len(logits),):
        raise ValueError(f"logits {logits.shape} and right {right.shape} must be (h, C) and (h,)")
    h, classes = logits.shape
    if not h or classes < 2:
        return 1.0
    z = logits - logits.mean(axis=1, keepdims=True)  # so that an answer by chance weighs 0
    wanted = z[np.arange(h), right].sum(dtype=np.float64) * (h + 1) / (h + 2)
    low, high = np.log(1 / HOTTEST), np.log(1 / COLDEST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        said = (softmax(z, float(np.exp(-middle))) * z).sum(dtype=np.float64)
        low, high = (low, middle) if said > wanted else (middle, high)
    return float(np.exp(-(low + high) / 2))


def calibration_error(probabilities: Floats, right: Ids) -> float:
    """The expected calibration error: how far, on average, the best probability lies from the share that is right.

    probabilities: (h, C). right: (h,) columns, -1 where no column is. 15 bins of equal width; nan of no crop.
    Guo et al. 2017, eq. 3.
    """
    if not len(right):
        return float("nan")
    sure = probabilities.max(axis=1).astype(np.float64)
    hits = probabilities.argmax(axis=1) == right
    bins = np.minimum((sure * BINS).astype(np.int64), BINS - 1)
    gaps = np.bincount(bins, weights=sure - hits, minlength=BINS)
    return float(np.abs(gaps).sum() / len(right))
