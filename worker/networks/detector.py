"""The detector: photos in, boxes with scores out. The starter is a Faster R-CNN with an FPN on EfficientNet-Lite0.

Decisions: strides 8, 16, 32 and 96 channels, short side 384 px (a laptop does several photos a second); every box from
FLOOR upwards is kept, what counts as an animal is decided when reading (DECISIONS 1); boxes are shares of the upright
photo, so that a thumbnail, the original and an export agree; classes become kinds before overlapping boxes are thinned
out, so that what was a cow and a horse is one animal. Ren et al. 2015 (Faster R-CNN); Lin et al. 2017 (FPN);
Norouzzadeh et al. 2019 sec. 3.1 (one class, animal).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor, TwoMLPHead
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign

from worker.boxes import clamp
from worker.device import Device
from worker.networks.backbone import CHANNELS, MEAN, STD, EfficientNetLite0
from worker.networks.kinds import KINDS, KindPredictor, kinds_of
from worker.networks.resnet_detector import ARCHITECTURE as RESNET50_FPN_V2
from worker.networks.resnet_detector import build_resnet50_fpn_v2, fold_norms
from worker.networks.weights import STARTER_DIR, WeightsError, fill, read_weights

FLOOR = 0.05  # no box below this score is ever kept
MOST_BOXES = 100  # a photo
SAME_ANIMAL = (
    0.4  # IoU above which two boxes are one animal; 0.5 left a second, badly placed box on many (docs/lab-log.md)
)
KIND = "detector"
ARCHITECTURE = "fasterrcnn-fpn96-efficientnet-lite0"
FPN_CHANNELS = 96
HEAD_CHANNELS = 512
SHORT_SIDE_PX = 384
MOST_SIDE_PX = 4096  # a card that asks for more is wrong, and would take all the memory
LONG_SIDE_PX = 704  # 16:9 still has its short side at 384; a 1 x 2000 photo does not become 768,000 px long
DIVISIBLE_BY = 32  # the coarsest stride
# One row a stride: two sizes in pixels of the shrunken photo. Three shapes each.
ANCHOR_SIZES = ((24, 40), (64, 104), (176, 304))
ANCHOR_SHAPES = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Detections:
    """What one photo shows, best score first.

    boxes_xyxy: (n, 4) float32, shares 0..1 of the upright photo. scores: (n,) float32, >= FLOOR. kinds: n names.
    """

    boxes_xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.scores)

    def above(self, score: float) -> "Detections":
        """Those with at least this score."""
        n = int((self.scores >= score).sum())
        return Detections(self.boxes_xyxy[:n], self.scores[:n], self.kinds[:n])


class Detector(Protocol):
    """What the ingest job asks of any detector."""

    @property
    def name(self) -> str: ...

    @property
    def classes(self) -> tuple[str, ...]: ...

    def preprocess(self, photo: NDArray[np.uint8]) -> Tensor:
        """photo: (h, w, 3) RGB, upright -> what predict() takes."""
        ...

    def predict(self, photos: Sequence[Tensor], sizes: Sequence[tuple[int, int]]) -> list[Detections]:
        """photos: from preprocess(). sizes: (height, width) in pixels of the upright originals. One answer a photo."""
        ...


def load_detector(source: str | Path, device: Device, *, by_kind: bool = True) -> "FasterRCNNDetector":
    """`starter` is the shipped file; a path is any other checkpoint; its card says which architecture it is.

    by_kind: answer with kinds; else with the card's own classes, such as species.
    Raises WeightsError if the file is missing, damaged, or not a detector of an architecture that is known here.
    """
    path = STARTER_DIR / "detector.safetensors" if source == "starter" else Path(source)
    tensors, card = read_weights(path, KIND)
    architecture = ARCHITECTURES.get(str(card.get("architecture")))
    if architecture is None:
        known = " or ".join(ARCHITECTURES)
        raise WeightsError(f"{path.name} has architecture {card.get('architecture')!r}, wanted {known}")
    try:
        classes = tuple(str(name) for name in card["classes"])
        kinds = tuple(card.get("kinds") or kinds_of(classes))
        sides_px = int(card["short_side_px"]), int(card["long_side_px"])
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the card of {path.name} lacks classes or sides: {error}") from error
    if len(kinds) != len(classes) or not set(kinds) <= {*KINDS, None}:
        raise WeightsError(f"the card of {path.name} must name a kind for each class: {', '.join(KINDS)} or none")
    if not any(kinds):
        raise WeightsError(f"the card of {path.name} lists no animal, person or vehicle: {', '.join(classes)[:200]}")
    if not 32 <= sides_px[0] <= sides_px[1] <= MOST_SIDE_PX:
        raise WeightsError(f"the card of {path.name} wants photos of {sides_px[0]} x {sides_px[1]} px")
    network = architecture.build(len(classes))
    fill(network, tensors, path.name)
    fold_norms(network.eval())
    answers = answer_for_kinds(network, classes, kinds) if by_kind else classes
    name = str(card.get("name", path.stem))
    return FasterRCNNDetector(name, network, answers, sides_px, device.for_weight(architecture.weight))


def answer_for_kinds(network: FasterRCNN, classes: tuple[str, ...], kinds: tuple[str | None, ...]) -> tuple[str, ...]:
    """Let the network answer for kinds instead of its own classes, which it then has."""
    if kinds == classes and len(set(classes)) == len(classes):
        return classes
    predictor = KindPredictor(network.roi_heads.box_predictor, kinds)
    network.roi_heads.box_predictor = predictor
    return predictor.kinds


def card_of(name: str, classes: Sequence[str], kinds: Sequence[str] | None = None) -> dict[str, Any]:
    """What load_detector() must find in the header of a checkpoint. kinds: of the classes, where their names do not tell."""
    return ({} if kinds is None else {"kinds": list(kinds)}) | {
        "kind": KIND,
        "name": name,
        "architecture": ARCHITECTURE,
        "classes": list(classes),
        "short_side_px": SHORT_SIDE_PX,
        "long_side_px": LONG_SIDE_PX,
    }


class FasterRCNNDetector:
    """A Faster R-CNN of either architecture with some weights. Several threads may use it at once."""

    def __init__(
        self, name: str, network: FasterRCNN, classes: tuple[str, ...], sides_px: tuple[int, int], device: Device
    ) -> None:
        """classes: kinds, in the order of the network's answers, without the background."""
        self.name = name
        self.classes = classes
        self.device = device
        self._short_side_px, self._long_side_px = sides_px
        self._network = network.eval().to(device.torch_device, memory_format=torch.channels_last)
        network.transform.resize = as_it_is  # preprocess() resized; outside of training torchvision would do it again
        for part in (network.backbone, network.rpn.head, network.roi_heads.box_predictor):
            part.register_forward_hook(in_float32)

    def preprocess(self, photo: NDArray[np.uint8]) -> Tensor:
        """(h, w, 3) uint8 RGB -> (3, h', w') uint8 on the device, no larger than the card's two sides (384 and 704 px)."""
        height, width = photo.shape[:2]
        scale = min(self._short_side_px / min(height, width), self._long_side_px / max(height, width))
        target = (max(1, round(height * scale)), max(1, round(width * scale)))
        pixels = self.device.put(torch.from_numpy(np.require(photo, requirements=("C", "W"))))
        channels_first = pixels.permute(2, 0, 1)[None]
        if target == (height, width):
            return channels_first[0].contiguous()
        if not self.device.is_gpu:
            return F.interpolate(channels_first, target, mode="bilinear", antialias=True)[0].contiguous()
        small = F.interpolate(
            channels_first.float(), target, mode="bilinear", antialias=True
        )  # a GPU has no uint8 kernel
        return small[0].round().clamp(0, 255).to(torch.uint8)

    @torch.inference_mode()
    def predict(self, photos: Sequence[Tensor], sizes: Sequence[tuple[int, int]]) -> list[Detections]:
        """Any number of photos, in forward passes of device.photos. A box thinner than one pixel of its original goes."""
        if len(photos) != len(sizes):
            raise ValueError(f"{len(photos)} photos and {len(sizes)} sizes")
        found: list[Detections] = []
        for start in range(0, len(photos), self.device.photos):
            chunk = photos[start : start + self.device.photos]
            pixels = [photo.to(self.device.torch_device).float() / 255 for photo in chunk]
            with torch.autocast(self.device.torch_device.type, torch.bfloat16, enabled=self.device.fast_bf16):
                answers = self._network(pixels)
            for photo, answer, size in zip(chunk, answers, sizes[start:], strict=False):
                found.append(self._detections(answer, photo.shape[1:], size))
        return found

    def _detections(self, answer: dict[str, Tensor], seen: Sequence[int], size: tuple[int, int]) -> Detections:
        """answer: boxes in pixels of the shrunken photo. seen: its (h, w). size: (h, w) of the original."""
        sides = np.array([seen[1], seen[0], seen[1], seen[0]], dtype=np.float32)
        boxes = clamp(np.asarray(answer["boxes"].float().cpu().numpy() / sides, dtype=np.float32))
        scores = answer["scores"].float().cpu().numpy()
        labels = answer["labels"].cpu().numpy()
        height, width = size
        thick = (boxes[:, 2] - boxes[:, 0] >= 1 / width - 1e-6) & (boxes[:, 3] - boxes[:, 1] >= 1 / height - 1e-6)
        rows = np.flatnonzero(thick & (scores >= FLOOR))
        rows = rows[np.argsort(-scores[rows], kind="stable")][:MOST_BOXES]
        kinds = tuple(self.classes[label - 1] for label in labels[rows])  # 0 is the background
        return Detections(boxes[rows], scores[rows], kinds)


