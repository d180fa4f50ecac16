"""Labelled pictures of others, read a batch at a time: a COCO Camera Traps set, folders named after their class, or a table.

Decisions: a row is one animal, its box cut out and resized as the crops of a project are; where nobody drew boxes the
whole picture is the crop; an entry that cannot be used is named and left out, and so is a file that turns out broken when
its turn comes (another crop of its class takes its place, the same one every time). Labels of whole sequences are not
true of every picture and are never used; neither are pictures with two species and no boxes.
Format: LILA's COCO Camera Traps (a JSON file); see also Beery et al. 2018, sec. 3 (validation by location).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from worker.images.crops import CROP_PX, NotABox, crop
from worker.images.decode import NotAPhoto, decode
from worker.learning.label_tables import sights_of_table
from worker.learning.sights import WHOLE, NotASet, Sight, Skipped, leads_out

__all__ = ["NotASet", "SightedCrops", "read_set"]

EMPTY = frozenset({"empty", "blank"})
SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
DECODERS = 4
TRIES = 20  # broken files in a row before a class is given up

Ids = NDArray[np.int64]
Row = dict[str, Any]


class SightedCrops:
    """Crops by row, decoded when asked for. labels: (n,) numbers in `species`; places: (n,) numbers of places."""

    def __init__(self, sights: list[Sight], skipped: Skipped) -> None:
        self.sights, self.skipped = sights, skipped
        self.species, self.labels = np.unique([sight.species for sight in sights], return_inverse=True)
        self.places: Ids = np.unique([sight.place for sight in sights], return_inverse=True)[1]
        self.broken: set[Path] = set()

    def __len__(self) -> int:
        return len(self.sights)

    def __getitem__(self, rows: Ids, /) -> NDArray[np.uint8]:
        """rows: (m,) -> (m, 256, 256, 3) uint8. Raises NotASet where a class has hardly a file that can be read."""
        with ThreadPoolExecutor(DECODERS) as pool:  # Pillow decodes outside of Python's lock
            crops = list(pool.map(self._crop, rows.tolist()))
        return np.stack(crops) if crops else np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)

    def _crop(self, row: int) -> NDArray[np.uint8]:
        mates = np.flatnonzero(self.labels == self.labels[row])
        first = int(np.searchsorted(mates, row))
        for mate in np.roll(mates, -first)[:TRIES]:
            found = self.readable(self.sights[mate])
            if found is not None:
                return found
        raise NotASet(
            f"Of {self.sights[row].species!r} one file after another cannot be read, {self.sights[row].path}."
        )

    def readable(self, sight: Sight) -> NDArray[np.uint8] | None:
        """The crop (256, 256, 3), or nothing where its file is broken; that is noted once."""
        if sight.path in self.broken:
            return None
        try:
            photo = decode(sight.path)
            if sight.size is not None and (sight.size[0] > sight.size[1]) != (photo.width > photo.height):
                raise NotAPhoto("its box was drawn on a picture of another shape")
            return crop(photo.pixels, sight.box_xyxy)
        except (NotAPhoto, NotABox, OSError) as error:
            if sight.path not in self.broken:
                self.broken.add(sight.path)
                self.skipped.add(str(error) or type(error).__name__, sight.path.name)
            return None


def read_set(source: Path, photos: Path | None = None) -> SightedCrops:
    """source: the JSON file of a COCO Camera Traps set, a table (label_tables.py), or a folder with one folder a class.

    photos: the folder that the file names of the JSON or table are below; default the one it lies in. Raises NotASet.
    """
    skipped = Skipped()
    if source.is_dir():
        sights = list(_of_folders(source, skipped))
    elif source.suffix.lower() == ".csv" and source.is_file():
        sights = list(sights_of_table(source, photos or source.parent, skipped))
    elif source.is_file():
        sights = list(_of_coco(_read_json(source), photos or source.parent, skipped))
    else:
        raise NotASet(f"{source} is neither a file nor a folder.")
    if len({sight.species for sight in sights}) < 2:
        words = f"{source} has {len(sights)} pictures with a name and fewer than two species."
        raise NotASet(" ".join([words, *skipped.lines()]))
    return SightedCrops(sights, skipped)


def _of_folders(folder: Path, skipped: Skipped) -> Iterator[Sight]:
    """class/photo.jpg, or class/place/photo.jpg."""
    for kind in sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
        if kind.name.lower() in EMPTY:
            continue
        for path in sorted(each for each in kind.rglob("*") if each.is_file() and not each.name.startswith(".")):
            if path.suffix.lower() not in SUFFIXES:
                skipped.add("no .jpg or .png", str(path.relative_to(folder)))
                continue
            below = path.relative_to(kind).parts
            yield Sight(path, WHOLE, None, kind.name, below[0] if len(below) > 1 else "")


def _read_json(source: Path) -> Row:
    """Raises NotASet unless it has images, annotations and categories."""
    try:
        found = json.loads(source.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # also what is no UTF-8
        raise NotASet(f"{source} is not JSON: {error}") from error
    lists = ("images", "annotations", "categories")
    if not isinstance(found, dict) or not all(isinstance(found.get(name), list) for name in lists):
        raise NotASet(f"{source} is no COCO Camera Traps file: it needs the lists images, annotations and categories.")
    return found


def _of_coco(found: Row, photos: Path, skipped: Skipped) -> Iterator[Sight]:
    names = {str(row.get("id")): str(row.get("name")) for row in _rows(found["categories"], "category", skipped)}
    annotations: dict[str, list[Row]] = defaultdict(list)
    for row in _rows(found["annotations"], "annotation", skipped):
        annotations[str(row.get("image_id"))].append(row)
    images = {str(row.get("id")): row for row in _rows(found["images"], "image", skipped)}
    for image_id in annotations.keys() - images.keys():
        skipped.add("an annotation of an image that is not listed", image_id)
    for image_id, image in images.items():
        yield from _of_image(image, annotations[image_id], names, photos, skipped)


def _rows(rows: list[Any], what: str, skipped: Skipped) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, dict):
            yield row
        else:
            skipped.add(f"an {what} that is no object", repr(row)[:40])


def _of_image(
    image: Row, annotations: list[Row], names: dict[str, str], photos: Path, skipped: Skipped
) -> Iterator[Sight]:
    """The animals of one image: its boxes, else the whole picture where it shows one species."""
    name = str(image.get("file_name"))
    named = [(row, names.get(str(row.get("category_id")), "")) for row in annotations]
    named = [(row, kind) for row, kind in named if kind.lower() not in EMPTY]
    reason = _why_not(image, name, named, photos)
    if reason:
        skipped.add(reason, name)
    if reason or not named:
        return
    size = _size(image)
    named_places = (image.get(key) for key in ("location", "seq_id", "id"))
    place = next((str(each) for each in named_places if each not in (None, "")), "")
    sequence = str(image.get("seq_id") or "")
    boxed = [(row, kind) for row, kind in named if "bbox" in row or "bbox_relative" in row]
    for row, kind in boxed:
        box = _box(row, size)
        if box is None:
            skipped.add("a box that is none, or in pixels of a picture of unknown size", name)
        else:
            yield Sight(photos / name, box, size, kind, place, sequence=sequence)
    if not boxed:
        yield Sight(photos / name, WHOLE, None, named[0][1], place, sequence=sequence)


def _why_not(image: Row, name: str, named: list[tuple[Row, str]], photos: Path) -> str:
    """Why nothing can be learned from this image; empty where it can, or where it simply shows nothing."""
    if not named:
        return ""
    if leads_out(name):
        return "a file name that leads out of the folder"
    if any(not kind for _row, kind in named):
        return "a category that is not listed"
    if any(row.get("sequence_level_annotation") is True for row, _kind in named):
        return "named as a sequence, not as a picture"
    boxed = any("bbox" in row or "bbox_relative" in row for row, _kind in named)
    if not boxed and len({kind for _row, kind in named}) > 1:
        return "several species and no boxes"
    if image.get("corrupt") is True:
        return "marked as corrupt"
    return "" if (photos / name).is_file() else "no such file"


def _size(image: Row) -> tuple[int, int] | None:
    width, height = image.get("width"), image.get("height")
    known = isinstance(width, int | float) and isinstance(height, int | float) and width > 0 and height > 0
    return (int(width), int(height)) if known else None  # type: ignore[arg-type]


def _box(row: Row, size: tuple[int, int] | None) -> tuple[float, float, float, float] | None:
    """[x, y, w, h] in pixels, or in shares as bbox_relative -> xyxy in shares, cut to the picture; None for nonsense."""
    relative = row.get("bbox_relative")
    wide, high = (1, 1) if relative is not None else size or (0, 0)
    try:
        x, y, w, h = (float(number) for number in (row["bbox"] if relative is None else relative))
    except (TypeError, ValueError):
        return None
    if not wide or not np.isfinite([x, y, w, h]).all() or w <= 0 or h <= 0:
        return None
    box = np.clip([x / wide, y / high, (x + w) / wide, (y + h) / high], 0, 1)
    return tuple(box.tolist()) if box[2] > box[0] and box[3] > box[1] else None
