"""Vectors of a study, computed once for each checkpoint and kept in a file that every course maps into its memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from worker.device import Device
from worker.learning.lessons import CropReader
from worker.networks.embedder import CROP_PX, KIND, load_embedder
from worker.networks.embedding import DIM
from worker.networks.weights import STARTER_DIR, read_weights, sha256_of, write_atomically, write_weights

AT_ONCE = 256
Tell = Callable[[str, int, int], None]


def file_of(source: str | Path) -> Path:
    """`starter`, or a file."""
    return STARTER_DIR / f"{KIND}.safetensors" if source == "starter" else Path(source)


def start_weights(source: str | Path, size_px: int, work: Path) -> Path:
    """The embedder that all courses begin with: `starter` or a file, seeing crops at this side.

    Raises WeightsError.
    """
    path = file_of(source)
    tensors, card = read_weights(path, KIND)
    if card.get("crop_px", CROP_PX) == size_px:
        return path
    sized = work / f"{path.stem}-{size_px}px.safetensors"
    if not sized.is_file():
        write_weights(sized, tensors, card | {"name": f"{card.get('name')} at {size_px} px", "crop_px": size_px})
    return sized


def embedded(crops: CropReader, who: str, weights: Path, folder: Path, device: Device, tell: Tell) -> Path:
    """A .npy of (n, 256) float32. who: which crops these are; equal crops and weights are embedded once.

    A run that was cut goes on at the last block. Raises WeightsError, NotASet where a picture is gone by now.
    """
    key = hashlib.sha256(f"{who} {sha256_of(weights)}".encode()).hexdigest()[:16]
    done, half, count = (folder / f"vectors-{key}.{end}" for end in ("npy", "half.npy", "json"))
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        begun = rows_done(count) if half.is_file() else 0
        mode = "r+" if begun else "w+"
        vectors = np.lib.format.open_memmap(half, mode=mode, dtype=np.float32, shape=(len(crops), DIM))
        embedder = load_embedder(weights, device)
        for start in range(begun, len(crops), AT_ONCE):
            rows = np.arange(start, min(start + AT_ONCE, len(crops)))
            vectors[rows] = embedder.embed(crops[rows])
            vectors.flush()
            write_atomically(count, json.dumps({"rows": int(rows[-1]) + 1}).encode())
            tell("Embedding", int(rows[-1]) + 1, len(crops))
        half.replace(done)
        count.unlink(missing_ok=True)
    return done


def rows_done(count: Path) -> int:
    """What the file says; 0 where it is not there or damaged."""
    try:
        return int(json.loads(count.read_text())["rows"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0
