"""Other views of a crop that still show the same animal: mirrored, a little closer, lighter or darker, grey as at night.

Decisions: never turned upside down (animals stand) and no colour twists (coats are told apart by colour); chance is drawn
on the CPU from a seed, so that equal seeds give equal views on every device.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class Augmentation:
    """closest: the smallest part of the crop that may be seen, as a share of its side. light: brightness and contrast
    change by up to this share. grey: how many of the views are grey."""

    closest: float = 0.7
    light: float = 0.3
    grey: float = 0.15

    def views(self, pixels: Tensor, side_px: int, seed: list[int]) -> Tensor:
        """(n, h, w, 3), 0..255 -> (n, side, side, 3) float32, 0..255, one view of each."""
        chance = np.random.default_rng(seed)
        seen = self._moved(pixels.float().permute(0, 3, 1, 2) / 255, side_px, chance).permute(0, 2, 3, 1)
        return self._lit(seen, chance) * 255

    def _moved(self, x: Tensor, side_px: int, chance: np.random.Generator) -> Tensor:
        """Mirror half of them, and cut a rectangle out of each, as large as a view."""
        n = len(x)
        sides = chance.uniform(self.closest, 1, (n, 2))
        middles = chance.uniform(-1, 1, (n, 2)) * (1 - sides)
        turned = np.where(chance.random(n) < 0.5, -1.0, 1.0)
        matrix = np.zeros((n, 2, 3), np.float32)
        matrix[:, 0, 0], matrix[:, 1, 1] = sides[:, 0] * turned, sides[:, 1]
        matrix[:, :, 2] = middles
        grid = F.affine_grid(torch.from_numpy(matrix).to(x.device), [n, 3, side_px, side_px], align_corners=False)
        return F.grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False)

    def _lit(self, x: Tensor, chance: np.random.Generator) -> Tensor:
        """x: (n, h, w, 3), 0..1 -> the same, lit otherwise, some without colour."""
        n = len(x)
        brightness, contrast = (_column(chance.uniform(1 - self.light, 1 + self.light, n), x) for _ in range(2))
        is_grey = _column(chance.random(n) < self.grey, x)
        luma = (x * torch.tensor(LUMA, device=x.device)).sum(3, keepdim=True)
        x = torch.lerp(x, luma.expand_as(x), is_grey)
        mean = luma.mean(dim=(1, 2, 3), keepdim=True)
        return ((x - mean) * contrast + mean * brightness).clamp(0, 1)


def _column(numbers: np.ndarray, x: Tensor) -> Tensor:
    """(n,) -> (n, 1, 1, 1) beside x."""
    return torch.from_numpy(numbers.astype(np.float32)).to(x.device)[:, None, None, None]
