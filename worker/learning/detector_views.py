"""The second stage of the detector's training: camera-trap views, each sent through the lower trunk once and kept.

Decisions: the trunk down to stride 16 stays as the first stage left it, so what it makes of a view is computed once and
serves every step, every fold and the final training: a step costs a third. A view remembers the photo it shows, so
that a fold can leave out all views of its photos. Kept as float16, about 0.4 MB a view.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.image_list import ImageList

from worker.device import Device
from worker.learning.detector_examples import CANVASES, Example, Sources, draw_example, draw_field_example
from worker.networks.backbone import MEAN, STD, TAPS

KEPT_BLOCKS = 11  # blocks 0 to 10, down to stride 16, are frozen
NO_PHOTO = -1


@dataclass(frozen=True)
class View:
    """What the lower trunk gave for one picture. photo: the row of the field photo it shows, or NO_PHOTO.

    canvas: (height, width) in pixels. features: {8: (40, h/8, w/8), 16: (112, h/16, w/16)} float16.
    boxes_xyxy: (n, 4) float32 in pixels of the canvas. labels: (n,) classes from 1 on, or all 1.
    """

    photo: int
    canvas: tuple[int, int]
    features: dict[int, Tensor]
    boxes_xyxy: NDArray[np.float32]
    labels: NDArray[np.int64] | None = None


def draw_views(
    network: FasterRCNN,
    sources: Sources,
    device: Device,
    seed: int,
    *,
    views_a_photo: int,
    others: int,
    report: Callable[[int, int], None] | None = None,
) -> list[View]:
    """views_a_photo of each field photo, and `others` web photos and drawn mixtures. Equal seeds give equal views."""
    shown = np.repeat(np.arange(len(sources.field_photos)), views_a_photo)
    plan = [*shown.tolist(), *[NO_PHOTO] * others]
    apart = Sources(sources.photos, sources.empties, (), sources.small_animals, sources.small_things)
    views = []
    for number, photo in enumerate(plan):
        rng = np.random.default_rng([seed, 7, number])
        canvas = CANVASES[int(rng.integers(len(CANVASES)))]
        if photo == NO_PHOTO:
            example = draw_example(apart, rng, canvas)
        else:
            example = draw_field_example(rng, sources.field_photos[photo], canvas)
        views.append(keep(network, example, photo, device))
        if report is not None:
            report(number + 1, len(plan))
    return views


@torch.inference_mode()
def keep(network: FasterRCNN, example: Example, photo: int, device: Device) -> View:
    """Send one picture through the frozen part."""
    pixels = torch.from_numpy(example.photo.copy()).permute(2, 0, 1)[None].to(device.torch_device).float() / 255
    x = ((pixels - MEAN) / STD).contiguous(memory_format=torch.channels_last)
    trunk = network.backbone.trunk
    features: dict[int, Tensor] = {}
    with torch.autocast(device.torch_device.type, torch.bfloat16, enabled=device.fast_bf16):
        x = F.relu6(trunk.stem(x))
        for number, block in enumerate(trunk.blocks[:KEPT_BLOCKS]):
            x = block(x)
            if number in TAPS:
                features[TAPS[number]] = x[0].half().cpu()
    canvas = (example.photo.shape[0], example.photo.shape[1])
    return View(photo, canvas, features, example.boxes_xyxy, example.labels)


def draw_view_batch(views: Sequence[View], seed: int, step: int, size: int, field_share: float = 0.65) -> list[View]:
    """Views of one canvas: field views by their share, the rest others. Equal arguments give equal batches."""
    rng = np.random.default_rng([seed, 8, step])
    canvas = views[int(rng.integers(len(views)))].canvas
    field = [view for view in views if view.canvas == canvas and view.photo != NO_PHOTO]
    others = [view for view in views if view.canvas == canvas and view.photo == NO_PHOTO]
    chosen = []
    for _ in range(size):
        pool = field if field and (not others or rng.random() < field_share) else others
        chosen.append(pool[int(rng.integers(len(pool)))])
    return chosen


def losses_of(network: FasterRCNN, views: Sequence[View], device: Device) -> dict[str, Tensor]:
    """torchvision's four losses, from the kept features on. All views have one canvas."""
    place = device.torch_device
    features = {
        stride: torch.stack([view.features[stride].float() for view in views])  # autocast on a CPU stacks no float16
        .to(place)
        .contiguous(memory_format=torch.channels_last)
        for stride in (8, 16)
    }
    x = features[16]
    for block in network.backbone.trunk.blocks[KEPT_BLOCKS:]:
        x = block(x)
    levels = network.backbone.fpn({"8": features[8], "16": features[16], "32": x})
    height, width = views[0].canvas
    images = ImageList(torch.empty(len(views), 3, height, width, device="meta"), [views[0].canvas] * len(views))
    targets = [
        {
            "boxes": torch.from_numpy(view.boxes_xyxy).to(place),
            "labels": torch.from_numpy(labels_of(view)).to(place),
        }
        for view in views
    ]
    proposals, first = network.rpn(images, levels, targets)
    _, second = network.roi_heads(levels, proposals, images.image_sizes, targets)
    losses: dict[str, Tensor] = {**first, **second}
    return losses


def labels_of(shown: Example | View) -> NDArray[np.int64]:
    """(n,) the class of each box: 1 where nobody said another."""
    return np.ones(len(shown.boxes_xyxy), np.int64) if shown.labels is None else shown.labels
