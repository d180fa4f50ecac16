"""Timelapse, Wildlife Insights and crops: what goes out, what stops it, what never goes, and what comes in again."""

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

import pytest
from sqlalchemy import select

from app.exports.checks.wildlife_insights import check as faults_of_upload
from app.exports.formats import FORMATS, write_export, write_manifest
from app.exports.lost import lost_lines
from app.exports.sorted_lines import Sorted
from app.exports.study import Options, Study
from app.formats.wildlife_insights import BLANK_ID
from models.box import Box
from models.database import Database
from models.deployment import Deployment
from models.errors import Invalid
from models.image import Image
from models.species import Species, TaxonId
from models.storage import Store
from tests.app.exports.scene import Scene, scene

NOON = dt.datetime(2026, 7, 10, 12)


@pytest.fixture
def here(sqlite_database: Database, store: Store) -> Iterator[Scene]:
    """Two jaguars and a box that the classifier calls ocelot in photo 1, nothing in 2, a person in 3, two species in another."""
    with sqlite_database.writing() as session:
        made = scene(session, store)
        photos = [
            made.photo(f"Cam 1/{number}.jpg", captured_at=NOON + dt.timedelta(minutes=number)) for number in (1, 2, 3)
        ]
        made.box(photos[0], made.jaguar)
        made.box(photos[0], made.jaguar)
        unnamed = made.box(photos[0])
        made.box(photos[2], made.kind("person"))
        other = made.photo("Cam 2/=1.jpg", captured_at=NOON)
        made.box(other, made.ocelot)
        made.box(other, made.jaguar)
        made.classifier_says({unnamed.id: {made.ocelot: 0.75, made.jaguar: 0.25}})
        unnamed.guess_species_id = made.ocelot.id
        for name in ("Cam 1", "Cam 2"):
            camera = Deployment.of_folder(session, made.project.id, name)
            camera.starts_at, camera.ends_at = NOON - dt.timedelta(days=5), NOON + dt.timedelta(days=5)
            camera.latitude, camera.longitude, camera.camera = 5.5, -59.25, f"No {name[-1]}"
        session.flush()
        yield made


def identify(here: Scene, *species: Species) -> None:
    for each in species:
        here.session.add(TaxonId(species_id=each.id, register="wildlife_insights", value=f"guid-{each.name}"))
    here.session.flush()


