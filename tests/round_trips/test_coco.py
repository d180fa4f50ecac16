"""Any project goes out as COCO Camera Traps and comes in again the same, but for what the note says; and files of others."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import given

from app.exports.checks.coco import check
from app.exports.lost import Facts
from app.exports.study import Study
from models.database import Database
from models.project import Project
from models.storage import Store
from tests.round_trips.projects import PROJECTS, Drawn, made, photos_of
from tests.round_trips.test_camtrap_dp import ONE_DATABASE
from tests.round_trips.trips import Place


def carried(photo: dict[str, Any]) -> dict[str, Any]:
    """Figures of people go out where the photo has no boxes."""
    figures = [] if photo["boxes"] else [each for each in photo["figures"] if each[0] is not None and each[1]]
    return photo | {"figures": figures}


@ONE_DATABASE
@given(drawn=PROJECTS)
def test_a_project_comes_back_the_same(sqlite_database: Database, store: Store, drawn: Drawn) -> None:
    place = Place(sqlite_database, store)
    first = made(place, drawn)
    content = place.written(first, "coco", people=True)
    went = json.loads(content)
    assert check(went) == []
    second, by = place.project(count_above=drawn.count_above, classify_above=0.1, zone="UTC")
    import_ = place.taken(second, by, {"coco.json": content})
    assert place.bad_rows(import_.id) == []
    before, after = photos_of(place, first), photos_of(place, second)
    corrupt = {each["file_name"] for each in went["images"] if each.get("corrupt")}
    assert set(after) == set(before) | corrupt
    for path in before:
        assert carried(after[path]) == carried(before[path]), path
    again = json.loads(place.written(second, "coco", people=True))
    assert check(again) == []
    same_files(went, again)
    with place.database.reading() as session:
        facts = Facts(Study(session, place.store, session.get_one(Project, first)))
        assert facts.failed == len(corrupt)
        assert facts.not_seen == sum(shot.state == "waiting" for shot in distinct(drawn))


def distinct(drawn: Drawn) -> list[Any]:
    """The shots that became photos: of two with one path the first."""
    return list({(shot.camera % len(drawn.cameras), shot.file): shot for shot in reversed(drawn.shots)}.values())


def same_files(went: dict[str, Any], came: dict[str, Any]) -> None:
    """Images and annotations, by the names of their categories, with their ids."""
    first, second = (facts_of(each) for each in (went, came))
    for part in ("images", "annotations"):
        assert first[part] == second[part], part


def facts_of(found: dict[str, Any]) -> dict[str, Any]:
    names = {each["id"]: each.get("waterhole_name", each["name"]).lower() for each in found["categories"]}
    images = {each["id"]: plain(each) for each in found["images"]}
    annotations = Counter(
        json.dumps(plain(each) | {"category_id": names[each["category_id"]]}, sort_keys=True, ensure_ascii=False)
        for each in found["annotations"]
    )
    return {"images": images, "annotations": annotations}


def plain(each: dict[str, Any]) -> dict[str, Any]:
    """Pixels to a hundredth, shares to the fourth place."""
    found = dict(each)
    for name, places in (("bbox", 2), ("bbox_relative", 4)):
        if name in found:
            found[name] = [round(side, places) for side in found[name]]
    if "waterhole_not_animals" in found:
        found["waterhole_not_animals"] = sorted(map(plain, found["waterhole_not_animals"]), key=str)
    return found


FIELDS = {
    "images": (
        "id", "file_name", "width", "height", "rights_holder", "datetime", "seq_id", "seq_num_frames", "frame_num", "location",
        "corrupt",
    ),
    "annotations": ("id", "image_id", "category", "count", "bbox", "bbox_relative", "sequence_level_annotation"),
}  # fmt: skip


def written_here(found: dict[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """The format's own fields of each image and annotation, by id; numbers as ids are texts, as the format wants them."""
    names = {each["id"]: each["name"].lower() for each in found["categories"]}
    rows = {
        "images": found["images"],
        "annotations": [each | {"category": names[each["category_id"]]} for each in found["annotations"]],
    }
    made = {}
    for part, listed in rows.items():
        plain_rows = [{name: each[name] for name in FIELDS[part] if each.get(name) is not None} for each in listed]
        for each in plain_rows:
            each |= {name: str(each[name]) for name in ("id", "image_id", "location") if name in each}
            each |= {"bbox": [round(side, 2) for side in each["bbox"]]} if "bbox" in each else {}
            if part == "annotations":
                each.setdefault("sequence_level_annotation", False)
        made[part] = {each["id"]: each for each in plain_rows}
    return made


