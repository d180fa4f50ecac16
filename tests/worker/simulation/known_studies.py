"""Studies whose every answer is known: clouds of points, or folders of coloured squares."""

from pathlib import Path

import numpy as np
from PIL import Image

from worker.simulation.studies import Study


def clouds(pool: int = 240, test: int = 80, kinds: int = 4, dim: int = 8, seed: int = 0) -> Study:
    """Kinds that lie apart, but not wholly; the last is rare."""
    chance = np.random.default_rng(seed)
    shares = np.array([1.0] * (kinds - 1) + [0.15])
    labels = chance.choice(kinds, pool + test, p=shares / shares.sum()).astype(np.int64)
    labels[pool : pool + kinds] = np.arange(kinds)
    middles = chance.normal(0, 2, (kinds, dim))
    vectors = (middles[labels] + chance.normal(0, 1, (pool + test, dim))).astype(np.float32)
    numbers = np.arange(pool + test)
    return Study(
        "clouds", tuple("abcdefgh"[:kinds]), labels, (numbers // 40).astype(np.int64), (numbers // 3).astype(np.int64), pool,
        vectors=vectors,
    )  # fmt: skip


def squares(folder: Path, each: int = 12) -> Path:
    """Three class folders of two cameras each; red, green and blue pictures with noise."""
    chance = np.random.default_rng(1)
    for number, kind in enumerate(["cow", "deer", "fox"]):
        for count in range(each):
            pixels = chance.integers(0, 60, (24, 32, 3), dtype=np.uint8)
            pixels[:, :, number] += 150
            path = folder / kind / f"camera {count % 2}" / f"{count}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return folder
