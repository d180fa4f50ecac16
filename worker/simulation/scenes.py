"""Drawn camera-trap photos with a known truth, for the demo and for tests that must know the answer.

Four cameras, bursts of three within seconds, day and infrared night, five species, about a quarter empty. Every photo
says DRAWN SCENE at its foot and in its EXIF, so that nobody takes it for a real one. The same seed gives the same
bytes.
"""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from worker.simulation.animals import draw
from worker.simulation.flesh import Sprite
from worker.simulation.landscapes import LANDSCAPES, Landscape, blade, uint8
from worker.simulation.textures import Array, ramp

WIDTH_PX, HEIGHT_PX, STRIP_PX = 1280, 960, 44
BURST = 3
EMPTY_SHARE = 0.22
"""Bursts with nobody in them; animals that walk out of the last frame of a burst add the rest to a quarter."""
NIGHT_SHARE = 0.4
JPEG_QUALITY = 88
FIRST_DAY = datetime(2026, 3, 1)

CAMERAS = ("forest", "savanna", "water edge", "rocks")
SHARES = {"red deer": 0.34, "wild boar": 0.26, "crane": 0.18, "leopard": 0.12, "porcupine": 0.10}
"""How often each species comes; the rare ones are what active learning has to find."""
HERDS = {"red deer": 3, "wild boar": 4, "crane": 3, "leopard": 1, "porcupine": 2}
"""The most animals of a species in one photo."""
SIZES = {"red deer": 0.80, "wild boar": 1.0, "crane": 1.0, "leopard": 1.0, "porcupine": 1.3}
"""Drawn size against true size: a porcupine as small as it is would be 60 px long."""
PX_PER_M = 390.0
"""At the foot of the photo; at the horizon it is 0."""

