"""The figures on the starter networks' cards.

    python -m benchmarks.starter_networks detector --photos ../shared/data/camera-trap --boxes ../shared/data/boxes
    python -m benchmarks.starter_networks embedder --boxes ../shared/data/boxes --pictures ../shared/data/cifar10
    python -m benchmarks.starter_networks speed --photos ../shared/data/camera-trap

Start with OMP_WAIT_POLICY=passive on a machine that does other work too.
"""

import argparse
import csv
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from worker.boxes import iou_matrix, to_relative
from worker.device import Device, find_device
from worker.learning.detector_examples import read_boxed_photos, split_boxed_photos
from worker.learning.detector_measures import average_precision, best_scores, count_above, share_at
from worker.learning.detector_training import STARTER_SEEN_EMPTY
from worker.learning.embedder_examples import read_small_pictures
from worker.learning.embedder_training import pooled_features
from worker.networks.detector import Detections, Detector, load_detector
from worker.networks.embedder import CROP_PX, Crops, load_embedder, stack

Pixels = NDArray[np.uint8]

# Seen by eye to be empty, at places that the training never saw.
EMPTY_PHOTOS = (
    "animl/southwest/B013_IMG_0005_empty.jpeg",
    "animl/peru/SDZG 1/EK000005.JPG",
    "animl/peru/SDZG 1/EK000006.JPG",
)
NO_ANIMAL = ("speciesnet/human.jpg", "speciesnet/vehicle.jpg")
# Photos with an animal, and a share of their width (from, to) that shows none; mirrored until it fills the photo.
EMPTY_PARTS = (
    ("RCNX0031", 0.0, 0.37),
    ("RCNX0040", 0.0, 0.45),
    ("SDZG 1/EK000037", 0.48, 1.0),
    ("SDZG 1/EK000038", 0.48, 1.0),
    ("SDZG 1/EK000039", 0.48, 1.0),
    ("SDZG 1/EK000004", 0.0, 0.75),
    ("SDZG 1/EK000055", 0.0, 0.4),
    ("SDZG 1/EK000056", 0.0, 0.4),
    ("SDZG 1/EK000058", 0.55, 1.0),
    ("SDZG 1/EK000060", 0.55, 1.0),
    ("R13c_IMG_0491", 0.68, 1.0),
    ("R13c_IMG_1433", 0.4, 1.0),
    ("R13c_IMG_1468", 0.38, 1.0),
    ("R13c_IMG_5281", 0.45, 1.0),
    ("R13_IMG_5919", 0.74, 1.0),
    ("R13c_IMG_8033", 0.0, 0.27),
    ("R13c_IMG_8698", 0.6, 1.0),
    ("R13B_IMG_1312", 0.0, 0.4),
    ("R13B_IMG_1312", 0.65, 1.0),
    ("R13B_IMG_3739", 0.0, 0.6),
    ("R38_IMG_1835", 0.5, 1.0),
    ("R38_IMG_5096", 0.6, 1.0),
    ("R50b_RCNX0082", 0.0, 0.35),
    ("R59_RCNX0375", 0.0, 0.4),
    ("R59_RCNX0375", 0.6, 1.0),
    ("R59_RCNX1998", 0.65, 1.0),
    ("R59_RCNX1998", 0.0, 0.25),
    ("R49_RCNX0991", 0.4, 1.0),
    ("R49_RCNX0945", 0.75, 1.0),
)
THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["detector", "embedder", "speed"])
    parser.add_argument("--source", default="starter", help="starter, or a checkpoint's path")
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    device = find_device()
    print(device.line, "bf16" if device.fast_bf16 else "float32")
    if asked.what == "detector":
        measure_detector(load_detector(asked.source, device), asked.photos, asked.boxes)
    elif asked.what == "embedder":
        measure_embedder(asked.source, device, asked.boxes, asked.pictures)
    else:
        measure_speed(device, asked.photos)


