"""The map of sites: where marks lie, that names do not overlap, the net of degrees and the scale."""

from __future__ import annotations

import itertools
from math import cos, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.deployments.site_map import LETTER, LINE, NARROW, WIDE, Drawing, Mark, Place, draw


def place(name: str, latitude: float, longitude: float, photos: int = 10) -> Place:
    return Place(name, latitude, longitude, 1, photos, None)


def shown(*places: Place, size: tuple[int, int] = WIDE) -> Drawing:
    drawing = draw(places, size)
    assert drawing is not None
    return drawing


def box_of(mark: Mark) -> tuple[float, float, float, float]:
    wide = LETTER * len(mark.place.name)
    return mark.label_x, mark.label_y - LINE + 3, mark.label_x + wide, mark.label_y + 3


places = st.lists(
    st.builds(
        Place, st.text("abcdef 12", min_size=1, max_size=20), st.floats(-85, 85), st.floats(-180, 180), st.just(1),
        st.integers(0, 10**6), st.none(),
    ),
    min_size=1, max_size=25, unique_by=lambda each: each.name,
)  # fmt: skip


@given(places, st.sampled_from([WIDE, NARROW]))
def test_every_mark_lies_on_the_sheet_and_no_name_on_another(some: list[Place], size: tuple[int, int]) -> None:
    drawing = shown(*some, size=size)
    assert [mark.place for mark in drawing.marks] == some
    for mark in drawing.marks:
        assert 0 <= mark.x <= size[0] and 0 <= mark.y <= size[1] and 4 <= mark.radius <= 11
    named = [box_of(mark) for mark in drawing.marks if mark.labelled]
    for one, other in itertools.combinations(named, 2):
        assert (
            one[2] <= other[0] + 0.2 or other[2] <= one[0] + 0.2 or one[3] <= other[1] + 0.2 or other[3] <= one[1] + 0.2
        )
    assert 0 < drawing.scale_px <= size[0] / 5 + 0.1


def test_north_is_up_and_distances_are_true() -> None:
    south, north, east = shown(place("S", 50, 8), place("N", 50.1, 8), place("E", 50, 8.1)).marks
    assert north.y < south.y and east.x > south.x
    assert (east.x - south.x) / (south.y - north.y) == pytest.approx(cos(radians(50.05)), rel=0.01)
    drawing = shown(place("S", 50, 8), place("N", 50.1, 8))
    km = float(drawing.scale_words.removesuffix(" km"))
    assert drawing.scale_px / km == pytest.approx((drawing.marks[0].y - drawing.marks[1].y) / 11.132, rel=0.01)


def test_more_photos_make_a_larger_mark() -> None:
    few, many, none = shown(place("A", 1, 1, 100), place("B", 2, 2, 400), place("C", 3, 3, 0)).marks
    assert none.radius < few.radius < many.radius


def test_one_site_alone_is_drawn_with_some_land_around_it_and_none_is_no_map() -> None:
    drawing = shown(place("Creek", -12.5, -70.1))
    assert (drawing.marks[0].x, drawing.marks[0].y) == (360, 210) and drawing.scale_words.endswith(" m")
    assert any("S" in line.words for line in drawing.parallels) and any("W" in line.words for line in drawing.meridians)
    assert draw([]) is None
