"""What a detector is worth, from its answers: shares found, shares of false alarms, thresholds, average precision."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.boxes import Boxes, Scores, iou_matrix

Best = NDArray[np.float32]  # (n,) the best score of each photo, 0 where it has no box


def best_scores(scores: Sequence[Scores]) -> Best:
    """One number a photo: photos are empty or not by their best box."""
    return np.array([photo.max(initial=0.0) for photo in scores], np.float32)


def share_at(best: Best, threshold: float) -> float:
    """Share of photos with a box of at least this score: recall on animal photos, false alarms on empties."""
    return float((best >= threshold).mean())


def count_above(best_on_empties: Best, allowed: float = 0.05, digits: int = 2) -> float:
    """The lowest threshold, rounded up to `digits`, at which at most this share of the empties has a false box.

    Raises ValueError without empties.
    """
    if len(best_on_empties) == 0:
        raise ValueError("a threshold needs empty photos to be measured on")
    descending = np.sort(best_on_empties.astype(np.float64))[::-1]
    tolerated = int(allowed * len(descending) + 1e-9)
    if tolerated >= len(descending):
        return 0.0
    steps = 10.0**digits
    # 1e-4: a float32 score such as 0.95 is a hair below 0.95 in float64, and must still count as reaching it
    return min((math.floor(float(descending[tolerated]) * steps + 1e-4) + 1) / steps, 1.0)


def average_precision(
    found: Sequence[tuple[Boxes, Scores]], truth: Sequence[Boxes], iou_threshold: float = 0.5
) -> float:
    """Area under precision over recall, each true box matched once, best score first (Pascal VOC 2010, all points).

    found: boxes (n, 4) and scores (n,) of each photo. truth: boxes (m, 4) of each photo, same unit.
    """
    hits: list[tuple[float, bool]] = []
    for (boxes, scores), true_boxes in zip(found, truth, strict=True):
        overlaps = iou_matrix(boxes, true_boxes)
        taken: set[int] = set()
        for row in np.argsort(-scores, kind="stable"):
            best = int(overlaps[row].argmax()) if len(true_boxes) else -1
            hit = best >= 0 and overlaps[row, best] >= iou_threshold and best not in taken
            if hit:
                taken.add(best)
            hits.append((float(scores[row]), hit))
    hits.sort(key=lambda hit: -hit[0])
    right = np.cumsum([hit for _, hit in hits], dtype=np.float64)
    n_true = sum(len(boxes) for boxes in truth)
    if n_true == 0 or len(hits) == 0:
        return 0.0
    precision = right / np.arange(1, len(hits) + 1)
    recall = np.concatenate([[0.0], right / n_true])
    ceiling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall) * ceiling).sum())
