"""Published weights made into checkpoints of ours: fetched, checked, written with a card that says where they are from."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torchvision.models.detection import FasterRCNN_ResNet50_FPN_V2_Weights

from worker.device import find_device
from worker.learning.embedder_training import resnet50_checkpoint
from worker.networks import detector, resnet_detector
from worker.networks.fetching import Report, fetch, published
from worker.networks.offers import Published
from worker.networks.weights import WeightsError, fill, write_weights

HALF_DONE_S = 24 * 3600  # no file is being written for so long


def fetch_weights(name: str, folder: Path, report: Report, *, carried: Path | None = None) -> Path:
    """Put folder/NAME.safetensors there, whole or not at all; an older one is replaced.

    carried: the publisher's file, brought here by hand. Raises WeightsError in words for people.
    """
    wanted = published(name)
    tensors = fetch(wanted, folder, report, carried=carried)
    sweep(folder)
    path = folder / f"{name}.safetensors"
    try:
        MAKERS[name](wanted, tensors, path)
    except OSError as error:
        raise WeightsError(f"{path} cannot be written: {error.strerror or error}") from error
    return path


def sweep(folder: Path) -> None:
    """Remove what a killed run left half-written."""
    for path in folder.glob(".*.safetensors.*"):
        if path.stat().st_mtime < time.time() - HALF_DONE_S:
            path.unlink(missing_ok=True)


def origin(wanted: Published) -> dict[str, Any]:
    """What the card of such a checkpoint says about where it is from."""
    return {
        "from": {"url": wanted.url, "sha256": wanted.sha256}, "learnt_from": wanted.learnt_from,
        "licence": wanted.licence, "about": wanted.about,
    }  # fmt: skip


def make_detector(wanted: Published, tensors: Mapping[str, Tensor], path: Path) -> None:
    """No threshold is on its card: nobody has measured these weights on empty camera-trap photos yet."""
    classes = FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1.meta["categories"][1:]  # without the background
    network = resnet_detector.build_resnet50_fpn_v2(len(classes), detector.FLOOR, detector.MOST_BOXES)
    fill(network, tensors, wanted.file)
    short_side_px, long_side_px = resnet_detector.SIDES_PX
    card = {
        "kind": detector.KIND, "name": wanted.name, "architecture": resnet_detector.ARCHITECTURE, "classes": classes,
        "short_side_px": short_side_px, "long_side_px": long_side_px,
    }  # fmt: skip
    # as they are: in fp16 the variance of a batch norm could be infinite, or nothing
    write_weights(path, network.state_dict(), card | origin(wanted), half=False)


def make_embedder(wanted: Published, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Its head is a rotation that keeps distances, until a fine-tune moves it."""
    resnet50_checkpoint(tensors, path, find_device("cpu"), name=wanted.name, origin=origin(wanted))


MAKERS = {"fasterrcnn_resnet50_fpn_v2": make_detector, "resnet50": make_embedder}
