"""What a detector is taught and what it is judged on: photos whose boxes people have judged, parted by place.

Decisions: photos of a place teach or judge, never both; each web photo is a place of its own; what is too little to teach or
to judge is said instead of tried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.learning.detector_examples import BoxedPhoto, read_boxed_photos, split_boxed_photos
from worker.learning.field_photos import TruePhoto, folds_by_place, no_boxes

MOST_FOLDS = 4  # a quarter of the photos judges where there are places enough
LEAST_PLACES = 4  # so that at least two judge
LEAST_TAUGHT, LEAST_JUDGED = 20, 5  # animals


@dataclass(frozen=True)
class Lessons:
    """photos: with paths that lead to them from anywhere. held: (n,) those that judge."""

    photos: tuple[TruePhoto, ...]
    held: NDArray[np.bool_]

    @property
    def taught(self) -> list[TruePhoto]:
        return [photo for photo, held in zip(self.photos, self.held.tolist(), strict=True) if not held]

    @property
    def judged(self) -> list[TruePhoto]:
        return [photo for photo, held in zip(self.photos, self.held.tolist(), strict=True) if held]

    def beside(self, others: Lessons) -> Lessons:
        """With photos of others that only teach."""
        more = tuple(others.taught)
        return Lessons((*self.photos, *more), np.concatenate([self.held, np.zeros(len(more), np.bool_)]))


def by_place(photos: Sequence[TruePhoto]) -> Lessons:
    """Whole places are held out: of about equal parts the one with the most places, which says the most."""
    places = [photo.place for photo in photos]
    count = min(MOST_FOLDS, len(set(places)) // 2)
    if count < 2:
        return Lessons(tuple(photos), np.zeros(len(photos), np.bool_))
    folds = folds_by_place(places, count)
    widths = [
        len({place for place, fold in zip(places, folds, strict=True) if fold == number}) for number in range(count)
    ]
    return Lessons(tuple(photos), folds == int(np.argmax(widths)))


def web_lessons(folder: Path, into: Path) -> Lessons:
    """The photos of boxes.csv and boxes.tar, unpacked; the starter never saw those that are held out (split_boxed_photos())."""
    photos = read_boxed_photos(folder)
    held = {photo.path for photo in split_boxed_photos(photos)[1]}
    into.mkdir(parents=True, exist_ok=True)
    rows = [_unpacked(photo, into / f"{number:06}") for number, photo in enumerate(photos)]
    return Lessons(tuple(rows), np.array([photo.path in held for photo in photos], np.bool_))


def _unpacked(photo: BoxedPhoto, path: Path) -> TruePhoto:
    path.write_bytes(photo.encoded)
    with Image.open(BytesIO(photo.encoded)) as picture:
        sides = np.array(picture.size * 2, np.float32)
    sha256 = hashlib.sha256(photo.encoded).hexdigest()
    return TruePhoto(str(path), sha256, photo.path, photo.boxes_xyxy / sides, photo.kinds, no_boxes())


def why_not(lessons: Lessons) -> str:
    """Why these photos cannot teach or judge; empty where they can."""
    places = len({photo.place for photo in lessons.photos})
    if places < LEAST_PLACES:
        return f"Photos of {places} places are too few: {LEAST_PLACES} are needed, so that some can judge what others taught."
    taught = sum(len(photo.boxes_xyxy) for photo in lessons.taught)
    judged = sum(len(photo.boxes_xyxy) for photo in lessons.judged)
    if taught < LEAST_TAUGHT or judged < LEAST_JUDGED:
        return (
            f"{taught} animals to teach and {judged} to judge are too few: "
            f"{LEAST_TAUGHT} and {LEAST_JUDGED} are needed, each with a box that is right."
        )
    return ""
