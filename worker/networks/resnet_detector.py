"""Faster R-CNN v2 on ResNet-50 with a feature pyramid: the large detector, for a GPU or for patience.

Decisions: torchvision's network, so that its COCO weights fit; the short side is 800 px, as it was trained; 300 proposals
a photo instead of 1,000: its head has four convolutions for each of them, most of all the work, and a photo shows a
handful of animals; every batch norm is folded into its convolution, which is the same sum with one pass less over the
memory. Ren et al. 2015 (Faster R-CNN); Li et al. 2021 (v2: "Benchmarking detection transfer learning").
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.detection import FasterRCNN, fasterrcnn_resnet50_fpn_v2

from worker.boxes import IOU_THRESHOLD

ARCHITECTURE = "fasterrcnn_resnet50_fpn_v2"
SIDES_PX = (800, 1333)  # short, long
PROPOSALS = 300


def build_resnet50_fpn_v2(n_classes: int, floor: float, most_boxes: int) -> FasterRCNN:
    """The network, its weights not set yet. n_classes: without the background.

    floor: no box below this score. most_boxes: a photo. It takes a list of (3, h, w) float 0..1.
    """
    with torch.device("meta"):  # 43 M random numbers take a second, and all are overwritten
        network: FasterRCNN = fasterrcnn_resnet50_fpn_v2(
            weights=None,
            weights_backbone=None,
            num_classes=n_classes + 1,
            min_size=SIDES_PX[0],
            max_size=SIDES_PX[1],
            rpn_pre_nms_top_n_test=1000,
            rpn_post_nms_top_n_test=PROPOSALS,
            box_score_thresh=floor,
            box_nms_thresh=IOU_THRESHOLD,
            box_detections_per_img=most_boxes,
            _skip_resize=True,  # preprocess() resized already
        )
    return network.to_empty(device="cpu")


@torch.no_grad()
def fold_norms(network: nn.Module) -> None:
    """Put every batch norm that follows a convolution into it, in place. Only for a network that learns no more."""
    children = list(network.named_children())
    for (name, child), (next_name, following) in pairwise(children):
        if isinstance(child, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
            setattr(network, name, fuse_conv_bn_eval(child, following))
            setattr(network, next_name, nn.Identity())
    for _name, child in network.named_children():
        fold_norms(child)