def there_and_back(place: Place, went: dict[str, Any]) -> dict[str, Any]:
    """Into an empty project and out of it."""
    project_id, by = place.project()
    import_ = place.taken(project_id, by, {"coco.json": json.dumps(went).encode()})
    assert place.bad_rows(import_.id) == []
    came: dict[str, Any] = json.loads(place.written(project_id, "coco", people=True))
    assert check(came) == []
    return came


def test_a_file_of_others_goes_in_and_comes_out_equal(sqlite_database: Database, store: Store) -> None:
    burst = {"seq_id": "s1", "seq_num_frames": 2, "location": 7, "width": 2048, "height": 1536, "rights_holder": "INBO"}
    went = {
        "info": {"version": "1.0", "description": "A study", "year": 2020},
        "images": [
            burst | {"id": 1, "file_name": "7/a.jpg", "datetime": "2020-01-02 03:04:05", "frame_num": 0},
            burst | {"id": 2, "file_name": "7/b.jpg", "datetime": "2020-01-02 03:04:06", "frame_num": 1},
            {"id": "x-3", "file_name": "8/c.jpg", "location": "8", "corrupt": True},
            {"id": 4, "file_name": "8/d.jpg", "location": "8", "datetime": "2020-01-03 00:00:00"},
            {"id": 5, "file_name": "8/e.jpg", "location": "8"},
        ],
        "categories": [
            {"id": 0, "name": "empty"}, {"id": 12, "name": "red_deer"}, {"id": 3, "name": "human"}, {"id": 40, "name": "bird"},
            {"id": 41, "name": "unknown"},
        ],
        "annotations": [
            {"id": 10, "image_id": 1, "category_id": 12, "bbox": [100.5, 200.25, 300, 400], "count": 2},
            {"id": 11, "image_id": 1, "category_id": 40, "bbox": [1500, 10, 33.33, 44.44]},
            {"id": 12, "image_id": 2, "category_id": 12, "count": 3},
            {"id": 13, "image_id": 2, "category_id": 40, "count": 1},
            {"id": 14, "image_id": 2, "category_id": 12, "sequence_level_annotation": True, "count": 5},
            {"id": "n4", "image_id": 4, "category_id": 0},
            {"id": 15, "image_id": 5, "category_id": 3, "bbox_relative": [0.1, 0.2, 0.3, 0.4]},
            {"id": 16, "image_id": 5, "category_id": 41, "bbox_relative": [0.6, 0.2, 0.3, 0.4]},
        ],
    }  # fmt: skip
    came = there_and_back(Place(sqlite_database, store), went)
    assert written_here(came) == written_here(went)


def test_boxes_that_people_drew_on_491_pictures_come_out_equal(
    sqlite_database: Database, store: Store, shared_data: Path
) -> None:
    rows = list(csv.DictReader((shared_data / "boxes" / "boxes.csv").open()))
    kinds = sorted({row["class"] for row in rows})
    numbers = {path: number for number, path in enumerate(dict.fromkeys(row["path"] for row in rows), 1)}
    sizes = {row["path"]: (int(row["width"]), int(row["height"])) for row in rows}
    went = {
        "info": {"version": "1.0", "description": "boxes"},
        "images": [
            {"id": numbers[path], "file_name": path, "width": sizes[path][0], "height": sizes[path][1], "location": "web"}
            for path in numbers
        ],
        "categories": [{"id": 0, "name": "empty"}] + [{"id": n, "name": name} for n, name in enumerate(kinds, 1)],
        "annotations": [
            {
                "id": number, "image_id": numbers[row["path"]], "category_id": 1 + kinds.index(row["class"]),
                "bbox": [
                    float(row["x_min"]), float(row["y_min"]), float(row["x_max"]) - float(row["x_min"]),
                    float(row["y_max"]) - float(row["y_min"]),
                ],
            }
            for number, row in enumerate(rows, 1)
        ],
    }  # fmt: skip
    came = there_and_back(Place(sqlite_database, store), went)
    first, second = written_here(went), written_here(came)
    assert first["images"] == second["images"] and len(second["images"]) == 491
    assert first["annotations"] == second["annotations"] and len(second["annotations"]) == 719
