from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from worker.images.thumbnails import preview, thumbnail, thumbnail_and_preview


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def ramp(height: int, width: int) -> np.ndarray:
    across = np.linspace(0, 255, width, dtype=np.uint8)
    return np.ascontiguousarray(np.broadcast_to(across[None, :, None], (height, width, 3)))


@pytest.mark.parametrize(
    ("size", "small", "large"),
    [
        ((3000, 4000), (320, 240), (1600, 1200)),
        ((4000, 3000), (240, 320), (1200, 1600)),
        ((100, 200), (200, 100), (200, 100)),
        ((1, 20000), (320, 1), (1600, 1)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_pictures_fit_and_are_never_enlarged(size, small, large):
    pixels = ramp(*size)
    assert opened(thumbnail(pixels)).size == small
    assert opened(preview(pixels)).size == large
    both = thumbnail_and_preview(pixels)
    assert (opened(both[0]).size, opened(both[1]).size) == (small, large)


def test_the_picture_is_still_the_picture():
    pixels = ramp(1500, 2000)
    for content in thumbnail_and_preview(pixels):
        shown = np.asarray(opened(content)).astype(int)
        expected = np.linspace(0, 255, shown.shape[1])
        assert np.abs(shown[:, :, 0] - expected[None, :]).mean() < 2


def test_nothing_but_pixels_is_written():
    for content in thumbnail_and_preview(ramp(600, 800)):
        image = opened(content)
        assert image.format == "JPEG"
        assert not image.getexif() and set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_the_photo_is_not_touched():
    pixels = ramp(600, 800)
    pixels.flags.writeable = False
    before = pixels.copy()
    thumbnail_and_preview(pixels)
    assert np.array_equal(pixels, before)
