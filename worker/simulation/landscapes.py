"""Where the drawn cameras stand: forest, savanna, water edge, rocks. A landscape is drawn once a camera and reused.

Ground is a noise texture seen in perspective, plants are thousands of strokes sorted by distance, rocks are lit height
fields.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from worker.simulation.textures import Array, Colour, fractal, lit, mix, ramp, smooth_noise

Palette = tuple[Colour, ...]


@dataclass(frozen=True)
class Landscape:
    """pixels: (h, w, 3) float32, 0 to 255, in daylight. horizon_px: the row where the ground begins.

    near_top: the highest share of the ground where animals stand, 0 at the horizon, 1 at the foot. blades: the grass
    that grows over an animal's feet.
    """

    pixels: Array
    horizon_px: int
    near_top: float
    blades: Palette


def forest(rng: np.random.Generator, width: int, height: int) -> Landscape:
    horizon = int(height * 0.40)
    scene = _sky(rng, width, height, (196, 206, 178), (150, 170, 128), clouds=0.0)
    _ground(scene, rng, horizon, (122, 108, 74), (98, 84, 58), (70, 92, 44))
    for share in (0.25, 0.55, 0.8):
        _trunks(scene, rng, horizon, share)
        scene = _leaves(scene, rng, horizon, share)
    scene = _strokes(scene, rng, horizon, 3200, ((74, 98, 44), (104, 122, 58), (58, 76, 38), (128, 116, 66)), 26)
    scene = _litter(scene, rng, horizon)
    for x, thick in ((0.04, 74), (0.90, 96)):
        _trunk(scene, rng, int(width * x), -5, int(height * rng.uniform(0.72, 0.8)), thick, (92, 76, 58))
    dapple = ramp(fractal(rng, scene.shape[:2], (4, 6), 4), -0.1, 0.55)
    return Landscape(
        scene * (0.80 + 0.34 * dapple[..., None]), horizon, 0.32, ((72, 96, 44), (98, 116, 56), (60, 72, 40))
    )


def savanna(rng: np.random.Generator, width: int, height: int) -> Landscape:
    horizon = int(height * 0.42)
    scene = _sky(rng, width, height, (122, 168, 214), (226, 222, 204), clouds=0.8)
    _ridge(scene, rng, horizon, 60, (156, 162, 160))
    _ridge(scene, rng, horizon, 26, (140, 138, 104))
    _ground(scene, rng, horizon, (196, 172, 112), (176, 144, 86), (150, 138, 78))
    for x, size in ((0.16, 0.55), (0.44, 0.28), (0.60, 0.34), (0.83, 0.9)):
        scene = _acacia(scene, rng, int(width * x), horizon + int(18 + 70 * size), size)
    grass = ((206, 182, 118), (178, 150, 88), (150, 132, 72), (222, 204, 150))
    return Landscape(_strokes(scene, rng, horizon, 7000, grass, 58), horizon, 0.30, grass)


def water_edge(rng: np.random.Generator, width: int, height: int) -> Landscape:
    horizon = int(height * 0.34)
    shore = int(height * 0.56)
    scene = _sky(rng, width, height, (150, 182, 210), (224, 226, 218), clouds=0.5)
    _ridge(scene, rng, horizon, 44, (126, 144, 136))
    _ridge(scene, rng, horizon, 70, (74, 98, 66), rough=0.5)
    _ground(scene, rng, horizon, (150, 138, 112), (128, 112, 86), (108, 116, 76))
    _water(scene, rng, horizon, shore)
    _pebbles(scene, rng, shore, 420)
    reeds = ((96, 116, 58), (126, 136, 74), (156, 144, 88), (76, 94, 50))
    scene = _strokes(scene, rng, shore - 20, 1100, reeds, 150, columns=(0.0, 0.13))
    scene = _strokes(scene, rng, shore - 20, 900, reeds, 130, columns=(0.90, 1.0))
    scene = _strokes(scene, rng, shore, 1300, reeds, 20)
    return Landscape(scene, horizon, 0.42, ((112, 122, 66), (138, 134, 84)))


def rocks(rng: np.random.Generator, width: int, height: int) -> Landscape:
    horizon = int(height * 0.40)
    scene = _sky(rng, width, height, (136, 176, 216), (214, 222, 226), clouds=0.6)
    _ridge(scene, rng, horizon, 230, (150, 160, 172), rough=0.12)
    _ridge(scene, rng, horizon, 120, (128, 128, 122), rough=0.25)
    _ground(scene, rng, horizon, (166, 156, 140), (146, 134, 116), (122, 120, 92))
    places = sorted(zip(rng.uniform(0.02, 0.5, 34) ** 1.3, rng.uniform(-0.05, 1.05, 34), strict=True))
    for depth, x in places:
        reach = 14 + 150 * depth
        _boulder(scene, rng, int(x * width), horizon + int(depth * (height - horizon)), reach)
    for x, y, reach in ((-0.02, 0.88, 190), (1.0, 0.80, 170), (0.30, 1.02, 90)):
        _boulder(scene, rng, int(x * width), int(y * height), reach)
    shrubs = ((110, 118, 78), (140, 138, 92), (168, 158, 112))
    return Landscape(_strokes(scene, rng, horizon, 2200, shrubs, 34), horizon, 0.36, shrubs)


LANDSCAPES: dict[str, Callable[[np.random.Generator, int, int], Landscape]] = {
    "forest": forest,
    "savanna": savanna,
    "water edge": water_edge,
    "rocks": rocks,
}


def _sky(rng: np.random.Generator, width: int, height: int, top: Colour, low: Colour, clouds: float) -> Array:
    down = ramp(np.linspace(0, 1, height, dtype=np.float32), 0.0, 0.45)[:, None] + np.zeros((1, width), np.float32)
    sky = mix(np.full((height, width, 3), top, np.float32), low, down)
    cover = ramp(fractal(rng, (height, width), (7, 4), 5), 0.05, 0.7) * clouds
    return mix(sky, (246.0, 245.0, 242.0), cover * 0.8)


def _ridge(scene: Array, rng: np.random.Generator, horizon: int, rise: int, colour: Colour, rough: float = 0.3) -> None:
    """Hills or a far line of trees, standing on the horizon."""
    width = scene.shape[1]
    line = fractal(rng, (2, width), (2, 5), 6)[0] * rise * 0.5 + rise * 0.5
    line = line + fractal(rng, (2, width), (2, 120), 2)[0] * rise * 0.16 * rough
    rows = np.arange(scene.shape[0], dtype=np.float32)[:, None]
    inside = np.clip(rows - (horizon - line[None, :]), 0, 1) * (rows <= horizon + 2)
    grain = 1 + 0.14 * fractal(rng, scene.shape[:2], (26, 40), 3)
    scene[:] = mix(scene, np.asarray(colour, np.float32) * grain[..., None], inside * 0.95)


def _ground(scene: Array, rng: np.random.Generator, horizon: int, far: Colour, near: Colour, patches: Colour) -> None:
    """Everything below the horizon: one big texture, looked at from knee height."""
    height, width, _ = scene.shape
    texture = fractal(rng, (1024, 1024), (8, 8), 7)
    cover = fractal(rng, (1024, 1024), (5, 5), 4)
    rows = np.arange(horizon, height, dtype=np.float32)[:, None] - horizon + 3
    distance = 160.0 / rows
    across = (np.arange(width, dtype=np.float32)[None, :] - width / 2) * distance
    u = _back_and_forth(across * 1.7 + 341)
    v = _back_and_forth(distance * 900 + np.zeros_like(across))
    close = ramp(rows / (height - horizon), 0.0, 1.0) + np.zeros((1, width), np.float32)
    soil = mix(np.broadcast_to(np.asarray(far, np.float32), (*close.shape, 3)), near, close)
    soil = mix(soil, patches, ramp(cover[v, u], -0.1, 0.5) * 0.7)
    calm = np.clip(0.25 + close * 1.2, 0, 1)
    fine = smooth_noise(rng, close.shape, (close.shape[0] // 2, close.shape[1] // 3))
    scene[horizon:] = soil * (1 + (0.34 * texture[v, u] + 0.10 * fine) * calm)[..., None]


def _back_and_forth(place: Array) -> NDArray[np.int64]:
    """Rows of a texture of 1024 that is read to its end and back again, so that it has no seam."""
    return np.abs(place.astype(np.int64) % 2046 - 1023)


def _image(scene: Array) -> Image.Image:
    return Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))


def _array(image: Image.Image) -> Array:
    return np.asarray(image, np.float32).copy()


def _tinted(rng: np.random.Generator, palette: Palette, light: float) -> tuple[int, int, int]:
    colour = palette[int(rng.integers(len(palette)))]
    shade = light * rng.uniform(0.8, 1.12)
    return (min(255, int(colour[0] * shade)), min(255, int(colour[1] * shade)), min(255, int(colour[2] * shade)))


def _strokes(
    scene: Array,
    rng: np.random.Generator,
    horizon: int,
    count: int,
    palette: Palette,
    length_px: float,
    columns: tuple[float, float] = (0.0, 1.0),
) -> Array:
    """Grass and herbs in tufts, the far ones first, small and pale."""
    height, width, _ = scene.shape
    image = _image(scene)
    pen = ImageDraw.Draw(image)
    tufts = rng.uniform(0, 1, (count // 12 + 1, 2))
    for share, column in tufts[np.argsort(tufts[:, 0])]:
        depth = share**1.4
        y = horizon + 6 + depth * (height - horizon)
        x = (columns[0] + column * (columns[1] - columns[0])) * width
        for _ in range(12):
            blade(pen, rng, x + rng.normal(0, 4 + 26 * depth), y + rng.normal(0, 3), length_px * (0.2 + depth), palette)
    return _array(image)


def blade(
    pen: ImageDraw.ImageDraw, rng: np.random.Generator, x: float, y: float, length_px: float, palette: Palette
) -> None:
    """One bent blade of grass, rooted at x, y."""
    length = length_px * rng.uniform(0.5, 1.2)
    lean = rng.normal(0, 0.28) * length
    width = 1 if length < 26 else 2
    light = rng.uniform(0.72, 1.12)
    pen.line((x, y, x + lean * 0.3, y - length * 0.6), fill=_tinted(rng, palette, light * 0.78), width=width)
    pen.line((x + lean * 0.3, y - length * 0.6, x + lean, y - length), fill=_tinted(rng, palette, light), width=1)


def _trunks(scene: Array, rng: np.random.Generator, horizon: int, share: float) -> None:
    """One row of trees: share 0 is lost in the haze, 1 is close."""
    haze = (168.0, 182.0, 150.0)
    bark = np.asarray((86.0, 72.0, 56.0)) * share + np.asarray(haze) * (1 - share)
    for x in rng.uniform(0, scene.shape[1], int(16 - 9 * share)):
        thick = int(6 + 30 * share * rng.uniform(0.5, 1.3))
        foot = horizon + int(8 + 70 * share**2 + rng.uniform(0, 18))
        _trunk(scene, rng, int(x), -5, foot, thick, (float(bark[0]), float(bark[1]), float(bark[2])))


def _trunk(scene: Array, rng: np.random.Generator, x: int, top: int, foot: int, thick: int, colour: Colour) -> None:
    """A round trunk with bark, wider at its foot. thick: px."""
    height, width, _ = scene.shape
    left, right = max(0, x - thick * 2), min(width, x + thick * 2)
    top, foot = max(0, top), min(height, foot)
    if right - left < 2 or foot - top < 2:
        return
    rows = np.linspace(0, 1, foot - top, dtype=np.float32)[:, None]
    centre = x + smooth_noise(rng, (foot - top, 2), (4, 2))[:, :1] * thick * 0.4
    reach = thick * 0.5 * (0.8 + 0.3 * rows + 0.8 * ramp(rows, 0.9, 1.02))
    across = (np.arange(left, right, dtype=np.float32)[None, :] - centre) / reach
    round_light = np.sqrt(np.clip(1 - across * across, 0, 1)) * 0.6 + 0.45 - 0.25 * across
    size = (foot - top, right - left)
    bark = smooth_noise(rng, size, (max(2, size[0] // 26), max(2, size[1] // 3))) + fractal(rng, size, (8, 3), 4)
    painted = np.asarray(colour, np.float32) * (round_light * (1 + 0.20 * bark))[..., None]
    hollow = np.sqrt(np.clip(1 - across * across, 0, 1)) * thick * 0.22  # the foot is round and lies in the grass
    below = foot - thick * 0.22 + hollow - np.arange(top, foot, dtype=np.float32)[:, None]
    cover = np.clip((1 - np.abs(across)) * reach, 0, 1) * np.clip(below / 4, 0, 1)
    scene[top:foot, left:right] = mix(scene[top:foot, left:right], np.clip(painted, 0, 255), cover)


def _leaves(scene: Array, rng: np.random.Generator, horizon: int, share: float) -> Array:
    """The crowns above and the bushes below, of many small leaves."""
    image = _image(scene)
    pen = ImageDraw.Draw(image)
    width = scene.shape[1]
    palette = ((96, 124, 58), (122, 146, 74), (74, 100, 48), (142, 160, 90))
    pale = tuple(tuple(c * (0.55 + 0.45 * share) + 150 * 0.45 * (1 - share) for c in leaf) for leaf in palette)
    size = 2.2 + 4.5 * share
    for _ in range(26):
        high = rng.uniform() < 0.6
        cx, cy = (
            rng.uniform(0, width),
            rng.uniform(-20, horizon * 0.42) if high else horizon + rng.uniform(-26, 34 * share),
        )
        spread = (110, 46) if high else (70, 22 + 16 * share)
        for dx, dy in rng.normal(0, 0.5, (90, 2)):
            x, y = cx + dx * spread[0], cy + dy * spread[1]
            light = 0.86 - 0.22 * dy
            tint = _tinted(rng, pale, light)  # type: ignore[arg-type]
            pen.ellipse((x - size, y - size * 0.6, x + size, y + size * 0.6), fill=tint)
    return _array(image.filter(ImageFilter.GaussianBlur(1.8 * (1 - share) + 0.5)))


def _litter(scene: Array, rng: np.random.Generator, horizon: int) -> Array:
    """Dead leaves on the ground."""
    image = _image(scene)
    pen = ImageDraw.Draw(image)
    palette = ((146, 104, 58), (118, 84, 50), (166, 128, 78), (96, 74, 48))
    for depth, column in zip(np.sort(rng.uniform(0, 1, 1500)), rng.uniform(0, 1, 1500), strict=True):
        y, x = horizon + 20 + depth**1.3 * (scene.shape[0] - horizon), column * scene.shape[1]
        reach = 1.2 + 6 * depth
        pen.ellipse((x - reach, y - reach * 0.4, x + reach, y + reach * 0.4), fill=_tinted(rng, palette, 0.9))
    return _array(image)


def _acacia(scene: Array, rng: np.random.Generator, x: int, foot: int, size: float) -> Array:
    """A flat-crowned tree. foot: the row where it stands; size: 1 is near."""
    tall = int(330 * size)
    top = foot - tall
    _trunk(scene, rng, x, top + int(tall * 0.2), foot, max(4, int(30 * size)), (108, 92, 72))
    image = _image(scene)
    pen = ImageDraw.Draw(image)
    for reach in rng.uniform(-1, 1, 9):
        pen.line(
            (x, foot - tall * 0.45, x + reach * 170 * size, top + tall * 0.16),
            fill=(98, 84, 66),
            width=max(1, int(8 * size)),
        )
    palette = ((96, 110, 60), (120, 130, 74), (80, 92, 52))
    leaf = 1.5 + 4.5 * size
    for _ in range(16):
        cx, cy = x + rng.uniform(-1, 1) * 190 * size, top + tall * 0.12 + rng.normal(0, 14) * size
        for dx, dy in rng.normal(0, 0.5, (130, 2)):
            px, py = cx + dx * 92 * size, cy + dy * 34 * size
            tint = _tinted(rng, palette, 0.92 - 0.3 * dy)
            pen.ellipse((px - leaf, py - leaf * 0.6, px + leaf, py + leaf * 0.6), fill=tint)
    return _array(image)


def _water(scene: Array, rng: np.random.Generator, horizon: int, shore: int) -> None:
    """A still pool between the far bank and the shore: the upside-down view, broken by ripples."""
    width = scene.shape[1]
    deep = shore - horizon
    edge = shore + fractal(rng, (2, width), (2, 6), 4)[0] * 26
    last = shore + 40 + int(0.3 * deep)
    rows = np.arange(horizon, last)
    ripple = (
        smooth_noise(rng, (len(rows), width), (len(rows) // 3, 14)) * np.linspace(1, 9, len(rows))[:, None]
    ).astype(int)
    source = np.clip(horizon - 2 - (rows - horizon)[:, None] * 0.9 + ripple, 0, horizon - 2).astype(int)
    mirror = scene[source, np.arange(width)[None, :]]
    tint = mix(mirror, (92.0, 108.0, 106.0), 0.34)
    glitter = ramp(smooth_noise(rng, (len(rows), width), (len(rows) // 2, 40)), 0.55, 0.95) * 0.35
    water = mix(tint, (226.0, 232.0, 232.0), glitter * np.linspace(0.2, 1, len(rows), dtype=np.float32)[:, None])
    inside = np.clip((edge[None, :] - rows[:, None]) / 5 + 0.5, 0, 1).astype(np.float32)
    wet = np.clip((edge[None, :] + 0.3 * deep - rows[:, None]) / (0.3 * deep), 0, 1).astype(np.float32) * (1 - inside)
    block = scene[horizon:last]
    scene[horizon:last] = mix(block * (1 - 0.4 * wet[..., None]), water, inside)


def _pebbles(scene: Array, rng: np.random.Generator, shore: int, count: int) -> None:
    height, width, _ = scene.shape
    for depth in np.sort(rng.uniform(0, 1, count)):
        _boulder(scene, rng, int(rng.uniform(0, width)), shore + 30 + int(depth**1.2 * (height - shore)), 2 + 9 * depth)


def _boulder(scene: Array, rng: np.random.Generator, x: int, foot: int, reach: float) -> None:
    """A rock with its shadow. x, foot: px where it lies; reach: half its width in px."""
    height, width, _ = scene.shape
    flat = rng.uniform(0.55, 0.85)
    left, right = max(0, int(x - reach * 1.6)), min(width, int(x + reach * 1.6))
    top, bottom = max(0, int(foot - reach * flat * 2)), min(height, int(foot + reach * 0.4))
    if right - left < 3 or bottom - top < 3:
        return
    across = (np.arange(left, right, dtype=np.float32)[None, :] - x) / reach
    up = (foot - reach * flat * 0.8 - np.arange(top, bottom, dtype=np.float32)[:, None]) / (reach * flat)
    size = (bottom - top, right - left)
    angle = np.arctan2(up, across)
    lumpy = 1 + 0.10 * np.sin(angle * 3 + rng.uniform(0, 6)) + 0.06 * np.sin(angle * 7 + rng.uniform(0, 6))
    inside = 1 - np.hypot(across, up) / lumpy
    relief = np.sqrt(np.clip(inside * 2, 0, 1)) * reach * 0.8 + fractal(rng, size, (4, 5), 4) * reach * 0.10
    light = np.clip(lit(relief.astype(np.float32), (-0.45, -0.75, 0.5)), 0, 1) * 0.85 + 0.30
    stone = np.asarray((150.0, 142.0, 130.0)) * rng.uniform(0.8, 1.08)
    spots = ramp(fractal(rng, size, (6, 8), 3), 0.25, 0.5) * 0.35
    painted = (
        mix(np.broadcast_to(stone.astype(np.float32), (*size, 3)), (172.0, 168.0, 120.0), spots) * light[..., None]
    )
    shadow = np.clip(1 - np.hypot(across * 0.75 - 0.12, (up + 0.95) * 2.4), 0, 1) * 0.75
    block = scene[top:bottom, left:right] * (1 - shadow[..., None])
    scene[top:bottom, left:right] = mix(block, np.clip(painted, 0, 255), np.clip(inside * reach * 0.7, 0, 1))


def uint8(scene: Array) -> NDArray[np.uint8]:
    """(h, w, 3) float -> the same in whole numbers."""
    return np.clip(scene, 0, 255).astype(np.uint8)
