"""One visit to a photo: decoded ahead, looked at by the detector, its boxes cut out and embedded. No rows are written here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from models.image import QUARANTINED, READY, REFUSED
from models.storage import Store
from worker.images.crops import crops, to_jpeg
from worker.images.decoder import Decoded, DecoderPool
from worker.images.exif import CameraFacts
from worker.jobs.bench import first_line
from worker.networks.detector import Detections, Detector
from worker.networks.embedder import Embedder

log = structlog.get_logger()
AHEAD = 8  # photos decoded while the networks look at others; 12 megapixels are 36 MB each
MOST_AT_ONCE = 16  # photos in one look; their pixels stay in memory until their crops are cut

STATES = {"refuse": REFUSED, "quarantine": QUARANTINED}


@dataclass(frozen=True)
class PhotoRow:
    """What a job needs to know of a photo's row."""

    id: int
    sha256: str
    path: str


@dataclass
class Seen:
    """One photo after the visit. found: all boxes. vectors, jpegs: of the first len(vectors) boxes, those above the cut."""

    row: PhotoRow
    state: str
    reason: str = ""
    width_px: int | None = None
    height_px: int | None = None
    facts: CameraFacts = field(default_factory=CameraFacts)
    found: Detections | None = None
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
        return [boxes.get(row.path, "not in the boxes file") for row in rows]

    return look


class DecodedAhead:
    """The photos of a job, shard after shard, being decoded while the ones before are looked at."""

    def __init__(self, pool: DecoderPool, store: Store, rows_of: Callable[[int], list[PhotoRow]], shards: int) -> None:
        """rows_of: the photos of a shard."""
        self._pool, self._store, self._rows_of, self._shards = pool, store, rows_of, shards
        self._next = -1
        self._coming: deque[PhotoRow] = deque()
        self._stream: Iterator[Decoded] = iter(())

    def shard(self, number: int, rows: Sequence[PhotoRow]) -> Iterator[tuple[PhotoRow, Decoded]]:
        """The decoded photos of one shard. In order of shards the next one is already under way; any other starts anew."""
        if number != self._next:
            self._coming.clear()
            self._stream = self._pool.decode(self._paths(number), ahead=AHEAD)
        self._next = -1  # until this shard is used up, nobody can go on after it
        for row in rows:
            decoded = next(self._stream)
            if self._coming.popleft() != row:
                raise RuntimeError("the photos of a shard changed while it was looked at")
            yield row, decoded
        self._next = number + 1

    def _paths(self, first: int) -> Iterator[Path]:
        for number in range(first, self._shards):
            for row in self._rows_of(number):
                self._coming.append(row)
                yield self._store.original(row.sha256)


class Visit:
    """Looks at decoded photos, a few at a time; a photo that breaks a network is set aside alone."""

    def __init__(self, store: Store, look: Looker, embedder: Embedder, at_once: int) -> None:
        """at_once: photos in one forward pass."""
        self._store, self._look, self._embedder = store, look, embedder
        self._classify_above = 1.0
        self._at_once = min(at_once, MOST_AT_ONCE)
        self._one_passed = False

    def see(
        self, decoded: Iterator[tuple[PhotoRow, Decoded]], classify_above: float, breathe: Callable[[], None]
    ) -> list[Seen]:
        """Every photo. Boxes below classify_above get no crop. Raises what the networks raise when no photo passes them."""
        self._classify_above = classify_above
        seen: list[Seen] = []
        few: list[tuple[PhotoRow, Decoded]] = []
        for row, photo in decoded:
            breathe()
            if photo.verdict != "accept":
                seen.append(Seen(row, STATES[photo.verdict], photo.reason))
                continue
            self._store.write_cheaply(self._store.thumbnail(row.sha256), photo.thumbnail)
            self._store.write_cheaply(self._store.preview(row.sha256), photo.preview)
            few.append((row, photo))
            if len(few) == self._at_once:
                seen += self._together_or_alone(few)
                few = []
        return seen + self._together_or_alone(few)

    def _together_or_alone(self, few: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
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
                seen.append(Seen(row, QUARANTINED, f"could not be looked at: {first_line(error)}"[:300]))
        if not self._one_passed:
            raise last
        return seen

    def _together(self, few: list[tuple[PhotoRow, Decoded]]) -> list[Seen]:
        """Detect, cut, embed."""
        if not few:
            return []
        answers = self._look([row for row, _photo in few], [photo.pixels for _row, photo in few])
        seen = [self._described(row, photo, answer) for (row, photo), answer in zip(few, answers, strict=True)]
        self._embed([photo for _row, photo in few], seen)
        self._one_passed = True
        return seen

    def _described(self, row: PhotoRow, photo: Decoded, answer: Detections | str) -> Seen:
        if isinstance(answer, str):
            return Seen(row, QUARANTINED, answer[:300], photo.width, photo.height, photo.facts)
        return Seen(row, READY, "", photo.width, photo.height, photo.facts, found=answer)

    def _embed(self, photos: list[Decoded], seen: list[Seen]) -> None:
        """Crops and vectors of every box that shall be classified, all photos in one go."""
        cuts = [
            crops(photo.pixels, each.found.above(self._classify_above).boxes_xyxy)
            for photo, each in zip(photos, seen, strict=True)
            if each.found is not None
        ]
        if not cuts:
            return
        vectors = self._embedder.embed(np.concatenate(cuts))
        if not np.isfinite(vectors).all():
            raise ArithmeticError("the embedder gave numbers that are none")
        starts = np.cumsum([len(cut) for cut in cuts])[:-1]
        looked_at = [each for each in seen if each.found is not None]
        for each, cut, part in zip(looked_at, cuts, np.split(vectors, starts), strict=True):
            each.vectors, each.jpegs = part, [to_jpeg(one) for one in cut]
