"""Crops as the small networks take them: shrunk once to a few pixels a side, kept as bytes on the device."""

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from worker.device import Device
from worker.learning.descent import Ids
from worker.learning.lessons import CropReader


def small_crops(crops: CropReader, rows: Ids, side_px: int, device: Device) -> Tensor:
    """(n, h, w, 3) uint8, may be memory-mapped; rows: (m,) -> (m, 3, side, side) uint8 on the device, channels last.

    Bilinear, each target pixel a weighted mean of what it covers; the aspect ratio is not kept. A batch is read at a time.
    Raises ValueError where the crops have another shape or type.
    """
    small = torch.empty((len(rows), 3, side_px, side_px), dtype=torch.uint8, device=device.torch_device)
    small = small.to(memory_format=torch.channels_last)
    for first in range(0, len(rows), device.crops):
        pixels = np.require(crops[rows[first : first + device.crops]], requirements=("C", "W"))
        if pixels.ndim != 4 or pixels.shape[3] != 3 or pixels.dtype != np.uint8:
            raise ValueError(f"crops must be (n, height, width, 3) uint8, not {pixels.shape} {pixels.dtype}")
        large = torch.from_numpy(pixels).to(device.torch_device).permute(0, 3, 1, 2)
        small[first : first + len(pixels)] = resized(large, side_px)
    return small


def resized(large: Tensor, side_px: int) -> Tensor:
    """(n, 3, h, w) uint8 -> (n, 3, side, side) uint8."""
    if large.shape[2:] == (side_px, side_px):
        return large
    size = (side_px, side_px)
    return interpolate(large.float(), size, mode="bilinear", antialias=True, align_corners=False).round().byte()


def as_pictures(small: Tensor) -> Tensor:
    """uint8 -> float32, 0..1."""
    return small.float() / 255