def as_it_is(image: Tensor, target: None) -> tuple[Tensor, None]:
    """In place of torchvision's resize."""
    return image, target


def in_float32(_module: nn.Module, _given: tuple[object, ...], answer: Any) -> Any:
    """A forward hook: what comes out, in float32. Anchors and boxes in bf16 would lie up to 4 px beside the animal."""
    if isinstance(answer, Tensor):
        return answer.float()
    if isinstance(answer, dict):
        return {key: value.float() for key, value in answer.items()}
    return tuple(
        in_float32(_module, _given, each) if isinstance(each, Tensor) else [t.float() for t in each] for each in answer
    )


class Pyramid(nn.Module):
    """The trunk and a feature pyramid over its strides 8, 16 and 32: (n, 3, h, w) -> {"8": (n, 96, h/8, w/8), ...}."""

    out_channels = FPN_CHANNELS

    def __init__(self) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0(with_head=False)
        self.fpn = FeaturePyramidNetwork(list(CHANNELS.values()), FPN_CHANNELS)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.trunk(x.contiguous(memory_format=torch.channels_last))
        levels: dict[str, Tensor] = self.fpn({str(stride): features[stride] for stride in CHANNELS})
        return levels


def build_network(n_classes: int) -> FasterRCNN:
    """The network without weights. n_classes: without the background. It takes a list of (3, h, w) float 0..1."""
    anchors = AnchorGenerator(ANCHOR_SIZES, (ANCHOR_SHAPES,) * len(ANCHOR_SIZES))
    pool = MultiScaleRoIAlign([str(stride) for stride in CHANNELS], output_size=7, sampling_ratio=2)
    return FasterRCNN(
        Pyramid(),
        rpn_anchor_generator=anchors,
        box_roi_pool=pool,
        box_head=TwoMLPHead(FPN_CHANNELS * 7 * 7, HEAD_CHANNELS),
        box_predictor=FastRCNNPredictor(HEAD_CHANNELS, n_classes + 1),
        min_size=SHORT_SIDE_PX,
        max_size=LONG_SIDE_PX,
        image_mean=[MEAN] * 3,
        image_std=[STD] * 3,
        rpn_pre_nms_top_n_train=500,
        rpn_post_nms_top_n_train=150,
        rpn_pre_nms_top_n_test=300,
        rpn_post_nms_top_n_test=150,  # the second stage costs more than the trunk with torchvision's 1,000
        rpn_batch_size_per_image=128,
        box_batch_size_per_image=96,
        box_score_thresh=FLOOR,
        box_nms_thresh=SAME_ANIMAL,
        box_detections_per_img=MOST_BOXES,
        size_divisible=DIVISIBLE_BY,
        _skip_resize=True,  # preprocess() resized already
    )


@dataclass(frozen=True)
class Architecture:
    """How a network is built, and how much more memory than the starter one photo takes in it."""

    build: Callable[[int], FasterRCNN]
    weight: int


ARCHITECTURES = {
    ARCHITECTURE: Architecture(build_network, 1),
    RESNET50_FPN_V2: Architecture(lambda n_classes: build_resnet50_fpn_v2(n_classes, FLOOR, MOST_BOXES), 4),
}
