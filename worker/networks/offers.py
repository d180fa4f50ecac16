"""Weights that others published and `fetch-weights` can bring here. A table without torch, so that listing it is quick.

Decisions: each file is pinned by its sha256, whose first eight digits its publisher also put into the file's name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One file of weights as its publisher offers it."""

    name: str
    kind: str
    url: str
    sha256: str
    size_bytes: int
    learnt_from: str
    licence: str
    about: str

    @property
    def file(self) -> str:
        """Its name at the publisher's."""
        return self.url.rsplit("/", 1)[1]


TORCHVISION = "BSD-3-Clause as part of torchvision; the terms of the pictures they learnt from may apply to them too: "
PUBLISHED = {
    each.name: each
    for each in (
        Published(
            name="fasterrcnn_resnet50_fpn_v2",
            kind="detector",
            url="https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
            sha256="dd69338a24b8d7381807e247652bdc356325bcbaf1cd3e092e00e0a1a58706bf",
            size_bytes=175_221_657,
            learnt_from="COCO 2017 (torchvision FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1)",
            licence=TORCHVISION + "COCO's annotations are CC BY 4.0, its photos keep their Flickr licences",
            about="animals, people and vehicles; wants a GPU",
        ),
        Published(
            name="resnet50",
            kind="embedder",
            url="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
            sha256="11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
            size_bytes=102_540_417,
            learnt_from="ImageNet-1k (torchvision ResNet50_Weights.IMAGENET1K_V2)",
            licence=TORCHVISION + "ImageNet's pictures are given for research that is not commercial",
            about="the paper's network, from ImageNet; wants a GPU",
        ),
    )
}
