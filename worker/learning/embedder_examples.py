"""Small labelled pictures from an archive, drawn by a seed: the starter embedder is fitted on them."""

import csv
import io
import tarfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from worker.networks.embedder import CROP_PX, Crops


def read_small_pictures(
    folder: Path, split: str, count: int, seed: int, side_px: int = CROP_PX
) -> tuple[Crops, NDArray[np.str_]]:
    """`cifar10.tar.gz` and `labels.csv` (path, split, label) in this folder -> crops (n, side, side, 3), names (n,).

    Equal arguments give equal crops in equal order; the pictures are enlarged bilinearly from 32 x 32.
    """
    with (folder / "labels.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == split]
    order = np.random.default_rng(seed).permutation(len(rows))[:count]
    number = {rows[row]["path"]: position for position, row in enumerate(order)}
    crops = np.zeros((len(order), side_px, side_px, 3), np.uint8)
    missing = set(number)
    with tarfile.open(folder / "cifar10.tar.gz") as tar:
        for member in tar:
            encoded = tar.extractfile(member) if member.name in number else None
            if encoded is not None:
                picture = Image.open(io.BytesIO(encoded.read())).convert("RGB")
                resized = picture.resize((side_px, side_px), Image.Resampling.BILINEAR)
                crops[number[member.name]] = np.asarray(resized)
                missing.discard(member.name)
    if missing:
        raise FileNotFoundError(f"{len(missing)} pictures of labels.csv are not in the archive, {min(missing)} first")
    return crops, np.array([rows[row]["label"] for row in order])