LENS = ImageFilter.Kernel((3, 3), (1, 3, 1, 3, 9, 3, 1, 3, 1))
"""Everything is a little soft."""
LEAST_VISIBLE = 0.25
"""An animal of which less can be seen, at an edge or behind another, is not in the truth."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Truth:
    """What is in one photo. path: below the folder, with forward slashes. boxes: relative xyxy, one per animal, as is
    species."""

    path: str
    camera: str
    captured_at: datetime
    night: bool
    species: tuple[str, ...]
    boxes: tuple[Box, ...]

    @property
    def count(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True)
class Visit:
    """One burst to draw. species: one per animal, empty for a false trigger."""

    number: int
    camera: int
    begins: datetime
    night: bool
    species: tuple[str, ...]
    frames: int


@dataclass(frozen=True)
class Walk:
    """One animal through a burst. x, depth: shares of the ground; speed: of the width per frame."""

    species: str
    x: float
    depth: float
    speed: float
    left: bool
    stride: float
    head: float
    seed: int


def draw_scenes(folder: Path, count: int = 120, seed: int = 1) -> list[Truth]:
    """Write `count` photos as "Camera A/IMG_0001.JPG" ... and truth.csv below folder, and return the truth in file
    order.

    About a third of a second a photo. Same seed and count, same bytes (with the same Pillow and NumPy).
    """
    rng = np.random.default_rng(seed)
    places = [
        LANDSCAPES[name](np.random.default_rng([seed, row]), WIDTH_PX, HEIGHT_PX) for row, name in enumerate(CAMERAS)
    ]
    grain = rng.normal(0, 1, (HEIGHT_PX, WIDTH_PX)).astype(np.float32)
    written = [0] * len(CAMERAS)
    truths = []
    for visit in _visits(rng, count):
        for seen, picture in _burst(visit, places[visit.camera], grain, seed):
            written[visit.camera] += 1
            camera = f"Camera {'ABCDEFGH'[visit.camera]}"
            path = folder / camera / f"IMG_{written[visit.camera]:04d}.JPG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_jpeg(picture, camera, visit, seen.captured_at))
            truths.append(
                Truth(f"{camera}/{path.name}", camera, seen.captured_at, visit.night, seen.species, seen.boxes)
            )
    truths.sort(key=lambda truth: truth.path)
    _write_csv(folder / "truth.csv", truths)
    return truths


@dataclass(frozen=True)
class Seen:
    """One frame before it has a file name."""

    captured_at: datetime
    species: tuple[str, ...]
    boxes: tuple[Box, ...]


def _visits(rng: np.random.Generator, count: int) -> Iterator[Visit]:
    """The diary: when which camera fired, and who came. Every species comes if there are bursts enough."""
    bursts = -(-count // BURST)
    empty = round(bursts * EMPTY_SHARE)
    guests = _apportioned(bursts - empty)
    companies: list[tuple[str, ...]] = [()] * empty
    for guest in guests:
        herd = (guest,) * int(rng.integers(1, HERDS[guest] + 1))
        mixed = rng.uniform() < 0.08 and guest in ("red deer", "wild boar", "crane")
        companies.append((*herd, "crane" if guest != "crane" else "red deer") if mixed else herd)
    order = rng.permutation(bursts)
    begins = FIRST_DAY
    for number in range(bursts):
        begins += timedelta(minutes=int(rng.integers(35, 420)), seconds=int(rng.integers(60)))
        company = companies[order[number]]
        night = bool(rng.uniform() < NIGHT_SHARE) and "crane" not in company
        hour = int(rng.choice([19, 20, 21, 22, 23, 0, 1, 2, 3, 4, 5]) if night else rng.integers(7, 18))
        begins = begins.replace(hour=hour) if hour >= begins.hour else begins.replace(hour=hour) + timedelta(days=1)
        yield Visit(number, number % len(CAMERAS), begins, night, company, min(BURST, count - number * BURST))


def _apportioned(places: int) -> list[str]:
    """As many guests as places, by SHARES, each species at least once where there is room."""
    order = sorted(SHARES, key=lambda species: -SHARES[species])
    guests = order[:places]
    while len(guests) < places:
        guests.append(max(order, key=lambda species: SHARES[species] * places - guests.count(species)))
    return guests


def _burst(visit: Visit, place: Landscape, grain: Array, seed: int) -> Iterator[tuple[Seen, NDArray[np.uint8]]]:
    rng = np.random.default_rng([seed, 1000 + visit.number])
    walks = sorted(_walks(rng, visit.species, place), key=lambda walk: walk.depth)
    weather = rng.uniform(0.86, 1.10), rng.uniform(-0.05, 0.05)
    moment = visit.begins
    for frame in range(visit.frames):
        picture = place.pixels * (1.0 if visit.night else weather[0])
        owners = np.full((HEIGHT_PX - STRIP_PX, WIDTH_PX), -1, np.int16)
        sizes = [_place(picture, owners, row, walk, frame, place, visit.night) for row, walk in enumerate(walks)]
        visible = [(walk.species, _box(owners == row, sizes[row])) for row, walk in enumerate(walks)]
        species = tuple(name for name, box in visible if box is not None)
        boxes = tuple(box for _, box in visible if box is not None)
        picture = _infrared(picture, rng) if visit.night else _daylight(picture, weather[1])
        shift = rng.integers(0, [HEIGHT_PX, WIDTH_PX])
        picture += np.roll(grain, shift, (0, 1))[..., None] * (7.0 if visit.night else 3.0)
        yield Seen(moment, species, boxes), uint8(picture)
        moment += timedelta(seconds=int(rng.integers(1, 4)))


def _walks(rng: np.random.Generator, company: tuple[str, ...], place: Landscape) -> list[Walk]:
    """Where each animal stands: spread over the width, so that they overlap at most a little."""
    left = bool(rng.uniform() < 0.5)
    lanes = rng.permutation(len(company))
    walks = []
    for row, species in enumerate(company):
        room = 0.76 / len(company)
        x = 0.12 + room * (lanes[row] + rng.uniform(0.3, 0.7))
        depth = float(rng.uniform(place.near_top, 0.88 if len(company) == 1 else 0.68))
        walks_on = rng.uniform() < 0.6
        speed = float(rng.uniform(0.05, 0.20)) * (-1 if left else 1) if walks_on else 0.0
        looks_left = left if walks_on or rng.uniform() < 0.7 else not left
        head = float(rng.uniform(0.75, 1.0) if walks_on or rng.uniform() < 0.5 else rng.uniform(0.0, 0.2))
        stride, own = float(rng.uniform(0, 6)), int(rng.integers(1 << 30))
        walks.append(Walk(species, float(x), depth, speed, looks_left, stride, head, own))
    return walks


def _place(
    picture: Array, owners: NDArray[np.int16], row: int, walk: Walk, frame: int, place: Landscape, night: bool
) -> int:
    """Draw one animal with its shadow and the grass at its feet, in place; the nearest comes last.

    owners: (h, w) without the strip, whose pixel this is; row is written where the animal lies. Returns the animal's
    size in pixels, seen or not.
    """
    rng = np.random.default_rng(walk.seed)  # the same coat in every frame
    floor = HEIGHT_PX - STRIP_PX
    ground = int(place.horizon_px + walk.depth * (floor - place.horizon_px))
    px_per_m = PX_PER_M * walk.depth * SIZES[walk.species]
    moves = walk.speed != 0
    stride = walk.stride + (frame * 1.9 if moves else 0.0)
    head = walk.head if moves else float(np.clip(walk.head + 0.05 * np.sin(walk.seed + frame), 0, 1))
    sprite = draw(walk.species, px_per_m, rng, stride=stride, head=head, left=walk.left)
    middle = (walk.x + walk.speed * frame) * WIDTH_PX
    left, top = int(middle - sprite.x_px), ground - sprite.pixels.shape[0]
    if not night:
        _shadow(picture, middle, ground, sprite.pixels.shape[1], px_per_m)
    _paste(picture, sprite, left, top, haze=0.0 if night else 0.20 * (1 - walk.depth), night=night)
    _grass(picture, rng, middle, ground, sprite.pixels.shape[1], px_per_m, place)
    return _own(owners, row, sprite.pixels[:, :, 3] > 127, left, top)


def _own(owners: NDArray[np.int16], row: int, solid: NDArray[np.bool_], left: int, top: int) -> int:
    """Write row where the animal lies between the edges. Returns all its pixels, those outside the photo too."""
    inside = solid[max(0, -top) : max(0, owners.shape[0] - top), max(0, -left) : max(0, owners.shape[1] - left)]
    if inside.size:
        y, x = max(0, top), max(0, left)
        owners[y : y + inside.shape[0], x : x + inside.shape[1]][inside] = row
    return int(solid.sum())


def _box(visible: NDArray[np.bool_], size: int) -> Box | None:
    """The relative box round what can be seen of an animal; None where that is less than LEAST_VISIBLE of it."""
    if visible.sum() < LEAST_VISIBLE * size:
        return None
    rows, columns = np.flatnonzero(visible.any(axis=1)), np.flatnonzero(visible.any(axis=0))
    x0, y0, x1, y1 = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
    return (float(x0 / WIDTH_PX), float(y0 / HEIGHT_PX), float(x1 / WIDTH_PX), float(y1 / HEIGHT_PX))


def _shadow(picture: Array, middle: float, ground: int, width: int, px_per_m: float) -> None:
    """A soft dark pool under the animal, drawn out to the right, away from the sun."""
    reach, flat = width * 0.44, max(3.0, 0.11 * px_per_m)
    top, bottom = max(0, int(ground - flat * 1.5)), min(HEIGHT_PX, int(ground + flat * 1.5))
    across = (np.arange(WIDTH_PX, dtype=np.float32)[None, :] - middle - 0.12 * px_per_m) / reach
    down = (np.arange(top, bottom, dtype=np.float32)[:, None] - ground + flat * 0.2) / flat
    picture[top:bottom] *= (1 - 0.62 * (1 - ramp(np.hypot(across, down), 0.1, 1.1)))[..., None]


def _paste(picture: Array, sprite: Sprite, left: int, top: int, haze: float, night: bool) -> None:
    """Lay the sprite down, as sharp as the camera's lens and as pale as its distance."""
    rgba = np.asarray(Image.fromarray(sprite.pixels, "RGBA").filter(ImageFilter.GaussianBlur(0.6)), np.float32)
    x0, y0 = max(0, -left), max(0, -top)
    x1, y1 = min(rgba.shape[1], WIDTH_PX - left), min(rgba.shape[0], HEIGHT_PX - top)
    if x1 <= x0 or y1 <= y0:
        return
    cut = rgba[y0:y1, x0:x1]
    block = picture[top + y0 : top + y1, left + x0 : left + x1]
    alpha = cut[:, :, 3:] / 255
    colour = cut[:, :, :3] * (1 - haze) + 176.0 * haze
    # infrared light comes from the camera: fur is brighter than the ground behind it
    block[:] = block * (1 - alpha) + (colour * 1.25 + 24.0 if night else colour) * alpha
    if night:
        _eyeshine(picture, left + sprite.eye_px[0], top + sprite.eye_px[1], max(1.6, sprite.eye_px[2] * 1.4))


