"""The large detector, its weights drawn at random: it loads by its card, folds its norms, answers in kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models.detection import FasterRCNN

from worker.boxes import iou_matrix
from worker.device import find_device
from worker.networks.detector import FLOOR, MOST_BOXES, FasterRCNNDetector, load_detector
from worker.networks.resnet_detector import ARCHITECTURE, build_resnet50_fpn_v2, fold_norms
from worker.networks.weights import WeightsError, write_weights

CLASSES = ["person", "fork", "cow", "horse", "car"]
PHOTO = np.random.default_rng(5).integers(0, 256, (90, 130, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def network() -> FasterRCNN:
    torch.manual_seed(1)
    made = build_resnet50_fpn_v2(len(CLASSES), FLOOR, MOST_BOXES)
    for name, tensor in made.state_dict().items():
        if name.endswith("num_batches_tracked"):
            tensor.zero_()
        elif tensor.ndim > 1:
            nn.init.kaiming_normal_(tensor)
        else:
            tensor.uniform_(0.5, 1.5) if "running_var" in name else tensor.uniform_(-0.1, 0.6)
    return made


@pytest.fixture(scope="module")
def checkpoint(network: FasterRCNN, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "large.safetensors"
    write_weights(path, network.state_dict(), card())
    return path


@pytest.fixture(scope="module")
def detector(checkpoint: Path) -> FasterRCNNDetector:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("worker.networks.resnet_detector.PROPOSALS", 12)  # with 300 a photo takes seconds
        return load_detector(checkpoint, find_device("cpu"))


def card(**changes: Any) -> dict[str, Any]:
    """Photos of 64 px, so that the tests are quick."""
    return {
        "kind": "detector", "name": "large", "architecture": ARCHITECTURE, "classes": CLASSES, "short_side_px": 64,
        "long_side_px": 96,
    } | changes  # fmt: skip


def test_the_card_chooses_the_architecture_and_the_classes_come_out_as_kinds(detector: FasterRCNNDetector) -> None:
    assert (detector.name, detector.classes) == ("large", ("animal", "person", "vehicle"))
    found = detector.predict([detector.preprocess(PHOTO)] * 2, [PHOTO.shape[:2]] * 2)
    assert len(found) == 2 and len(found[0]) > 3
    assert set(found[0].kinds) <= set(detector.classes)
    assert (found[0].scores >= FLOOR).all() and (np.diff(found[0].scores) <= 0).all()


def test_boxes_of_one_kind_never_overlap_by_half_though_two_classes_saw_them(detector: FasterRCNNDetector) -> None:
    (found,) = detector.predict([detector.preprocess(PHOTO)], [PHOTO.shape[:2]])
    for kind in set(found.kinds):
        boxes = found.boxes_xyxy[[each == kind for each in found.kinds]]
        overlaps = iou_matrix(boxes, boxes) - np.eye(len(boxes), dtype=np.float32)
        assert overlaps.max(initial=0.0) <= 0.5 + 1e-3


@torch.inference_mode()
def test_folding_the_norms_changes_no_answer() -> None:
    torch.manual_seed(2)
    block = nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Sequential(nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4))
    )
    for norm in (block[1], block[3][1]):
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 3, 9, 9)
    before = block.eval()(x)
    fold_norms(block)
    assert not [each for each in block.modules() if isinstance(each, nn.BatchNorm2d)]
    torch.testing.assert_close(block(x), before, rtol=1e-4, atol=1e-5)


def test_a_large_photo_counts_as_four_small_ones_in_a_forward_pass(detector: FasterRCNNDetector) -> None:
    assert detector.device.photos == max(1, find_device("cpu").photos // 4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"architecture": "yolo"},
            "architecture 'yolo', wanted fasterrcnn-fpn96-efficientnet-lite0 or fasterrcnn_resnet50",
        ),
        ({"classes": ["fork", "knife"]}, "lists no animal, person or vehicle: fork, knife"),
        ({}, "does not fit"),
        ({"short_side_px": 800_000}, "wants photos of"),
    ],
)
def test_a_card_that_cannot_be_right_is_a_weights_error(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    write_weights(tmp_path / "wrong.safetensors", {"backbone": torch.zeros(1)}, card(**changes))
    with pytest.raises(WeightsError, match=said):
        load_detector(tmp_path / "wrong.safetensors", find_device("cpu"))
