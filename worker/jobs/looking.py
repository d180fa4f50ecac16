"""One visit to a photo: looked at by the detector, its animals cut out and embedded. No rows are written here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from models.image import QUARANTINED, READY, REFUSED
from models.storage import Store
from models.words import written
from worker.images.crops import CROP_PX, crops, to_jpeg
from worker.images.decoder import Decoded
from worker.images.exif import CameraFacts
from worker.jobs.bench import first_line
from worker.networks.detector import Detections, Detector
from worker.networks.embedder import Embedder
from worker.networks.kinds import ANIMAL

log = structlog.get_logger()

STATES = {"refuse": REFUSED, "quarantine": QUARANTINED}


@dataclass(frozen=True)
class PhotoRow:
    """What a job needs to know of a photo's row."""

    id: int
    sha256: str
    path: str


@dataclass
class Seen:
    """One photo after the visit. found: all boxes. cut: which of them became crops; vectors, jpegs: one for each of those.
    brightness: mean of its pixels, 0 to 255."""

    row: PhotoRow
    state: str
    reason: str = ""
    width_px: int | None = None
    height_px: int | None = None
    facts: CameraFacts = field(default_factory=CameraFacts)
    brightness: int | None = None
    found: Detections | None = None
    cut: list[int] = field(default_factory=list)
    vectors: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    jpegs: list[bytes] = field(default_factory=list)


class Looker(Protocol):
    """Says what is in a few photos."""

    def __call__(self, rows: Sequence[PhotoRow], photos: Sequence[NDArray[np.uint8]], /) -> list[Detections | str]:
        """A reason instead of detections: nobody could look at that photo."""
        ...


def by_detector(detector: Detector) -> Looker:
    """Look with a network."""

    def look(_rows: Sequence[PhotoRow], photos: Sequence[NDArray[np.uint8]]) -> list[Detections | str]:
        small = [detector.preprocess(photo) for photo in photos]
        return list(detector.predict(small, [photo.shape[:2] for photo in photos]))

    return look


def by_record(boxes: Mapping[str, Detections | str]) -> Looker:
    """Take the boxes that another detector wrote down, by the photo's path. A photo that it never saw is no empty photo."""

    def look(rows: Sequence[PhotoRow], _photos: Sequence[NDArray[np.uint8]]) -> list[Detections | str]:
        return [boxes.get(row.path, written("not in the boxes file")) for row in rows]

    return look


def by_boxes_here(boxes_of: Callable[[Sequence[int]], Mapping[int, Detections]], otherwise: Looker) -> Looker:
    """Photos that have boxes already (an import brought them) keep those; the others are looked at.

    boxes_of: the standing boxes of some photos, by the photo's id and in the order of their rows.
    """

    def look(rows: Sequence[PhotoRow], photos: Sequence[NDArray[np.uint8]]) -> list[Detections | str]:
        here = boxes_of([row.id for row in rows])
        others = [number for number, row in enumerate(rows) if row.id not in here]
        looked = otherwise([rows[number] for number in others], [photos[number] for number in others]) if others else []
        seen = dict(zip(others, looked, strict=True))
        return [here[row.id] if row.id in here else seen[number] for number, row in enumerate(rows)]

    return look


def nothing_found(rows: Sequence[PhotoRow], _photos: Sequence[NDArray[np.uint8]]) -> list[Detections | str]:
    """For photos that another detector looked at and found nothing in."""
    none = Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32), ())
    return [none for _row in rows]


class Visit:
    """Looks at decoded photos, a batch at a time; a photo that breaks a network is set aside alone. Any thread may call it."""

    def __init__(self, store: Store, look: Looker, embedder: Embedder, classify_above: float) -> None:
        """classify_above: boxes with a lower score, and those that show no animal, get no crop."""
        self._store, self._look, self._embedder = store, look, embedder
        self._classify_above = classify_above
        self._one_passed = False

    def see(self, batch: Sequence[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        """Every photo, in order. Raises what the networks raise when no photo passes them."""
        sound = [(row, photo) for row, photo in batch if photo.verdict == "accept"]
        for row, photo in sound:
            self._store.write_cheaply(self._store.thumbnail(row.sha256), photo.thumbnail)
            self._store.write_cheaply(self._store.preview(row.sha256), photo.preview)
        looked_at = iter(self._together_or_alone(sound))
        return [
            next(looked_at) if photo.verdict == "accept" else Seen(row, STATES[photo.verdict], photo.reason)
            for row, photo in batch
        ]

    def _together_or_alone(self, few: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        if not few:
            return []
        try:
            return self._together(few)
        except Exception as error:
            log.warning("a network failed, looking at these photos one by one", error=first_line(error))
            return self._one_by_one(few)
        finally:
            for _row, photo in few:
                photo.release()

    def _one_by_one(self, few: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        """Set aside the photos that break a network even alone. Raises when none ever passed: then it is not the photos."""
        seen: list[Seen] = []
        for row, photo in few:
            try:
                seen += self._together([(row, photo)])
            except Exception as error:
                last = error
                seen.append(
                    Seen(row, QUARANTINED, written("could not be looked at: %(why)s", why=first_line(error))[:300])
                )
        if not self._one_passed:
            raise last
        return seen

    def _together(self, few: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        """Detect, cut, embed."""
        answers = self._look([row for row, _photo in few], [photo.pixels for _row, photo in few])
        seen = [self._described(row, photo, answer) for (row, photo), answer in zip(few, answers, strict=True)]
        self._embed([photo for _row, photo in few], seen)
        self._one_passed = True
        return seen

    def _described(self, row: PhotoRow, photo: Decoded, answer: Detections | str) -> Seen:
        if isinstance(answer, str):
            return Seen(row, QUARANTINED, answer[:300], photo.width, photo.height, photo.facts)
        return Seen(
            row, READY, "", photo.width, photo.height, photo.facts, brightness_of(photo.pixels), found=answer
        )  # fmt: skip

    def _embed(self, photos: list[Decoded], seen: list[Seen]) -> None:
        """Crops and vectors of every box that shall be classified, all photos in one go."""
        cuts = [np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)]
        for photo, each in zip(photos, seen, strict=True):
            if each.found is not None:
                each.cut = worth_a_crop(each.found, self._classify_above)
                cuts.append(crops(photo.pixels, each.found.boxes_xyxy[each.cut]))
        together = np.concatenate(cuts)
        if not len(together):
            return
        vectors = self._embedder.embed(together)
        if not np.isfinite(vectors).all():
            raise ArithmeticError("the embedder gave numbers that are none")
        start = 0
        for each in seen:
            rows = slice(start, start + len(each.cut))
            each.vectors, each.jpegs = vectors[rows], [to_jpeg(one) for one in together[rows]]
            start = rows.stop


def brightness_of(pixels: NDArray[np.uint8]) -> int:
    """Mean of every eighth pixel of every eighth row, 0 to 255. pixels: (h, w, 3)."""
    return round(float(pixels[::8, ::8].mean()))


def worth_a_crop(found: Detections, classify_above: float) -> list[int]:
    """Rows of the animals that are sure enough. People and vehicles have a name already: nobody is asked about them."""
    return [row for row, kind in enumerate(found.kinds) if kind == ANIMAL and found.scores[row] >= classify_above]
