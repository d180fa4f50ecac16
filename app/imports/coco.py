"""COCO Camera Traps (FORMATS 4). Boxes are pixels there, shares here; a box without the size of its photo cannot be read.

What is true of a sequence only is kept aside: it is no truth about one photo. Names were given by people unless the person who
brings the file says that a machine gave them. A photo of an unknown time keeps none, and its line says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.imports.checks import Wrong, clock
from app.imports.files import Files
from app.imports.jsons import is_number, is_share, parsed, part, words
from app.imports.lines import How, Line, Reading, aside, bad, corners, path_of, shown, sighting
from models.errors import Invalid
from models.import_records import BLANK, PhotoRecord
from models.imported import PHOTO

KEPT = ("seq_id", "seq_num_frames", "frame_num", "rights_holder", "corrupt")


def read(files: Files, how: How) -> Reading:
    """Raises Invalid where nothing of the file can be used."""
    found = parsed(files.content(files.one(".json")))
    names, slips = category_names(part(found, "categories", list))
    images, annotations = part(found, "images", list), part(found, "annotations", list)
    said = found.get("info")
    title = words(said.get("description"), 300) if isinstance(said, dict) else ""
    return Reading({"title": title, "slips": slips}, Reader(names, how).lines(images, annotations))


def category_names(categories: list[Any]) -> tuple[dict[str, str], list[str]]:
    """Category id -> name, and what is odd. An id that is no whole number names nothing."""
    names: dict[str, str] = {}
    slips = []
    for number, category in enumerate(categories):
        id_ = words(category.get("id")) if isinstance(category, dict) else ""
        name = words(category.get("name")) if isinstance(category, dict) else ""
        if not id_.isdecimal() or not name or id_ in names:
            slips.append(f"categories[{number}]: it has no id of its own, or no name")
        else:
            names[id_] = name
    return names, slips[:20]


class Reader:
    """Images first, then what is said about them."""

    def __init__(self, names: dict[str, str], how: How) -> None:
        """names: category id -> name."""
        self._names, self._how = names, how
        self._images: dict[
            str, tuple[str, float, float]
        ] = {}  # good ones: id -> (path, width, height), 0 where it is not said
        self._bad: set[str] = set()
        self._said: set[str] = set()

    def lines(self, images: list[Any], annotations: list[Any]) -> Iterator[Line]:
        """One line an image and one an annotation, more where more is wrong."""
        for number, image in enumerate(images):
            yield from self._image(f"images[{number}]", image)
        for number, annotation in enumerate(annotations):
            yield from self._annotation(f"annotations[{number}]", annotation)

    def _image(self, place: str, image: Any) -> Iterator[Line]:
        if not isinstance(image, dict):
            yield bad(place, place, "it is no object", kind=PHOTO)
            return
        id_ = words(image.get("id"))
        wrong = list(self._image_problems(image, id_))
        path = ""
        try:
            path = path_of(words(image.get("file_name"), 2000), self._how)
        except Invalid as error:
            wrong.append(("file_name", str(error)))
        if wrong:
            self._bad.add(id_)
            yield from (bad(place, f"{place}.{field}", reason, kind=PHOTO) for field, reason in wrong)
            return
        width, height = (float(image.get(side) or 0) for side in ("width", "height"))
        self._images[id_] = (path, width, height)
        taken_at = ""
        if said := words(image.get("datetime")):
            try:
                taken_at = clock(said)
            except Wrong as error:
                yield aside(place, f"datetime: {error}; the photo keeps no time", photo=path)
        record = PhotoRecord(
            deployment=words(image.get("location"), 255), taken_at=taken_at, width_px=int(width) or None,
            height_px=int(height) or None, details={name: image[name] for name in KEPT if name in image},
        )  # fmt: skip
        yield Line(place, PHOTO, path, record)

    def _image_problems(self, image: dict[str, Any], id_: str) -> Iterator[tuple[str, str]]:
        if not id_:
            yield "id", f"{shown(image.get('id'))} is no id"
        elif id_ in self._images or id_ in self._bad:
            yield "id", f"{shown(id_)} comes twice"
        for side in ("width", "height"):
            if image.get(side) is not None and not (is_number(image[side]) and image[side] > 0):
                yield side, f"{shown(image[side])} is no number of pixels"

    def _annotation(self, place: str, annotation: Any) -> Iterator[Line]:
        if not isinstance(annotation, dict):
            yield bad(place, place, "it is no object")
            return
        image_id = words(annotation.get("image_id"))
        path, width, height = self._images.get(image_id, ("", 0.0, 0.0))
        box = box_of(annotation, width, height)
        wrong = list(self._problems(annotation, image_id, box, has_size=bool(width and height)))
        if wrong:
            yield from (bad(place, f"{place}.{field}", reason, photo=path) for field, reason in wrong)
            return
        self._said.add(words(annotation["id"]))
        record = sighting(
            self._names[words(annotation["category_id"])],
            self._how,
            box=box,
            count=annotation.get("count"),
            score=score_of(annotation),
        )
        if record.kind == BLANK and box is not None:
            yield bad(place, f"{place}.bbox", "a box of nothing", photo=path)
        elif annotation.get("sequence_level_annotation"):
            yield aside(place, "it is true of the sequence only", photo=path, record=record)
        elif image_id in self._bad:
            yield aside(place, "its image was not taken", record=record)
        else:
            yield Line(place, photo=path, record=record)

    def _problems(
        self, annotation: dict[str, Any], image_id: str, box: list[float] | None, *, has_size: bool
    ) -> Iterator[tuple[str, str]]:
        id_ = words(annotation.get("id"))
        if not id_ or id_ in self._said:
            yield "id", f"{shown(annotation.get('id'))} is no id, or comes twice"
        if image_id not in self._images and image_id not in self._bad:
            yield "image_id", f"{shown(image_id)} is no image of the file"
        if words(annotation.get("category_id")) not in self._names:
            yield "category_id", f"{shown(annotation.get('category_id'))} is no category of the file"
        count = annotation.get("count")
        if count is not None and not (isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 100_000):
            yield "count", f"{shown(count)} is no count"
        absolute, relative = annotation.get("bbox"), annotation.get("bbox_relative")
        if absolute is not None and relative is not None:
            yield "bbox", "it has both bbox and bbox_relative"
        elif absolute is not None and not has_size and image_id in self._images:
            yield "bbox", "its image has no width and height, so pixels mean nothing"
        elif (absolute is not None or relative is not None) and box is None and image_id in self._images:
            yield "bbox", f"{shown(absolute if absolute is not None else relative)} is no box within the photo"


def box_of(annotation: dict[str, Any], width: float, height: float) -> list[float] | None:
    """Corners as shares; None where there is no box or none that can be read."""
    if annotation.get("bbox_relative") is not None:
        return corners(annotation["bbox_relative"])
    sides = annotation.get("bbox")
    if (
        not isinstance(sides, list)
        or len(sides) != 4
        or not all(is_number(side) for side in sides)
        or not width
        or not height
    ):
        return None
    return corners([sides[0] / width, sides[1] / height, sides[2] / width, sides[3] / height])


def score_of(annotation: dict[str, Any]) -> float | None:
    """Some files carry a detector's score."""
    score = annotation.get("score")
    return float(score) if is_share(score) else None
