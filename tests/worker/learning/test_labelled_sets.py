"""Sets of others: what is read, what is left out and named, and what happens when a file is broken."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from worker.learning.labelled_sets import NotASet, read_set

ROWS = np.array([0, 1])


def draw(path: Path, colour: tuple[int, int, int] = (10, 200, 30), size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def coco(folder: Path, images: list[Any], annotations: list[Any]) -> Path:
    categories = [{"id": 0, "name": "empty"}, {"id": 1, "name": "fox"}, {"id": 2, "name": "deer"}]
    file = folder / "set.json"
    file.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return file


def image(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": str(number),
        "file_name": f"a/{number}.png",
        "width": 40,
        "height": 30,
        "location": number // 2,
    } | more


def test_boxes_are_cut_out_and_pictures_without_boxes_are_taken_whole(tmp_path: Path) -> None:
    for number in range(4):
        draw(tmp_path / f"a/{number}.png")
    picture = np.zeros((30, 40, 3), np.uint8)
    picture[6:12, 10:20] = 255
    Image.fromarray(picture).save(tmp_path / "a/0.png")
    file = coco(
        tmp_path,
        [image(number) for number in range(4)],
        [
            {"image_id": "0", "category_id": 1, "bbox": [10, 6, 10, 6]},
            {"image_id": "0", "category_id": 2, "bbox": [0, 20, 8, 8]},
            {"image_id": "1", "category_id": 2, "bbox_relative": [0, 0, 0.5, 0.5]},
            {"image_id": "2", "category_id": 1},
            {"image_id": "3", "category_id": 0},
        ],
    )
    found = read_set(file)
    assert found.species[found.labels].tolist() == ["fox", "deer", "deer", "fox"]
    assert found.places.tolist() == [0, 0, 0, 1]
    assert not found.skipped.counts
    crops = found[np.arange(4)]
    assert crops.shape == (4, 256, 256, 3)
    assert crops[0].min() == 255
    assert crops[1].max() == 0
    assert (crops[3] == (10, 200, 30)).all()


def test_what_cannot_be_used_is_named_with_its_reason(tmp_path: Path) -> None:
    for number in range(2):
        draw(tmp_path / f"a/{number}.png")
    file = coco(
        tmp_path,
        [
            image(0), image(1), image(2), image(3, file_name="../x.png"), image(4, corrupt=True), image(5), image(6),
            image(7), "nonsense",
        ],
        [
            {"image_id": "0", "category_id": 1},
            {"image_id": "1", "category_id": 2, "bbox": [1, 1, 9, 9]},
            {"image_id": "1", "category_id": 2, "bbox": [1, 1, float("nan"), 9]},
            {"image_id": "2", "category_id": 1},
            {"image_id": "3", "category_id": 1},
            {"image_id": "4", "category_id": 1},
            {"image_id": "5", "category_id": 9},
            {"image_id": "6", "category_id": 1, "sequence_level_annotation": True},
            {"image_id": "7", "category_id": 1},
            {"image_id": "7", "category_id": 2},
            {"image_id": "nobody", "category_id": 2},
        ],
    )  # fmt: skip
    found = read_set(file)
    assert len(found) == 2
    assert found.skipped.counts == {
        "a box that is none, or in pixels of a picture of unknown size": 1,
        "no such file": 1,
        "a file name that leads out of the folder": 1,
        "marked as corrupt": 1,
        "a category that is not listed": 1,
        "named as a sequence, not as a picture": 1,
        "several species and no boxes": 1,
        "an annotation of an image that is not listed": 1,
        "an image that is no object": 1,
    }
    assert "1 left out: no such file (a/2.png)" in found.skipped.lines()


def test_class_folders_with_and_without_places(tmp_path: Path) -> None:
    for name in ("fox/north/1.png", "fox/south/2.PNG", "deer/3.jpg", "empty/4.png", ".trash/5.png", "fox/note.txt"):
        draw(tmp_path / name) if not name.endswith("txt") else (tmp_path / name).write_text("")
    found = read_set(tmp_path)
    assert found.species.tolist() == ["deer", "fox"]
    assert found.labels.tolist() == [0, 1, 1]
    assert len(set(found.places.tolist())) == 3
    assert found.skipped.lines() == ["1 left out: no .jpg or .png (fox/note.txt)"]


def test_another_crop_of_its_species_takes_the_place_of_a_broken_file(tmp_path: Path) -> None:
    for number, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250)]):
        draw(tmp_path / f"{'fox' if number else 'deer'}/{number}.png", colour)
    (tmp_path / "fox/1.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    found = read_set(tmp_path)
    for _again in range(2):
        crops = found[np.array([0, 1, 2])]
        assert crops[:, 0, 0].tolist() == [[250, 0, 0], [0, 0, 250], [0, 0, 250]]
    assert found.skipped.lines() == ["1 left out: the beginning of the photo is missing or damaged (1.png)"]
    (tmp_path / "fox/2.png").unlink()
    found = read_set(tmp_path)
    with pytest.raises(NotASet, match="Of 'fox' one file after another cannot be read"):
        found[ROWS]


def test_a_box_drawn_on_a_turned_picture_is_not_used(tmp_path: Path) -> None:
    for number in range(3):
        draw(tmp_path / f"a/{number}.png", size=(30, 40) if number == 1 else (40, 30))
    file = coco(
        tmp_path,
        [image(number) for number in range(3)],
        [{"image_id": str(number), "category_id": 1 + number // 2, "bbox": [0, 0, 20, 20]} for number in range(3)],
    )
    found = read_set(file)
    found[np.array([0, 1, 2])]
    assert found.skipped.lines() == ["1 left out: its box was drawn on a picture of another shape (1.png)"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "is not JSON"),
        ("[]", "needs the lists images, annotations and categories"),
        ('{"images": {}, "annotations": [], "categories": []}', "needs the lists"),
        ('{"images": [], "annotations": [], "categories": []}', "0 pictures with a name and fewer than two species"),
    ],
)
def test_what_is_no_set_is_said(content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "set.json"
    file.write_text(content)
    with pytest.raises(NotASet, match=words):
        read_set(file)
    with pytest.raises(NotASet, match="neither a file nor a folder"):
        read_set(tmp_path / "nothing")
