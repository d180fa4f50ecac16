"""The learning curve as SVG."""

import re

from worker.stopping.curve import Curve, Point, drawn

POINTS = (Point(1000, 73.7, 62.1, 82.7), Point(1100, 79.4, 70.1, 86.4))


def test_a_curve_holds_shapes_and_words_in_the_colours_of_the_page() -> None:
    svg = drawn(Curve(POINTS, 95, 3600), 300, 200)
    for words in ("your target, 95%", "79.4%", "about 3,600", "answers learnt from", "60%", "100%"):
        assert f">{words}<" in svg
    assert ">50%<" not in svg  # from the ten percent below the band
    assert set(re.findall(r'"(#[0-9a-f]{3,6})"', svg)) == set()
    assert {"var(--accent)", "var(--ink)", "var(--ink-2)", "var(--ink-3)", "var(--line)", "var(--edge)"} <= set(
        re.findall(r"var\(--[a-z0-9-]+\)", svg)
    )
    assert not any(word in svg for word in ("<script", "<image", "<style", " style=", "href", "url("))


def test_without_a_forecast_nothing_is_drawn_behind_the_last_round() -> None:
    assert "about" not in drawn(Curve(POINTS, 95, None), 300, 200)
