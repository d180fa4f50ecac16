"""Small pictures of known class as a camera-trap study: each is a photo that one animal fills, with a box that says so.

Two parts of one folder: the pool, whose boxes have the score ASKED, and pictures to measure on, whose boxes have UNASKED.
Between the two lies the score from which rounds ask: the latter get crop, vector and prediction like any photo, and nobody
is ever asked about them.
"""

from __future__ import annotations

import csv
import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ASKED, UNASKED = 1.0, 0.6
INGEST_ABOVE, ASK_ABOVE = 0.5, 0.9
PHOTOS_A_CAMERA = 400


@dataclass(frozen=True)
class Picture:
    """One picture of the archive, as it lies there."""

    label: str
    content: bytes


def write_study(folder: Path, archive: Path, pool: int, test: int, seed: int) -> None:
    """Write below `folder`: photos/Camera 01/0001.jpg ..., boxes.json (MegaDetector results), truth.json (path -> class).

    archive: folder with cifar10.tar.gz and labels.csv (path, split, label). pool, test: how many of its training and test
    pictures, equally many of each class, no bytes twice. Equal arguments write equal files. Raises SystemExit.
    """
    rng = np.random.default_rng(seed)
    found = read_pictures(archive)
    seen: set[str] = set()
    parts = [
        (draw(found["train"], pool, seen, rng), ASKED),
        (draw(found["test"], test, seen, rng), UNASKED),
    ]
    truth: dict[str, str] = {}
    images = []
    camera = 0
    for pictures, score in parts:
        for number, picture in enumerate(pictures):
            camera += number % PHOTOS_A_CAMERA == 0
            path = f"Camera {camera:02}/{number % PHOTOS_A_CAMERA + 1:04}.jpg"
            place = folder / "photos" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(picture.content)
            truth[path] = picture.label
            images.append({"file": path, "detections": [whole(score)]})
    results = {
        "info": {"format_version": "1.3", "detector": "whole pictures"},
        "detection_categories": {"1": "animal"},
        "images": images,
    }
    (folder / "boxes.json").write_text(json.dumps(results))
    (folder / "truth.json").write_text(json.dumps(truth))


def whole(score: float) -> dict[str, object]:
    """An animal that fills the photo."""
    return {"category": "1", "conf": score, "bbox": [0.0, 0.0, 1.0, 1.0]}


def read_pictures(archive: Path) -> dict[str, list[Picture]]:
    """split -> its pictures, in the order of labels.csv."""
    with (archive / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    contents: dict[str, bytes] = {}
    with tarfile.open(archive / "cifar10.tar.gz") as tar:
        for member in tar:
            file_in_tar = tar.extractfile(member)
            if file_in_tar is not None:
                contents[member.name] = file_in_tar.read()
    splits: dict[str, list[Picture]] = {"train": [], "test": []}
    for row in rows:
        splits[row["split"]].append(Picture(row["label"], contents[row["path"]]))
    return splits


def draw(pictures: list[Picture], count: int, seen: set[str], rng: np.random.Generator) -> list[Picture]:
    """`count` pictures in random order, equally many of each class, none whose bytes were drawn before."""
    labels = sorted({picture.label for picture in pictures})
    if count % len(labels):
        raise SystemExit(f"{count} pictures cannot be shared equally among {len(labels)} classes")
    wanted = dict.fromkeys(labels, count // len(labels))
    drawn = []
    for at in rng.permutation(len(pictures)).tolist():
        picture = pictures[at]
        sha256 = hashlib.sha256(picture.content).hexdigest()
        if wanted[picture.label] and sha256 not in seen:
            seen.add(sha256)
            wanted[picture.label] -= 1
            drawn.append(picture)
    if any(wanted.values()):
        raise SystemExit(f"the archive has no {count} different pictures of equally many classes")
    return drawn