def _eyeshine(picture: Array, x: float, y: float, radius: float) -> None:
    reach = int(radius * 4) + 1
    top, left = max(0, int(y) - reach), max(0, int(x) - reach)
    block = picture[top : int(y) + reach, left : int(x) + reach]
    if block.size:
        rows = np.arange(top, top + block.shape[0], dtype=np.float32)[:, None] - y
        columns = np.arange(left, left + block.shape[1], dtype=np.float32)[None, :] - x
        block += (900.0 * np.exp(-(rows * rows + columns * columns) / (2 * radius * radius)))[..., None]


def _grass(
    picture: Array, rng: np.random.Generator, middle: float, ground: int, width: int, px_per_m: float, place: Landscape
) -> None:
    """A few blades in front of the feet: an animal stands in its place and not upon it."""
    tall = 0.13 * px_per_m
    top, bottom = max(0, int(ground - tall * 2)), min(HEIGHT_PX, ground + 8)
    left, right = max(0, int(middle - width * 0.6)), min(WIDTH_PX, int(middle + width * 0.6))
    if right - left < 4 or bottom - top < 4:
        return
    image = Image.fromarray(uint8(picture[top:bottom, left:right]))
    pen = ImageDraw.Draw(image)
    for tuft in rng.uniform(0, right - left, 14):
        for _ in range(6):
            blade(pen, rng, tuft + rng.normal(0, 5), ground - top + rng.uniform(0, 6), tall, place.blades)
    picture[top:bottom, left:right] = np.asarray(image, np.float32)


