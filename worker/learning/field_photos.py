"""Camera-trap photos with boxes that a person drew: read from a truth file, parted by place, looked at through windows.

Decisions: photos of one place are near twins, so a place is trained on or measured on, never both; where a source does
not name its places the whole source is one place. What the person was unsure of is blurred away before training.
"""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

Boxes = NDArray[np.float32]  # (n, 4) xyxy
Labels = NDArray[np.int64]  # (n,) the class of each box, from 1 on
NOT_ANIMALS = ("person", "vehicle")
KEPT_PX = 1280  # the longest side kept in memory
LEAST_SEEN, LEAST_LEFT = 0.4, 0.06  # a box cut by the window counts from 40% on, and is overlooked up to 6%
TRIES = 12


def no_boxes() -> Boxes:
    return np.empty((0, 4), np.float32)


@dataclass(frozen=True)
class TruePhoto:
    """One row of the truth. Boxes are shares of the upright photo, xyxy.

    unsure: what might be an animal. false: what a detector took for an animal and a person did not.
    """

    path: str
    sha256: str
    place: str
    boxes_xyxy: Boxes
    species: tuple[str, ...]
    unsure_xyxy: Boxes
    false_xyxy: Boxes = field(default_factory=no_boxes)


@dataclass(frozen=True)
class FieldPhoto:
    """A photo (JPEG, at most KEPT_PX wide or high) and its animals, xyxy in its pixels.

    false_xyxy: what is no animal though a detector took it for one. labels: of the animals; without them all are class 1.
    """

    path: str
    encoded: bytes
    boxes_xyxy: Boxes
    false_xyxy: Boxes = field(default_factory=no_boxes)
    labels: Labels | None = None

    def open(self) -> Image.Image:
        return Image.open(io.BytesIO(self.encoded)).convert("RGB")


def read_truth(file: Path, labels: Path) -> list[TruePhoto]:
    """The rows of `file` (path, sha256, boxes, species, unsure, note), in its order.

    boxes, unsure: JSON lists of [x, y, width, height], shares of the photo. labels: labels.csv (path, location, ...)
    beside the photos. Boxes of people and vehicles are no animals and are left out. Raises ValueError on a bad row.
    """
    with labels.open(newline="") as lines:
        places = {row["path"]: place_of(row["path"], row["location"]) for row in csv.DictReader(lines)}
    photos = []
    with file.open(newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), start=2):
            try:
                boxes, unsure = corners(json.loads(row["boxes"])), corners(json.loads(row["unsure"]))
                species = tuple(str(name) for name in json.loads(row["species"]))
                place = places[row["path"]]
            except (KeyError, ValueError, TypeError) as error:
                raise ValueError(f"{file.name}, line {number}: {error}") from error
            if len(species) != len(boxes):
                raise ValueError(f"{file.name}, line {number}: {len(boxes)} boxes and {len(species)} species")
            animal = [row for row, name in enumerate(species) if name not in NOT_ANIMALS]
            names = tuple(species[row] for row in animal)
            photos.append(TruePhoto(row["path"], row["sha256"], place, boxes[animal], names, unsure))
    return photos


def place_of(path: str, location: str) -> str:
    """The name under which photos stay together. Without a location: the source's folder (speciesnet's ten pictures are
    from ten countries, each is a place of its own); the two cameras in Peru look at one spot."""
    if location:
        return "peru" if location.startswith("peru/") else location
    return path if path.startswith("speciesnet/") else path.split("/")[1 if path.startswith("animl/") else 0]


