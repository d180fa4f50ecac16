"""A detector and an embedder that see coloured squares, and photos that hold some: no weights, no waiting."""

from __future__ import annotations

import hashlib
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageDraw
from torch import Tensor

from worker.device import Device
from worker.jobs.networks import Course, Weights
from worker.learning.finetuning import Verdict
from worker.learning.metric_training import Progress
from worker.networks.detector import Detections

# Each species is a colour; the grass around it is nearly grey.
COLOURS = {"fox": (220, 90, 20), "hare": (20, 160, 220), "boar": (160, 20, 200), "crane": (20, 200, 60)}
GRASS = (96, 100, 92)
SATURATED = 60  # the difference between the strongest and the weakest channel of a square
DIM = 8
CARD = {"count_above": 0.5, "classify_above": 0.2}


def photo(
    squares: Sequence[tuple[str, tuple[int, int, int, int]]] = (), *, size: tuple[int, int] = (160, 120),
    taken: str = "2026:03:01 06:30:00", noise: int = 0,
) -> bytes:  # fmt: skip
    """JPEG bytes of a meadow with squares (colour name, corners in px). noise: another photo with the same squares."""
    image = Image.new("RGB", size, GRASS)
    draw = ImageDraw.Draw(image)
    for name, corners in squares:
        draw.rectangle(corners, COLOURS[name])
    draw.point([(noise % size[0], noise // size[0] % size[1])], (100, 104, 96))
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken
    exif[ExifTags.Base.ImageDescription] = f"photo {noise}"
    target = io.BytesIO()
    image.save(target, "JPEG", quality=92, exif=exif)
    return target.getvalue()


def opened(jpeg: bytes) -> NDArray[np.uint8]:
    """The pixels of a JPEG."""
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


@dataclass
class SquareDetector:
    """Every patch of strong colour is an animal; its score grows with its area: 1% of the photo is 0.3, 4% is 0.9."""

    name: str = "squares"
    classes: tuple[str, ...] = ("animal",)
    delay_s: float = 0.0

    def preprocess(self, photo: NDArray[np.uint8]) -> Tensor:
        """The pixels as they are."""
        return torch.from_numpy(np.array(photo))

    def predict(self, photos: Sequence[Tensor], sizes: Sequence[tuple[int, int]]) -> list[Detections]:
        """One box a patch."""
        time.sleep(self.delay_s * len(photos))
        return [self._look(photo.numpy(), size) for photo, size in zip(photos, sizes, strict=True)]

    def _look(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> Detections:
        height, width = size
        strong = np.ptp(pixels.astype(np.int16), axis=2) > SATURATED
        found = sorted(patches(strong), key=lambda patch: -((patch[2] - patch[0]) * (patch[3] - patch[1])))
        shares = [np.array(patch, np.float32) / (width, height, width, height) for patch in found]
        scores = [min(0.98, 0.1 + 20 * float((s[2] - s[0]) * (s[3] - s[1]))) for s in shares]
        return Detections(
            np.array(shares, np.float32).reshape(-1, 4), np.array(scores, np.float32), ("animal",) * len(found)
        )


def patches(strong: NDArray[np.bool_]) -> list[tuple[int, int, int, int]]:
    """Corners of the connected runs: enough for squares that do not overlap in their columns."""
    found = []
    columns = np.flatnonzero(strong.any(axis=0))
    for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
        if len(run) >= 3:
            rows = np.flatnonzero(strong[:, run].any(axis=1))
            found.append((int(run[0]), int(rows[0]), int(run[-1]) + 1, int(rows[-1]) + 1))
    return found


@dataclass
class ColourEmbedder:
    """The mean colour of a crop, and the position in the list of crops plays no part."""

    name: str = "colours"
    dim: int = DIM
    delay_s: float = 0.0
    turn: int = 0  # how often it was fine-tuned: each time the numbers move on by one place

    def preprocess(self, crops: NDArray[np.uint8]) -> Tensor:
        """The pixels as they are."""
        return torch.from_numpy(np.array(crops))

    def embed(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, 256, 256, 3) -> (n, 8), rows of length 1."""
        time.sleep(self.delay_s * len(crops))
        vectors = np.zeros((len(crops), DIM), np.float32)
        some = crops[:, ::16, ::16].astype(np.float32) / 255
        vectors[:, :3], vectors[:, 3:6] = some.mean(axis=(1, 2)), some.std(axis=(1, 2))
        vectors[:, 7] = 0.2
        return np.roll(vectors, self.turn, axis=1) / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass
class FakeShelf:
    """Weights without a file. delay_s: a photo, so that a test can kill in the middle."""

    delay_s: float = 0.0
    step_s: float = 0.0  # of a fine-tune

    def find(self, kind: str, source: str) -> Weights:
        """Any name is there."""
        return Weights(kind, source, hashlib.sha256(f"{kind} {source}".encode()).hexdigest(), CARD)

    def detector(self, source: str, device: Device) -> SquareDetector:
        """Sees squares."""
        return SquareDetector(delay_s=self.delay_s)

    def embedder(self, source: str, device: Device) -> ColourEmbedder:
        """Sees colours, in the way of its weights."""
        return ColourEmbedder(turn=turns(source), delay_s=self.delay_s if turns(source) else 0.0)

    def fine_tune(self, start: str, course: Course, device: Device) -> Verdict:
        """Counts its steps in the state file and reads a few crops at each. recipe: {"steps": 6, "helped": True}."""
        wanted = {"steps": 6, "helped": True} | course.recipe
        step = int(course.state.read_text()) if course.state.is_file() else 0
        while step < wanted["steps"]:
            course.crops[np.arange(step, step + 4) % len(course.crops)]
            time.sleep(self.step_s)
            step += 1
            course.state.write_text(str(step))
            with steps_log(course.state).open("a") as log:
                log.write(f"{step} {len(course.labels)} {course.labels.sum()}\n")
            course.report(Progress(step, wanted["steps"], 0.5, None, (wanted["steps"] - step) * self.step_s))
        if not wanted["helped"]:
            return Verdict(
                False, 0.8, 0.79, step, "It did not help: 79.0% of held-out crops, before 80.0%. The old one stays."
            )
        course.out.write_text(f"colours {turns(start) + 1}")
        return Verdict(True, 0.8, 0.9, step, "Recognises 90.0% of held-out crops, before 80.0%.")


def steps_log(state: Path) -> Path:
    """Where the fake fine-tune writes down each step: number, how many labels, their sum."""
    return state.parent.parent / "steps.log"


def turns(source: str) -> int:
    """How often the embedder of this source was fine-tuned."""
    path = Path(source)
    return int(path.read_text().split()[1]) if path.is_file() else 0
