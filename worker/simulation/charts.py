"""Learning curves as SVG: lines with bands, drawn on this machine, with nothing in them but shapes and words.

Decisions: values stand in the specification itself and no address is allowed, so that a chart never reads a file or the
network; at most eight colours that colour-blind people tell apart (Okabe & Ito 2008), then dashes too.
"""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import vl_convert

from worker.simulation.curves import Band

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8a8a00")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2))
WIDTH_PX, HEIGHT_PX = 720, 380
VEGA_LITE = "6.4"


def learning_curves(bands: Mapping[str, Band], title: str) -> str:
    """Percent named right against labels, one line a strategy, its 95% band around it."""
    return drawn(bands, title, "named right, %", zero=False)


def differences(bands: Mapping[str, Band], title: str) -> str:
    """Points gained over random at equal labels, seed by seed, with a line at 0."""
    return drawn(bands, title, "points above random", zero=True)


def drawn(bands: Mapping[str, Band], title: str, what: str, *, zero: bool) -> str:
    """An SVG."""
    names = list(bands)
    rows = [
        {"strategy": name, "labels": labels, "mean": 100 * mean, "low": 100 * (low if low == low else mean),
         "high": 100 * (high if high == high else mean)}
        for name, found in bands.items()
        for labels, mean, low, high in zip(found.labels, found.mean, found.low95, found.high95, strict=True)
    ]  # fmt: skip
    colour = alt.Color("strategy:N", scale=alt.Scale(domain=names, range=spread(COLOURS, names)), title=None)
    dash = alt.StrokeDash(
        "strategy:N", scale=alt.Scale(domain=names, range=dashes(names)), title=None,
        legend=alt.Legend(columns=1),
    )  # fmt: skip
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X("labels:Q", title="labels", scale=alt.Scale(zero=False))
    )
    y = alt.Scale(zero=zero)
    band = base.mark_area(opacity=0.12).encode(y=alt.Y("low:Q", title=what, scale=y), y2="high:Q", color=colour)
    line = base.mark_line().encode(y=alt.Y("mean:Q", title=what, scale=y), color=colour, strokeDash=dash)
    layers = [band, line]
    if zero:
        layers.append(alt.Chart(alt.InlineData(values=[{"mean": 0}])).mark_rule(color="#666").encode(y="mean:Q"))
    chart = alt.layer(*layers).properties(width=WIDTH_PX, height=HEIGHT_PX, title=title)
    svg: str = vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=VEGA_LITE, allowed_base_urls=[])
    return svg


def spread(values: tuple[str, ...], names: list[str]) -> list[str]:
    """One a name, from the beginning again when they run out."""
    return [values[number % len(values)] for number in range(len(names))]


def dashes(names: list[str]) -> list[list[int]]:
    """Another dash for every round through the colours."""
    return [list(DASHES[number // len(COLOURS) % len(DASHES)]) for number in range(len(names))]
