"""The small networks of SRAAL, VAAL and TA-VAAL: crops to codes, codes back to crops, and who tells labelled from not.

Decisions: four stride-2 convolutions each way (DECISIONS 12); no batch norm, so that a crop's code does not depend on its
company; a discriminator gives a logit, never a probability, so that its loss is exact far from 0.
Zhang et al. 2020, sec. 3.2; Sinha et al. 2019, sec. 4.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LOG_VARIANCE = 8.0  # of a code, at most, up and down: exp of it stays harmless


@dataclass(frozen=True)
class Sizes:
    """How large the networks are; the defaults are those of DECISIONS 12.

    side_px: of the square crops, a multiple of 2 to the number of widths. widths: channels of each convolution. latent:
    numbers of a code. hidden: width of the two layers of the discriminator.
    """

    side_px: int = 64
    widths: tuple[int, ...] = (64, 128, 256, 512)
    latent: int = 64
    hidden: int = 512

    def __post_init__(self) -> None:
        if not self.widths or self.side_px % 2 ** len(self.widths) or self.side_px < 1:
            raise ValueError(f"a side of {self.side_px} px cannot be halved {len(self.widths)} times")

    @property
    def lowest_px(self) -> int:
        """The side of what the last convolution gives."""
        return self.side_px // int(2 ** len(self.widths))


class Code(NamedTuple):
    """What one head says of n crops: mean and log-variance of a normal code, (n, latent) each."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """noise: (n, latent) standard normal -> (n, latent). Kingma & Welling 2014, sec. 2.4."""
        return self.mean + noise * (self.log_variance / 2).exp()

    def divergence(self) -> Tensor:
        """(n,) KL(N(mean, s) || N(0, I)) in nats. Kingma & Welling 2014, appendix B."""
        return (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance).sum(dim=1) / 2


class Encoder(nn.Module):
    """One trunk of convolutions and `heads` heads of equal kind."""

    def __init__(self, heads: int, sizes: Sizes) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inner, outer, 4, stride=2, padding=1)
            for inner, outer in zip((3, *sizes.widths[:-1]), sizes.widths, strict=True)
        )
        flat = sizes.widths[-1] * sizes.lowest_px**2
        self.heads = nn.ModuleList(nn.Linear(flat, 2 * sizes.latent) for _ in range(heads))

    def forward(self, pictures: Tensor) -> list[Code]:
        """pictures: (n, 3, side, side), 0..1 -> one code a head, float32."""
        x = 2 * pictures - 1
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        flat = x.flatten(1).float()
        with torch.autocast(flat.device.type, enabled=False):
            halves = [head(flat).chunk(2, dim=1) for head in self.heads]
        return [Code(mean, spread.clamp(-LOG_VARIANCE, LOG_VARIANCE)) for mean, spread in halves]


class Decoder(nn.Module):
    """The encoder in a mirror. inputs: numbers of what it paints from."""

    def __init__(self, inputs: int, sizes: Sizes) -> None:
        super().__init__()
        self.lowest = (sizes.widths[-1], sizes.lowest_px, sizes.lowest_px)
        self.first = nn.Linear(inputs, sizes.widths[-1] * sizes.lowest_px**2)
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(inner, outer, 4, stride=2, padding=1)
            for inner, outer in zip(sizes.widths[::-1], (*sizes.widths[-2::-1], 3), strict=True)
        )

    def forward(self, codes: Tensor) -> Tensor:
        """codes: (n, inputs) -> (n, 3, side, side) float32, 0..1."""
        x = self.first(codes).unflatten(1, self.lowest)
        for convolution in self.convolutions:
            x = convolution(F.relu(x))
        painted: Tensor = x.float().sigmoid()
        return painted


class Discriminator(nn.Module):
    """An MLP inputs-hidden-hidden-1: how much a crop is like the labelled ones."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
        )

    def forward(self, codes: Tensor) -> Tensor:
        """codes: (n, inputs) -> (n,) logits of "labelled"."""
        logits: Tensor = self.layers(codes)[:, 0]
        return logits
