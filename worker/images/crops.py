"""Boxes cut from a photo and resized to one size, as the embedding network wants them.

256 x 256 bilinear, the aspect ratio is not kept (Norouzzadeh et al. 2019, sec. 3.1); the box is taken as it is, not
widened.
"""

import math
from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

CROP_PX = 256
JPEG_QUALITY = 90
EDGE = 1e-3
"""Pixels. A box stored as float32 and meant to end on a pixel's edge must not swallow the next pixel."""

Pixels = NDArray[np.uint8]


class NotABox(ValueError):
    """A box with NaN, infinity, not four numbers, or its corners the wrong way round."""


class NotACrop(ValueError):
    """Bytes that are no crop of ours, or a damaged one."""


def crop(photo: Pixels, box_xyxy: ArrayLike) -> Pixels:
    """Cut one box. Returns (256, 256, 3) uint8.

    photo: (h, w, 3) uint8 RGB, upright. box_xyxy: x_min, y_min, x_max, y_max as shares of width and height, origin top
    left; it is clamped to the photo and grown to whole pixels, at least one each way. Larger boxes are averaged with
    bilinear weights over the source pixels that each target pixel covers (Pillow's BILINEAR), smaller ones
    interpolated. Raises NotABox.
    """
    left, top, right, bottom = pixel_box(box_xyxy, photo.shape[1], photo.shape[0])
    region = Image.fromarray(np.ascontiguousarray(photo[top:bottom, left:right]))
    return np.asarray(region.resize((CROP_PX, CROP_PX), Image.Resampling.BILINEAR))


def crops(photo: Pixels, boxes_xyxy: Sequence[ArrayLike] | NDArray[np.floating]) -> Pixels:
    """Cut n boxes of one photo. Returns (n, 256, 256, 3) uint8; n may be 0. Raises NotABox."""
    cut = np.empty((len(boxes_xyxy), CROP_PX, CROP_PX, 3), np.uint8)
    for row, box_xyxy in enumerate(boxes_xyxy):
        cut[row] = crop(photo, box_xyxy)
    return cut


def pixel_box(box_xyxy: ArrayLike, width_px: int, height_px: int) -> tuple[int, int, int, int]:
    """Relative box -> left, top, right, bottom in whole pixels, inside the photo, at least 1 x 1. Raises NotABox.

    Clamped before anything is cut: untrusted boxes in Pillow's crop were CVE-2026-59199.
    """
    box = np.asarray(box_xyxy, np.float64)
    if box.shape != (4,) or not np.isfinite(box).all() or box[2] < box[0] or box[3] < box[1]:
        raise NotABox(f"not a box: {box_xyxy!r}")
    left, right = _span(box[0], box[2], width_px)
    top, bottom = _span(box[1], box[3], height_px)
    return left, top, right, bottom


def _span(start: float, end: float, length_px: int) -> tuple[int, int]:
    first = min(math.floor(min(max(start, 0.0), 1.0) * length_px + EDGE), length_px - 1)
    last = math.ceil(min(max(end, 0.0), 1.0) * length_px - EDGE)
    return first, max(last, first + 1)


def to_jpeg(cut: Pixels) -> bytes:
    """One crop as a JPEG for pages. cut: (256, 256, 3) uint8 RGB."""
    target = BytesIO()
    Image.fromarray(cut).save(target, "JPEG", quality=JPEG_QUALITY)
    return target.getvalue()


def from_jpeg(content: bytes) -> Pixels:
    """What to_jpeg() wrote: (256, 256, 3) uint8 RGB. Raises NotACrop. Only for files that we wrote ourselves."""
    try:
        with Image.open(BytesIO(content), formats=["JPEG"]) as opened:
            if opened.size != (CROP_PX, CROP_PX):
                raise NotACrop(f"{opened.size[0]} x {opened.size[1]} pixels")
            return np.asarray(opened.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise NotACrop(str(error)) from error
