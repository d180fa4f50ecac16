"""Boxes that another detector wrote down: MegaDetector results, format 1.3 and later, in place of running a detector.

Decisions: the whole file is checked before a photo is looked at, and every problem is named with its place. A photo whose
entry is wrong, or that the other detector failed on, gets a reason instead of boxes: it must never count as empty. A
detection of a category that the file does not list, or that we do not know, is no detection (the format says so) and is
reported. Small slips that cannot be misread (a score written 1, a version that is a number) are reported and read.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeGuard

import numpy as np

from worker.networks.detector import FLOOR, Detections

OLDEST = 1.3
MOST_BYTES = 2 << 30
ROUNDING = 1e-3  # how far a box may reach beyond the photo: the format rounds to three or four places
KINDS = {"animal": "animal", "person": "person", "human": "person", "vehicle": "vehicle"}


class BoxesFileError(ValueError):
    """The file as a whole cannot be read as MegaDetector results; the message says where."""


@dataclass
class Recorded:
    """What the file says. photos: path as written -> boxes, or the reason why there are none. card: for its checkpoint."""

    detector: str
    sha256: str
    card: dict[str, Any]
    photos: dict[str, Detections | str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_recorded(path: Path) -> Recorded:
    """Read and check the file. Raises BoxesFileError when nothing of it can be used."""
    content = _content(path)
    results = _parsed(content)
    information = _part(results, "info", dict)
    problems = list(_version_problems(information))
    categories = _categories(_part(results, "detection_categories", dict), problems)
    recorded = Recorded(
        detector=_text(information.get("detector")) or "MegaDetector v4",
        sha256=hashlib.sha256(content).hexdigest(),
        card=_card(information),
        problems=problems,
    )
    for number, image in enumerate(_part(results, "images", list)):
        _read_image(recorded, f"images[{number}]", image, categories)
    return recorded


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BoxesFileError("the boxes file is larger than 2 GB")
        return path.read_bytes()
    except OSError as error:
        raise BoxesFileError(f"the boxes file cannot be read: {error.strerror}") from error


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        results = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse_constant, object_pairs_hook=_no_twins)
    except BoxesFileError:
        raise
    except RecursionError as error:
        raise BoxesFileError("the boxes file is nested too deeply") from error
    except ValueError as error:  # also UnicodeDecodeError and JSONDecodeError, which names line and column
        raise BoxesFileError(f"the boxes file is not JSON: {str(error)[:150]}") from error
    if not isinstance(results, dict):
        raise BoxesFileError("the boxes file holds no object at its top")
    return results


def _refuse_constant(name: str) -> NoReturn:
    raise BoxesFileError(f"the boxes file holds {name}, which is no JSON number")


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise BoxesFileError(f"the boxes file has the field {twin[:60]!r} twice in one object")
    return found


def _part(results: dict[str, Any], name: str, kind: type) -> Any:
    part = results.get(name)
    if not isinstance(part, kind):
        raise BoxesFileError(f"{name}: missing, or not {'a list' if kind is list else 'an object'}")
    return part


def _version_problems(information: dict[str, Any]) -> Iterator[str]:
    said = information.get("format_version")
    try:
        version = float(said) if isinstance(said, str | int | float) and not isinstance(said, bool) else math.nan
    except ValueError:
        version = math.nan
    if not version >= OLDEST or math.isinf(version):
        raise BoxesFileError(f"info.format_version: {_shown(said)}, but {OLDEST} or later is needed")
    if not isinstance(said, str):
        yield f"info.format_version: {_shown(said)} is a number and should be text"


def _categories(listed: dict[str, Any], problems: list[str]) -> dict[str, str]:
    """Category id -> our kind of box."""
    kinds: dict[str, str] = {}
    for id_, name in listed.items():
        place = f"detection_categories[{_shown(id_)}]"
        if not re.fullmatch(r"0|[1-9][0-9]{0,8}", id_):
            problems.append(f"{place}: the id is no whole number")
        elif not isinstance(name, str) or not name.strip():
            problems.append(f"{place}: the name is blank")
        elif name.strip().lower() not in KINDS:
            problems.append(f"{place}: {_shown(name)} is neither animal, person nor vehicle; its boxes are left out")
        else:
            kinds[id_] = KINDS[name.strip().lower()]
    return kinds


def _card(information: dict[str, Any]) -> dict[str, Any]:
    """What the file says of its detector, and the thresholds that it recommends."""
    card: dict[str, Any] = {"kind": "detector", "source": "megadetector-json"}
    said = information.get("detector_metadata")
    metadata = said if isinstance(said, dict) else {}
    version = _text(metadata.get("megadetector_version"))
    typical, low = metadata.get("typical_detection_threshold"), metadata.get("conservative_detection_threshold")
    if version:
        card["megadetector_version"] = version
    if _is_share(typical):
        card["count_above"] = float(typical)
        if _is_share(low) and low <= typical:
            card["classify_above"] = float(low)
    return card


def _read_image(recorded: Recorded, place: str, image: Any, categories: dict[str, str]) -> None:
    if not isinstance(image, dict):
        recorded.problems.append(f"{place}: not an object")
        return
    file = image.get("file")
    wrong = _path_problem(file) if isinstance(file, str) and file else "is no file name"
    if wrong or not isinstance(file, str):
        recorded.problems.append(f"{place}.file: {_shown(file)} {wrong}")
        return
    file = unicodedata.normalize("NFC", file)  # as the paths of a batch are
    if file in recorded.photos:
        recorded.problems.append(f"{place}.file: {_shown(file)} comes twice; neither is used")
        recorded.photos[file] = "the boxes file names this photo twice"
        return
    errors: list[str] = []
    answer = _answer(place, image, categories, errors, recorded.problems)
    recorded.problems += errors
    recorded.photos[file] = f"the boxes file is wrong about it: {errors[0]}"[:300] if errors else answer


def _answer(
    place: str, image: dict[str, Any], categories: dict[str, str], errors: list[str], slips: list[str]
) -> Detections | str:
    failure, detections = image.get("failure"), image.get("detections")
    if isinstance(failure, str):
        if detections:
            errors.append(f"{place}: it has both a failure and detections")
        return f"the other detector failed on it: {failure}"[:300]
    if failure is not None:
        errors.append(f"{place}.failure: {_shown(failure)} is neither null nor text")
    if not isinstance(detections, list):
        errors.append(f"{place}.detections: missing, and no failure says why")
        return ""
    found = [
        one
        for number, detection in enumerate(detections)
        if (one := _detection(f"{place}.detections[{number}]", detection, categories, errors, slips)) is not None
    ]
    return _detections(found)


def _detection(
    place: str, detection: Any, categories: dict[str, str], errors: list[str], slips: list[str]
) -> tuple[float, str, list[float]] | None:
    """(score, kind, corners), None when it is left out or wrong."""
    if not isinstance(detection, dict):
        errors.append(f"{place}: not an object")
        return None
    score, box, category = detection.get("conf"), detection.get("bbox"), detection.get("category")
    if not _is_share(score):
        errors.append(f"{place}.conf: {_shown(score)} is no number from 0 to 1")
    elif isinstance(score, int):
        slips.append(f"{place}.conf: {score} should be written {score}.0")
    corners = _corners(box)
    if corners is None:
        errors.append(f"{place}.bbox: {_shown(box)} is no box of four shares within the photo")
    if not isinstance(category, str):
        errors.append(f"{place}.category: {_shown(category)} is no text")
    elif category not in categories:
        slips.append(f"{place}.category: {_shown(category)} is not a category that we know; left out")
        return None
    if not _is_share(score) or corners is None or not isinstance(category, str):
        return None
    return float(score), categories[category], corners


def _corners(box: Any) -> list[float] | None:
    """[x_min, y_min, width, height] -> the two corners, cut at the photo's edges by no more than rounding."""
    if not isinstance(box, list) or len(box) != 4:
        return None
    if not all(isinstance(side, int | float) and not isinstance(side, bool) for side in box):
        return None
    try:
        left, top, width, height = (float(side) for side in box)
    except OverflowError:
        return None
    corners = [left, top, left + width, top + height]
    if not all(-ROUNDING <= corner <= 1 + ROUNDING for corner in corners) or width <= 0 or height <= 0:
        return None
    return [min(max(corner, 0.0), 1.0) for corner in corners]


def _detections(found: list[tuple[float, str, list[float]]]) -> Detections:
    kept = sorted((one for one in found if one[0] >= FLOOR), key=lambda one: -one[0])
    return Detections(
        np.array([corners for _score, _kind, corners in kept], np.float32).reshape(-1, 4),
        np.array([score for score, _kind, _corners in kept], np.float32),
        tuple(kind for _score, kind, _corners in kept),
    )


def _path_problem(file: str) -> str:
    """A path is data that only matches names which the batch has."""
    if "\\" in file:
        return "has a backslash; paths need forward slashes"
    if file.startswith(("/", "~")) or re.match(r"^[A-Za-z]:", file):
        return "is not relative to the folder"
    if any(part in ("", ".", "..") for part in file.split("/")):
        return "has an empty, '.' or '..' part"
    return ""


def _is_share(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _text(value: Any) -> str:
    return value.strip()[:200] if isinstance(value, str) else ""


def _shown(value: Any) -> str:
    return repr(value)[:80]
