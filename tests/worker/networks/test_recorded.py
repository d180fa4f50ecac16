"""MegaDetector results: every problem is named with its place, and no photo is taken for empty by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from worker.networks.detector import Detections
from worker.networks.recorded import BoxesFileError, Recorded, read_recorded

INFORMATION = {"format_version": "1.6", "detector": "md_v1000.0.0-redwood.pt"}
CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle"}
BOX = {"category": "1", "conf": 0.8, "bbox": [0.1, 0.2, 0.3, 0.4]}
Read = Callable[..., Recorded]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """read(images, info=..., categories=...): what the reader makes of a file with them."""

    def read(images: Any, information: Any = INFORMATION, categories: Any = CATEGORIES) -> Recorded:
        path = tmp_path / "boxes.json"
        path.write_text(json.dumps({"info": information, "detection_categories": categories, "images": images}))
        return read_recorded(path)

    return read


def one(read: Read, image: dict[str, Any]) -> tuple[Detections | str, list[str]]:
    recorded = read([{"file": "a/b.jpg"} | image])
    return recorded.photos["a/b.jpg"], recorded.problems


def test_boxes_come_as_corners_best_first(read: Read) -> None:
    weak = {"category": "2", "conf": 0.2, "bbox": [0.5, 0.5, 0.5, 0.5]}
    found, problems = one(read, {"detections": [weak, BOX]})
    assert isinstance(found, Detections) and problems == []
    np.testing.assert_allclose(found.boxes_xyxy, [[0.1, 0.2, 0.4, 0.6], [0.5, 0.5, 1, 1]], rtol=1e-6)
    assert found.kinds == ("animal", "person") and found.scores.tolist() == pytest.approx([0.8, 0.2])


def test_an_empty_list_is_an_empty_photo_and_a_failure_is_none(read: Read) -> None:
    empty, _ = one(read, {"detections": []})
    failed, problems = one(read, {"failure": "Failure image access"})
    assert isinstance(empty, Detections) and len(empty) == 0
    assert failed == "the other detector failed on it: Failure image access" and problems == []


@pytest.mark.parametrize(
    ("image", "place"),
    [
        ({}, "images[0].detections"),
        ({"detections": None}, "images[0].detections"),
        ({"detections": [], "failure": 7}, "images[0].failure"),
        ({"detections": [BOX], "failure": "no"}, "images[0]"),
        ({"detections": [BOX | {"conf": 1.7}]}, "images[0].detections[0].conf"),
        ({"detections": [BOX | {"conf": -1}]}, "images[0].detections[0].conf"),
        ({"detections": [BOX | {"conf": "0.5"}]}, "images[0].detections[0].conf"),
        ({"detections": [BOX | {"conf": True}]}, "images[0].detections[0].conf"),
        ({"detections": [BOX, BOX | {"bbox": [0.5, 0.5, 0.6, 0.1]}]}, "images[0].detections[1].bbox"),
        ({"detections": [BOX | {"bbox": [0.5, 0.5, 0, 0.1]}]}, "images[0].detections[0].bbox"),
        ({"detections": [BOX | {"bbox": [0.5, 0.5, 0.1]}]}, "images[0].detections[0].bbox"),
        ({"detections": [BOX | {"bbox": [10**400, 0, 1, 1]}]}, "images[0].detections[0].bbox"),
        ({"detections": [BOX | {"bbox": None}]}, "images[0].detections[0].bbox"),
        ({"detections": [BOX | {"category": 1}]}, "images[0].detections[0].category"),
        ({"detections": ["box"]}, "images[0].detections[0]"),
    ],
)
def test_a_wrong_entry_is_named_and_its_photo_is_not_taken_for_empty(
    read: Read, image: dict[str, Any], place: str
) -> None:
    answer, problems = one(read, image)
    assert isinstance(answer, str) and answer
    assert problems and problems[0].startswith(place)


def test_every_problem_is_listed(read: Read) -> None:
    images = [{"file": "a.jpg"}, {"file": "b.jpg", "detections": [BOX | {"conf": 2.0, "bbox": []}]}, 7]
    problems = read(images).problems
    assert [problem.split(":")[0] for problem in problems] == [
        "images[0].detections", "images[1].detections[0].conf", "images[1].detections[0].bbox", "images[2]",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "file", ["../a.jpg", "/etc/passwd", "C:\\x.jpg", "a\\b.jpg", "~/a.jpg", "a//b.jpg", "", None, 3]
)
def test_a_path_that_reaches_out_is_refused(read: Read, file: Any) -> None:
    recorded = read([{"file": file, "detections": []}])
    assert recorded.photos == {} and recorded.problems[0].startswith("images[0].file")


def test_a_box_that_reaches_out_by_rounding_is_cut(read: Read) -> None:
    found, problems = one(read, {"detections": [BOX | {"bbox": [0.7, 0.0, 0.3004, 0.5]}]})
    assert isinstance(found, Detections) and found.boxes_xyxy[0, 2] == 1 and problems == []


def test_an_unknown_category_is_no_detection_and_is_reported(read: Read) -> None:
    found, problems = one(read, {"detections": [BOX, BOX | {"category": "99"}]})
    assert isinstance(found, Detections) and len(found) == 1
    assert problems == ["images[0].detections[1].category: '99' is not a category that we know; left out"]


def test_a_category_of_another_name_is_reported_once_and_left_out(read: Read) -> None:
    recorded = read([{"file": "a.jpg", "detections": [BOX]}], categories={"1": "fish", "x": "animal", "2": " "})
    assert [problem.split(":")[0] for problem in recorded.problems[:3]] == [
        "detection_categories['1']", "detection_categories['x']", "detection_categories['2']",
    ]  # fmt: skip
    assert isinstance(recorded.photos["a.jpg"], Detections) and len(recorded.photos["a.jpg"]) == 0


def test_scores_below_the_floor_are_not_kept(read: Read) -> None:
    found, _ = one(read, {"detections": [BOX | {"conf": 0.049}, BOX | {"conf": 0.05}]})
    assert isinstance(found, Detections) and len(found) == 1


def test_slips_that_cannot_be_misread_are_read_and_reported(read: Read) -> None:
    recorded = read([{"file": "a.jpg", "detections": [BOX | {"conf": 1}]}], information={"format_version": 1.5})
    assert isinstance(recorded.photos["a.jpg"], Detections)
    assert len(recorded.problems) == 2 and recorded.detector == "MegaDetector v4"


def test_a_photo_that_is_listed_twice_has_no_answer(read: Read) -> None:
    recorded = read([{"file": "a.jpg", "detections": []}, {"file": "a.jpg", "detections": [BOX]}])
    assert recorded.photos["a.jpg"] == "the boxes file names this photo twice"


def test_names_match_however_their_accents_are_written(read: Read) -> None:
    assert "Caf\u00e9/a.jpg" in read([{"file": "Cafe\u0301/a.jpg", "detections": []}]).photos


def test_recommended_thresholds_go_on_the_card(read: Read) -> None:
    metadata = {
        "typical_detection_threshold": 0.2,
        "conservative_detection_threshold": 0.05,
        "megadetector_version": "v5a",
    }
    card = read([], information=INFORMATION | {"detector_metadata": metadata}).card
    assert (card["count_above"], card["classify_above"], card["megadetector_version"]) == (0.2, 0.05, "v5a")
    assert "count_above" not in read([]).card


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not JSON"),
        (b"{", "line 1"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[]", "no object"),
        (b'{"info": {"format_version": "1.6"}}', "detection_categories"),
        (b'{"info": {"format_version": "1.2"}, "detection_categories": {}, "images": []}', "format_version"),
        (b'{"info": {"format_version": null}, "detection_categories": {}, "images": []}', "format_version"),
        (b'{"info": {"format_version": "1e999"}, "detection_categories": {}, "images": []}', "format_version"),
        (b'{"info": {}, "info": {}}', "twice"),
        (b'{"info": {"x": NaN}}', "NaN"),
        (b'{"info": {"x": -Infinity}}', "Infinity"),
        (b'{"info": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deeply"),
        (b'{"info": {"x": ' + b"9" * 5000 + b"}}", "not JSON"),
        (b'{"info": {"format_version": "1.6"}, "detection_categories": {}, "images": {}}', "images"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "boxes.json"
    path.write_bytes(content)
    with pytest.raises(BoxesFileError, match=words) as caught:
        read_recorded(path)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoxesFileError, match="cannot be read"):
        read_recorded(tmp_path / "nothing.json")
