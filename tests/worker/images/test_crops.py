import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.images.crops import CROP_PX, NotABox, crop, crops, pixel_box


def photo(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slow_axis(source: np.ndarray) -> np.ndarray:
    """Bilinear along the first axis, one target row at a time: a triangle over the source rows that it covers."""
    length = len(source)
    scale = length / CROP_PX
    reach = max(scale, 1.0)
    rows = []
    for target in range(CROP_PX):
        center = (target + 0.5) * scale
        weights = [max(0.0, 1 - abs((row + 0.5 - center) / reach)) for row in range(length)]
        rows.append(sum(weight * source[row] for row, weight in enumerate(weights)) / sum(weights))
    return np.array(rows)


def slow_crop(pixels: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    height, width, _ = pixels.shape
    left, right = math.floor(box[0] * width + 1e-3), math.ceil(box[2] * width - 1e-3)
    top, bottom = math.floor(box[1] * height + 1e-3), math.ceil(box[3] * height - 1e-3)
    region = pixels[top:bottom, left:right].astype(float)
    return slow_axis(slow_axis(region).transpose(1, 0, 2)).transpose(1, 0, 2)


@pytest.mark.parametrize(
    ("size", "box"),
    [((120, 160), (0.1, 0.2, 0.7, 0.9)), ((700, 900), (0.05, 0.0, 1.0, 0.95)), ((90, 600), (0.0, 0.0, 1.0, 1.0))],
)
def test_a_crop_equals_its_slow_twin(size, box):
    pixels = photo(*size)
    assert np.abs(crop(pixels, box).astype(float) - slow_crop(pixels, box)).max() <= 2  # Pillow rounds between its axes


def test_a_box_of_the_crops_own_size_is_cut_to_the_pixel():
    pixels = photo(512, 1024)
    box = np.array([256 / 1024, 128 / 512, 512 / 1024, 384 / 512], np.float32)
    assert np.array_equal(crop(pixels, box), pixels[128:384, 256:512])


def test_the_aspect_ratio_is_not_kept():
    pixels = np.zeros((100, 400, 3), np.uint8)
    pixels[:, 200:] = 255
    cut = crop(pixels, (0, 0, 1, 1))
    assert cut.shape == (256, 256, 3) and cut[:, :120].max() == 0 and cut[:, 136:].min() == 255


numbers = st.floats(-2, 3, allow_nan=False)


@settings(max_examples=200)
@given(st.tuples(numbers, numbers, numbers, numbers), st.integers(1, 50), st.integers(1, 50))
def test_a_pixel_box_lies_inside_the_photo_and_has_at_least_one_pixel(corners, width, height):
    x0, y0, x1, y1 = corners
    left, top, right, bottom = pixel_box((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), width, height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


@pytest.mark.parametrize(
    "box",
    [
        (math.nan, 0, 1, 1),
        (0, 0, math.inf, 1),
        (0.6, 0, 0.5, 1),
        (0, 0.6, 1, 0.5),
        (0, 0, 1),
        (0, 0, 1, 1, 1),
    ],
)
def test_what_is_not_a_box_is_refused(box):
    with pytest.raises(NotABox):
        crop(photo(10, 10), box)


def test_crops_are_the_single_crops_in_order():
    pixels = photo(60, 80)
    boxes = np.array([[0, 0, 0.5, 0.5], [0.5, 0.5, 0.5, 0.5], [-1, -1, 3, 3]], np.float32)
    cut = crops(pixels, boxes)
    assert cut.shape == (3, 256, 256, 3) and cut.dtype == np.uint8
    assert all(np.array_equal(cut[row], crop(pixels, box)) for row, box in enumerate(boxes))
    assert crops(pixels, np.empty((0, 4))).shape == (0, 256, 256, 3)
