"""MegaDetector results, format 1.3 and later (FORMATS 3).

A photo with a wrong detection is not taken at all: with a part of its boxes it would count too few, with none it would count
as empty. A category that the file does not list is read as no detection, as the format says, and reported. Slips that cannot be
misread (a score written 1) are read as they are meant.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from app.imports.files import Files
from app.imports.jsons import is_share, parsed, part, shown, words
from app.imports.lines import How, Line, Reading, aside, bad, corners, path_of
from models.errors import Invalid
from models.import_records import ANIMAL, MACHINE, PERSON, VEHICLE, PhotoRecord, SightingRecord
from models.imported import PHOTO
from models.project import FLOOR

OLDEST = 1.3
KINDS = {"animal": ANIMAL, "person": PERSON, "human": PERSON, "vehicle": VEHICLE}
MOST_SLIPS = 20
VIDEOS = ("mp4", "avi", "mov", "mpeg", "mpg", "mkv", "m4v", "wmv", "flv")


def read(files: Files, how: How) -> Reading:
    """Raises Invalid where nothing of the file can be used."""
    results = parsed(files.content(files.one(".json")))
    information = part(results, "info", dict)
    slips = check_version(information)
    kinds = categories(part(results, "detection_categories", dict), slips)
    listed = results.get("classification_categories") or {}
    names = {id_: words(name) for id_, name in listed.items()} if isinstance(listed, dict) else {}
    source: dict[str, Any] = {
        "detector": words(information.get("detector")) or "MegaDetector v4",
        "classifier": words(information.get("classifier")),
        "card": card(information),
        "slips": slips,
    }
    images = part(results, "images", list)
    return Reading(source, lines_of(images, Meaning(kinds, names, slips, how)))


def check_version(information: dict[str, Any]) -> list[str]:
    """What was written differently than it should be. Raises Invalid for a version that is none or too old."""
    said = information.get("format_version")
    try:
        version = float(said) if isinstance(said, str | int | float) and not isinstance(said, bool) else math.nan
    except ValueError:
        version = math.nan
    if not version >= OLDEST or math.isinf(version):
        raise Invalid(f"info.format_version: {shown(said)}, but {OLDEST} or later is needed")
    return [] if isinstance(said, str) else [f"info.format_version: {shown(said)} is a number and should be text"]


def categories(listed: dict[str, Any], slips: list[str]) -> dict[str, str]:
    """Category id -> our kind of box."""
    kinds: dict[str, str] = {}
    for id_, name in listed.items():
        place = f"detection_categories[{shown(id_)}]"
        if not re.fullmatch(r"0|[1-9][0-9]{0,8}", id_):
            slips.append(f"{place}: the id is no whole number")
        elif words(name).lower() not in KINDS:
            slips.append(f"{place}: {shown(name)} is neither animal, person nor vehicle; its boxes are left out")
        else:
            kinds[id_] = KINDS[words(name).lower()]
    return kinds


def card(information: dict[str, Any]) -> dict[str, Any]:
    """The thresholds that the file recommends, as on a detector's card."""
    said = information.get("detector_metadata")
    metadata = said if isinstance(said, dict) else {}
    typical, low = metadata.get("typical_detection_threshold"), metadata.get("conservative_detection_threshold")
    found: dict[str, Any] = {"source": "megadetector-json"}
    if version := words(metadata.get("megadetector_version")):
        found["megadetector_version"] = version
    if is_share(typical):
        found["count_above"] = float(typical)
        if is_share(low) and low <= typical:
            found["classify_above"] = float(low)
    return found


class Meaning:
    """What the ids of the file mean."""

    def __init__(self, kinds: dict[str, str], names: dict[str, str], slips: list[str], how: How) -> None:
        """kinds: of detection categories; names: of classification categories."""
        self.kinds, self.names, self.slips, self.how = kinds, names, slips, how

    def slip(self, words_: str) -> None:
        """Remember the first ones."""
        if len(self.slips) < MOST_SLIPS:
            self.slips.append(words_)


def lines_of(images: list[Any], meaning: Meaning) -> Iterator[Line]:
    """A line a photo, one for each thing that is wrong with it, one for each detection that is no detection."""
    for number, image in enumerate(images):
        yield from image_lines(f"images[{number}]", image, meaning)


