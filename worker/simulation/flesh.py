"""Bones with flesh round them: a figure becomes a picture, lit as a height field, with fur and ragged edges.

Units are metres: x to the right (the way it looks), y up, the ground at 0. A limb is a chain of (x, y, radius) joints.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from worker.simulation.textures import Array, Colour, fractal, lit, mix, ramp, smooth_noise, soften

Joint = tuple[float, float, float]
Pattern = Callable[["Coat"], Array]

FAR_SIDE = -0.25
"""Depth of the legs on the other side, in metres: they lie behind and darker."""
OVERSAMPLE = 1.5
SUN = (-0.45, -0.75, 0.55)


@dataclass(frozen=True)
class Limb:
    """A chain of joints of one colour. depth: metres towards the viewer. grain: the fur runs along "x" or "y"."""

    joints: Sequence[Joint]
    colour: Colour
    depth: float = 0.0
    grain: str = "x"
    patterned: bool = False


@dataclass(frozen=True)
class Strokes:
    """Straight hairs, quills or tines: (x0, y0, x1, y1, width, colour), drawn over the flesh."""

    lines: Sequence[tuple[float, float, float, float, float, Colour]]


@dataclass(frozen=True)
class Figure:
    """One animal in one pose."""

    limbs: Sequence[Limb]
    eye: tuple[float, float, float]
    belly: Colour
    fur_m: float
    roughness: float = 0.3
    strokes: Sequence[Strokes] = field(default_factory=tuple)
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Coat:
    """What a pattern may look at. x, y: (h, w) metres. colour: (h, w, 3). under: 0 on the back, 1 on the belly."""

    x: Array
    y: Array
    colour: Array
    under: Array
    rng: np.random.Generator


@dataclass(frozen=True)
class Sprite:
    """A drawn animal. pixels: (h, w, 4) uint8 RGBA, feet near the last row. eye_px: x, y, radius.

    x_px: where the middle of its body lies.
    """

    pixels: NDArray[np.uint8]
    eye_px: tuple[float, float, float]
    x_px: float


def flesh_out(figure: Figure, px_per_m: float, rng: np.random.Generator, *, left: bool) -> Sprite:
    """Draw one figure. px_per_m: its size in the photo. left: it looks to the left."""
    scale = px_per_m * OVERSAMPLE
    x0, x1, y1 = _bounds(figure)
    width, height = int((x1 - x0) * scale) + 1, int(y1 * scale) + 1
    canvas = _flesh(figure, (height, width), scale, x0, y1, rng)
    picture = Image.fromarray(canvas, "RGBA")
    for strokes in figure.strokes:
        _stroke(picture, strokes, scale, x0, y1)
    _eye(picture, figure.eye, scale, x0, y1)
    size = (max(1, round(width / OVERSAMPLE)), max(1, round(height / OVERSAMPLE)))
    small = picture.resize(size, Image.Resampling.BOX if px_per_m < 60 else Image.Resampling.HAMMING)
    eye = ((figure.eye[0] - x0) * px_per_m, (y1 - figure.eye[1]) * px_per_m, figure.eye[2] * px_per_m)
    middle = -x0 * px_per_m
    if left:
        small = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        eye, middle = (size[0] - eye[0], eye[1], eye[2]), size[0] - middle
    return Sprite(np.asarray(small), eye, middle)


def _bounds(figure: Figure) -> tuple[float, float, float]:
    joints = [joint for limb in figure.limbs for joint in limb.joints]
    ends = [(line[0], line[1]) for strokes in figure.strokes for line in strokes.lines]
    ends += [(line[2], line[3]) for strokes in figure.strokes for line in strokes.lines]
    margin = figure.fur_m + 0.02
    x0 = min([x - r for x, _, r in joints] + [x for x, _ in ends]) - margin
    x1 = max([x + r for x, _, r in joints] + [x for x, _ in ends]) + margin
    return x0, x1, max([y + r for _, y, r in joints] + [y for _, y in ends]) + margin


def _flesh(
    figure: Figure, size: tuple[int, int], scale: float, x0: float, y1: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """(h, w, 4) uint8: the limbs, joined, lit and furred."""
    x = (np.arange(size[1], dtype=np.float32)[None, :] / scale + x0) + np.zeros((size[0], 1), np.float32)
    y = (y1 - np.arange(size[0], dtype=np.float32)[:, None] / scale) + np.zeros((1, size[1]), np.float32)
    ragged = smooth_noise(rng, size, (size[0] // 2, size[1] // 3)) * figure.fur_m
    surface = np.full(size, -9.0, np.float32)
    colour = np.zeros((*size, 3), np.float32)
    patterned = np.zeros(size, bool)
    upright = np.zeros(size, bool)
    shade = np.ones(size, np.float32)
    for limb in figure.limbs:
        joints = _bent(limb.joints)
        for start, end in pairwise(joints):
            window = _window(start, end, figure.fur_m, scale, x0, y1, size)
            z = _capsule(x[window], y[window], start, end, ragged[window]) + limb.depth
            higher = z > surface[window]
            surface[window][higher] = z[higher]
            colour[window][higher] = limb.colour
            patterned[window][higher] = limb.patterned
            upright[window][higher] = limb.grain == "y"
            shade[window][higher] = 0.62 if limb.depth <= FAR_SIDE else 1.0
    body = surface > -5
    relief = np.where(body, surface, 0).astype(np.float32) * scale
    relief = soften(relief, max(1, int(0.026 * scale)))
    light = lit(relief, SUN)
    under = ramp(-lit(relief, (0.0, -1.0, 0.0)), 0.15, 0.85)
    colour = mix(colour, figure.belly, under * 0.55 * ~upright)
    if figure.pattern is not None:
        marked = figure.pattern(Coat(x, y, colour, under, rng))
        colour = np.where(patterned[..., None], marked, colour)
    fur = _fur(rng, size, upright, scale) * figure.roughness
    mottle = fractal(rng, size, (6, 8), 2) * 0.10
    tone = (0.36 + 0.78 * np.clip(light, 0, 1) - 0.10 * under) * (1 + fur + mottle) * shade
    painted = np.clip(colour * tone[..., None], 0, 255)
    alpha = np.clip(soften(body.astype(np.float32), 1) * 2.2 - 0.6, 0, 1) * 255
    # colour must reach beyond the edge, or the resampling would draw a dark seam
    return np.dstack([painted, alpha]).astype(np.uint8)


def _bent(joints: Sequence[Joint]) -> list[Joint]:
    """A chain of three or more joints bends softly (Catmull-Rom, three pieces a bone); two joints stay a straight
    bone."""
    if len(joints) < 3:
        return list(joints)
    knots = np.array([joints[0], *joints, joints[-1]])
    points = []
    for a, b, c, d in zip(knots, knots[1:], knots[2:], knots[3:], strict=False):
        for t in (0.0, 1 / 3, 2 / 3):
            point = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * b - a - 3 * c + d)))
            points.append((float(point[0]), float(point[1]), max(0.004, float(point[2]))))
    return [*points, joints[-1]]


def _window(
    start: Joint, end: Joint, fur_m: float, scale: float, x0: float, y1: float, size: tuple[int, int]
) -> tuple[slice, slice]:
    reach = max(start[2], end[2]) + fur_m
    left = int((min(start[0], end[0]) - reach - x0) * scale)
    right = int((max(start[0], end[0]) + reach - x0) * scale) + 2
    top = int((y1 - max(start[1], end[1]) - reach) * scale)
    bottom = int((y1 - min(start[1], end[1]) + reach) * scale) + 2
    return slice(max(0, top), min(size[0], bottom)), slice(max(0, left), min(size[1], right))


def _capsule(x: Array, y: Array, start: Joint, end: Joint, ragged: Array) -> Array:
    """Height of a round limb between two joints, in metres; -9 beside it."""
    along_x, along_y = end[0] - start[0], end[1] - start[1]
    length = along_x * along_x + along_y * along_y
    share = (
        np.clip(((x - start[0]) * along_x + (y - start[1]) * along_y) / length, 0, 1) if length else np.zeros_like(x)
    )
    aside = np.hypot(x - start[0] - share * along_x, y - start[1] - share * along_y)
    radius = start[2] + (end[2] - start[2]) * share + ragged * min(1.0, start[2] / 0.05)
    inside = radius * radius - aside * aside
    return np.where(inside > 0, np.sqrt(np.maximum(inside, 0)), -9).astype(np.float32)


def _fur(rng: np.random.Generator, size: tuple[int, int], upright: NDArray[np.bool_], scale: float) -> Array:
    fine = max(2, int(size[0] * 130 / scale)), max(2, int(size[1] * 34 / scale))
    lying = smooth_noise(rng, size, fine) + 0.5 * smooth_noise(rng, size, (fine[0] // 2, fine[1] // 2))
    tall = max(2, int(size[0] * 34 / scale)), max(2, int(size[1] * 130 / scale))
    return np.where(upright, smooth_noise(rng, size, tall), lying)


def _stroke(picture: Image.Image, strokes: Strokes, scale: float, x0: float, y1: float) -> None:
    pen = ImageDraw.Draw(picture)
    for ax, ay, bx, by, width, colour in strokes.lines:
        ends = ((ax - x0) * scale, (y1 - ay) * scale, (bx - x0) * scale, (y1 - by) * scale)
        pen.line(ends, fill=(*(int(part) for part in colour), 255), width=max(1, round(width * scale)))


def _eye(picture: Image.Image, eye: tuple[float, float, float], scale: float, x0: float, y1: float) -> None:
    pen = ImageDraw.Draw(picture)
    x, y, radius = (eye[0] - x0) * scale, (y1 - eye[1]) * scale, max(1.2, eye[2] * scale)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(18, 14, 10, 255))
    glint = radius * 0.4
    pen.ellipse((x - glint, y - 2 * glint, x + glint * 0.5, y - glint * 0.5), fill=(225, 225, 215, 255))
