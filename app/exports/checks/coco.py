"""Everything that is wrong with a COCO Camera Traps file (FORMATS.md section 4)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from app.formats.coco import ANNOTATION_REQUIRED, EMPTY_ID, EMPTY_NAME, FORBIDDEN, IMAGE_REQUIRED


def check(found: dict[str, Any]) -> list[str]:
    """One line a fault. found: the JSON."""
    images, annotations, categories = found["images"], found["annotations"], found["categories"]
    faults = [f"{kind}: {key} comes twice" for kind, key in twice(images, annotations, categories)]
    names = {each["id"]: each["name"] for each in categories}
    if names.get(EMPTY_ID) != EMPTY_NAME:
        faults.append("categories: 0 is not empty")
    faults += [
        f"categories: {name!r} has spaces or capitals" for name in names.values() if name != name.lower() or " " in name
    ]
    for number, image in enumerate(images):
        faults += [f"images[{number}]: {key} is missing" for key in IMAGE_REQUIRED if not image.get(key)]
        faults += [f"images[{number}]: {key} is not allowed" for key in FORBIDDEN if key in image]
        if ("width" in image) != ("height" in image):
            faults.append(f"images[{number}]: width and height belong together")
    known, empty, counted = {each["id"] for each in images}, set[str](), Counter[str]()
    for number, each in enumerate(annotations):
        faults += [f"annotations[{number}]: {key} is missing" for key in ANNOTATION_REQUIRED if key not in each]
        counted[each["image_id"]] += 1
        if each["category_id"] == EMPTY_ID:
            empty.add(each["image_id"])
        if each["category_id"] not in names:
            faults.append(f"annotations[{number}]: there is no category {each['category_id']}")
        if each["image_id"] not in known:
            faults.append(f"annotations[{number}]: there is no image {each['image_id']}")
        if "bbox" in each and "bbox_relative" in each:
            faults.append(f"annotations[{number}]: two kinds of box")
    return faults + [
        f"image {image}: it is empty and has another annotation" for image in sorted(empty) if counted[image] > 1
    ]


def twice(images: list[Any], annotations: list[Any], categories: list[Any]) -> list[tuple[str, Any]]:
    """(list, id) of ids, and (list, name) of category names, that come more than once."""
    lists = {
        "images": [each["id"] for each in images], "annotations": [each["id"] for each in annotations],
        "categories": [each["id"] for each in categories], "names": [each["name"] for each in categories],
    }  # fmt: skip
    return [(kind, key) for kind, keys in lists.items() for key, count in Counter(keys).items() if count > 1]
