"""The page that a simulation leaves behind: curves, tables, settings; one HTML file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from worker.networks.weights import write_atomically
from worker.simulation.charts import differences, learning_curves
from worker.simulation.curves import Band

TEMPLATES = Path(__file__).resolve().parent.parent.parent / "templates" / "simulation"


def write_report(found: dict[str, Any], said: Sequence[str], folder: Path) -> Path:
    """found: what results.json holds. said: what of the set was left out. Writes report.html and its two charts as SVG."""
    curves = learning_curves(bands(found["curves"]), "Learning curves")
    charts = {"curves.svg": curves}
    if found["against_random"]:
        charts["against-random.svg"] = differences(bands(found["against_random"]), "Against random, seed by seed")
    for name, svg in charts.items():
        write_atomically(folder / name, svg.encode())
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=select_autoescape(), undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters["percent"] = percent
    page = environment.get_template("report.html").render(
        found=found, settings=found["settings"], said=said, charts={name: Markup(svg) for name, svg in charts.items()},
        rows=rows_of(found),
    )  # fmt: skip
    write_atomically(folder / "report.html", page.encode())
    return folder / "report.html"


def rows_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """One a strategy, the best area first."""
    rows = []
    for name, area in found["area"].items():
        curve, against = found["curves"][name], found["against_random"].get(name)
        rows.append(
            {
                "strategy": name, "area": area, "labels_to": found["labels_to"][name], "saved": found["saved"].get(name),
                "gain": found["gain"].get(name),
                "last": {key: curve[key][-1] for key in ("mean", "low95", "high95")},
                "against": {key: against[key][-1] for key in ("mean", "low95", "high95")} if against else None,
                "below": below_at(against),
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: -float(row["area"]["mean"]))


def below_at(against: dict[str, list[Any]] | None) -> int | None:
    """The first number of labels at which the whole interval lies below random; None where it never does."""
    if against is None:
        return None
    pairs = zip(against["labels"], against["high95"], strict=True)
    return next((labels for labels, high in pairs if high is not None and high < 0), None)


def bands(curves: dict[str, dict[str, list[Any]]]) -> dict[str, Band]:
    """From JSON, where an interval that is none is null."""
    return {
        name: Band(curve["labels"], *(known(curve[key]) for key in ("mean", "low95", "high95")))
        for name, curve in curves.items()
    }


def known(values: list[float | None]) -> list[float]:
    """NaN for null."""
    return [math.nan if value is None else value for value in values]


def percent(share: float | None) -> str:
    """A share -> "83.1"; nothing where there is none."""
    return "" if share is None else f"{100 * share:.1f}"
