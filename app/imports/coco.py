"""COCO Camera Traps (FORMATS 4). Boxes are pixels there, shares here; a box without the size of its photo cannot be read.

What is true of a sequence only is kept aside: it is no truth about one photo. Names were given by people unless the person who
brings the file says that a machine gave them. A photo of an unknown time keeps none, and its line says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from app.formats.coco import KEPT
from app.imports.checks import Wrong, clock
from app.imports.files import Files
from app.imports.jsons import is_number, is_share, parsed, part, words
from app.imports.lines import How, Line, Reading, aside, bad, corners, path_of, shown, sighting
from models.errors import Invalid
from models.image import CAPTURE_METHODS, SETUPS
from models.import_records import (
    ANIMAL,
    BLANK,
    HUMAN,
    MACHINE,
    PERSON,
    UNCLASSIFIED,
    UNKNOWN,
    VEHICLE,
    DeploymentRecord,
    PhotoRecord,
    SightingRecord,
)
from models.imported import DEPLOYMENT, PHOTO
from models.species import RANKS

SEEN = {"person": PERSON, "vehicle": VEHICLE, "cannot_tell": UNKNOWN, "taxon": ANIMAL}  # our kinds of answers


def read(files: Files, how: How) -> Reading:
    """Raises Invalid where nothing of the file can be used."""
    found = parsed(files.content(files.one(".json")))
    listed = part(found, "categories", list)
    names, slips = category_names(listed)
    images, annotations = part(found, "images", list), part(found, "annotations", list)
    said = found.get("info")
    title = words(said.get("description"), 300) if isinstance(said, dict) else ""
    own = {words(each.get("id")): each for each in listed if isinstance(each, dict) and "waterhole_name" in each}
    ranks = {words(each.get("waterhole_scientific_name")): each.get("waterhole_rank") for each in own.values()}
    source = {
        "title": title,
        "slips": slips,
        "ranks": {name: rank for name, rank in ranks.items() if name and rank in RANKS},
    }
    return Reading(source, Reader(names, how, own).lines(images, annotations))


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

    def __init__(self, names: dict[str, str], how: How, own: dict[str, dict[str, Any]] | None = None) -> None:
        """names: category id -> name. own: category id -> the category, where Waterhole wrote it."""
        self._names, self._how, self._own = names, how, own or {}
        self._sites: set[str] = set()  # deployments whose site was told
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
            name = image.get("file_name")
            path = path_of(
                name if isinstance(name, str) else words(name), self._how, exact="waterhole_deployment" in image
            )
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
        deployment = exact(image, "deployment", 255)
        location = image.get("location")
        site = location[:255] if deployment and isinstance(location, str) else words(location, 255)
        deployment = deployment or site
        if site != deployment and deployment not in self._sites:
            self._sites.add(deployment)
            yield Line(place, DEPLOYMENT, "", DeploymentRecord(deployment, site=site))
        record = PhotoRecord(
            deployment=deployment, taken_at=taken_at, width_px=int(width) or None, height_px=int(height) or None,
            details={"imageID": id_} | {name: image[name] for name in KEPT if name in image},
            capture_method=one_of(image, "capture_method", CAPTURE_METHODS), setup=one_of(image, "setup", SETUPS),
            favorite=image.get("waterhole_favorite") is True,
        )  # fmt: skip
        yield Line(place, PHOTO, path, record)
        listed = image.get("waterhole_not_animals")
        for number, each in enumerate(listed if isinstance(listed, list) else []):
            box = box_of(each, width, height) if isinstance(each, dict) else None
            where = f"{place}.waterhole_not_animals[{number}]"
            if box is None:
                yield bad(where, f"{where}.bbox", "it is no box within the photo", photo=path)
            else:
                yield Line(where, photo=path, record=replace(self._sighting(each, BLANK, ""), box=box))

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
        record = replace(self._named(annotation), box=box, count=annotation.get("count"))
        if record.kind == BLANK and box is not None:
            yield bad(place, f"{place}.bbox", "a box of nothing", photo=path)
        elif annotation.get("sequence_level_annotation"):
            yield aside(place, "it is true of the sequence only", photo=path, record=record)
        elif image_id in self._bad:
            yield aside(place, "its image was not taken", record=record)
        else:
            yield Line(place, photo=path, record=record)

    def _named(self, annotation: dict[str, Any]) -> SightingRecord:
        id_ = words(annotation["category_id"])
        own = self._own.get(id_)
        if own is not None and own.get("waterhole_kind") in SEEN:
            kind = SEEN[own["waterhole_kind"]]
            scientific = exact(own, "scientific_name") if kind == ANIMAL else ""
            made = self._sighting(annotation, kind, exact(own, "name") if kind == ANIMAL else "", scientific)
        else:
            said = sighting(self._names[id_], self._how)
            made = self._sighting(annotation, said.kind, said.name)
        return replace(made, details=made.details | {"category": self._names[id_]})

    def _sighting(self, said: dict[str, Any], kind: str, name: str, scientific: str = "") -> SightingRecord:
        """What is said of one box or photo; a machine's word where the file says so, or whoever brings it."""
        source = {"human": HUMAN, "predicted": MACHINE}.get(words(said.get("waterhole_source")), self._how.said_by)
        is_named = bool(name) or kind not in (ANIMAL, UNCLASSIFIED)
        p = said.get("waterhole_probability")
        guesses = [[name or scientific or kind, p if is_share(p) else None]] if source == MACHINE and is_named else []
        kept = {
            "annotationID": words(said.get("id")), "classificationTimestamp": exact(said, "when", 30),
            "source": one_of(said, "source", ("human", "predicted")),
        }  # fmt: skip
        score = said.get("waterhole_score", said.get("score"))
        return SightingRecord(
            kind=kind, name=name, scientific_name=scientific, score=float(score) if is_share(score) else None,
            guesses=guesses, said_by=source if is_named else "", who=exact(said, "who"),
            unsure=said.get("waterhole_certain") is False, sex=exact(said, "sex", 10),
            life_stage=exact(said, "life_stage", 10), behaviour=exact(said, "behaviour", 60),
            box_kind=one_of(said, "detected_as", (ANIMAL, PERSON, VEHICLE)),
            details={field: value for field, value in kept.items() if value}
            | ({"score": said["score"]} if is_share(said.get("score")) else {}),
        )  # fmt: skip

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


def exact(said: dict[str, Any], field: str, most: int = 200) -> str:
    """A text of ours, to the letter; empty where there is none."""
    value = said.get(f"waterhole_{field}")
    return value[:most] if isinstance(value, str) else ""


def one_of(said: dict[str, Any], field: str, known: Sequence[str]) -> str:
    """A word of ours; empty where it is none of those."""
    value = exact(said, field)
    return value if value in known else ""