def measure_detector(detector: Detector, photos: Path, boxes: Path) -> None:
    """Animals found and false alarms on camera-trap photos; average precision on held-out web photos."""
    with (photos / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    # the training's own empties are measured neither as animals nor as empties
    left_out = {*EMPTY_PHOTOS, *STARTER_SEEN_EMPTY, *NO_ANIMAL}
    with_animal = [row for row in rows if row["species"] != "blank" and row["path"] not in left_out]
    answers = {row["path"]: detect(detector, open_photo(photos / row["path"])) for row in with_animal}
    animals = best_scores([answer.scores for answer in answers.values()])
    empties = best_scores([detect(detector, empty).scores for empty in empty_scenes(photos, rows)])
    cut = count_above(empties)
    print(f"{len(animals)} photos with an animal, {len(empties)} empties of other places than the training's")
    for threshold in sorted({*THRESHOLDS, cut, round(cut / 3, 2)}):
        found, false = share_at(animals, threshold), share_at(empties, threshold)
        print(f"  at {threshold:.2f}  animal found {found:6.1%}  false alarm {false:6.1%}")
    print(f"count_above {cut:.2f}: at most 5% of the empties have a false box")
    for place in sorted({"/".join(path.split("/")[:2]) for path in answers if path.startswith("animl")}):
        best = best_scores([answer.scores for path, answer in answers.items() if path.startswith(place)])
        print(f"  {place}: found {share_at(best, cut):.0%} of {len(best)}, {share_at(best, cut / 3):.0%} at a third")
    boxed = [(answers[row["path"]], json.loads(row["boxes"])) for row in with_animal if row["boxes"]]
    hits = [overlaps(answer.above(0.3), given) for answer, given in boxed]
    print(f"the data set's own boxes met with IoU >= 0.5 by a box >= 0.3: {np.mean(hits):.0%} of {len(hits)} photos")
    _, held_out = split_boxed_photos(read_boxed_photos(boxes))
    truth = [to_relative(photo.boxes_xyxy, photo.open().height, photo.open().width) for photo in held_out]
    found_boxes = [detect(detector, np.asarray(photo.open())) for photo in held_out]
    precision = average_precision([(found.boxes_xyxy, found.scores) for found in found_boxes], truth)
    print(f"web photos held out: AP50 {precision:.3f} ({sum(map(len, truth))} boxes, {len(held_out)} photos)")


def empty_scenes(photos: Path, rows: list[dict[str, str]]) -> list[Pixels]:
    """Whole empty photos, parts without an animal, and the wider side beside the boxes that a data set gives."""
    scenes = [open_photo(photos / path) for path in EMPTY_PHOTOS]
    for name, low, high in EMPTY_PARTS:
        (path,) = [row["path"] for row in rows if name in row["path"]]
        scenes.append(mirrored(open_photo(photos / path), low, high))
    for row in rows:
        given = np.array(json.loads(row["boxes"] or "[]"), np.float32).reshape(-1, 4)
        if len(given) == 0:
            continue
        left, right = float(given[:, 0].min()), float((given[:, 0] + given[:, 2]).max())
        low, high = (0.0, left - 0.02) if left > 1 - right else (right + 0.02, 1.0)
        if high - low >= 0.25:
            scenes.append(mirrored(open_photo(photos / row["path"]), low, high))
    return scenes


def mirrored(photo: Pixels, low: float, high: float) -> Pixels:
    """A vertical strip (shares of the width), repeated as in facing mirrors to the photo's width: same grain, no animal."""
    width = photo.shape[1]
    part = photo[:, int(low * width) : int(high * width)]
    return np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), mode="symmetric")


def overlaps(answer: Detections, given_xywh: list[list[float]]) -> bool:
    given = np.array(given_xywh, np.float32).reshape(-1, 4)
    given[:, 2:] += given[:, :2]
    return bool(iou_matrix(given, answer.boxes_xyxy).max(initial=0.0) >= 0.5)


def detect(detector: Detector, photo: Pixels) -> Detections:
    return detector.predict([detector.preprocess(photo)], [(photo.shape[0], photo.shape[1])])[0]


def open_photo(path: Path) -> Pixels:
    photo = Image.open(path)
    photo.draft("RGB", (1500, 1500))
    return np.asarray(ImageOps.exif_transpose(photo).convert("RGB"))


