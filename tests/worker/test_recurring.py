"""Boxes in one place: the buckets find what comparing every pair finds, and what was found never changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.recurring import ENOUGH, iou, places

SIDES = st.floats(0.005, 0.4)
BOXES = st.lists(st.tuples(st.floats(0, 0.6), st.floats(0, 0.6), SIDES, SIDES), max_size=30)
NONE = np.zeros((0, 4))


def corners(rows: list[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    """From left, top, width and height."""
    made = np.array(rows, np.float64).reshape(-1, 4)
    return np.concatenate([made[:, :2], made[:, :2] + made[:, 2:]], axis=1)


@given(BOXES, BOXES)
def test_a_box_joins_a_leader_exactly_where_it_overlaps_one_enough(
    boxes: list[tuple[float, ...]], known: list[tuple[float, ...]]
) -> None:
    rows, there = corners(boxes), corners(known)  # type: ignore[arg-type]
    found = places(rows, there).tolist()
    leaders = {number: tuple(box) for number, box in enumerate(there.tolist())}
    for row, (box, place) in enumerate(zip(map(tuple, rows.tolist()), found, strict=True)):
        near = {number for number, leader in leaders.items() if iou(box, leader) >= ENOUGH}  # type: ignore[arg-type]
        if near:
            assert place in near
            assert place < len(known) or not any(number < len(known) for number in near)
        else:
            assert place == len(known) + row
            leaders[place] = box


@given(BOXES, BOXES)
def test_later_boxes_change_nothing_before_them(first: list[tuple[float, ...]], later: list[tuple[float, ...]]) -> None:
    both = places(corners([*first, *later]), NONE).tolist()  # type: ignore[list-item]
    assert both[: len(first)] == places(corners(first), NONE).tolist()  # type: ignore[arg-type]


@given(st.tuples(st.floats(0, 0.5), st.floats(0, 0.5), SIDES, SIDES), st.floats(-0.02, 0.02), st.floats(-0.02, 0.02))
def test_a_stone_that_trembles_is_one_place(box: tuple[float, float, float, float], dx: float, dy: float) -> None:
    left, top, wide, high = box
    trembling = [(left + dx * wide * n, top + dy * high * n, wide, high) for n in (0, 1)] * 3
    assert set(places(corners(trembling), NONE).tolist()) == {0}
