"""Everything that is wrong with a MegaDetector results file (FORMATS.md section 3)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from app.formats.megadetector import OLDEST, ROUNDING


def check(found: dict[str, Any]) -> list[str]:
    """One line a fault. found: the JSON."""
    return [
        *of_head(found),
        *(words for number, image in enumerate(found.get("images", ())) for words in of_image(number, image, found)),
    ]


def of_head(found: dict[str, Any]) -> Iterator[str]:
    """Version and categories."""
    version = found.get("info", {}).get("format_version")
    try:
        good = isinstance(version, str) and float(version) >= OLDEST
    except ValueError:
        good = False
    if not good:
        yield f"info.format_version: {version!r} is no version from {OLDEST} on"
    for key in ("detection_categories", "classification_categories"):
        for number, name in found.get(key, {}).items():
            if not number.isdecimal() or not str(name).strip():
                yield f"{key}: {number!r}: {name!r} is no category"
    names, words = found.get("classification_categories", {}), found.get("classification_category_descriptions", {})
    if words and words.keys() != names.keys():
        yield "classification_category_descriptions: other ids than classification_categories"


def of_image(number: int, image: dict[str, Any], found: dict[str, Any]) -> Iterator[str]:
    """One photo."""
    where, path = f"images[{number}]", str(image.get("file", ""))
    if not path or path.startswith("/") or "\\" in path or ".." in path.split("/"):
        yield f"{where}.file: {path!r} is no relative path"
    if image.get("failure") is not None and image.get("detections"):
        yield f"{where}: it failed and has detections"
    for each in image.get("detections") or ():
        if each["category"] not in found["detection_categories"]:
            yield f"{where}: {each['category']} is no category"
        if not isinstance(each["conf"], float) or not 0 <= each["conf"] <= 1:
            yield f"{where}: conf {each['conf']!r}"
        x, y, w, h = each["bbox"]
        if not all(map(math.isfinite, (x, y, w, h))) or min(x, y, w, h) < 0 or max(x + w, y + h) > 1 + ROUNDING:
            yield f"{where}: bbox {each['bbox']} stands out of the frame"
        said = each.get("classifications", [])
        if any(kind not in found["classification_categories"] for kind, _p in said):
            yield f"{where}: an unknown classification"
        if [p for _kind, p in said] != sorted((p for _kind, p in said), reverse=True):
            yield f"{where}: classifications are not in falling order"