def measure_embedder(source: str, device: Device, boxes: Path, pictures: Path) -> None:
    """5-NN accuracy of the 256 numbers and of the trunk's 1280, on crops of three species and on small pictures."""
    embedder = load_embedder(source, device)
    crops, names, photos = boxed_crops(boxes)
    known, known_names = read_small_pictures(pictures, "train", 2500, seed=0)
    asked, asked_names = read_small_pictures(pictures, "test", 600, seed=0)
    spaces: dict[str, Callable[[Crops], NDArray[np.float32]]] = {
        "256 numbers": embedder.embed,
        "1280 numbers": lambda some: unit(pooled_features(embedder.network, some, device)),
    }
    for name, embed in spaces.items():
        own = embed(crops)
        near = own @ own.T
        near[photos[:, None] == photos[None, :]] = -2  # two animals of one photo would answer for each other
        small = embed(asked) @ embed(known).T
        print(
            f"{name}: 5-NN {five_nearest(near, names, names):.2%} of {len(crops)} crops of three species, "
            f"{five_nearest(small, known_names, asked_names):.2%} of {len(asked)} small pictures"
        )


def boxed_crops(folder: Path) -> tuple[Crops, NDArray[np.str_], NDArray[np.int64]]:
    """Every box as a crop (n, 256, 256, 3), its species (n,) and the number of its photo (n,)."""
    crops, names, numbers = [], [], []
    for number, boxed in enumerate(read_boxed_photos(folder)):
        photo = boxed.open()
        for box, kind in zip(boxed.boxes_xyxy.tolist(), boxed.kinds, strict=True):
            left, top, right, bottom = (int(side) for side in box)
            crop = photo.crop((left, top, right, bottom)).resize((CROP_PX, CROP_PX), Image.Resampling.BILINEAR)
            crops.append(np.asarray(crop))
            names.append(kind)
            numbers.append(number)
    return stack(crops), np.array(names), np.array(numbers)


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def five_nearest(near: NDArray[np.float32], known: NDArray[np.str_], true: NDArray[np.str_]) -> float:
    """near: (n, m) similarity. The commonest name of the five nearest; the nearer wins a tie."""
    right = 0
    for row, name in zip(np.argsort(-near, axis=1)[:, :5], true, strict=True):
        votes: dict[str, float] = {}
        for rank, column in enumerate(row):
            votes[known[column]] = votes.get(known[column], 0.0) + 1 + 0.001 * (5 - rank)
        right += max(votes, key=lambda candidate: votes[candidate]) == name
    return right / len(true)


def measure_speed(device: Device, photos: Path) -> None:
    """Photos and crops a second, the best of five; preprocess from 2048 x 1536."""
    photo = open_photo(photos / "camtrap-dp-example/media/20210531082538-RCNX0031.JPG")
    large = np.asarray(Image.fromarray(photo).resize((2048, 1536)))
    crops = np.random.default_rng(0).integers(0, 256, (64, CROP_PX, CROP_PX, 3), dtype=np.uint8)
    for bf16 in (False, True):
        for batch in (1, 4, 8):
            detector = load_detector("starter", replace(device, fast_bf16=bf16, photos=batch))
            tensors = [detector.preprocess(large)] * 8
            rate = 8 / fastest(lambda d=detector, t=tensors: d.predict(t, [(1536, 2048)] * 8))  # type: ignore[misc]
            print(f"detector {'bf16' if bf16 else 'float32'} batch {batch}: {rate:.1f} photos/s")
        for batch in (8, 32):
            embedder = load_embedder("starter", replace(device, fast_bf16=bf16, crops=batch))
            rate = 64 / fastest(lambda e=embedder: e.embed(crops))  # type: ignore[misc]
            print(f"embedder {'bf16' if bf16 else 'float32'} batch {batch}: {rate:.1f} crops/s")
    print(f"preprocess: {1 / fastest(lambda: detector.preprocess(large)):.0f} photos/s")


def fastest(work: Callable[[], object], repeats: int = 5) -> float:
    """Seconds of the fastest run, after one that warms up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)


if __name__ == "__main__":
    main()
