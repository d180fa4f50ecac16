"""Box arithmetic against slow twins: plain loops over plain numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.boxes import areas, clamp, iou_matrix, nms, to_pixels, to_relative

Box = tuple[float, float, float, float]


def slow_iou(a: Box, b: Box) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def slow_nms(boxes: list[Box], scores: list[float], threshold: float) -> list[int]:
    waiting = sorted(range(len(boxes)), key=lambda row: (-scores[row], row))
    kept: list[int] = []
    for row in waiting:
        if all(slow_iou(boxes[row], boxes[other]) <= threshold for other in kept):
            kept.append(row)
    return kept


corner = st.integers(0, 12)
box = st.tuples(corner, corner, corner, corner).map(
    lambda c: (float(min(c[0], c[2])), float(min(c[1], c[3])), float(max(c[0], c[2])), float(max(c[1], c[3])))
)
boxes = st.lists(box, max_size=12)


def as_array(rows: list[Box]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


@settings(max_examples=150, deadline=None)
@given(boxes, boxes)
def test_iou_of_all_pairs_equals_a_double_loop(a: list[Box], b: list[Box]) -> None:
    expected = np.array([[slow_iou(x, y) for y in b] for x in a], np.float32).reshape(len(a), len(b))
    np.testing.assert_allclose(iou_matrix(as_array(a), as_array(b)), expected, atol=1e-6)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(box, st.integers(0, 5)), max_size=12), st.sampled_from([0.3, 0.45, 0.72]))
def test_nms_keeps_what_a_double_loop_keeps_also_among_equal_scores(
    rows: list[tuple[Box, int]], threshold: float
) -> None:
    found = nms(as_array([b for b, _ in rows]), np.array([s for _, s in rows], np.float32), threshold)
    assert found.tolist() == slow_nms([b for b, _ in rows], [s for _, s in rows], threshold)


def test_two_identical_boxes_leave_one_and_boxes_apart_both_stay() -> None:
    twice = as_array([(0, 0, 1, 1), (0, 0, 1, 1), (5, 5, 6, 6)])
    assert nms(twice, np.array([0.5, 0.9, 0.1], np.float32)).tolist() == [1, 2]


def test_a_box_without_area_overlaps_nothing_and_is_no_nan() -> None:
    point = as_array([(3, 3, 3, 3)])
    assert iou_matrix(point, point).tolist() == [[0.0]]
    assert areas(as_array([(5, 5, 1, 1)])).tolist() == [0.0]


def test_pixels_and_shares_are_inverse_with_x_by_width_and_y_by_height() -> None:
    half = as_array([(0.5, 0.25, 1.0, 0.75)])
    assert to_pixels(half, height_px=100, width_px=200).tolist() == [[100, 25, 200, 75]]
    np.testing.assert_allclose(to_relative(to_pixels(half, 100, 200), 100, 200), half)


@pytest.mark.parametrize(("height_px", "width_px"), [(1.0, 1.0), (50, 200)])
def test_clamping_cuts_at_the_edges_of_the_photo(height_px: float, width_px: float) -> None:
    assert clamp(as_array([(-3, -4, 900, 900)]), height_px, width_px).tolist() == [[0, 0, width_px, height_px]]


def test_no_boxes_give_empty_answers_of_the_right_shape() -> None:
    nothing = as_array([])
    assert iou_matrix(nothing, as_array([(0, 0, 1, 1)])).shape == (0, 1)
    assert nms(nothing, np.array([], np.float32)).shape == (0,)
    assert clamp(nothing).shape == (0, 4)