def corners(boxes_xywh: Sequence[Sequence[float]]) -> Boxes:
    """[[x, y, width, height], ...] -> (n, 4) xyxy."""
    boxes = np.array(boxes_xywh, np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return np.clip(boxes, 0, 1)


def folds_by_place(places: Sequence[str], count: int) -> NDArray[np.int64]:
    """A fold 0..count-1 for each photo: whole places, the largest first, each to the fold that is smallest so far.

    The places of one source (the part of the name before a `/` or a blank) go to different folds where they can.
    """
    sizes = {place: places.count(place) for place in sorted(set(places))}
    load = [0] * count
    fold_of = {}
    for place in sorted(sizes, key=lambda name: (-sizes[name], name)):
        fold_of[place] = min(range(count), key=lambda fold: (load[fold], fold))
        load[fold_of[place]] += sizes[place]
    return np.array([fold_of[place] for place in places], np.int64)


def read_field_photos(folder: Path, truth: Sequence[TruePhoto]) -> list[FieldPhoto]:
    """The photos of these rows, shrunk, upright; what is unsure is blurred beyond recognition."""
    photos = []
    for row in truth:
        photo = open_upright(folder / row.path, KEPT_PX)
        sides = np.array([photo.width, photo.height] * 2, np.float32)
        for left, top, right, bottom in (row.unsure_xyxy * sides).astype(int).tolist():
            part = photo.crop((left, top, right + 1, bottom + 1))
            photo.paste(part.filter(ImageFilter.GaussianBlur(max(part.size) / 3)), (left, top))
        encoded = io.BytesIO()
        photo.save(encoded, "JPEG", quality=92)
        photos.append(FieldPhoto(row.path, encoded.getvalue(), row.boxes_xyxy * sides, row.false_xyxy * sides))
    return photos


def open_upright(path: Path, longest_px: int) -> Image.Image:
    """A photo as its camera meant it, at most so many pixels wide or high."""
    photo = Image.open(path)
    photo.draft("RGB", (longest_px, longest_px))
    upright: Image.Image = ImageOps.exif_transpose(photo).convert("RGB")
    upright.thumbnail((longest_px, longest_px), Image.Resampling.BILINEAR)
    return upright


def view(
    rng: np.random.Generator, source: FieldPhoto, canvas: tuple[int, int]
) -> tuple[Image.Image, list[tuple[float, float, float, float]], NDArray[np.int64]]:
    """What the detector sees of a photo: all of it, or a window that cuts no animal in an unclear way.

    canvas: (height, width) in pixels. Returns the picture, the boxes in its pixels, and which of the photo's boxes they are.
    """
    photo = source.open()
    looked_at = np.concatenate([source.boxes_xyxy, source.false_xyxy])
    for _ in range(TRIES):
        window = _whole(photo, rng) if rng.random() < 0.3 else _window(photo, looked_at, rng, canvas)
        boxes, rows = _seen(source.boxes_xyxy, window)
        if rows is not None:
            break
    else:
        window = (0.0, 0.0, float(photo.width), float(photo.height))
        boxes, rows = source.boxes_xyxy, np.arange(len(source.boxes_xyxy))
    left, top, right, bottom = window
    scale = np.array([canvas[1] / (right - left), canvas[0] / (bottom - top)] * 2, np.float32)
    moved = (boxes - np.array([left, top] * 2, np.float32)) * scale
    picture = photo.resize((canvas[1], canvas[0]), Image.Resampling.BILINEAR, box=window, reducing_gap=2.0)
    return picture, [(x1, y1, x2, y2) for x1, y1, x2, y2 in moved.tolist()], rows


Window = tuple[float, float, float, float]  # left, top, right, bottom


def _whole(photo: Image.Image, rng: np.random.Generator) -> Window:
    """All of the photo but for a few percent at its edges; where its shape differs from the canvas it is stretched."""
    shares = rng.uniform(0, 0.04, 4)
    return (
        photo.width * shares[0], photo.height * shares[1],
        photo.width * (1 - shares[2]), photo.height * (1 - shares[3]),
    )  # fmt: skip


def _window(photo: Image.Image, boxes: Boxes, rng: np.random.Generator, canvas: tuple[int, int]) -> Window:
    """A part of the canvas' shape, often about one of these boxes, from a third of the photo to nearly all of it."""
    shape = canvas[1] / canvas[0] * float(np.exp(rng.uniform(-0.2, 0.2)))
    widest = min(photo.width, photo.height * shape)
    width = widest * float(rng.uniform(0.35, 1.0))
    height = width / shape
    left, top = rng.uniform(0, photo.width - width), rng.uniform(0, photo.height - height)
    if len(boxes) and rng.random() < 0.7:
        x1, y1, x2, y2 = boxes[int(rng.integers(len(boxes)))].tolist()
        left = min(max((x1 + x2) / 2 - width * rng.uniform(0.15, 0.85), 0), photo.width - width)
        top = min(max((y1 + y2) / 2 - height * rng.uniform(0.15, 0.85), 0), photo.height - height)
    return (left, top, left + width, top + height)


def _seen(boxes: Boxes, window: Window) -> tuple[Boxes, NDArray[np.int64] | None]:
    """The boxes as the window cuts them, and their rows; no rows when it leaves neither enough of one nor nearly nothing."""
    low, high = np.array(window[:2] * 2, np.float32), np.array(window[2:] * 2, np.float32)
    cut = np.clip(boxes, low, high)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    share = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.maximum(area, 1e-6)
    if np.any((share > LEAST_LEFT) & (share < LEAST_SEEN)):
        return cut, None
    rows = np.flatnonzero(share >= LEAST_SEEN)
    return np.asarray(cut[rows]), rows
