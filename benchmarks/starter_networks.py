"""The figures on the starter networks' cards.

    python -m benchmarks.starter_networks embedder --boxes ../shared/data/boxes --pictures ../shared/data/cifar10

Start with OMP_WAIT_POLICY=passive on a machine that does other work too.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.device import Device, find_device
from worker.learning.detector_examples import read_boxed_photos
from worker.learning.embedder_examples import read_small_pictures
from worker.learning.embedder_training import pooled_features
from worker.networks.embedder import CROP_PX, Crops, load_embedder, stack

Pixels = NDArray[np.uint8]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["embedder"])
    parser.add_argument("--source", default="starter", help="starter, or a checkpoint's path")
    parser.add_argument("--boxes", type=Path)
    parser.add_argument("--pictures", type=Path)
    asked = parser.parse_args()
    device = find_device()
    print(device.line, "bf16" if device.fast_bf16 else "float32")
    measure_embedder(asked.source, device, asked.boxes, asked.pictures)


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


if __name__ == "__main__":
    main()
