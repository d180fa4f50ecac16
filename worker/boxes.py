"""Arithmetic on boxes: x_min, y_min, x_max, y_max in float32, one row a box. NumPy only; sizes are (height, width)."""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]  # (n, 4) xyxy
Scores = NDArray[np.float32]  # (n,)

IOU_THRESHOLD = 0.5  # two boxes that overlap more than this show the same animal (P sec. 3.1 uses torchvision's 0.5)


def areas(boxes_xyxy: Boxes) -> Scores:
    """(n, 4) -> (n,); a box turned inside out has area 0."""
    sides = np.maximum(boxes_xyxy[:, 2:] - boxes_xyxy[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], dtype=np.float32)


def iou_matrix(a_xyxy: Boxes, b_xyxy: Boxes) -> NDArray[np.float32]:
    """Intersection over union of every pair: (n, 4), (m, 4) -> (n, m). Two boxes without area have 0, not NaN."""
    low = np.maximum(a_xyxy[:, None, :2], b_xyxy[None, :, :2])
    high = np.minimum(a_xyxy[:, None, 2:], b_xyxy[None, :, 2:])
    sides = np.maximum(high - low, 0)
    shared = sides[..., 0] * sides[..., 1]
    union = areas(a_xyxy)[:, None] + areas(b_xyxy)[None, :] - shared
    ratio: NDArray[np.float32] = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return ratio


def nms(boxes_xyxy: Boxes, scores: Scores, iou_threshold: float = IOU_THRESHOLD) -> NDArray[np.int64]:
    """Greedy non-maximum suppression: rows that stay, the best score first. Equal scores: the lower row wins.

    boxes_xyxy: (n, 4). scores: (n,). A box goes when it overlaps a kept one by more than iou_threshold.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou_matrix(boxes_xyxy, boxes_xyxy)
    alive = np.ones(len(scores), dtype=bool)
    kept = []
    for row in order:
        if alive[row]:
            kept.append(row)
            alive &= overlaps[row] <= iou_threshold
            alive[row] = False
    return np.array(kept, dtype=np.int64)


def to_pixels(boxes_xyxy: Boxes, height_px: int, width_px: int) -> Boxes:
    """Shares of the photo (0..1) -> pixels, not rounded."""
    return np.asarray(boxes_xyxy * _sides(height_px, width_px), dtype=np.float32)


def to_relative(boxes_xyxy: Boxes, height_px: int, width_px: int) -> Boxes:
    """Pixels -> shares of the photo (0..1)."""
    return np.asarray(boxes_xyxy / _sides(height_px, width_px), dtype=np.float32)


def clamp(boxes_xyxy: Boxes, height_px: float = 1.0, width_px: float = 1.0) -> Boxes:
    """Cut every box at the edges of the photo; the default is the edges in shares, 0 and 1."""
    return np.clip(boxes_xyxy, np.float32(0), _sides(height_px, width_px)).astype(np.float32)


def _sides(height_px: float, width_px: float) -> NDArray[np.float32]:
    return np.array([width_px, height_px, width_px, height_px], dtype=np.float32)
