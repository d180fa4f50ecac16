"""Photos drawn in a line, and where the real ones lie."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        if os.environ.get("WATERHOLE_REQUIRE_ALL") == "1":
            pytest.fail(f"{folder} is missing and WATERHOLE_REQUIRE_ALL=1")
        pytest.skip(f"{folder} is missing")
    return folder


@pytest.fixture
def bad_files() -> Path:
    return _shared("bad-files")


@pytest.fixture
def camera_trap() -> Path:
    return _shared("camera-trap")


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """saved(array or image, "name.png", **how): the file that Pillow writes."""

    def save(picture: np.ndarray | Image.Image, name: str, **how: object) -> Path:
        image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
        path = tmp_path / name
        image.save(path, **how)
        return path

    return save


@pytest.fixture
def noise() -> np.ndarray:
    """(40, 60, 3) uint8: no two rows or columns alike."""
    return np.random.default_rng(1).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def jpeg_bytes(pixels: np.ndarray, **how: object) -> bytes:
    target = BytesIO()
    Image.fromarray(pixels).save(target, "JPEG", **how)
    return target.getvalue()
