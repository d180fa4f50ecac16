"""Noise, blur and light: what makes drawn shapes look grown. Arrays in, arrays out; every draw comes from the given
generator."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
"""Red, green, blue in 0 to 255."""


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int]) -> Array:
    """(h, w) float32, about -1 to 1: random values on a grid of cells (rows, columns), joined smoothly."""
    grid = Image.fromarray(rng.uniform(-1, 1, (max(2, cells[0]), max(2, cells[1]))).astype(np.float32))
    return np.asarray(grid.resize((size[1], size[0]), Image.Resampling.BICUBIC))


def fractal(rng: np.random.Generator, size: tuple[int, int], cells: tuple[int, int], octaves: int = 4) -> Array:
    """(h, w) float32, about -1 to 1: octaves of smooth noise, each twice as fine and half as strong."""
    total = np.zeros(size, np.float32)
    for octave in range(octaves):
        rows, columns = cells[0] << octave, cells[1] << octave
        total += smooth_noise(rng, size, (min(rows, size[0]), min(columns, size[1]))) / (1 << octave)
    return total / 1.6


def soften(field: Array, radius_px: int) -> Array:
    """Three box blurs along both axes, close to a Gaussian. field: (h, w)."""
    if radius_px < 1:
        return field
    for axis in (0, 1, 0, 1, 0, 1):
        field = _box(field, radius_px, axis)
    return field


def _box(field: Array, radius_px: int, axis: int) -> Array:
    pad = [(0, 0), (0, 0)]
    pad[axis] = (radius_px + 1, radius_px)
    sums = np.cumsum(np.pad(field, pad, mode="edge"), axis=axis, dtype=np.float32)
    width = 2 * radius_px + 1
    high = sums[width:] if axis == 0 else sums[:, width:]
    low = sums[:-width] if axis == 0 else sums[:, :-width]
    return np.asarray((high - low) / width, np.float32)


def lit(height: Array, light: tuple[float, float, float]) -> Array:
    """Lambert's light on a height field: (h, w) in -1 to 1. height: px, towards the viewer. light: right, down, to the
    viewer."""
    down, right = np.gradient(height)
    length = np.sqrt(right * right + down * down + 1)
    strength = float(np.sqrt(sum(part * part for part in light)))
    return np.asarray((-right * light[0] - down * light[1] + light[2]) / (length * strength), np.float32)


def mix(first: Array, second: Array | Colour, share: Array | float) -> Array:
    """first where share is 0, second where it is 1. Colours are (..., 3), share is (...)."""
    part = np.asarray(share, np.float32)
    part = part[..., None] if part.ndim else part
    return np.asarray(first + (np.asarray(second, np.float32) - first) * part, np.float32)


def ramp(value: Array, start: float, end: float) -> Array:
    """0 below start, 1 above end, smooth between."""
    share = np.clip((value - start) / (end - start), 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
