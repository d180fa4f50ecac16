import csv
import json
from datetime import timedelta
from itertools import groupby, pairwise

import numpy as np
import pytest

from worker.images.decode import decode
from worker.simulation.animals import FIGURES, draw
from worker.simulation.scenes import CAMERAS, HEIGHT_PX, SHARES, STRIP_PX, WIDTH_PX, _visits, draw_scenes

COUNT = 18


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scenes")


@pytest.fixture(scope="module")
def truths(folder):
    return draw_scenes(folder, COUNT, seed=3)


def test_the_same_seed_gives_the_same_bytes(folder, truths, tmp_path):
    assert draw_scenes(tmp_path, COUNT, seed=3) == truths
    for path in [*(truth.path for truth in truths), "truth.csv"]:
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes(), path


def test_another_seed_gives_other_photos(folder, truths, tmp_path):
    other = draw_scenes(tmp_path, 3, seed=4)
    assert {(tmp_path / truth.path).read_bytes() for truth in other}.isdisjoint(
        (folder / truth.path).read_bytes() for truth in truths
    )


def test_every_photo_is_a_photo_with_its_moment_and_says_that_it_is_drawn(folder, truths):
    assert len(truths) == COUNT == len(list(folder.rglob("*.JPG")))
    for truth in truths:
        photo = decode(folder / truth.path)
        assert photo.pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
        assert photo.facts.captured_at == truth.captured_at
        assert photo.facts.model == "Drawn scene"
        strip = photo.pixels[-STRIP_PX + 4 :]
        assert strip.mean() < 80 and strip.max() > 200  # white words on black


def test_night_photos_are_grey_and_day_photos_are_not(folder, truths):
    for truth in truths:
        scene = decode(folder / truth.path).pixels[: -STRIP_PX - 8].astype(int)
        colourful = np.abs(scene[:, :, 0] - scene[:, :, 2]).mean()
        assert (colourful < 3) == truth.night, truth.path


def test_boxes_lie_inside_the_photo_above_the_strip_and_one_belongs_to_each_animal(truths):
    for truth in truths:
        assert len(truth.species) == len(truth.boxes) == truth.count
        assert set(truth.species) <= set(FIGURES)
        for x0, y0, x1, y1 in truth.boxes:
            assert 0 <= x0 < x1 <= 1 and 0 <= y0 < y1 <= (HEIGHT_PX - STRIP_PX) / HEIGHT_PX
            assert (x1 - x0) * WIDTH_PX >= 10 and (y1 - y0) * HEIGHT_PX >= 10


def test_something_is_to_be_seen_in_each_box(folder, truths):
    """Against a photo of the same camera that shows nobody there: the box has changed more than the rest."""
    for truth in (truth for truth in truths if truth.boxes and not truth.night):
        photo = decode(folder / truth.path).pixels.astype(int)
        others = [
            t
            for t in truths
            if t.camera == truth.camera and t.night == truth.night and t.captured_at != truth.captured_at
        ]
        free = [t for t in others if not any(_meet(a, b) for a in truth.boxes for b in t.boxes)]
        if not free:
            continue
        changed = np.abs(photo - decode(folder / free[0].path).pixels).mean(axis=2)
        for box in truth.boxes:
            x0, x1 = (int(edge * WIDTH_PX) for edge in box[::2])
            y0, y1 = (int(edge * HEIGHT_PX) for edge in box[1::2])
            assert changed[y0:y1, x0:x1].mean() > 1.3 * np.median(changed), truth.path


def _meet(a, b) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def test_a_burst_is_three_photos_of_one_camera_within_seconds(truths):
    for camera in {truth.camera for truth in truths}:
        moments = [truth.captured_at for truth in truths if truth.camera == camera]
        assert moments == sorted(moments)
        gaps = [b - a for a, b in pairwise(moments)]
        assert all(gap <= timedelta(seconds=4) or gap >= timedelta(minutes=30) for gap in gaps)
        runs = [len(list(run)) for short, run in groupby(gap <= timedelta(seconds=4) for gap in gaps) if short]
        assert set(runs) == {2}


def test_truth_csv_tells_the_same(folder, truths):
    rows = list(csv.DictReader((folder / "truth.csv").open(encoding="utf-8")))
    assert [row["path"] for row in rows] == [truth.path for truth in truths]
    for row, truth in zip(rows, truths, strict=True):
        assert row["species"].split(";") == list(truth.species) or not truth.species
        assert int(row["count"]) == truth.count and bool(int(row["night"])) == truth.night
        assert np.allclose(json.loads(row["boxes"]) or np.empty((0, 4)), truth.boxes or np.empty((0, 4)), atol=1e-5)


@pytest.mark.parametrize("count", [30, 120, 121])
def test_the_diary_has_every_species_every_camera_day_night_and_about_a_quarter_empty(count):
    visits = list(_visits(np.random.default_rng(1), count))
    assert sum(visit.frames for visit in visits) == count
    assert {name for visit in visits for name in visit.species} == set(SHARES)
    assert {visit.camera for visit in visits} == set(range(len(CAMERAS)))
    assert {visit.night for visit in visits} == {True, False}
    assert 0.15 <= sum(not visit.species for visit in visits) / len(visits) <= 0.30


@pytest.mark.parametrize("species", FIGURES)
def test_an_animal_that_looks_left_is_the_mirror_of_one_that_looks_right(species):
    right, left = (
        draw(species, 120, np.random.default_rng(5), stride=1, head=0.8, left=side) for side in (False, True)
    )
    assert np.array_equal(right.pixels[:, ::-1], left.pixels)
    solid = right.pixels[:, :, 3] > 127
    assert 0.15 < solid.mean() < 0.85
    assert solid[-8:].any(), "its feet are on the ground"
