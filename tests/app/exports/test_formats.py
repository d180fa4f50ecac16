"""Formats of other programs: what they say of one small project, valid by their own rules, and what never goes out."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import frictionless
import pytest

from app.exports.checks.camtrap_dp import check as faults_of_package
from app.exports.checks.coco import check as faults_of_coco
from app.exports.checks.megadetector import check as faults_of_megadetector
from app.exports.coarse import Point, coarsened
from app.exports.formats import FORMATS, write_export
from app.exports.lost import lost_lines
from app.exports.study import Options, Study
from models.database import Database
from models.deployment import Deployment, ProblemPeriod
from models.errors import Invalid
from models.site import Site
from models.species import TaxonId
from models.storage import Store
from tests.app.exports.scene import Scene, scene

NOON = dt.datetime(2026, 7, 10, 12)


@pytest.fixture
def here(sqlite_database: Database, store: Store) -> Iterator[Scene]:
    with sqlite_database.writing() as session:
        made = scene(session, store)
        made.project.zone = "America/Guyana"
        made.project.publication = {"design": "opportunistic", "contributors": [{"title": "Ann", "role": "contact"}]}
        photos = [
            made.photo(f"Cam 1/{number}.jpg", captured_at=NOON + dt.timedelta(seconds=number)) for number in range(4)
        ]
        made.box(photos[0], made.jaguar, x_min=0.1, y_min=0.2, x_max=0.4, y_max=0.6)
        made.box(photos[1], made.jaguar)
        made.box(photos[1], made.jaguar)
        made.box(photos[2], made.kind("person"))
        made.box(made.photo("Cam 2/1.jpg", captured_at=NOON), made.ocelot)
        made.photo("Cam 1/undated.jpg", captured_at=None)
        site = Site.of_name(session, made.project.id, "River")
        camera = Deployment.of_folder(session, made.project.id, "Cam 1")
        camera.site_id, camera.starts_at, camera.ends_at = (
            site.id,
            NOON - dt.timedelta(days=5),
            NOON + dt.timedelta(days=5),
        )
        camera.latitude, camera.longitude, camera.uncertainty_m = 5.123456, -59.654321, 10
        session.add(
            ProblemPeriod(
                deployment_id=camera.id, from_at=NOON - dt.timedelta(days=4), to_at=NOON - dt.timedelta(days=3)
            )
        )
        for each in (made.jaguar, made.ocelot):
            session.add(TaxonId(species_id=each.id, register="wildlife_insights", value=f"guid-{each.id}"))
        session.flush()
        yield made


def written(here: Scene, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    write_export(here.session, here.store, here.project, name, out, Options(**options))
    return out.getvalue()


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_camtrap_dp_is_valid_by_the_standards_own_schemas(here: Scene, tmp_path: Path, shared_data: Path) -> None:
    schemas = shared_data / "camera-trap" / "camtrap-dp-example" / "schemas"
    for name, content in members(written(here, "camtrap-dp")).items():
        (tmp_path / name).write_bytes(content)
    package = json.loads((tmp_path / "datapackage.json").read_text())
    for resource in package["resources"]:
        if isinstance(resource["schema"], str):
            resource["schema"] = json.loads((schemas / resource["schema"].rsplit("/", 1)[1]).read_text())
    del package["profile"]
    report = frictionless.Package.from_descriptor(package, basepath=str(tmp_path)).validate()
    assert report.valid, report.flatten(["rowNumber", "fieldName", "message"])


def test_every_writer_passes_its_own_check_which_lists_all_faults(here: Scene, tmp_path: Path) -> None:
    path = tmp_path / "package.zip"
    path.write_bytes(written(here, "camtrap-dp"))
    assert faults_of_package(path) == []
    coco, found = json.loads(written(here, "coco")), json.loads(written(here, "megadetector"))
    assert faults_of_coco(coco) == []
    assert faults_of_megadetector(found) == []
    coco["annotations"][0]["category_id"] = 99
    coco["images"].append(coco["images"][0])
    assert len(faults_of_coco(coco)) >= 2
    found["images"][0]["file"] = "/absolute.jpg"
    found["info"]["format_version"] = 1.6
    assert len(faults_of_megadetector(found)) >= 2


def test_camtrap_dp_says_boxes_visits_and_people_as_the_standard_wants_them(here: Scene) -> None:
    files = members(written(here, "camtrap-dp"))
    media, seen = rows_of(files["media.csv"]), rows_of(files["observations.csv"])
    assert [row["filePublic"] for row in media] == ["true", "true", "false", "true"]
    assert media[0]["timestamp"] == "2026-07-10T12:00:00-04:00"
    (first,) = [row for row in seen if row["mediaID"] == media[0]["mediaID"]]
    assert (first["bboxX"], first["bboxY"], first["bboxWidth"], first["bboxHeight"]) == (
        "0.100000", "0.200000", "0.300000", "0.400000",
    )  # fmt: skip
    assert (first["scientificName"], first["classificationMethod"]) == ("Panthera onca", "human")
    assert [row["observationType"] for row in seen if row["mediaID"] == media[3]["mediaID"]] == ["blank"]
    events = [row for row in seen if row["observationLevel"] == "event"]
    assert [(row["observationType"], row["scientificName"], row["count"]) for row in events] == [
        ("animal", "Panthera onca", "2"), ("human", "", "1"),
    ]  # fmt: skip
    assert files["what-was-lost.txt"].decode().splitlines()[:2] == [
        "1 camera has no period and is left out with its photos.",
        "1 camera has no coordinates and is left out with its photos.",
    ]


def test_every_archive_says_what_it_holds(here: Scene) -> None:
    for name in ("camtrap-dp", "detections", "timelapse", "wildlife-insights"):
        files = members(written(here, name))
        made = json.loads(files.pop("manifest.json"))
        told = {each["name"]: (each["sha256"], each["bytes"]) for each in made["files"]}
        assert told == {key: (hashlib.sha256(content).hexdigest(), len(content)) for key, content in files.items()}
        rows = {each["name"]: each["rows"] for each in made["files"] if each["name"].endswith(".csv")}
        assert rows == {key: len(rows_of(content)) for key, content in files.items() if key.endswith(".csv")}
        assert made["snapshot"]["newest_label"] > 0


def test_a_package_without_its_study_says_what_is_missing_and_where(here: Scene) -> None:
    here.project.publication = {}
    with pytest.raises(Invalid, match=r"how the places of the cameras were chosen.*on the Export page"):
        written(here, "camtrap-dp")


def test_the_same_state_gives_the_same_bytes(here: Scene) -> None:
    for name in FORMATS:
        assert written(here, name) == written(here, name)


def test_photos_of_people_go_out_only_when_they_may(here: Scene) -> None:
    for name in ("coco", "megadetector"):
        key = "file_name" if name == "coco" else "file"
        without = {each[key] for each in json.loads(written(here, name))["images"]}
        with_people = {each[key] for each in json.loads(written(here, name, people=True))["images"]}
        assert with_people - without == {"Cam 1/2.jpg"}


def test_places_of_sensitive_species_are_rounded_everywhere_and_extreme_ones_stay(here: Scene) -> None:
    here.jaguar.sensitivity = "high"
    here.ocelot.sensitivity = "extreme"
    (row,) = rows_of(members(written(here, "camtrap-dp"))["deployments.csv"])
    assert (row["latitude"], row["longitude"], row["coordinateUncertainty"]) == ("5.1", "-59.7", str(10 + 15691))
    effort = {row["deployment"]: row for row in rows_of(written(here, "effort.csv"))}
    assert effort["Cam 1"]["latitude"] == "5.1"
    for name in ("coco", "megadetector", "records.csv"):
        assert b"Cam 2/1.jpg" not in written(here, name)
    assert b"5.123" not in b"".join(written(here, name) for name in FORMATS)


def test_the_grid_is_fixed_and_the_uncertainty_grows() -> None:
    assert coarsened(Point(51.23456, 4.98765, None), "medium") == Point(51.23, 4.99, 30 + 1470, 2)
    assert coarsened(Point(51.23456, 4.98765, 5), "") == Point(51.23456, 4.98765, 5)


def test_effort_is_the_period_without_its_problems(here: Scene) -> None:
    rows = {row["deployment"]: row for row in rows_of(written(here, "effort.csv"))}
    assert (rows["Cam 1"]["trap_nights"], rows["Cam 1"]["site"], rows["Cam 1"]["photos"]) == ("9.00", "River", "5")
    assert rows["Cam 2"]["trap_nights"] == ""  # not known, which is not zero


def test_records_are_independent_and_count_the_most_in_a_photo(here: Scene) -> None:
    later = here.photo("Cam 1/later.jpg", captured_at=NOON + dt.timedelta(hours=2, minutes=6))
    here.box(later, here.jaguar)
    rows = [row for row in rows_of(written(here, "records.csv")) if row["Species"] == "Panthera onca"]
    assert [(row["DateTimeOriginal"], row["n_images"], row["count_max"]) for row in rows] == [
        ("2026-07-10 12:00:00", "2", "2"), ("2026-07-10 14:06:00", "1", "1"),
    ]  # fmt: skip
    assert [rows[1][f"delta.time.{unit}"] for unit in ("secs", "mins", "hours", "days")] == [
        "7560",
        "126",
        "2.1",
        "0.1",
    ]


def test_a_detection_history_knows_where_no_camera_worked(here: Scene) -> None:
    files = members(written(here, "detections", occasion_days=3))
    (name,) = [name for name in files if name.startswith("detections_Panthera_onca")]
    (row,) = rows_of(files[name])
    assert row == {"station": "River", "o1": "0", "o2": "1", "o3": "0", "o4": "0"}
    (effort,) = rows_of(files["effort.csv"])
    assert sum(float(effort[f"o{number}"]) for number in range(1, 5)) == pytest.approx(9, abs=0.05)


def test_coco_and_megadetector_say_every_photo_once_in_their_units(here: Scene) -> None:
    here.photo("Cam 1/broken.jpg", state="quarantined", captured_at=None, reason="cut short")
    coco = json.loads(written(here, "coco"))
    names = {each["id"]: each["name"] for each in coco["categories"]}
    assert names[0] == "empty"
    first = next(each for each in coco["images"] if each["file_name"] == "Cam 1/0.jpg")
    (box,) = [each for each in coco["annotations"] if each["image_id"] == first["id"]]
    assert (names[box["category_id"]], box["bbox"]) == ("jaguar", [160.0, 240.0, 480.0, 480.0])
    empty = next(each for each in coco["images"] if each["file_name"] == "Cam 1/3.jpg")
    assert [each["category_id"] for each in coco["annotations"] if each["image_id"] == empty["id"]] == [0]
    assert next(each for each in coco["images"] if each["file_name"] == "Cam 1/broken.jpg")["corrupt"] is True
    found = {each["file"]: each for each in json.loads(written(here, "megadetector"))["images"]}
    assert found["Cam 1/broken.jpg"] == {"file": "Cam 1/broken.jpg", "failure": "cut short", "detections": None}
    assert found["Cam 1/3.jpg"]["detections"] == []
    (detection,) = found["Cam 1/0.jpg"]["detections"]
    assert (detection["conf"], detection["bbox"]) == (0.95, [0.1, 0.2, 0.3, 0.4])
    assert detection["classifications"] == [[str(here.jaguar.id), 1.0]]


def test_what_is_lost_is_counted_for_this_project(here: Scene) -> None:
    study = Study(here.session, here.store, here.project)
    assert "1 photo of people is left out." in lost_lines("coco", study)
    assert "1 photo without a time is left out." in lost_lines("camtrap-dp", study)
    assert lost_lines("effort.csv", study) == ["1 camera has no period: its effort is not known, which is not zero."]
