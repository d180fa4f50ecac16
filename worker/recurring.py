"""The same box again and again: which boxes of a camera lie in one place. Arrays and dictionaries only.

Each box joins a known place, else a leader that it overlaps enough, else it becomes a leader; what came before never changes when
more boxes come. Leaders lie in buckets by width, height and middle: two boxes with an overlap of 0.9 lie at most one bucket apart
each way, and since leaders overlap each other less than that, a bucket holds few. So n boxes cost n times 81 look-ups, not n
squared.
"""

from __future__ import annotations

import itertools
from math import floor, log

import numpy as np
from numpy.typing import NDArray

ENOUGH = 0.9  # IoU (PRACTICE 1.2: two boxes are the same only at about 0.9)
SIDE_STEP = -log(ENOUGH)  # widths differ by a factor of at most 1 / 0.9
SHIFT = 1 - ENOUGH  # middles lie at most so much of the longer side apart
# the nearest first
AROUND = tuple(sorted(itertools.product((-1, 0, 1), repeat=4), key=lambda steps: sum(map(abs, steps))))

Corners = tuple[float, float, float, float]
Bucket = tuple[int, int, int, int]
Leaders = dict[Bucket, list[tuple[int, Corners]]]


def places(boxes_xyxy: NDArray[np.float64], known_xyxy: NDArray[np.float64]) -> NDArray[np.int64]:
    """(n, 4), (g, 4) -> (n,): 0 .. g - 1 for a known place, g + i for the place that box i began. Sides are above 0."""
    found = np.empty(len(boxes_xyxy), np.int64)
    known: Leaders = {}
    for number, corners in enumerate(map(tuple, known_xyxy.tolist())):
        known.setdefault(bucket(corners), []).append((number, corners))
    leaders: Leaders = {}
    for row, corners in enumerate(map(tuple, boxes_xyxy.tolist())):
        here = match(known, corners) if known else None
        here = match(leaders, corners) if here is None else here
        if here is None:
            here = len(known_xyxy) + row
            leaders.setdefault(bucket(corners), []).append((here, corners))
        found[row] = here
    return found


def match(leaders: Leaders, box: Corners) -> int | None:
    """A leader that the box overlaps enough, of the nearest bucket that has one, the first of that."""
    x_min, y_min, x_max, y_max = box
    wide, high = level(x_max - x_min), level(y_max - y_min)
    columns = [floor((x_min + x_max) / 2 / cell(wide + by)) for by in (-1, 0, 1)]
    rows = [floor((y_min + y_max) / 2 / cell(high + by)) for by in (-1, 0, 1)]
    for dw, dh, dx, dy in AROUND:
        for number, leader in leaders.get((wide + dw, high + dh, columns[dw + 1] + dx, rows[dh + 1] + dy), ()):
            if iou(box, leader) >= ENOUGH:
                return number
    return None


def bucket(box: Corners) -> Bucket:
    """By width and height, each a factor of 1 / 0.9 a step, and by the middle in cells that grow with them."""
    x_min, y_min, x_max, y_max = box
    wide, high = level(x_max - x_min), level(y_max - y_min)
    return wide, high, floor((x_min + x_max) / 2 / cell(wide)), floor((y_min + y_max) / 2 / cell(high))


def level(side: float) -> int:
    """The step that a side lies on."""
    return floor(log(side) / SIDE_STEP)


def cell(step: int) -> float:
    """Further than the middles of two boxes that overlap enough, one of this step and one of it or the next."""
    return SHIFT * float(np.exp(SIDE_STEP * (step + 2)))


def iou(a: Corners, b: Corners) -> float:
    """Intersection over union of two boxes with area."""
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if wide <= 0 or high <= 0:
        return 0.0
    both = wide * high
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
