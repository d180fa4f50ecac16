"""Training pictures for the detector: web photos with boxes, empty scenes, and drawn mixtures of both.

Decisions: every example is a function of (seed, step, number), so a resumed training sees what an unbroken one would
have seen; more than a third are empty, as most camera-trap photos are; animals are shrunk and pasted into other scenes,
because web photos show them large; half are made to look like night. What an animal-free paste looks like is drawn too
(decoys), else the network would learn the edge of the paste instead of the animal.
"""

import csv
import io
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from worker.learning.field_photos import FieldPhoto, Labels, view

Pixels = NDArray[np.uint8]  # (h, w, 3) RGB
Boxes = NDArray[np.float32]  # (n, 4) xyxy in pixels
Box = tuple[float, float, float, float]

CANVASES = ((384, 512), (384, 512), (384, 640))  # height, width; 4:3 is the commoner photo
FIELD_SHARE = 0.6  # of all examples, where there are boxed camera-trap photos
EMPTY_SHARE, PASTED_SHARE = 0.36, 0.26  # of the others; the rest are whole web photos
MIN_SIDE_PX = 9.0  # an animal drawn thinner than this is not worth a box
MIN_CONTRAST = 5.0  # grey levels (0..255)
HELD_OUT_EVERY = 12  # each twelfth boxed picture is kept for measuring


SMALL_SHARE = 0.45  # of the pasted animals and decoys, where there are small pictures
SMALL_MARGIN = 0.07  # of a small picture's side lies around its animal


def no_pictures() -> Pixels:
    return np.empty((0, 32, 32, 3), np.uint8)


@dataclass(frozen=True)
class BoxedPhoto:
    """A photo (as encoded bytes, they are small) and the animals that a person marked in it."""

    path: str
    encoded: bytes
    boxes_xyxy: Boxes
    kinds: tuple[str, ...]

    def open(self) -> Image.Image:
        return Image.open(io.BytesIO(self.encoded)).convert("RGB")


@dataclass(frozen=True)
class Example:
    """photo: (h, w, 3) uint8. boxes_xyxy: (n, 4) float32 in its pixels; n = 0 means that it is empty. labels: (n,), or all 1."""

    photo: Pixels
    boxes_xyxy: Boxes
    labels: Labels | None = None


@dataclass(frozen=True)
class Sources:
    """What examples are drawn from. empties: whole photos without an animal, any size.

    field_photos: camera-trap photos with boxes drawn by a person, those without an animal too (no boxes).
    small_animals, small_things: (n, 32, 32, 3) uint8, one animal or one other thing that fills most of its picture; they
    are pasted as distant animals and as decoys, because three species are too few to learn "animal" from.
    """

    photos: Sequence[BoxedPhoto]
    empties: Sequence[Image.Image]
    field_photos: Sequence[FieldPhoto] = ()
    small_animals: Pixels = field(default_factory=no_pictures)
    small_things: Pixels = field(default_factory=no_pictures)


