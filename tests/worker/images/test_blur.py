"""Blurring: nothing of a person's pixels comes through, whatever the box; the rest of the picture stays."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray
from PIL import Image

from worker.images.blur import MARGIN, blurred, pixels_of

SIDE = some.floats(-0.2, 1.2)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    with io.BytesIO() as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=95)
        return file.getvalue()


def opened(content: bytes) -> NDArray[np.int16]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), np.int16)


def stripes(width: int = 400, height: int = 300) -> NDArray[np.uint8]:
    """Black and white columns of two pixels."""
    columns = np.where(np.arange(width) // 2 % 2, 255, 0).astype(np.uint8)
    return np.broadcast_to(columns[None, :, None], (height, width, 3)).copy()


def test_a_box_and_its_margin_lose_every_stripe_and_the_rest_keeps_them() -> None:
    seen = opened(blurred(jpeg(stripes()), [(0.25, 0.25, 0.5, 0.75)]))
    within, beside = seen[75:225, 100 - 12 : 200 + 12], seen[:, 260:]
    assert MARGIN * 100 > 12
    assert np.abs(np.diff(within, axis=1)).max() < 30
    assert np.abs(np.diff(beside, axis=1)).max() > 200
    assert seen.shape == (300, 400, 3)


def test_a_far_person_of_a_few_pixels_and_a_near_one_keep_as_little() -> None:
    random = np.random.default_rng(1)
    photo = random.integers(0, 256, (1200, 1600, 3), dtype=np.uint8)
    for size in (0.01, 0.1, 0.9):
        seen = opened(blurred(jpeg(photo), [(0.05, 0.05, 0.05 + size, 0.05 + size)]))
        inside = seen[60 : 60 + int(size * 1200), 80 : 80 + int(size * 1600)]
        original = photo[60 : 60 + int(size * 1200), 80 : 80 + int(size * 1600)].astype(np.int16)
        kept = np.corrcoef(inside.ravel(), original.ravel())[0, 1]
        assert kept < 0.35, size


def test_a_crop_is_blurred_where_the_person_reaches_into_it() -> None:
    seen = opened(blurred(jpeg(stripes(256, 256)), [(0.5, 0.0, 1.0, 1.0)], sight_xyxy=(0.0, 0.2, 0.8, 0.6)))
    detail = np.abs(np.diff(seen.mean(axis=2), axis=1)).mean(axis=0)
    assert detail[:120].mean() > 60  # up to 0.5 less the margin, of 0.8
    assert detail[150:].mean() < 5
    other = blurred(jpeg(stripes(256, 256)), [(0.9, 0.9, 1.0, 1.0)], sight_xyxy=(0.0, 0.0, 0.5, 0.5))
    assert np.abs(np.diff(opened(other), axis=1)).mean() > 60


@settings(max_examples=200, deadline=None)
@given(
    some.tuples(SIDE, SIDE, SIDE, SIDE), some.tuples(SIDE, SIDE, SIDE, SIDE), some.integers(1, 50), some.integers(1, 50)
)
def test_whatever_the_box_the_place_lies_within_the_picture(box: tuple, sight: tuple, width: int, height: int) -> None:
    place = pixels_of(box, sight, width, height)
    if place is not None:
        assert 0 <= place[0] < place[2] <= width
        assert 0 <= place[1] < place[3] <= height
    blurred(jpeg(np.zeros((height, width, 3), np.uint8)), [box], sight)


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff", b"GIF89a" + bytes(50)])
def test_what_cannot_be_opened_becomes_grey(content: bytes) -> None:
    assert np.ptp(opened(blurred(content, [(0, 0, 1, 1)]))) <= 2
