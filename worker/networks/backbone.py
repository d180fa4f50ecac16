"""EfficientNet-Lite0, written out: the shared trunk of the starter detector and the starter embedder.

Decisions: no squeeze-and-excite and ReLU6 everywhere (that is what "Lite" means); TensorFlow's SAME padding, computed
from the input, so that any picture size gives the features of the original network; batch norm is always frozen, kept
as one factor and one offset a channel and folded into the convolution when it runs.
Tan & Le 2019 (EfficientNet, table 1); Google 2020 (EfficientNet-Lite). 0.4 G multiply-adds at 224 px, 4.6 M weights.
"""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MEAN = 127.0 / 255.0  # the ImageNet weights were trained on (pixel - 127) / 128
STD = 128.0 / 255.0
NORM_EPS = 1e-3
POOLED_DIM = 1280
CHANNELS = {8: 40, 16: 112, 32: 320}  # stride -> channels of the features that forward() returns

# (repeats, kernel, stride, expansion, channels out), one row a stage: EfficientNet-B0, table 1.
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
TAPS = {4: 8, 10: 16, 15: 32}  # last block of a resolution -> its stride


class FrozenConv(nn.Module):
    """A convolution with SAME padding and its frozen batch norm: y = conv(x, weight * scale) + shift."""

    scale: Tensor
    shift: Tensor

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        super().__init__()
        self.kernel, self.stride, self.groups = kernel, stride, groups
        self.weight = nn.Parameter(torch.empty(n_out, n_in // groups, kernel, kernel))
        nn.init.kaiming_normal_(self.weight, mode="fan_out")
        self.register_buffer("scale", torch.ones(n_out))
        self.register_buffer("shift", torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, c_in, h, w) -> (n, c_out, ceil(h / stride), ceil(w / stride))."""
        weight = self.weight * self.scale[:, None, None, None]
        top, bottom = self._padding(x.shape[2])
        left, right = self._padding(x.shape[3])
        # Where one more pixel is wanted behind than before, a zero in front of the kernel does the same as padding the
        # picture unevenly, without copying the picture: a tenth of the detector's time.
        weight = F.pad(weight, (right - left, 0, bottom - top, 0))
        return F.conv2d(x, weight, self.shift, self.stride, (bottom, right), groups=self.groups)

    def _padding(self, size: int) -> tuple[int, int]:
        """Before and after, TensorFlow's SAME: the odd pixel goes behind."""
        total = max((math.ceil(size / self.stride) - 1) * self.stride + self.kernel - size, 0)
        return total // 2, total - total // 2


class InvertedBottleneck(nn.Module):
    """Expand 1x1, depthwise k x k, project 1x1; the input is added where the shape stays."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = n_in * expansion
        self.expand = FrozenConv(n_in, wide, 1) if expansion > 1 else None
        self.depthwise = FrozenConv(wide, wide, kernel, stride, groups=wide)
        self.project = FrozenConv(wide, n_out, 1)
        self.residual = stride == 1 and n_in == n_out

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """forward() gives the features at strides 8, 16 and 32; pooled() the 1280-d vector before the classifier."""

    def __init__(self, with_head: bool = True) -> None:
        super().__init__()
        self.stem = FrozenConv(3, 32, 3, 2)
        blocks, n_in = [], 32
        for repeats, kernel, stride, expansion, n_out in STAGES:
            for repeat in range(repeats):
                blocks.append(InvertedBottleneck(n_in, n_out, kernel, stride if repeat == 0 else 1, expansion))
                n_in = n_out
        self.blocks = nn.ModuleList(blocks)
        self.head = FrozenConv(n_in, POOLED_DIM, 1) if with_head else None

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """x: (n, 3, h, w), normalised by MEAN and STD -> {8: (n, 40, h/8, w/8), 16: (n, 112, ..), 32: (n, 320, ..)}."""
        features = {}
        x = F.relu6(self.stem(x), inplace=True)
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in TAPS:
                features[TAPS[number]] = x
        return features

    def pooled(self, x: Tensor) -> Tensor:
        """x: (n, 3, h, w), normalised -> (n, 1280), the mean over all places."""
        if self.head is None:
            raise ValueError("this trunk was built without its head")
        features: dict[int, Tensor] = self(x)
        return F.relu6(self.head(features[32])).mean(dim=(2, 3))


def from_imagenet(published: Mapping[str, Tensor], with_head: bool = True) -> EfficientNetLite0:
    """Fill the network from the published state dict (names like `_blocks.0._bn1.weight`); the classifier is left out.

    Raises KeyError when a tensor is missing.
    """
    network = EfficientNetLite0(with_head)
    _fill(network.stem, published, "_conv_stem", "_bn0")
    for number, block in enumerate(network.blocks):
        assert isinstance(block, InvertedBottleneck)
        prefix = f"_blocks.{number}."
        if block.expand is not None:
            _fill(block.expand, published, f"{prefix}_expand_conv", f"{prefix}_bn0")
        _fill(block.depthwise, published, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        _fill(block.project, published, f"{prefix}_project_conv", f"{prefix}_bn2")
    if network.head is not None:
        _fill(network.head, published, "_conv_head", "_bn1")
    return network


@torch.no_grad()
def _fill(conv: FrozenConv, published: Mapping[str, Tensor], weight: str, norm: str) -> None:
    conv.weight.copy_(published[f"{weight}.weight"])
    scale = published[f"{norm}.weight"] / torch.sqrt(published[f"{norm}.running_var"] + NORM_EPS)
    conv.scale.copy_(scale)
    conv.shift.copy_(published[f"{norm}.bias"] - published[f"{norm}.running_mean"] * scale)