def read_boxed_photos(folder: Path) -> list[BoxedPhoto]:
    """`boxes.csv` (path, x_min, y_min, x_max, y_max in pixels, class) and `boxes.tar` in this folder, sorted by path."""
    boxes: dict[str, list[tuple[float, ...]]] = {}
    kinds: dict[str, list[str]] = {}
    with (folder / "boxes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            sides = tuple(float(row[name]) for name in ("x_min", "y_min", "x_max", "y_max"))
            boxes.setdefault(row["path"], []).append(sides)
            kinds.setdefault(row["path"], []).append(row["class"])
    photos = []
    with tarfile.open(folder / "boxes.tar") as tar:
        for path in sorted(boxes):
            member = tar.extractfile(path)
            if member is None:
                raise FileNotFoundError(f"{path} of boxes.csv is not a file in boxes.tar")
            encoded = member.read()
            photos.append(BoxedPhoto(path, encoded, np.array(boxes[path], np.float32), tuple(kinds[path])))
    return photos


def split_boxed_photos(photos: Sequence[BoxedPhoto]) -> tuple[list[BoxedPhoto], list[BoxedPhoto]]:
    """For training, for measuring: each twelfth picture by path is held out."""
    held_out = [photo for number, photo in enumerate(photos) if number % HELD_OUT_EVERY == 0]
    return [photo for number, photo in enumerate(photos) if number % HELD_OUT_EVERY], held_out


def draw_batch(sources: Sources, seed: int, step: int, size: int) -> list[Example]:
    """The examples of one step, all of one canvas. Equal arguments give equal pixels."""
    canvas = CANVASES[int(np.random.default_rng([seed, step]).integers(len(CANVASES)))]
    return [draw_example(sources, np.random.default_rng([seed, step, number]), canvas) for number in range(size)]


def draw_example(sources: Sources, rng: np.random.Generator, canvas: tuple[int, int]) -> Example:
    """One picture of canvas (height, width) pixels."""
    if len(sources.field_photos) and rng.random() < FIELD_SHARE:
        return draw_field_example(rng, sources.field_photos[int(rng.integers(len(sources.field_photos)))], canvas)
    boxes: list[Box] = []
    dice = rng.random()
    if dice < EMPTY_SHARE:
        photo = _empty_scene(sources, rng, canvas)
        if rng.random() < 0.5:
            for _ in range(int(rng.integers(1, 4))):
                photo = _paste_decoy(sources, rng, photo)
    elif dice < EMPTY_SHARE + PASTED_SHARE:
        photo, boxes = _pasted_animals(sources, rng, _empty_scene(sources, rng, canvas))
    else:
        photo, boxes = _web_photo(sources, rng, canvas)
    return _finished(rng, _camera_look(rng, photo), boxes)


def draw_field_example(rng: np.random.Generator, photo: FieldPhoto, canvas: tuple[int, int]) -> Example:
    """A view of a camera-trap photo; half of them are given another look, though they have a camera's look already."""
    picture, boxes, rows = view(rng, photo, canvas)
    labels = None if photo.labels is None else photo.labels[rows]
    return _finished(rng, _camera_look(rng, picture) if rng.random() < 0.5 else picture, boxes, labels)


def _finished(rng: np.random.Generator, photo: Image.Image, boxes: list[Box], labels: Labels | None = None) -> Example:
    """Half are mirrored; a box in which nothing can be seen goes."""
    if rng.random() < 0.5:
        width = photo.width
        photo = ImageOps.mirror(photo)
        boxes = [(width - x2, y1, width - x1, y2) for x1, y1, x2, y2 in boxes]
    pixels = np.asarray(photo, dtype=np.uint8)
    seen = [row for row, box in enumerate(boxes) if _contrast(pixels, box) >= MIN_CONTRAST]
    kept = np.array([boxes[row] for row in seen], np.float32).reshape(-1, 4)
    return Example(pixels, kept, None if labels is None else labels[seen])


def _contrast(pixels: Pixels, box: Box) -> float:
    """Standard deviation of the grey values inside a box: near 0 where night has swallowed the animal."""
    x1, y1, x2, y2 = (int(side) for side in box)
    return float(pixels[y1 : y2 + 1, x1 : x2 + 1].mean(2).std())


def _web_photo(sources: Sources, rng: np.random.Generator, canvas: tuple[int, int]) -> tuple[Image.Image, list[Box]]:
    """A whole boxed photo, shrunk onto a larger scene or fitted to the canvas; sometimes stretched a little."""
    source = sources.photos[int(rng.integers(len(sources.photos)))]
    photo = source.open()
    height, width = canvas
    share = 1.0 if rng.random() < 0.35 else float(rng.uniform(0.3, 1.0))
    stretch = float(np.exp(rng.uniform(-0.15, 0.15)))
    scale = share * min(height / photo.height, width / photo.width)
    size = (
        min(width, max(16, round(photo.width * scale * stretch))),
        min(height, max(16, round(photo.height * scale))),
    )
    left, top = int(rng.integers(width - size[0] + 1)), int(rng.integers(height - size[1] + 1))
    dice = rng.random()
    if dice < 0.4:  # its own blurred copy around it
        scene = photo.resize((width, height)).filter(ImageFilter.GaussianBlur(18))
    elif dice < 0.55:
        scene = Image.new("RGB", (width, height), tuple(int(value) for value in rng.integers(0, 256, 3)))
    else:
        scene = _empty_scene(sources, rng, canvas)
    scene.paste(photo.resize(size, Image.Resampling.BILINEAR), (left, top))
    x_scale, y_scale = size[0] / photo.width, size[1] / photo.height
    boxes = [
        (left + x1 * x_scale, top + y1 * y_scale, left + x2 * x_scale, top + y2 * y_scale)
        for x1, y1, x2, y2 in source.boxes_xyxy.tolist()
    ]
    return scene, [box for box in boxes if min(box[2] - box[0], box[3] - box[1]) >= MIN_SIDE_PX]


def _pasted_animals(sources: Sources, rng: np.random.Generator, scene: Image.Image) -> tuple[Image.Image, list[Box]]:
    """One to three animals, cut out with soft edges, in a scene that has none; now and then a decoy beside them."""
    boxes: list[Box] = []
    for _ in range(int(rng.choice([1, 1, 1, 2, 3]))):
        small = len(sources.small_animals) > 0 and rng.random() < SMALL_SHARE
        animal = _small(rng, sources.small_animals) if small else _large_animal(sources, rng)
        longest = float(np.exp(rng.uniform(np.log(24), np.log(120 if small else 260))))
        box = _paste(rng, scene, animal, longest)
        if box is None or any(_overlap(box, other) for other in boxes):
            continue
        _paste(rng, scene, animal, longest, box)
        boxes.append(_shrunk(box, SMALL_MARGIN) if small else box)
    if rng.random() < 0.4:
        scene = _paste_decoy(sources, rng, scene, boxes)
    return scene, boxes


def _large_animal(sources: Sources, rng: np.random.Generator) -> Image.Image:
    source = sources.photos[int(rng.integers(len(sources.photos)))]
    number = int(rng.integers(len(source.boxes_xyxy)))
    x1, y1, x2, y2 = source.boxes_xyxy[number].tolist()
    return source.open().crop((int(x1), int(y1), int(x2) + 1, int(y2) + 1))


def _small(rng: np.random.Generator, pictures: Pixels) -> Image.Image:
    """One small picture, a little wider or higher than it was, enlarged smoothly so that its pixels do not show."""
    side = np.exp(rng.uniform(-0.2, 0.2))
    size = (round(128 * float(side)), round(128 / float(side)))
    picture = Image.fromarray(pictures[int(rng.integers(len(pictures)))])
    return picture.resize(size, Image.Resampling.BICUBIC)


def _shrunk(box: Box, share: float) -> Box:
    x, y = (box[2] - box[0]) * share, (box[3] - box[1]) * share
    return (box[0] + x, box[1] + y, box[2] - x, box[3] - y)


def _paste(
    rng: np.random.Generator, scene: Image.Image, piece: Image.Image, longest_px: float, at: Box | None = None
) -> Box | None:
    """Choose a place for the piece (at=None), or draw it there with soft edges. The place is its box."""
    if at is None:
        scale = longest_px / max(piece.size)
        width, height = round(piece.width * scale), round(piece.height * scale)
        if min(width, height) < MIN_SIDE_PX or width >= scene.width or height >= scene.height:
            return None
        left, top = int(rng.integers(scene.width - width)), int(rng.integers(scene.height - height))
        return (left, top, left + width, top + height)
    left, top, right, bottom = (int(side) for side in at)
    size = (right - left, bottom - top)
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    power = float(rng.uniform(3, 8))  # a rounded rectangle: most boxes are filled by their animal but for the corners
    soft = np.clip((1 - (np.abs(x) ** power + np.abs(y) ** power)) * float(rng.uniform(1.5, 5)), 0, 1)
    drawn = piece.resize(size, Image.Resampling.BILINEAR)
    if rng.random() < 0.6:  # take the light of the place
        here = np.asarray(scene.crop((left, top, right, bottom)), np.float32).mean((0, 1)) + 8
        own = np.asarray(drawn, np.float32).mean((0, 1)) + 8
        gain = 1 + float(rng.uniform(0.3, 0.9)) * (np.clip(here / own, 0.3, 2.5) - 1)
        drawn = Image.fromarray(np.clip(np.asarray(drawn, np.float32) * gain, 0, 255).astype(np.uint8))
    scene.paste(drawn, (left, top), Image.fromarray((soft * 255).astype(np.uint8)))
    return at


def _paste_decoy(
    sources: Sources, rng: np.random.Generator, scene: Image.Image, keep_clear: Sequence[Box] = ()
) -> Image.Image:
    """A piece of an animal-free scene, or a thing, pasted just as an animal would be; it gets no box."""
    if len(sources.small_things) and rng.random() < SMALL_SHARE:
        piece = _small(rng, sources.small_things)
    else:
        side = int(rng.integers(64, 200))
        piece = _empty_scene(sources, rng, (side, int(side * rng.uniform(0.6, 1.7))))
    box = _paste(rng, scene, piece, float(np.exp(rng.uniform(np.log(24), np.log(200)))))
    if box is not None and not any(_overlap(box, other) for other in keep_clear):
        _paste(rng, scene, piece, 0.0, box)
    return scene


def _overlap(a: Box, b: Box) -> bool:
    return bool(min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1]))


