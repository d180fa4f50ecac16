"""The learning curve of a project as SVG, drawn on this machine: a line, its band, the target, and where the forecast meets it.

Its colours are those of static/css/tokens.css, so that it is legible in both themes. Altair refuses names of style sheets, so
each colour stands for one while the chart is drawn. A tenth of a second, and a second the first time: no page waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import altair as alt
import vl_convert

VEGA_LITE = "6.4"
ACCENT, INK, INK_2, INK_3, LINE, EDGE = (f"#0000{number:02x}" for number in range(1, 7))
TOKENS = {ACCENT: "accent", INK: "ink", INK_2: "ink-2", INK_3: "ink-3", LINE: "line", EDGE: "edge"}


@dataclass(frozen=True)
class Point:
    """One look. labels: that the classifier learnt from; the others are percent."""

    labels: int
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Curve:
    """What is drawn. target: percent. goal: labels at which the forecast meets it, or None."""

    points: tuple[Point, ...]
    target: float
    goal: int | None


def drawn(curve: Curve, width_px: int, height_px: int) -> str:
    """An SVG of shapes and words; a page says beside it what it shows."""
    layers = [*course(curve), *ahead(curve)]
    chart = alt.layer(*layers).properties(width=width_px, height=height_px, background="transparent", padding=2)
    chart = chart.configure_view(stroke=None).configure_axis(
        gridColor=LINE, domainColor=EDGE, tickColor=EDGE, labelColor=INK_3, titleColor=INK_3, titleFontWeight="normal",
        labelFontSize=11, titleFontSize=11, tickCount=5,
    )  # fmt: skip
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=VEGA_LITE, allowed_base_urls=[])
    for colour, token in TOKENS.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{token})"')
    return svg


def course(curve: Curve) -> list[alt.Chart]:
    """The band, the line, and the figure at its end."""
    points = rows([vars(point) for point in curve.points])
    last = rows([vars(curve.points[-1])])
    figure = f"{curve.points[-1].right:.1f}%"
    x, y = labels_axis(), share_axis(curve, "right")
    return [
        points.mark_area(color=ACCENT, opacity=0.16).encode(x=x, y=share_axis(curve, "low"), y2="high:Q"),
        points.mark_line(color=ACCENT, strokeWidth=2).encode(x=x, y=y),
        last.mark_point(color=ACCENT, filled=True, size=50, opacity=1).encode(x=x, y=y),
        last.mark_text(color=INK, align="right", dy=17, fontWeight=600).encode(x=x, y=y, text=alt.value(figure)),
    ]


def ahead(curve: Curve) -> list[alt.Chart]:
    """The target, and the way to it."""
    target, last, y = rows([{"right": curve.target}]), curve.points[-1], share_axis(curve, "right")
    words = alt.value(f"your target, {curve.target:g}%")
    layers = [
        target.mark_rule(color=INK_2, strokeDash=[4, 3]).encode(y=y),
        target.mark_text(color=INK_2, align="left", dx=4, dy=-7).encode(x=alt.value(0), y=y, text=words),
    ]
    if curve.goal is not None:
        x, about = labels_axis(), alt.value(f"about {curve.goal:,}")
        end = {"labels": curve.goal, "right": curve.target}
        way = rows([{"labels": last.labels, "right": last.right}, end])
        layers.append(way.mark_line(color=ACCENT, strokeWidth=1.75, strokeDash=[2, 5]).encode(x=x, y=y))
        layers.append(rows([end]).mark_text(color=INK_2, align="right", dy=17).encode(x=x, y=y, text=about))
    return layers


def labels_axis() -> alt.X:
    """To the right."""
    axis = alt.Axis(grid=False, tickCount=4)
    return alt.X("labels:Q", title="answers learnt from", scale=alt.Scale(zero=False), axis=axis)


def share_axis(curve: Curve, column: str) -> alt.Y:
    """Upwards, from the ten percent below all that is drawn."""
    bottom = floor(min(curve.target, *(point.low for point in curve.points)) / 10) * 10
    axis = alt.Axis(labelExpr="datum.value + '%'")
    return alt.Y(f"{column}:Q", title=None, scale=alt.Scale(domain=[bottom, 100]), axis=axis)


def rows(values: list[dict[str, float]]) -> alt.Chart:
    """A chart of these; they stand in the chart itself, so that it never reads a file or the network."""
    return alt.Chart(alt.InlineData(values=values))
