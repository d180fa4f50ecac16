"""Drawn photos of parks in which live deer walk and boars of clay stand, which a detector takes for animals too."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.learning.field_photos import TruePhoto, no_boxes
from worker.simulation.animals import draw
from worker.simulation.landscapes import LANDSCAPES
from worker.simulation.textures import Array

WIDTH_PX, HEIGHT_PX = 448, 336
DEER, BOAR = "red deer", "wild boar"


def draw_parks(folder: Path, places: int, photos: int, seed: int = 1) -> list[TruePhoto]:
    """So many photos of each place, as "Park 1/0.png", each with a clay boar and four of five with a deer.

    Paths are absolute; deer are right, boars are false.
    """
    rng = np.random.default_rng(seed)
    sprites = {name: [sprite(name, rng) for _ in range(2)] for name in (DEER, BOAR)}
    grounds = [LANDSCAPES[name](rng, WIDTH_PX, HEIGHT_PX).pixels for name in list(LANDSCAPES)[:places]]
    made = []
    for place in range(places):
        ground = grounds[place % len(grounds)] * rng.uniform(0.7, 1.2)
        for number in range(photos):
            path = folder / f"Park {place + 1}" / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            made.append(park(path, ground, sprites, rng, f"Park {place + 1}", with_deer=number % 5 < 4))
    return made


def sprite(species: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """(h, w, 4) an animal and nothing around it."""
    stride = float(rng.uniform(0, 6))
    pixels = draw(species, 85.0, rng, stride=stride, head=1.0, left=False).pixels
    rows, columns = np.flatnonzero(pixels[..., 3].max(1) > 127), np.flatnonzero(pixels[..., 3].max(0) > 127)
    return pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def park(
    path: Path, ground: Array, sprites: dict[str, list[NDArray[np.uint8]]], rng: np.random.Generator, place: str, *,
    with_deer: bool,
) -> TruePhoto:  # fmt: skip
    """One photo, written to the path; both have a half of it for themselves."""
    picture = ground + rng.normal(0, 3, ground.shape)
    side = int(rng.integers(2))
    boar = paste(picture, sprites[BOAR][int(rng.integers(2))], rng, side)
    deer = [paste(picture, sprites[DEER][int(rng.integers(2))], rng, 1 - side)] if with_deer else []
    Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)).save(path)
    right = np.array(deer, np.float32).reshape(-1, 4)
    false = np.array([boar], np.float32)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return TruePhoto(str(path.resolve()), sha256, place, right, (DEER,) * len(deer), no_boxes(), false)


def paste(
    picture: Array, drawn: NDArray[np.uint8], rng: np.random.Generator, side: int
) -> tuple[float, float, float, float]:
    """Put an animal into the left (0) or right (1) half, mirrored now and then; its box in shares of the picture."""
    drawn = drawn[:, ::-1] if rng.random() < 0.5 else drawn
    height, width = drawn.shape[:2]
    room = WIDTH_PX // 2
    x, y = side * room + int(rng.integers(room - width)), int(rng.integers(HEIGHT_PX // 4, HEIGHT_PX - height))
    alpha = drawn[..., 3:].astype(np.float32) / 255
    part = picture[y : y + height, x : x + width]
    part[:] = part * (1 - alpha) + drawn[..., :3] * alpha
    return (x / WIDTH_PX, y / HEIGHT_PX, (x + width) / WIDTH_PX, (y + height) / HEIGHT_PX)
