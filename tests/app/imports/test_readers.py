"""Readers without a database: what is written is what is read, what is wrong is said with its place."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.imports import camtrap_dp, coco, columns, megadetector, wildlife_insights
from app.imports.files import Files
from app.imports.lines import How, Line
from app.imports.tables import Asks
from models.errors import Invalid
from models.import_records import PhotoRecord, SightingRecord
from models.imported import ASIDE, BAD, DEPLOYMENT, GOOD, PHOTO, SIGHTING

NAME = st.text("abcdefghijklmnopqrstuvwxyzäñ ", min_size=1, max_size=12).map(str.strip).filter(bool)
SHARE = st.integers(1, 400).map(lambda thousandths: thousandths / 1000)
BOX = st.tuples(SHARE, SHARE, SHARE, SHARE).map(list)
CONF = st.integers(50, 1000).map(lambda thousandths: thousandths / 1000)
PATHS = st.lists(
    st.tuples(NAME, st.integers(0, 9999)).map(lambda each: f"{each[0]}/IMG_{each[1]}.JPG"), unique=True, max_size=6
)


def files_of(folder: Path, **contents: bytes) -> Files:
    """Files by name; `_` in a keyword is a dot."""
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, content in contents.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content)
        paths[path.name] = path
    return Files.of(paths)


def said(lines: list[Line], kind: str = SIGHTING) -> list[SightingRecord]:
    return [line.record for line in lines if line.kind == kind and line.verdict == GOOD]  # type: ignore[misc]


def written(header: list[str], rows: list[dict[str, Any]], delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, header, delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return target.getvalue().encode(encoding)


@settings(max_examples=60, deadline=None)
@given(paths=PATHS, found=st.lists(st.tuples(st.sampled_from("123"), CONF, BOX), max_size=4))
def test_megadetector_round_trip(tmp_path_factory: pytest.TempPathFactory, paths: list[str], found: list[Any]) -> None:
    detections = [{"category": category, "conf": conf, "bbox": box} for category, conf, box in found]
    content = {
        "info": {"format_version": "1.6", "detector": "md"},
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "images": [{"file": path, "detections": detections} for path in paths],
    }
    files = files_of(tmp_path_factory.mktemp("md"), results__json=json.dumps(content).encode())
    lines = list(megadetector.read(files, How()).lines)
    assert [line.photo for line in lines] == paths
    kinds = {"1": "animal", "2": "person", "3": "vehicle"}
    for line in lines:
        assert isinstance(line.record, PhotoRecord) and line.record.is_looked
        back = [SightingRecord.of(each) for each in PhotoRecord.of(line.record.as_json()).sightings]
        assert sorted((each.kind, each.score) for each in back) == sorted(
            (kinds[category], conf) for category, conf, _box in found
        )
        for each in back:
            assert each.box is not None
            x, y, w, h = next(
                box for category, conf, box in found if (kinds[category], conf) == (each.kind, each.score)
            )
            if [(kinds[category], conf) for category, conf, _box in found].count((each.kind, each.score)) == 1:
                assert each.box == pytest.approx([x, y, x + w, y + h])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"conf": "high"}, "images[0].detections[0].conf"),
        ({"conf": True}, "images[0].detections[0].conf"),
        ({"bbox": [0.9, 0.1, 0.2, 0.1]}, "images[0].detections[0].bbox"),
        ({"bbox": [0.1, 0.1, 0, 0.1]}, "images[0].detections[0].bbox"),
        ({"bbox": None}, "images[0].detections[0].bbox"),
        ({"category": 1}, "images[0].detections[0].category"),
        ({"classifications": [["1", 2]]}, "images[0].detections[0].classifications"),
    ],
)
def test_megadetector_says_which_field_is_bad(tmp_path: Path, change: dict[str, Any], field: str) -> None:
    detection = {"category": "1", "conf": 0.5, "bbox": [0.1, 0.1, 0.2, 0.2]} | change
    content = {
        "info": {"format_version": "1.4"}, "detection_categories": {"1": "animal"},
        "images": [{"file": "a.jpg", "detections": [detection]}],
    }  # fmt: skip
    lines = list(megadetector.read(files_of(tmp_path, r__json=json.dumps(content).encode()), How()).lines)
    assert [(line.verdict, line.field) for line in lines] == [(BAD, field)]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{",
        b'{"info": {"format_version": "1.2"}}',
        b'{"info": {}, "info": {}}',
        b'{"a": NaN}',
        b"[" * 100_000,
    ],
)
def test_a_file_that_is_no_results_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Invalid):
        list(megadetector.read(files_of(tmp_path, r__json=content), How()).lines)


def test_a_failure_and_an_unknown_category_are_kept_aside(tmp_path: Path) -> None:
    content = {
        "info": {"format_version": 1.3}, "detection_categories": {"1": "animal"},
        "images": [
            {"file": "a.jpg", "failure": "cannot open", "detections": None},
            {"file": "b.jpg", "detections": [{"category": "9", "conf": 0.5, "bbox": [0.1, 0.1, 0.2, 0.2]}]},
        ],
    }  # fmt: skip
    reading = megadetector.read(files_of(tmp_path, r__json=json.dumps(content).encode()), How())
    lines = list(reading.lines)
    assert [line.verdict for line in lines] == [ASIDE, ASIDE, GOOD]
    assert "is a number and should be text" in reading.source["slips"][0]


def test_videos_are_kept_aside_by_name_or_by_their_fields(tmp_path: Path) -> None:
    box = {"category": "1", "conf": 0.5, "bbox": [0.1, 0.1, 0.2, 0.2]}
    content = {
        "info": {"format_version": "1.6"}, "detection_categories": {"1": "animal"},
        "images": [
            {"file": "a.MP4", "detections": [box | {"frame_number": 3}]},
            {"file": "b", "frame_rate": 24.0, "frames_processed": [0, 3], "detections": [box | {"frame_number": 3}]},
            {"file": "mp4/c.jpg", "detections": [box]},
        ],
    }  # fmt: skip
    lines = list(megadetector.read(files_of(tmp_path, r__json=json.dumps(content).encode()), How()).lines)
    assert [(line.photo, line.verdict) for line in lines] == [("a.MP4", ASIDE), ("b", ASIDE), ("mp4/c.jpg", GOOD)]
    assert lines[0].reason == lines[1].reason == "a video: Waterhole looks at photos only"


def test_a_sequence_keeps_its_count_and_says_where_blank_and_name_differ(tmp_path: Path) -> None:
    header = ["deployment_id", "common_name", "group_size", "is_blank", "sequence_id"]
    rows = [
        {"deployment_id": "D1", "common_name": "Jaguar", "group_size": 3, "is_blank": 0},
        {"deployment_id": "D1", "common_name": "Jaguar", "group_size": 1, "is_blank": 1},
        {"deployment_id": "D1", "common_name": "Jaguar", "group_size": "three"},
        {"deployment_id": "", "common_name": "Jaguar", "group_size": 1},
    ]
    reading = wildlife_insights.read(files_of(tmp_path, sequences__csv=written(header, rows)), How())
    first, second, third, fourth = list(reading.lines)
    assert isinstance(first.record, SightingRecord)
    assert (first.verdict, first.record.name, first.record.count) == (ASIDE, "Jaguar", 3)
    assert "the name counts" in second.reason
    assert (third.verdict, third.field, fourth.verdict, fourth.field) == (BAD, "group_size", BAD, "deployment_id")


@settings(max_examples=60, deadline=None)
@given(paths=PATHS.filter(bool), box=BOX, name=NAME, count=st.integers(1, 50), sequence=st.booleans())
def test_coco_round_trip(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], box: list[float], name: str, count: int, sequence: bool
) -> None:
    pixels = [box[0] * 1000, box[1] * 500, box[2] * 1000, box[3] * 500]
    content = {
        "info": {"version": "1", "description": "d"},
        "images": [
            {
                "id": str(number),
                "file_name": path,
                "width": 1000,
                "height": 500,
                "datetime": "2020-01-02 03:04:05",
                "location": 7,
            }
            for number, path in enumerate(paths)
        ],
        "categories": [{"id": 0, "name": "empty"}, {"id": 5, "name": f"x{name}"}],
        "annotations": [
            {"id": f"a{number}", "image_id": str(number), "category_id": 5, "bbox": pixels, "count": count}
            | ({"sequence_level_annotation": True} if sequence else {})
            for number in range(len(paths))
        ],
    }
    lines = list(
        coco.read(files_of(tmp_path_factory.mktemp("coco"), c__json=json.dumps(content).encode()), How()).lines
    )
    photos = [line for line in lines if line.kind == PHOTO]
    assert [line.photo for line in photos] == paths
    assert all(line.record.taken_at == "2020-01-02 03:04:05" for line in photos)  # type: ignore[union-attr]
    sightings = [line for line in lines if line.kind == SIGHTING]
    assert {line.verdict for line in sightings} == {ASIDE if sequence else GOOD}
    for line in sightings:
        record = line.record
        assert isinstance(record, SightingRecord) and record.box is not None
        assert record.box == pytest.approx([box[0], box[1], box[0] + box[2], box[1] + box[3]])
        assert (record.count, record.said_by) == (count, "human")


def test_coco_pixels_need_the_size_of_their_photo(tmp_path: Path) -> None:
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 3, "name": "deer"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 3, "bbox": [1, 2, 3, 4]}, {"id": 2, "image_id": 8, "category_id": 9},
        ],
    }  # fmt: skip
    lines = list(coco.read(files_of(tmp_path, c__json=json.dumps(content).encode()), How()).lines)
    assert [line.field for line in lines if line.verdict == BAD] == [
        "annotations[0].bbox", "annotations[1].image_id", "annotations[1].category_id"
    ]  # fmt: skip


ROW = st.fixed_dictionaries(
    {"file": st.integers(0, 9).map(lambda n: f"IMG_{n}.JPG"), "species": NAME, "count": st.integers(1, 99)}
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(ROW, max_size=8),
    delimiter=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1"]),
)
def test_a_table_round_trip_in_any_letters(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], delimiter: str, encoding: str
) -> None:
    files = files_of(
        tmp_path_factory.mktemp("csv"), t__csv=written(["file", "species", "count"], rows, delimiter, encoding)
    )
    how = How(encoding={"utf-8-sig": "utf-8"}.get(encoding, encoding))
    with pytest.raises(Asks) as asked:
        columns.read(files, how)
    assert asked.value.reading["reading"]["delimiter"] == delimiter
    assert {role for role, _label, column in asked.value.reading["wanted"] if column} == {"file", "species", "count"}
    how = How(
        encoding=how.encoding,
        delimiter=delimiter,
        confirmed=True,
        columns={each: each for each in ("file", "species", "count")},
    )
    lines = list(columns.read(files, how).lines)
    back = [(line.photo, line.record.count) for line in lines if line.kind == SIGHTING]  # type: ignore[union-attr]
    assert back == [(row["file"], row["count"]) for row in rows]


def test_letters_that_are_not_utf_8_are_guessed_and_shown(tmp_path: Path) -> None:
    files = files_of(tmp_path, t__csv="file;species;box_x\na.jpg;Wildkatze grün;0,5\n".encode("latin-1"))
    with pytest.raises(Asks) as asked:
        columns.read(files, How())
    shown = asked.value.reading["reading"]
    assert (shown["encoding"], shown["delimiter"]) == ("windows-1252", ";")
    assert shown["rows"] == [["a.jpg", "Wildkatze grün", "0,5"]]


def test_a_bad_row_of_a_table_names_its_line_and_column(tmp_path: Path) -> None:
    content = (
        b'Datei,Art,Anzahl,Wann\n"a\n.jpg",fox,1,\nb.jpg,fox,many,01/02/2020\n,fox,1,\nc.jpg,fox,1,2020-01-02 03:04\n'
    )
    how = How(columns={"file": "Datei", "species": "Art", "count": "Anzahl", "time": "Wann"}, confirmed=True)
    lines = list(columns.read(files_of(tmp_path, t__csv=content), how).lines)
    assert [(line.place, line.field) for line in lines if line.verdict == BAD] == [
        ("line 2", "Datei"), ("line 4", "Anzahl"), ("line 4", "Wann"), ("line 5", "Datei")
    ]  # fmt: skip
    assert [line.photo for line in lines if line.verdict == GOOD] == ["c.jpg", "c.jpg"]


def test_timelapse_paths_are_folder_and_file_with_any_slash(tmp_path: Path) -> None:
    content = (
        b"RootFolder,File,RelativePath,DateTime,DeleteFlag,Species,Count0\n"
        b"R,a.jpg,A\\B,2020-01-02 03:04:05,false,Red fox,2\nR,b.jpg,A,2020-01-02T03:04:05,true,Hare,1\n"
    )
    files = files_of(tmp_path, t__csv=content)
    with pytest.raises(Asks) as asked:
        columns.read(files, How())
    guessed = {role: column for role, _label, column in asked.value.reading["wanted"] if column}
    assert guessed["folder"] == "RelativePath" and guessed["file"] == "File"
    lines = list(columns.read(files, How(columns=guessed | {"count": "Count0"}, confirmed=True)).lines)
    assert [(line.photo, line.verdict) for line in lines] == [("A/B/a.jpg", GOOD), ("A/B/a.jpg", GOOD), ("", ASIDE)]
    assert said(lines)[0].count == 2


def test_wildlife_insights_upload_set_and_download(tmp_path: Path) -> None:
    deployments = written(
        ["deployment_id", "placename", "longitude", "latitude", "start_date", "end_date"],
        [
            {
                "deployment_id": "D1",
                "placename": "P",
                "longitude": -70,
                "latitude": -12,
                "start_date": "2020-01-01 00:00:00",
                "end_date": "2020-02-01 00:00:00",
            },
            {
                "deployment_id": "D2",
                "placename": "P",
                "longitude": -70,
                "latitude": 112,
                "start_date": "2020-01-01 00:00:00",
                "end_date": "2020-02-01 00:00:00",
            },
        ],
    )
    header = [
        "deployment_id",
        "image_id",
        "location",
        "identified_by",
        "genus",
        "species",
        "common_name",
        "timestamp",
        "number_of_objects",
        "is_blank",
        "age",
        "sex",
    ]
    images = written(
        header,
        [
            {
                "deployment_id": "D1",
                "image_id": "1",
                "location": "D1/a.jpg",
                "identified_by": "Ana",
                "genus": "Panthera",
                "species": "onca",
                "common_name": "Jaguar",
                "timestamp": "2020-01-02 03:04:05",
                "number_of_objects": 2,
                "is_blank": 0,
                "age": "Adult",
                "sex": "Female",
            },
            {
                "deployment_id": "D1",
                "image_id": "2",
                "location": "gs://x/b.jpg",
                "identified_by": "Computer vision",
                "common_name": "Blank",
                "timestamp": "2020-01-02 03:04:06",
                "number_of_objects": 0,
                "is_blank": 1,
            },
            {"deployment_id": "D2", "image_id": "3", "location": "D2/c.jpg", "timestamp": "2020-01-02 03:04:06"},
        ],
    )
    files = files_of(tmp_path, deployments__csv=deployments, images__csv=images, sequences__csv=b"deployment_id\nD1\n")
    lines = list(wildlife_insights.read(files, How()).lines)
    assert [(line.kind, line.verdict, line.field) for line in lines] == [
        (DEPLOYMENT, GOOD, ""), (DEPLOYMENT, BAD, "latitude"), (PHOTO, GOOD, ""), (SIGHTING, GOOD, ""), (PHOTO, GOOD, ""),
        (SIGHTING, GOOD, ""), (SIGHTING, BAD, "deployment_id"), (SIGHTING, ASIDE, ""),
    ]  # fmt: skip
    first, second = said(lines)
    assert (first.name, first.scientific_name, first.count, first.said_by, first.sex) == (
        "Jaguar",
        "Panthera onca",
        2,
        "human",
        "female",
    )
    assert (second.kind, second.said_by) == ("blank", "machine")


def test_every_row_of_the_official_camtrap_dp_example_is_accounted_for(shared_data: Path) -> None:
    folder = shared_data / "camera-trap" / "camtrap-dp-example"
    files = Files.of({path.name: path for path in folder.iterdir() if path.is_file()})
    reading = camtrap_dp.read(files, How())
    lines = list(reading.lines)
    observations = [line for line in lines if line.place.startswith("observations.csv")]
    assert len({line.place for line in observations}) == len(observations) == 549
    assert sum(line.verdict == GOOD for line in observations) == 513
    assert sum(line.reason == "an event is about no single photo" for line in observations) == 36
    assert sum(line.kind == PHOTO and line.verdict == GOOD for line in lines) == 423
    assert sum(line.kind == DEPLOYMENT and line.verdict == GOOD for line in lines) == 4
    assert not [line for line in lines if line.verdict == BAD]
    assert reading.source["ranks"]["Aves"] == "class"


def test_camtrap_dp_names_every_wrong_cell(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "camera-trap" / "camtrap-dp-example"
    media = (source / "media.csv").read_text().replace("activityDetection", "motion", 1)
    observations = (source / "observations.csv").read_text().replace(",adult,female,", ",grown,female,", 1)
    deployments = (source / "deployments.csv").read_text().replace("51.496", "151.496", 1)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package/media.csv", media)
        archive.writestr("package/observations.csv", observations)
        archive.writestr("package/deployments.csv", deployments)
        archive.writestr("package/media/a.jpg", b"x")
    lines = list(camtrap_dp.read(files_of(tmp_path, p__zip=content.getvalue()), How()).lines)
    bad = {(line.place, line.field) for line in lines if line.verdict == BAD}
    assert ("deployments.csv line 2", "latitude") in bad
    assert ("media.csv line 2", "captureMethod") in bad
    assert ("observations.csv line 2", "lifeStage") in bad
    assert ("media.csv line 3", "deploymentID") in bad  # its deployment was not taken


def test_a_zip_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("media.csv", b"a" * 5_000_000)
    changed = bytearray(content.getvalue())
    directory = changed.rindex(b"PK\x01\x02")
    changed[directory + 24 : directory + 28] = (100).to_bytes(4, "little")
    files = files_of(tmp_path, p__zip=bytes(changed))
    with pytest.raises((Invalid, zipfile.BadZipFile)), files.open("media.csv") as file:
        file.read()


@pytest.mark.parametrize("path", ["/etc/passwd", "C:/x.jpg", "a/../b.jpg", "~/x.jpg", "a//b.jpg", ""])
def test_paths_that_lead_out_are_no_paths(tmp_path: Path, path: str) -> None:
    content = {
        "info": {"format_version": "1.6"}, "detection_categories": {"1": "animal"}, "images": [{"file": path, "detections": []}]
    }  # fmt: skip
    (line,) = megadetector.read(files_of(tmp_path, r__json=json.dumps(content).encode()), How()).lines
    assert (line.verdict, line.field) == (BAD, "images[0].file")


def test_a_prefix_is_left_out_whatever_its_slashes(tmp_path: Path) -> None:
    content = {
        "info": {"format_version": "1.6"}, "detection_categories": {"1": "animal"},
        "images": [{"file": "D:\\Photos\\A\\1.jpg", "detections": []}],
    }  # fmt: skip
    files = files_of(tmp_path, r__json=json.dumps(content).encode())
    (line,) = megadetector.read(files, How(strip_prefix="d:/photos/")).lines
    assert (line.verdict, line.photo) == (GOOD, "A/1.jpg")
