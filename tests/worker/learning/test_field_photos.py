"""The truth on camera-trap photos: read with care, parted by place, looked at through windows that cut no animal unclearly."""

import csv
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from worker.learning.field_photos import (
    FieldPhoto,
    folds_by_place,
    open_upright,
    place_of,
    read_field_photos,
    read_truth,
    view,
)

TRUTH = Path(__file__).parent.parent.parent / "truth" / "camera_trap_boxes.csv"


def written(folder: Path, boxes: str, species: str) -> tuple[Path, Path]:
    """A truth of one photo, and the labels beside it."""
    truth, labels = folder / "truth.csv", folder / "labels.csv"
    with truth.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "sha256", "boxes", "species", "unsure", "note"])
        rows.writerow(["a/1.jpg", "0" * 64, boxes, species, "[[0.5,0.5,0.25,0.25]]", ""])
    labels.write_text("path,location\na/1.jpg,Creek\n")
    return truth, labels


def test_corners_are_read_and_people_are_no_animals(tmp_path: Path) -> None:
    [row] = read_truth(*written(tmp_path, "[[0.1,0.2,0.3,0.4],[0,0,1,0.5]]", '["fox","person"]'))
    np.testing.assert_allclose(row.boxes_xyxy, [[0.1, 0.2, 0.4, 0.6]], atol=1e-6)
    np.testing.assert_allclose(row.unsure_xyxy, [[0.5, 0.5, 0.75, 0.75]])
    assert (row.place, row.species) == ("Creek", ("fox",))


@pytest.mark.parametrize(
    ("boxes", "species", "says"), [("[[0.1,0.2", '["fox"]', "line 2"), ("[[0,0,1,1]]", "[]", "1 boxes and 0 species")]
)
def test_a_bad_row_is_named(tmp_path: Path, boxes: str, species: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read_truth(*written(tmp_path, boxes, species))


def test_sources_without_named_places_stay_together() -> None:
    assert place_of("animl/peru/SDZG 1/1.JPG", "peru/SDZG 1") == place_of("animl/peru/SDZG 2/1.JPG", "peru/SDZG 2")
    assert place_of("ena24-small/1.jpg", "") == place_of("ena24-small/2.jpg", "")
    assert place_of("animl/southwest/1.jpg", "") == "southwest"
    assert place_of("speciesnet/a.jpg", "") != place_of("speciesnet/b.jpg", "")


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.integers(2, 5))
def test_a_place_is_in_one_fold_and_folds_are_even_up_to_the_largest_place(places: list[str], count: int) -> None:
    folds = folds_by_place(places, count)
    assert all(len(set(folds[np.array(places) == place])) == 1 for place in places)
    sizes = np.bincount(folds, minlength=count)
    assert sizes.max() - sizes.min() <= max(places.count(place) for place in places)


def test_a_window_shows_an_animal_well_or_not_at_all(tmp_path: Path) -> None:
    pixels = np.zeros((300, 400, 3), np.uint8)
    pixels[100:200, 150:250] = (255, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    photo = FieldPhoto("1.png", (tmp_path / "1.png").read_bytes(), np.array([[150, 100, 250, 200]], np.float32))
    whole = 0
    for number in range(60):
        picture, boxes, rows = view(np.random.default_rng(number), photo, (96, 128))
        seen = np.asarray(picture)
        assert seen.shape == (96, 128, 3)
        red = np.argwhere(seen[..., 0] > 128)
        assert len(rows) == len(boxes)
        if boxes:
            (left, top, right, bottom) = boxes[0]
            np.testing.assert_allclose([top, left], red.min(0), atol=2)
            np.testing.assert_allclose([bottom, right], red.max(0) + 1, atol=2)
            whole += 1
        else:
            assert len(red) < 0.07 * 96 * 128
    assert whole > 40


def test_what_is_unsure_cannot_be_recognised_in_training(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    (tmp_path / "a").mkdir()
    Image.fromarray(noise).save(tmp_path / "a" / "1.jpg", quality=95)
    [photo] = read_field_photos(tmp_path, read_truth(*written(tmp_path, "[[0,0,0.4,0.4]]", '["fox"]')))
    pixels = np.asarray(photo.open(), np.float32)
    assert pixels[110:140, 110:140].std() < 0.2 * pixels[:80, :80].std()
    np.testing.assert_allclose(photo.boxes_xyxy, [[0, 0, 80, 80]])


def test_photos_are_turned_upright_before_boxes_mean_anything(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.new("RGB", (64, 32)).save(tmp_path / "side.jpg", exif=exif)
    assert open_upright(tmp_path / "side.jpg", 1000).size == (32, 64)


@pytest.mark.photos
def test_the_committed_truth_is_about_all_photos_as_they_are(shared_data: Path) -> None:
    photos = shared_data / "camera-trap"
    truth = read_truth(TRUTH, photos / "labels.csv")
    with (photos / "labels.csv").open(newline="") as file:
        assert [row["path"] for row in csv.DictReader(file)] == [row.path for row in truth]
    for row in truth:
        assert hashlib.sha256((photos / row.path).read_bytes()).hexdigest() == row.sha256
        assert (row.boxes_xyxy[:, 2:] > row.boxes_xyxy[:, :2]).all()
    assert sum(len(row.boxes_xyxy) for row in truth) == 206
    with TRUTH.open(newline="") as file:
        kinds = [json.loads(row["species"]) for row in csv.DictReader(file)]
    assert ["person"] in kinds and ["vehicle"] in kinds
