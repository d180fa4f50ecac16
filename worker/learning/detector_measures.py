"""What a detector is worth, from its answers: shares found, shares of false alarms, thresholds, average precision."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Ranking:
    """The boxes of all photos, best score first, each right or false.

    scores: (n,) float32. hits: (n,) bool. photos: (n,) the row of the photo. truth: (p,) how many animals each photo shows.
    """

    scores: NDArray[np.float32]
    hits: NDArray[np.bool_]
    photos: NDArray[np.int64]
    truth: NDArray[np.int64]

    def recall_at(self, false_boxes_a_photo: float) -> float:
        """Share of the animals found at the lowest threshold with at most so many false boxes a photo."""
        return self._found(self.threshold_at(false_boxes_a_photo))

    def threshold_at(self, false_boxes_a_photo: float) -> float:
        """The lowest score, of those that a box has, with at most so many false boxes a photo; above 1 if there is none."""
        allowed = np.cumsum(~self.hits) <= false_boxes_a_photo * len(self.truth) + 1e-9
        last_of_its_score = np.append(self.scores[1:] < self.scores[:-1], True)
        good = self.scores[allowed & last_of_its_score]
        return float(good.min()) if len(good) else 1.1

    def at_score(self, score: float) -> tuple[float, float]:
        """(precision, recall) of the boxes with at least this score; precision is NaN where there is none."""
        above = self.scores >= np.float32(score)
        return (float(self.hits[above].mean()) if above.any() else float("nan")), self._found(score)

    def of(self, photos: NDArray[np.int64]) -> "Ranking":
        """The same for these photos (rows, some perhaps twice, as a bootstrap draws them)."""
        drawn, counts = np.unique(photos, return_counts=True)
        times = np.zeros(len(self.truth), np.int64)
        times[drawn] = counts
        rows = np.repeat(np.arange(len(self.scores)), times[self.photos])
        return Ranking(self.scores[rows], self.hits[rows], self.photos[rows], np.repeat(self.truth, times))

    def _found(self, score: float) -> float:
        animals = int(self.truth.sum())
        return float(self.hits[self.scores >= np.float32(score)].sum() / animals) if animals else float("nan")


def ranking(
    found: Sequence[tuple[Boxes, Scores]], truth: Sequence[Boxes], unsure: Sequence[Boxes], iou_threshold: float = 0.5
) -> Ranking:
    """Judge every box: right when it meets an animal that no better box of its photo has met (IoU >= iou_threshold).

    found: boxes (n, 4) and scores (n,) of each photo; truth, unsure: boxes (m, 4) of each photo. A box that meets no
    animal and lies at least half in an unsure one is neither right nor false and is left out (Pascal VOC's `difficult`).
    """
    judged: list[tuple[float, bool, int]] = []
    for photo, ((boxes, scores), animals, doubtful) in enumerate(zip(found, truth, unsure, strict=True)):
        overlaps = iou_matrix(boxes, animals)
        for row in np.argsort(-scores, kind="stable"):
            best = int(overlaps[row].argmax()) if len(animals) else -1
            hit = best >= 0 and overlaps[row, best] >= iou_threshold
            if hit:
                overlaps[:, best] = 0
            elif share_inside(boxes[row], doubtful) >= 0.5:
                continue
            judged.append((float(scores[row]), hit, photo))
    judged.sort(key=lambda box: -box[0])
    return Ranking(
        np.array([score for score, _, _ in judged], np.float32),
        np.array([hit for _, hit, _ in judged], np.bool_),
        np.array([photo for _, _, photo in judged], np.int64),
        np.array([len(boxes) for boxes in truth], np.int64),
    )


def share_inside(box_xyxy: NDArray[np.float32], regions_xyxy: Boxes) -> float:
    """The largest share of the box that lies in one of the regions; 0 without regions."""
    low = np.maximum(box_xyxy[:2], regions_xyxy[:, :2])
    high = np.minimum(box_xyxy[2:], regions_xyxy[:, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=1)
    own = float(np.prod(np.maximum(box_xyxy[2:] - box_xyxy[:2], 0)))
    return float(shared.max(initial=0.0)) / own if own > 0 else 0.0


def bootstrap(
    places: Sequence[str], measure: Callable[[NDArray[np.int64]], float], rounds: int = 1000, seed: int = 1
) -> tuple[float, float]:
    """The middle 95% of a figure over photos drawn by whole places, with replacement: photos of one place are alike.

    places: of each photo. measure: rows of photos -> the figure.
    """
    names = sorted(set(places))
    of_place = [np.array([row for row, place in enumerate(places) if place == name], np.int64) for name in names]
    rng = np.random.default_rng(seed)
    draws = [np.concatenate([of_place[n] for n in rng.integers(len(names), size=len(names))]) for _ in range(rounds)]
    figures = np.array([measure(photos) for photos in draws])
    low, high = np.nanpercentile(figures, [2.5, 97.5])
    return float(low), float(high)
