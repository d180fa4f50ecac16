"""Pictures of ours with the people on them blurred: few large blocks, smoothed, so that nothing of a face or a shirt is left.

Decisions: a box is widened first, since detectors cut heads and hands; its longer side becomes BLOCKS blocks whatever its size
in pixels, so that a preview of 1,600 px tells no more than a thumbnail; no pixel of the original comes through. What cannot be
opened becomes grey as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image, ImageFilter

BLOCKS = 5
MARGIN = 0.15  # of each side of the box, on both ends
LEAST_MARGIN = 0.01  # of the photo's
QUALITY = 85
GREY = (96, 96, 96)

Corners = tuple[float, float, float, float]
WHOLE: Corners = (0.0, 0.0, 1.0, 1.0)


def blurred(jpeg: bytes, boxes_xyxy: Sequence[Corners], sight_xyxy: Corners = WHOLE) -> bytes:
    """The same picture as a JPEG, blurred over every box. Only for pictures that we wrote ourselves.

    boxes_xyxy: shares of the photo. sight_xyxy: which part of the photo the picture shows (a crop shows its box).
    """
    try:
        with Image.open(BytesIO(jpeg), formats=["JPEG"]) as opened:
            picture = opened.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        picture, boxes_xyxy = Image.new("RGB", (256, 256), GREY), ()
    for box in boxes_xyxy:
        cover(picture, pixels_of(widened(box), sight_xyxy, *picture.size))
    target = BytesIO()
    picture.save(target, "JPEG", quality=QUALITY)
    return target.getvalue()


def widened(box: Corners) -> Corners:
    """The box with its margin, as shares of the photo; it may reach beyond it."""
    x_min, y_min, x_max, y_max = box
    dx = max(MARGIN * (x_max - x_min), LEAST_MARGIN)
    dy = max(MARGIN * (y_max - y_min), LEAST_MARGIN)
    return x_min - dx, y_min - dy, x_max + dx, y_max + dy


def pixels_of(box: Corners, sight: Corners, width_px: int, height_px: int) -> tuple[int, int, int, int] | None:
    """Left, top, right, bottom of the part that the picture shows, in whole pixels; None when it shows nothing of it."""
    left, right = span(box[0], box[2], sight[0], sight[2], width_px)
    top, bottom = span(box[1], box[3], sight[1], sight[3], height_px)
    return (left, top, right, bottom) if left < right and top < bottom else None


def span(start: float, end: float, sight_start: float, sight_end: float, length_px: int) -> tuple[int, int]:
    """One side, grown to whole pixels and cut at the picture's edges."""
    scale = length_px / max(sight_end - sight_start, 1e-6)
    first, last = (start - sight_start) * scale, (end - sight_start) * scale
    return max(0, int(first // 1)), min(length_px, int(-(-last // 1)))


def cover(picture: Image.Image, place: tuple[int, int, int, int] | None) -> None:
    """Blur one part, in place."""
    if place is None:
        return
    width, height = place[2] - place[0], place[3] - place[1]
    block = max(width, height, BLOCKS) / BLOCKS
    few = (max(1, round(width / block)), max(1, round(height / block)))
    part = picture.crop(place).resize(few, Image.Resampling.BOX).resize((width, height), Image.Resampling.NEAREST)
    picture.paste(part.filter(ImageFilter.GaussianBlur(block / 4)), place[:2])
