"""Small JPEGs for pages, made from upright pixels: no EXIF, no place, no colour profile, nothing of the camera's file
survives."""

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]

THUMBNAIL_PX = 320
PREVIEW_PX = 1600
THUMBNAIL_QUALITY = 80
"""About 12 kB at 320 px: a grid of a hundred is one megabyte."""
PREVIEW_QUALITY = 85
"""About 300 kB at 1600 px; below 80 the blocks show in grey night photos."""


def thumbnail(photo: Pixels) -> bytes:
    """JPEG bytes that fit into 320 x 320 px. photo: (h, w, 3) uint8 RGB."""
    return _jpeg(_fit(Image.fromarray(photo), THUMBNAIL_PX), THUMBNAIL_QUALITY)


def preview(photo: Pixels) -> bytes:
    """JPEG bytes, longest side at most 1600 px, never enlarged. photo: (h, w, 3) uint8 RGB."""
    return _jpeg(_fit(Image.fromarray(photo), PREVIEW_PX), PREVIEW_QUALITY)


def thumbnail_and_preview(photo: Pixels) -> tuple[bytes, bytes]:
    """Both from one reduction: the thumbnail is made of the preview's pixels (before its JPEG). photo: (h, w, 3) uint8
    RGB."""
    reduced = _fit(Image.fromarray(photo), PREVIEW_PX)
    return _jpeg(_fit(reduced, THUMBNAIL_PX), THUMBNAIL_QUALITY), _jpeg(reduced, PREVIEW_QUALITY)


def _fit(image: Image.Image, longest_px: int) -> Image.Image:
    scale = longest_px / max(image.size)
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # A cheap box reduction by whole numbers first, then Hamming: as sharp as bicubic for shrinking at half its cost.
    return image.resize(size, Image.Resampling.HAMMING, reducing_gap=1.0)


def _jpeg(image: Image.Image, quality: int) -> bytes:
    target = BytesIO()
    image.save(target, "JPEG", quality=quality)
    return target.getvalue()