def _empty_scene(sources: Sources, rng: np.random.Generator, canvas: tuple[int, int]) -> Image.Image:
    """A picture of (height, width) without an animal; half of them are two scenes that run into each other."""
    scene = _plain_scene(sources, rng, canvas)
    if rng.random() < 0.5:
        return scene
    height, width = canvas
    grain = int(rng.integers(20, 160))
    clouds = rng.normal(0.5, 0.6, (max(2, height // grain), max(2, width // grain))).astype(np.float32)
    mask = np.asarray(Image.fromarray(clouds).resize((width, height), Image.Resampling.BICUBIC))
    shares = Image.fromarray((np.clip(mask, 0, 1) * 255).astype(np.uint8))
    return Image.composite(scene, _plain_scene(sources, rng, canvas), shares)


def _plain_scene(sources: Sources, rng: np.random.Generator, canvas: tuple[int, int]) -> Image.Image:
    """Part of an empty photo, part of a web photo beside its boxes, or drawn clouds of noise."""
    dice = rng.random()
    if dice < 0.4 and sources.empties:
        empty = sources.empties[int(rng.integers(len(sources.empties)))]
        return _random_part(rng, empty, canvas)
    if dice < 0.93:
        for _ in range(6):
            part = _part_beside_boxes(sources, rng)
            if part is not None:
                return _mirrored(rng, part, canvas) if rng.random() < 0.5 else _random_part(rng, part, canvas)
    return _cloudy_scene(rng, canvas)


def _random_part(rng: np.random.Generator, photo: Image.Image, canvas: tuple[int, int]) -> Image.Image:
    share, shape = float(rng.uniform(0.45, 1.0)), canvas[1] / canvas[0] * float(np.exp(rng.uniform(-0.4, 0.4)))
    width = max(8, int(share * min(photo.width, photo.height * shape)))
    height = max(8, min(photo.height, int(width / shape)))
    left = int(rng.integers(max(1, photo.width - width + 1)))
    top = int(rng.integers(max(1, photo.height - height + 1)))
    part = photo.crop((left, top, left + width, top + height))
    return part.resize((canvas[1], canvas[0]), Image.Resampling.BILINEAR)


def _mirrored(rng: np.random.Generator, part: Image.Image, canvas: tuple[int, int]) -> Image.Image:
    """The part repeated as in facing mirrors until the canvas is full: its grain stays as fine as it was."""
    height, width = canvas
    scale = float(np.exp(rng.uniform(np.log(0.5), np.log(1.6))))
    tile = np.asarray(part.resize((max(32, int(part.width * scale)), max(32, int(part.height * scale)))))
    more = ((0, max(0, height - tile.shape[0])), (0, max(0, width - tile.shape[1])), (0, 0))
    full = np.pad(tile, more, mode="symmetric")
    top = int(rng.integers(full.shape[0] - height + 1))
    left = int(rng.integers(full.shape[1] - width + 1))
    return Image.fromarray(full[top : top + height, left : left + width])


def _part_beside_boxes(sources: Sources, rng: np.random.Generator) -> Image.Image | None:
    """The largest strip left, right, above or below all boxes of a photo, if it is at least 80 px thick."""
    source = sources.photos[int(rng.integers(len(sources.photos)))]
    photo = source.open()
    x1, y1 = source.boxes_xyxy[:, :2].min(0).tolist()
    x2, y2 = source.boxes_xyxy[:, 2:].max(0).tolist()
    margin = 4
    strips = [
        (0, 0, x1 - margin, photo.height),
        (x2 + margin, 0, photo.width, photo.height),
        (0, 0, photo.width, y1 - margin),
        (0, y2 + margin, photo.width, photo.height),
    ]
    strips = [strip for strip in strips if min(strip[2] - strip[0], strip[3] - strip[1]) >= 80]
    if not strips:
        return None
    left, top, right, bottom = (int(side) for side in strips[int(rng.integers(len(strips)))])
    return photo.crop((left, top, right, bottom))


def _cloudy_scene(rng: np.random.Generator, canvas: tuple[int, int]) -> Image.Image:
    """Noise of several grain sizes around a random colour, with a horizon now and then."""
    height, width = canvas
    scene = np.zeros((height, width, 3), np.float32) + rng.uniform(20, 200, 3)
    for grain in (4, 9, 25, 80):
        noise = rng.normal(0, 1, (max(2, height // grain), max(2, width // grain)))
        layer = Image.fromarray(noise.astype(np.float32)).resize((width, height), Image.Resampling.BICUBIC)
        scene += np.asarray(layer)[..., None] * rng.uniform(4, 28) * rng.uniform(0.6, 1.2, 3)
    if rng.random() < 0.4:
        scene[: int(height * rng.uniform(0.1, 0.6))] += rng.uniform(-70, 70, 3)
    return Image.fromarray(np.clip(scene, 0, 255).astype(np.uint8))


def _camera_look(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    """Night (grey, a lit middle, dark edges), dusk, glare, haze, blur, sensor noise, an information bar, JPEG blocks."""
    pixels = np.asarray(photo, np.float32) / 255
    height, width = pixels.shape[:2]
    if rng.random() < 0.45:
        pixels = np.repeat(pixels @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
        if rng.random() < 0.7:  # the flash lights a patch and leaves the rest dark
            y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
            away = ((x - rng.uniform(0.2, 0.8)) / rng.uniform(0.35, 0.9)) ** 2 + (
                (y - rng.uniform(0.3, 0.9)) / rng.uniform(0.35, 0.9)
            ) ** 2
            pixels = pixels * (rng.uniform(0.05, 0.4) + rng.uniform(0.5, 1.3) * np.exp(-away))[..., None]
    else:
        pixels = pixels * rng.uniform(0.85, 1.15, 3)
        grey = pixels.mean(2, keepdims=True)
        pixels = grey + (pixels - grey) * rng.uniform(0.3, 1.3)
    pixels = np.clip(pixels, 0, 1) ** np.exp(rng.uniform(-0.45, 0.45))
    pixels = (pixels - 0.5) * rng.uniform(0.6, 1.25) + 0.5 + rng.uniform(-0.15, 0.12)
    if rng.random() < 0.5:
        pixels = pixels + rng.normal(0, rng.uniform(0.005, 0.05), (height, width, 1))
    look = Image.fromarray((np.clip(pixels, 0, 1) * 255).astype(np.uint8))
    if rng.random() < 0.25:
        look = look.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.4, 1.6))))
    if rng.random() < 0.3:
        look = _information_bar(rng, look)
    if rng.random() < 0.3:
        encoded = io.BytesIO()
        look.save(encoded, "JPEG", quality=int(rng.integers(30, 80)))
        look = Image.open(encoded).convert("RGB")
    return look


def _information_bar(rng: np.random.Generator, photo: Image.Image) -> Image.Image:
    """Black or white, 3 to 6% of the height, at the bottom or top, with specks where cameras write date and heat."""
    thick = max(6, int(photo.height * rng.uniform(0.03, 0.06)))
    paper, ink = (0, 230) if rng.random() < 0.5 else (255, 20)
    bar = np.full((thick, photo.width, 3), paper, np.uint8)
    specks = rng.random((thick // 2, photo.width // 2)) < 0.35
    written = np.zeros((thick, photo.width), bool)
    big = np.repeat(np.repeat(specks, 2, 0), 2, 1)
    written[: big.shape[0], : big.shape[1]] = big
    written &= (np.sin(np.arange(photo.width) / rng.uniform(8, 40)) > 0.2)[None, :]
    written[:2] = written[-2:] = False
    bar[written] = ink
    photo = photo.copy()
    photo.paste(Image.fromarray(bar), (0, 0 if rng.random() < 0.4 else photo.height - thick))
    return photo
