"""The two networks that an embedder can be: a row of stages, the mean over all places, a linear head, length 1.

Decisions: a network is a row of stages, so that fine-tuning can freeze the first of them and keep what they say about a
crop; batch norm never learns (a batch of one burst would shift it); the head runs in float32, since bf16 there would
cost neighbours and save nothing.
He et al. 2016, table 1 (ResNet-50); Norouzzadeh et al. 2019, sec. 3.2 (256 numbers a crop).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import ResNet, resnet50

from worker.networks.backbone import MEAN, POOLED_DIM, STD, EfficientNetLite0

DIM = 256


class EmbeddingNetwork(nn.Module):
    """What every architecture shares. mean, std: of red, green and blue, as the trunk was trained, in shares of 1."""

    architecture: ClassVar[str]
    mean: ClassVar[tuple[float, float, float]]
    std: ClassVar[tuple[float, float, float]]

    def __init__(self, pooled_dim: int) -> None:
        super().__init__()
        self.project = nn.Linear(pooled_dim, DIM)

    def stages(self) -> list[nn.Module]:
        """The trunk from the picture upward; each takes what the one before gave."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, 3, h, w), from normalised() -> (n, 256) float32, rows of length 1."""
        return self.head(self.features(x))

    def features(self, x: Tensor, first: int = 0, last: int | None = None) -> Tensor:
        """What the stages first..last-1 make of x, which stage first-1 gave: (n, channels, h, w)."""
        for stage in self.stages()[first:last]:
            x = stage(x)
        return x

    def head(self, features: Tensor) -> Tensor:
        """What the last stage gave -> (n, 256) float32, rows of length 1."""
        pooled = features.mean(dim=(2, 3)).float()
        with torch.autocast(features.device.type, enabled=False):
            return F.normalize(self.project(pooled), dim=1)

    def pooled(self, x: Tensor) -> Tensor:
        """x: (n, 3, h, w), from normalised() -> (n, pooled_dim), the mean over all places."""
        return self.features(x).mean(dim=(2, 3))

    def normalised(self, pixels: Tensor) -> Tensor:
        """(n, h, w, 3), 0..255 -> (n, 3, h, w) float32 as the trunk wants it; the memory stays channels last."""
        mean = torch.tensor(self.mean, device=pixels.device)
        std = torch.tensor(self.std, device=pixels.device)
        return ((pixels.float() / 255 - mean) / std).permute(0, 3, 1, 2)


class Lite0Embedding(EmbeddingNetwork):
    """EfficientNet-Lite0: 18 stages (stem, 16 blocks, head convolution), 3.7 M weights. What ships."""

    architecture = "linear256-efficientnet-lite0"
    mean = (MEAN, MEAN, MEAN)
    std = (STD, STD, STD)

    def __init__(self) -> None:
        super().__init__(POOLED_DIM)
        self.trunk = EfficientNetLite0()

    def stages(self) -> list[nn.Module]:
        assert self.trunk.head is not None
        stem, head = (nn.Sequential(conv, nn.ReLU6()) for conv in (self.trunk.stem, self.trunk.head))
        return [stem, *self.trunk.blocks, head]


class ResNet50Embedding(EmbeddingNetwork):
    """torchvision's ResNet-50: 17 stages (stem, 3 + 4 + 6 + 3 bottlenecks), 24 M weights. The paper's."""

    architecture = "linear256-resnet50"
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    def __init__(self) -> None:
        super().__init__(2048)
        self.trunk: ResNet = resnet50(weights=None)
        self.trunk.fc = nn.Identity()  # the names of 1,000 ImageNet classes

    def train(self, mode: bool = True) -> "ResNet50Embedding":
        """Batch norm stays as ImageNet left it in either mode."""
        super().train(mode)
        for module in self.trunk.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
                module.requires_grad_(False)
        return self

    def stages(self) -> list[nn.Module]:
        trunk = self.trunk
        stem = nn.Sequential(trunk.conv1, trunk.bn1, trunk.relu, trunk.maxpool)
        return [stem, *trunk.layer1, *trunk.layer2, *trunk.layer3, *trunk.layer4]


ARCHITECTURES: dict[str, type[Lite0Embedding] | type[ResNet50Embedding]] = {
    each.architecture: each for each in (Lite0Embedding, ResNet50Embedding)
}


def blank_network(architecture: str) -> EmbeddingNetwork:
    """A network whose weights are not set yet, whatever the memory held: fill every one. Raises KeyError.

    Drawing 24 M random numbers only to overwrite them takes a second.
    """
    with torch.device("meta"):
        network = ARCHITECTURES[architecture]()
    return network.to_empty(device="cpu")