def image_lines(place: str, image: Any, meaning: Meaning) -> Iterator[Line]:
    """One photo."""
    if not isinstance(image, dict) or not isinstance(image.get("file"), str):
        yield bad(place, f"{place}.file", "it is no file name", kind=PHOTO)
        return
    try:
        photo = path_of(image["file"], meaning.how, exact=True)
    except Invalid as error:
        yield bad(place, f"{place}.file", str(error), kind=PHOTO)
        return
    if is_video(image):
        yield aside(place, "a video: Waterhole looks at photos only", kind=PHOTO, photo=photo)
        return
    failure, detections = image.get("failure"), image.get("detections")
    if isinstance(failure, str) and not detections:
        kept = PhotoRecord(details={"failure": failure})
        yield aside(place, f"the other detector failed on it: {failure}", kind=PHOTO, photo=photo, record=kept)
        return
    wrong = failure_problem(failure, detections)
    if wrong:
        yield bad(place, f"{place}.{wrong[0]}", wrong[1], kind=PHOTO, photo=photo)
        return
    found: list[SightingRecord] = []
    troubles: list[Line] = []
    for number, detection in enumerate(detections or []):
        where = f"{place}.detections[{number}]"
        problems = detection_problems(where, detection)
        if problems:
            troubles += [bad(where, field, reason, kind=PHOTO, photo=photo) for field, reason in problems]
        elif detection["category"] not in meaning.kinds:
            yield aside(
                where,
                f"category {shown(detection['category'])} is none that we know: read as no detection",
                photo=photo,
            )
        elif detection["conf"] >= FLOOR:
            found.append(seen(where, detection, meaning))
    yield from troubles
    if not troubles:
        boxes = sorted(found, key=lambda each: -(each.score or 0))
        yield Line(place, PHOTO, photo, PhotoRecord(is_looked=True, sightings=[each.as_json() for each in boxes]))


def is_video(image: dict[str, Any]) -> bool:
    """By the fields that the format has for videos, or by the file's name."""
    named = image["file"].rpartition(".")[2].lower() in VIDEOS
    return named or "frame_rate" in image or "frames_processed" in image


def failure_problem(failure: Any, detections: Any) -> tuple[str, str] | None:
    """(field, reason) where the entry contradicts itself."""
    if isinstance(failure, str):
        return "failure", "it has both a failure and detections"
    if failure is not None:
        return "failure", f"{shown(failure)} is neither null nor text"
    if not isinstance(detections, list):
        return "detections", "missing, and no failure says why"
    return None


def detection_problems(place: str, detection: Any) -> list[tuple[str, str]]:
    """Every (field, reason)."""
    if not isinstance(detection, dict):
        return [(place, "it is no object")]
    problems = []
    if not is_share(detection.get("conf")):
        problems.append((f"{place}.conf", f"{shown(detection.get('conf'))} is no number from 0 to 1"))
    if corners(detection.get("bbox")) is None:
        problems.append((f"{place}.bbox", f"{shown(detection.get('bbox'))} is no box of four shares within the photo"))
    if not isinstance(detection.get("category"), str):
        problems.append((f"{place}.category", f"{shown(detection.get('category'))} is no text"))
    said = detection.get("classifications")
    if said is not None and not (isinstance(said, list) and all(is_guess(each) for each in said)):
        problems.append((f"{place}.classifications", "they are no list of [id, probability]"))
    return problems


def is_guess(guess: Any) -> bool:
    """[id, p]."""
    return isinstance(guess, list) and len(guess) == 2 and isinstance(guess[0], str) and is_share(guess[1])


def seen(place: str, detection: dict[str, Any], meaning: Meaning) -> SightingRecord:
    """One box with what the classifier says of it."""
    if isinstance(detection["conf"], int):
        meaning.slip(f"{place}.conf: {detection['conf']} should be written {detection['conf']}.0")
    guesses: list[list[Any]] = []
    for id_, p in sorted(detection.get("classifications") or [], key=lambda guess: -guess[1]):
        if meaning.names.get(id_):
            guesses.append([meaning.names[id_], float(p)])
        else:
            meaning.slip(f"{place}.classifications: {shown(id_)} is not among the classification categories; left out")
    kind = meaning.kinds[detection["category"]]
    return SightingRecord(
        kind, corners(detection["bbox"]), float(detection["conf"]), guesses=guesses, said_by=MACHINE if guesses else ""
    )
