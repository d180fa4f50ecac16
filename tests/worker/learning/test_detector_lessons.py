"""What teaches a detector and what judges it: never photos of one place, never a web photo that the starter has seen."""

from __future__ import annotations

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from worker.learning.detector_lessons import by_place, web_lessons, why_not
from worker.learning.field_photos import TruePhoto, no_boxes


def photo(place: str, animals: int = 1) -> TruePhoto:
    boxes = np.tile(np.array([0.1, 0.1, 0.4, 0.5], np.float32), (animals, 1))
    return TruePhoto("1.jpg", "0", place, boxes, ("deer",) * animals, no_boxes())


@given(st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=80))
def test_a_place_teaches_or_judges_and_at_least_two_places_judge(places: list[str]) -> None:
    lessons = by_place([photo(place) for place in places])
    taught, judged = ({each.place for each in some} for some in (lessons.taught, lessons.judged))
    assert not taught & judged
    if len(set(places)) >= 4:
        assert len(taught) >= 1 and len(judged) >= 2
    else:
        assert not judged


def test_what_is_too_little_is_said() -> None:
    assert "3 places" in why_not(by_place([photo(place) for place in "abc" * 20]))
    assert "9 animals to teach and 6 to judge" in why_not(by_place([photo(place) for place in "abcdef" * 2 + "aaa"]))
    assert why_not(by_place([photo(place) for place in "abcdefgh" * 4])) == ""


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """30 photos of 40 x 20 px with one box each."""
    with tarfile.open(tmp_path / "boxes.tar", "w") as tar, (tmp_path / "boxes.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "x_min", "y_min", "x_max", "y_max", "class"])
        for number in range(30):
            encoded = io.BytesIO()
            Image.new("RGB", (40, 20), (number, 0, 0)).save(encoded, "PNG")
            member = tarfile.TarInfo(f"../{number:02}.png")
            member.size = encoded.tell()
            encoded.seek(0)
            tar.addfile(member, encoded)
            rows.writerow([member.name, 10, 5, 30, 20, "fox" if number % 2 else "deer"])
    return tmp_path


def test_web_photos_are_unpacked_inside_the_folder_and_those_that_judge_are_new_to_the_starter(web: Path) -> None:
    lessons = web_lessons(web, web / "work" / "web")
    assert [each.place for each in lessons.judged] == ["../00.png", "../12.png", "../24.png"]
    assert {Path(each.path).parent for each in lessons.photos} == {web / "work" / "web"}
    third = lessons.photos[3]
    assert np.asarray(Image.open(third.path))[0, 0, 0] == 3
    np.testing.assert_allclose(third.boxes_xyxy, [[0.25, 0.25, 0.75, 1.0]])
    assert third.species == ("fox",)


def test_photos_of_others_only_teach(web: Path) -> None:
    mine = by_place([photo(place) for place in "abcdefgh"])
    both = mine.beside(web_lessons(web, web / "web"))
    assert both.judged == mine.judged
    assert len(both.taught) == len(mine.taught) + 27
