"""The second stage: kept views teach as the pictures themselves would, and a fold's photos never reach its detector."""

import csv
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from worker.device import find_device
from worker.learning import detector_folds
from worker.learning.detector_examples import Example
from worker.learning.detector_folds import Plan, Workshop, empty_scene
from worker.learning.detector_training import Recipe, new_network
from worker.learning.detector_views import NO_PHOTO, View, draw_view_batch, keep, losses_of
from worker.learning.field_photos import TruePhoto
from worker.networks.detector import load_detector

CPU = find_device("cpu")


def picture(seed: int, width: int = 160, height: int = 128) -> np.ndarray:
    """Noise with a bright square."""
    pixels = np.random.default_rng(seed).integers(0, 90, (height, width, 3), dtype=np.uint8)
    pixels[32:96, 48:112] = (220, 160, 60)
    return pixels


SQUARE = np.array([[48, 32, 112, 96]], np.float32)


def test_a_kept_view_gives_the_losses_of_its_picture() -> None:
    torch.manual_seed(0)
    network = new_network().train()
    example = Example(picture(1), SQUARE)
    exact = replace(CPU, fast_bf16=False)
    views = [keep(network, example, 0, exact)]
    torch.manual_seed(5)
    pixels = [torch.from_numpy(example.photo).permute(2, 0, 1).float() / 255]
    direct = network(pixels, [{"boxes": torch.from_numpy(SQUARE), "labels": torch.ones(1, dtype=torch.int64)}])
    torch.manual_seed(5)
    kept = losses_of(network, views, exact)
    assert {name: value.item() for name, value in kept.items()} == pytest.approx(
        {name: value.item() for name, value in direct.items()}, rel=0.03, abs=0.01
    )


def test_a_batch_has_one_canvas_and_is_drawn_again_the_same() -> None:
    views = [View(n % 3 - 1, ((96, 128), (96, 160))[n % 2], {}, SQUARE) for n in range(20)]
    for step in range(10):
        batch = draw_view_batch(views, 1, step, 4)
        assert len({view.canvas for view in batch}) == 1
        assert [id(view) for view in batch] == [id(view) for view in draw_view_batch(views, 1, step, 4)]


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Four camera-trap photos of four places with their truth, and two web photos with boxes."""
    rows = []
    (tmp_path / "photos").mkdir()
    (tmp_path / "boxes").mkdir()
    for number in range(4):
        path = tmp_path / "photos" / f"{number}.png"
        Image.fromarray(picture(number, 320, 240)).save(path)
        rows.append(
            [path.name, hashlib.sha256(path.read_bytes()).hexdigest(), "[[0.15,0.13,0.2,0.27]]", '["fox"]', "[]", ""]
        )
    with (tmp_path / "truth.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "sha256", "boxes", "species", "unsure", "note"], *rows])
    (tmp_path / "photos" / "labels.csv").write_text(
        "path,location\n" + "".join(f"{number}.png,Place {number}\n" for number in range(4))
    )
    with tarfile.open(tmp_path / "boxes" / "boxes.tar", "w") as tar:
        for number in range(13):
            encoded = io.BytesIO()
            Image.fromarray(picture(number)).save(encoded, "PNG")
            member = tarfile.TarInfo(f"web/{number:02}.png")
            member.size = encoded.tell()
            encoded.seek(0)
            tar.addfile(member, encoded)
    lines = "".join(f"web/{number:02}.png,48,32,112,96,fox\n" for number in range(13))
    (tmp_path / "boxes" / "boxes.csv").write_text("path,x_min,y_min,x_max,y_max,class\n" + lines)
    return tmp_path


def plan(folders: Path) -> Plan:
    one_step = Recipe(steps=1, batch=1, warm_up_steps=1)
    return Plan(
        folders / "work", folders / "boxes", folders / "photos", folders / "truth.csv",
        folds=2, base=one_step, upper=one_step, views_a_photo=1, others=2,
    )  # fmt: skip


def test_a_fold_never_sees_its_photos_and_what_is_trained_is_kept(
    folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(plan(folders), CPU, lambda _line: None)
    trained: list[set[int]] = []
    real = detector_folds.train_on_views

    def watched(views: list[View], *others: object) -> str:
        trained.append({view.photo for view in views} - {NO_PHOTO})
        return real(views, *others)

    monkeypatch.setattr(detector_folds, "train_on_views", watched)
    found = shop.found_by_folds()
    assert len(found) == 4
    assert [set(np.flatnonzero(shop.fold_of != fold).tolist()) for fold in (0, 1)] == trained
    again = Workshop(plan(folders), CPU, lambda _line: None)
    again.found_by_folds()
    assert len(trained) == 2
    assert sorted(path.name for path in (folders / "work").iterdir()) == [
        "base.safetensors",
        "fold-0.safetensors",
        "fold-1.safetensors",
    ]
    assert load_detector(folders / "work" / "fold-1.safetensors", CPU).classes == ("animal",)


def test_a_photo_that_is_not_the_one_the_boxes_were_drawn_on_is_refused(folders: Path) -> None:
    Image.fromarray(picture(9)).save(folders / "photos" / "2.png")
    with pytest.raises(ValueError, match=r"2\.png: not the photo"):
        Workshop(plan(folders), CPU, lambda _line: None)


def test_the_side_without_an_animal_is_repeated_to_the_whole_width(tmp_path: Path) -> None:
    pixels = np.zeros((60, 100, 3), np.uint8)
    pixels[:, :50] = (200, 0, 0)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    nothing = np.empty((0, 4), np.float32)

    def scene(boxes: list[list[float]]) -> np.ndarray | None:
        shown = np.array(boxes, np.float32).reshape(-1, 4)
        return empty_scene(tmp_path / "1.png", TruePhoto("1.png", "", "a", shown, (), nothing))

    assert scene([[0.1, 0, 0.9, 1]]) is None
    beside = scene([[0.52, 0.2, 0.9, 0.6]])
    assert beside is not None
    assert beside.shape == (60, 100, 3)
    assert (beside[..., 0] == 200).all()
    np.testing.assert_array_equal(scene([]), pixels)