def written(here: Scene, name: str, **options: Any) -> bytes:
    out = io.BytesIO()
    write_export(here.session, here.store, here.project, name, out, Options(**options))
    return out.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows_of(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_timelapse_gets_a_row_a_photo_and_species_by_folder_and_file(here: Scene) -> None:
    files = members(written(here, "timelapse"))
    rows = rows_of(files["timelapse.csv"])
    told = [
        (row["RelativePath"], row["File"], row["Species"], row["Count"], row["Source"], row["Probability"])
        for row in rows
    ]
    assert told == [
        ("Cam 1", "1.jpg", "Jaguar", "2", "human", ""), ("Cam 1", "1.jpg", "Ocelot", "1", "predicted", "0.750"),
        ("Cam 1", "2.jpg", "empty", "0", "predicted", ""), ("Cam 2", "'=1.jpg", "Jaguar", "1", "human", ""),
        ("Cam 2", "'=1.jpg", "Ocelot", "1", "human", ""),
    ]  # fmt: skip
    assert rows[1]["Checkpoint"].startswith("classifier")
    assert [tuple(row.values()) for row in rows_of(files["duplicate-first.csv"])] == [
        ("Cam 1", "1.jpg", "2"), ("Cam 2", "'=1.jpg", "2"),
    ]  # fmt: skip
    made = json.loads(files["manifest.json"])
    assert made["guarded_names"] == ["Cam 2/=1.jpg"]
    assert [(each["name"], each["rows"]) for each in made["files"][:2]] == [
        ("timelapse.csv", 5),
        ("duplicate-first.csv", 2),
    ]
    for each in made["files"]:
        assert hashlib.sha256(files[each["name"]]).hexdigest() == each["sha256"]


def test_timelapse_folders_have_the_slashes_of_the_persons_system(here: Scene) -> None:
    here.box(here.photo("Site/Cam 9/a.jpg", captured_at=NOON), here.jaguar)
    for forward, folder in ((False, "Site\\Cam 9"), (True, "Site/Cam 9")):
        rows = rows_of(members(written(here, "timelapse", forward_slashes=forward))["timelapse.csv"])
        assert rows[-1]["RelativePath"] == folder


def test_a_name_that_people_and_the_classifier_give_in_one_photo_is_one_row_that_is_as_sure_as_its_weakest_box(
    here: Scene,
) -> None:
    photo = here.photo("Cam 1/5.jpg", captured_at=NOON)
    here.box(photo, here.ocelot)
    box = here.box(photo)
    here.classifier_says({box.id: {here.ocelot: 0.5, here.jaguar: 0.25}})
    (row,) = [each for each in rows_of(members(written(here, "timelapse"))["timelapse.csv"]) if each["File"] == "5.jpg"]
    assert (row["Count"], row["Source"], row["Probability"], row["Who"]) == ("2", "predicted", "0.500", here.user.name)


def test_a_species_without_an_identifier_stops_the_upload_with_a_list(here: Scene) -> None:
    identify(here, here.jaguar)
    with pytest.raises(Invalid, match=r"register wildlife_insights.*of Ocelot is missing"):
        written(here, "wildlife-insights")
    assert FORMATS["wildlife-insights"].lacking(Study(here.session, here.store, here.project)) == [
        "the identifier on Wildlife Insights (register wildlife_insights) of Ocelot"
    ]


def test_an_upload_set_is_valid_and_says_who_or_what_named_each_row(here: Scene, tmp_path: Path) -> None:
    identify(here, here.jaguar, here.ocelot)
    here.photo("Cam 1/undated.jpg", captured_at=None)
    here.photo("Cam 3/elsewhere.jpg", captured_at=NOON)
    path = tmp_path / "upload.zip"
    path.write_bytes(written(here, "wildlife-insights"))
    assert faults_of_upload(path) == []
    files = members(path.read_bytes())
    rows = rows_of(files["images.csv"])
    told = [
        (row["location"], row["wi_taxon_id"], row["number_of_objects"], row["genus"], row["species"]) for row in rows
    ]
    assert told == [
        ("Cam 1/1.jpg", "guid-Jaguar", "2", "Panthera", "onca"), ("Cam 1/1.jpg", "guid-Ocelot", "1", "", ""),
        ("Cam 1/2.jpg", BLANK_ID, "0", "", ""), ("Cam 2/=1.jpg", "guid-Jaguar", "1", "Panthera", "onca"),
        ("Cam 2/=1.jpg", "guid-Ocelot", "1", "", ""),
    ]  # fmt: skip
    assert rows[0]["identified_by"] == here.user.name
    assert rows[1]["identified_by"].startswith("Computer Vision: classifier")
    assert rows[1]["uncertainty"] == "0.750"
    assert [row["camera_id"] for row in rows_of(files["cameras.csv"])] == ["No 1", "No 2"]
    assert "1 camera has no period" in files["what-was-lost.txt"].decode()


def test_the_check_of_an_upload_set_lists_all_faults(here: Scene, tmp_path: Path) -> None:
    identify(here, here.jaguar, here.ocelot)
    files = members(written(here, "wildlife-insights"))
    files["deployments.csv"] = files["deployments.csv"].replace(b"-59.25,5.5", b"5.5,-159.25")
    files["images.csv"] = (
        files["images.csv"].replace(b"2026-07-10 12:01", b"2027-07-10 12:01").replace(b"Cam 2,", b"Cam 9,")
    )
    files["cameras.csv"] += b"waterhole-1,No 7,,,,\n"
    path = tmp_path / "upload.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    found = "\n".join(faults_of_upload(path))
    for fault in (
        "latitude '-159.25' is out of range", "outside of the deployment", "'Cam 9' is not in deployments.csv",
        "'Cam 2' is not in images.csv", "'No 7' is not in deployments.csv",
    ):  # fmt: skip
        assert fault in found


def with_crops(here: Scene) -> None:
    for image in here.session.query(Image).where(Image.project_id == here.project.id):
        here.store.crops(image.sha256).mkdir(parents=True, exist_ok=True)
        for box in boxes_of(here, image):
            here.store.crop(image.sha256, box.id).write_bytes(b"\xff\xd8" + str(box.id).encode())


def boxes_of(here: Scene, image: Image) -> list[Box]:
    return list(here.session.scalars(select(Box).where(Box.image_id == image.id).order_by(Box.id)))


def test_crops_lie_in_folders_by_species_and_people_stay_out(here: Scene) -> None:
    with_crops(here)
    files = members(written(here, "crops"))
    index = rows_of(files["crops.csv"])
    told = [(row["crop"].split("/")[0], row["file"], row["source"], row["probability"]) for row in index]
    assert told == [
        ("Jaguar", "Cam 1/1.jpg", "human", ""), ("Jaguar", "Cam 1/1.jpg", "human", ""),
        ("Ocelot", "Cam 1/1.jpg", "predicted", "0.750"), ("Ocelot", "Cam 2/=1.jpg", "human", ""),
        ("Jaguar", "Cam 2/=1.jpg", "human", ""),
    ]  # fmt: skip
    for row in index:
        assert files[row["crop"]] == b"\xff\xd8" + row["crop"].rsplit("_", 1)[1].removesuffix(".jpg").encode()
    assert any(name.startswith("Person/") for name in members(written(here, "crops", people=True)))


def test_a_crop_on_which_a_person_may_be_stays_out_however_unsure_the_detector_is(here: Scene) -> None:
    photo = here.photo("Cam 1/7.jpg", captured_at=NOON)
    here.box(photo, here.jaguar, x_min=0.1, x_max=0.4, y_min=0.1, y_max=0.4)
    here.box(photo, here.ocelot, x_min=0.6, x_max=0.9, y_min=0.6, y_max=0.9)
    here.box(photo, kind="person", score=0.06, x_min=0.3, x_max=0.5, y_min=0.3, y_max=0.5)
    with_crops(here)
    index = rows_of(members(written(here, "crops"))["crops.csv"])
    assert [row["species"] for row in index if row["file"] == "Cam 1/7.jpg"] == ["Ocelot"]


def test_a_crop_whose_file_is_gone_is_named_and_the_others_go_out(here: Scene) -> None:
    with_crops(here)
    photo = here.session.query(Image).where(Image.path == "Cam 1/1.jpg").one()
    box = boxes_of(here, photo)[0]
    here.store.crop(photo.sha256, box.id).unlink()
    files = members(written(here, "crops"))
    made = json.loads(files["manifest.json"])
    assert (made["missing"], made["missing_crops"]) == (1, [f"Cam 1/1.jpg {box.id}"])
    assert len(rows_of(files["crops.csv"])) == 4


def test_names_that_look_alike_as_folders_keep_apart(here: Scene) -> None:
    here.jaguar.name, here.ocelot.name = "Cat: big", "Cat/ big"
    with_crops(here)
    folders = {name.split("/")[0] for name in members(written(here, "crops")) if "/" in name}
    assert folders == {f"Cat_big_{here.jaguar.id}", f"Cat_big_{here.ocelot.id}"}


def test_records_say_the_classifiers_highest_probability_and_which_classifier(here: Scene) -> None:
    rows = rows_of(written(here, "records.csv"))
    told = {
        (row["Species"], row["Station"], row["named_by"], row["probability"], row["checkpoint"][:10]) for row in rows
    }
    assert told == {
        ("Panthera onca", "Cam 1", "human", "", ""), ("Ocelot", "Cam 1", "predicted", "0.750", "classifier"),
        ("Panthera onca", "Cam 2", "human", "", ""), ("Ocelot", "Cam 2", "human", "", ""),
    }  # fmt: skip


def test_a_single_file_has_a_manifest_of_the_same_state(here: Scene) -> None:
    for name in ("records.csv", "coco", "species.csv"):
        out, content = io.BytesIO(), written(here, name)
        write_manifest(here.session, here.store, here.project, name, out)
        (told,) = json.loads(out.getvalue())["files"]
        assert told["sha256"] == hashlib.sha256(content).hexdigest()
        assert told["bytes"] == len(content)
        assert (
            told["rows"] == (4 if name == "coco" else len(rows_of(content)) if name != "coco" else 0) or name == "coco"
        )


def test_every_format_has_its_losses(here: Scene) -> None:
    here.photo("Cam 1/late.jpg", captured_at=NOON, state="waiting")
    for name in FORMATS:
        lines = lost_lines(name, Study(here.session, here.store, here.project))
        assert lines == list(dict.fromkeys(lines))
    assert any(
        "looked through" in each for each in lost_lines("timelapse", Study(here.session, here.store, here.project))
    )


def test_lines_come_sorted_whatever_was_given_first_and_however_small_the_run() -> None:
    for run in (1, 2, 3, 100):
        lines = Sorted(run)
        for word in ("b", "a", "é\n", "", "c", "a"):
            lines.add(word, word * 2)
        assert [key for key, _line in lines.lines()] == ["", "a", "a", "b", "c", "é\n"]
        lines.close()


def test_a_visit_that_only_a_classifier_names_says_which_and_how_sure_in_camtrap_dp(here: Scene) -> None:
    here.project.publication = {"design": "opportunistic", "contributors": [{"title": "Ann", "role": "contact"}]}
    here.session.flush()
    rows = rows_of(members(written(here, "camtrap-dp"))["observations.csv"])
    told = {
        (
            row["scientificName"],
            row["deploymentID"],
            row["classificationMethod"],
            row["classifiedBy"][:10],
            row["classificationProbability"],
        )
        for row in rows
        if row["observationLevel"] == "event" and row["observationType"] == "animal"
    }
    assert told == {
        ("Panthera onca", "Cam 1", "human", "", ""), ("Ocelot", "Cam 1", "machine", "classifier", "0.7500"),
        ("Panthera onca", "Cam 2", "human", "", ""), ("Ocelot", "Cam 2", "human", "", ""),
    }  # fmt: skip