def _daylight(picture: Array, warmth: float) -> Array:
    tinted = picture * np.array([1 + warmth, 1.0, 1 - warmth], np.float32)
    return np.asarray(_blurred(tinted) * (1 - 0.14 * _from_middle())[..., None], np.float32)


def _infrared(picture: Array, rng: np.random.Generator) -> Array:
    """Grey, lit by the camera's own lamp: bright in the middle and near, black in the sky and the distance."""
    grey = _blurred(picture) @ np.array([0.45, 0.40, 0.15], np.float32)
    rows = np.linspace(0, 1, HEIGHT_PX, dtype=np.float32)[:, None]
    lamp = (0.12 + 1.10 * ramp(rows, 0.22, 0.66)) * (1 - 0.62 * _from_middle())
    lit_grey = 245 * (1 - np.exp(-grey * lamp * rng.uniform(0.80, 0.98) / 170))  # film and sensors saturate softly
    return np.repeat((14 + lit_grey * 0.92)[..., None], 3, axis=2).astype(np.float32)


def _from_middle() -> Array:
    """(h, w): 0 in the middle of the photo, 1 in its corners."""
    rows = np.linspace(-1, 1, HEIGHT_PX, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, WIDTH_PX, dtype=np.float32)[None, :]
    return np.asarray(np.clip((rows * rows * 0.8 + columns * columns) / 1.8, 0, 1), np.float32)


def _blurred(picture: Array) -> Array:
    """As through a cheap lens."""
    return np.asarray(Image.fromarray(uint8(picture)).filter(LENS), np.float32)


def _jpeg(picture: NDArray[np.uint8], camera: str, visit: Visit, moment: datetime) -> bytes:
    image = Image.fromarray(picture)
    _strip(image, camera, visit, moment)
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Waterhole", "Drawn scene"
    details = exif.get_ifd(0x8769)
    details[0x9003] = details[0x9004] = f"{moment:%Y:%m:%d %H:%M:%S}"
    details[0xA431] = f"DRAWN-{camera[-1]}"
    target = BytesIO()
    image.save(target, "JPEG", quality=JPEG_QUALITY, exif=exif)
    return target.getvalue()


def _strip(image: Image.Image, camera: str, visit: Visit, moment: datetime) -> None:
    """The line that camera traps print at the foot of a photo."""
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, HEIGHT_PX - STRIP_PX, WIDTH_PX, HEIGHT_PX), fill=(16, 16, 16))
    font = ImageFont.load_default(24)
    line = HEIGHT_PX - STRIP_PX // 2
    temperature = int(np.random.default_rng(visit.number).integers(2, 12) + (0 if visit.night else 9))
    pen.text((16, line), f"DRAWN SCENE   {camera}   {moment:%Y-%m-%d %H:%M:%S}", (238, 238, 238), font, anchor="lm")
    pen.text((WIDTH_PX - 16, line), f"{temperature} °C   WATERHOLE", (238, 238, 238), font, anchor="rm")


def _write_csv(path: Path, truths: list[Truth]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "camera", "captured_at", "night", "count", "species", "boxes"])
        for truth in truths:
            boxes = json.dumps([[round(edge, 5) for edge in box] for box in truth.boxes])
            moment = truth.captured_at.isoformat(sep=" ")
            species = ";".join(truth.species)
            rows.writerow([truth.path, truth.camera, moment, int(truth.night), truth.count, species, boxes])
