"""MegaDetector files in and out: boxes, scores and a classifier's names come back; who said a name has no word in the format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

from hypothesis import given

from app.exports.checks.megadetector import check
from models.database import Database
from models.project import FLOOR
from models.storage import Store
from tests.round_trips.projects import PROJECTS, Drawn, made
from tests.round_trips.test_camtrap_dp import ONE_DATABASE
from tests.round_trips.trips import Place


def facts_of(found: dict[str, Any]) -> dict[str, Any]:
    """File -> its failure, or its boxes with the names that the ids mean."""
    kinds, names = found["detection_categories"], found.get("classification_categories", {})
    return {
        each["file"]: each.get("failure")
        or sorted(
            (
                kinds[box["category"]], box["conf"], [round(side, 4) for side in box["bbox"]],
                [(names[id_], round(p, 4)) for id_, p in box.get("classifications", [])],
            )
            for box in each["detections"]
        )
        for each in found["images"]
    }  # fmt: skip


@ONE_DATABASE
@given(drawn=PROJECTS)
def test_what_a_project_says_so_comes_back(sqlite_database: Database, store: Store, drawn: Drawn) -> None:
    place = Place(sqlite_database, store)
    content = place.written(made(place, drawn), "megadetector", people=True)
    went = json.loads(content)
    assert check(went) == []
    second, by = place.project()
    import_ = place.taken(second, by, {"results.json": content})
    assert place.bad_rows(import_.id) == []
    came = json.loads(place.written(second, "megadetector", people=True))
    assert check(came) == []
    assert facts_of(came) == facts_of(went)
    same_info(went, came)


def same_info(went: dict[str, Any], came: dict[str, Any]) -> None:
    """What made boxes and names, and the thresholds that are recommended."""
    first, second = dict(went["info"]), dict(came["info"])
    if not any(box.get("classifications") for each in went["images"] for box in each["detections"] or []):
        first.pop("classifier", None)  # nobody is named by it
    if not any(each["detections"] is not None for each in went["images"]):
        first["detector"] = second["detector"]  # no photo says that it looked
    assert second == first


def test_a_file_of_a_detector_goes_in_and_comes_out_equal(
    sqlite_database: Database, store: Store, shared_data: Path
) -> None:
    rows = list(csv.DictReader(io.StringIO((shared_data / "camera-trap" / "labels.csv").read_text())))
    images: list[dict[str, Any]] = [
        {
            "file": row["path"],
            "detections": [
                {
                    "category": "1", "conf": round(0.2 + number / 1000, 3), "bbox": box,
                    "classifications": [["2", 0.75], ["0", 0.125]],
                }
                for box in json.loads(row["boxes"] or "[]")
            ],
        }
        for number, row in enumerate(rows)
    ]  # fmt: skip
    images[0] = {"file": images[0]["file"], "failure": "image access failure", "detections": None}
    images[1]["detections"] = [
        {"category": "2", "conf": 0.913, "bbox": [0.1, 0.2, 0.3, 0.4]},
        {"category": "3", "conf": 0.06, "bbox": [0.5, 0.5, 0.25, 0.2]},
    ]  # fmt: skip
    went = {
        "info": {
            "format_version": "1.6", "detector": "md_v5a.0.0.pt", "classifier": "southwest_v3",
            "detector_metadata": {
                "megadetector_version": "v5a.0.0", "typical_detection_threshold": 0.2, "conservative_detection_threshold": 0.1
            },
        },
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "classification_categories": {"0": "puma", "1": "nobody", "2": "jaguar"}, "images": images,
    }  # fmt: skip
    assert check(went) == [] and all(box["conf"] >= FLOOR for each in images for box in each["detections"] or ())
    place = Place(sqlite_database, store)
    project_id, by = place.project()
    import_ = place.taken(project_id, by, {"results.json": json.dumps(went).encode()})
    assert place.bad_rows(import_.id) == []
    came = json.loads(place.written(project_id, "megadetector", people=True))
    assert check(came) == []
    assert facts_of(came) == facts_of(went)
    assert came["info"] == went["info"]
    assert len(came["images"]) == 155 and sum(len(each["detections"] or ()) for each in came["images"]) >= 19
