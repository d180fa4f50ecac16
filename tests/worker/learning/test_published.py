"""Published weights become checkpoints that load: networks of the true shapes, their weights drawn at random."""

from __future__ import annotations

import hashlib
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision.models import resnet50

from worker.device import find_device
from worker.learning import published
from worker.learning.published import fetch_weights
from worker.networks.detector import FLOOR, MOST_BOXES, load_detector
from worker.networks.embedder import load_embedder
from worker.networks.offers import PUBLISHED
from worker.networks.resnet_detector import build_resnet50_fpn_v2
from worker.networks.weights import WeightsError, read_weights


def bring(name: str, tensors: dict[str, torch.Tensor], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Save them as the publisher would, pin that file, and fetch it from the stick."""
    carried = folder / "carried.pth"
    torch.save(tensors, carried)
    sha256 = hashlib.sha256(carried.read_bytes()).hexdigest()
    pinned = replace(PUBLISHED[name], sha256=sha256, size_bytes=carried.stat().st_size)
    monkeypatch.setitem(PUBLISHED, name, pinned)
    return fetch_weights(name, folder / "weights", lambda _done, _total: None, carried=carried)


def test_coco_weights_become_a_detector_of_animals_people_and_vehicles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = build_resnet50_fpn_v2(90, FLOOR, MOST_BOXES).state_dict()
    for tensor in tensors.values():
        tensor.zero_()
    path = bring("fasterrcnn_resnet50_fpn_v2", tensors, tmp_path, monkeypatch)
    assert path == tmp_path / "weights" / "fasterrcnn_resnet50_fpn_v2.safetensors"
    detector = load_detector(path, find_device("cpu"))
    assert (detector.name, detector.classes) == ("fasterrcnn_resnet50_fpn_v2", ("animal", "person", "vehicle"))
    _tensors, card = read_weights(path, "detector")
    assert card["from"]["sha256"] == PUBLISHED["fasterrcnn_resnet50_fpn_v2"].sha256 and "COCO" in card["licence"]
    assert "count_above" not in card and "presets" not in card, "nobody measured one"


def test_imagenet_weights_become_an_embedder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = bring("resnet50", resnet50(weights=None).state_dict(), tmp_path, monkeypatch)
    assert load_embedder(path, find_device("cpu")).name == "resnet50"
    _tensors, card = read_weights(path, "embedder")
    assert "ImageNet" in card["licence"] and card["from"]["url"] == PUBLISHED["resnet50"].url


def test_weights_of_another_shape_leave_nothing_and_keep_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "resnet50.safetensors").write_bytes(b"of last week")
    with pytest.raises(WeightsError, match="does not fit"):
        bring("resnet50", {"conv1.weight": torch.zeros(1)}, tmp_path, monkeypatch)
    assert [path.read_bytes() for path in weights.iterdir()] == [b"of last week"]


def test_what_a_killed_run_left_half_written_is_swept_a_day_later(tmp_path: Path) -> None:
    for name, age_s in ((".resnet50.safetensors.abc", 2 * published.HALF_DONE_S), (".resnet50.safetensors.def", 0)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age_s,) * 2)
    published.sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".resnet50.safetensors.def"]
