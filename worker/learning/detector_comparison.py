"""A detector before and after it learnt, on the same held-out photos: how much is found at the same false boxes a photo.

Decisions: a figure is a mean over three rates of false boxes, since at one rate it hangs on a handful of boxes; chance is what
whole places drawn again do to it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.boxes import Boxes, Scores, iou_matrix
from worker.device import Device
from worker.learning.detector_measures import Ranking, bootstrap, ranking
from worker.learning.field_photos import TruePhoto, open_upright
from worker.networks.detector import load_detector

FALSE_BOXES = (0.05, 0.1, 0.2)  # a photo
RIGHT_FROM = 0.5  # IoU of a box with its animal


@dataclass(frozen=True)
class Comparison:
    """Rankings of the same photos. places: (n,) of each photo."""

    before: Ranking
    after: Ranking
    places: tuple[str, ...]

    def gain(self, photos: NDArray[np.int64] | None = None) -> float:
        """Share of the animals that is found more, -1..1. photos: rows, some perhaps twice; all without them."""
        rows = np.arange(len(self.places)) if photos is None else photos
        return found(self.after.of(rows)) - found(self.before.of(rows))

    @cached_property
    def gain_95(self) -> tuple[float, float]:
        """The middle 95% of the gain over draws of whole places."""
        return bootstrap(self.places, self.gain)

    def lines(self, names: tuple[str, str]) -> list[str]:
        """A table for people. names: of the two."""
        animals, places = int(self.before.truth.sum()), len(set(self.places))
        table = [
            f"held out: {len(self.places):,} photos of {places:,} places, {animals:,} animals",
            f"{'':34}{names[0][:24]:>24}{names[1][:24]:>26}",
        ]
        for rate in FALSE_BOXES:
            cells = [with_chance(each, self.places, rate) for each in (self.before, self.after)]
            table.append(f"found at {rate:.2f} false boxes a photo   {cells[0]:>24}  {cells[1]:>24}")
        low, high = self.gain_95
        return [
            *table,
            f"gain, mean of the three: {100 * self.gain():+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})",
        ]


def found(ranked: Ranking) -> float:
    """Share of the animals found, mean over the rates of false boxes."""
    return float(np.mean([ranked.recall_at(rate) for rate in FALSE_BOXES]))


def with_chance(ranked: Ranking, places: Sequence[str], rate: float) -> str:
    """40.3% (25.5 to 56.4)."""
    low, high = bootstrap(places, lambda photos: ranked.of(photos).recall_at(rate))
    return f"{ranked.recall_at(rate):.1%} ({100 * low:.1f} to {100 * high:.1f})"


def compare(
    before: Sequence[tuple[Boxes, Scores]], after: Sequence[tuple[Boxes, Scores]], photos: Sequence[TruePhoto]
) -> Comparison:
    """What two detectors found on these photos, judged alike."""
    truth, unsure = [row.boxes_xyxy for row in photos], [row.unsure_xyxy for row in photos]
    return Comparison(ranking(before, truth, unsure), ranking(after, truth, unsure), tuple(row.place for row in photos))


@dataclass(frozen=True)
class Names:
    """Of the animals of each photo whose species is a class: (n,) how many are found at all, and how many are named right.

    commonest: what somebody would name right who called all that is found by its commonest species, 0..1.
    """

    met: NDArray[np.int64]
    right: NDArray[np.int64]
    places: tuple[str, ...]
    commonest: float

    def share(self, photos: NDArray[np.int64] | None = None) -> float:
        """Named right, of those found; NaN where none is found."""
        rows = np.arange(len(self.places)) if photos is None else photos
        met = int(self.met[rows].sum())
        return float(self.right[rows].sum() / met) if met else float("nan")

    def line(self) -> str:
        """For people."""
        low, high = bootstrap(self.places, self.share)
        right = f"names right: {self.share():.1%} ({100 * low:.1f} to {100 * high:.1f})"
        animals = f"of {int(self.met.sum()):,} animals of its species that it finds"
        return f"{right} {animals}; calling all by the commonest: {self.commonest:.1%}"


def named(weights: str, photos: Sequence[TruePhoto], seen_px: int, device: Device) -> Names:
    """How a detector of species names what it finds: by its best box on each animal, whatever its score."""
    detector = load_detector(weights, device, by_kind=False)
    met, right = np.zeros(len(photos), np.int64), np.zeros(len(photos), np.int64)
    seen: Counter[str] = Counter()
    for row, photo in enumerate(photos):
        pixels = np.asarray(open_upright(Path(photo.path), seen_px))
        [answer] = detector.predict([detector.preprocess(pixels)], [(pixels.shape[0], pixels.shape[1])])
        overlaps = iou_matrix(answer.boxes_xyxy, photo.boxes_xyxy)
        for animal, species in enumerate(photo.species):
            on_it = np.flatnonzero(overlaps[:, animal] >= RIGHT_FROM)
            if species in detector.classes and len(on_it):
                met[row] += 1
                seen[species] += 1
                right[row] += answer.kinds[on_it[0]] == species  # best score first
    commonest = max(seen.values(), default=0) / max(1, seen.total())
    return Names(met, right, tuple(photo.place for photo in photos), commonest)
