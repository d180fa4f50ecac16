"""What a simulation found, as files: results.json, results.csv, picks.csv."""

from __future__ import annotations

import csv
import io
import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression

from worker.learning.ways import PLAIN
from worker.networks.weights import write_atomically
from worker.simulation.course import strategy_and_way
from worker.simulation.curves import Band, Curve, area, band, common_labels, labels_to, mean_and_half, paired
from worker.simulation.harness import Played
from worker.simulation.studies import Study

BASELINE = "random"
SHARES = (0.80, 0.85, 0.90, 0.95)
DIGITS = 4
REDRAWN = 400


def write_results(played: Sequence[Played], study: Study, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Write the three files and return what results.json holds.

    {"settings", "curves": {strategy: {"labels", "mean", "low95", "high95"}}, "recall": the same, "labels_to": {strategy:
    {"0.85": n or null}}, "area": {strategy: {"mean", "low95", "high95"}}, "against_random": curves of paired differences,
    "gain": {strategy: {"mean", "low95", "high95"}}: its area less random's, seed by seed,
    "saved": {strategy: share of the labels of random at the budget that it needs less}, "saved95": {strategy: [low, high]},
    "calibration": curves of the expected calibration error, "against_plain": {strategy+way: {"accuracy", "recall",
    "calibration": curves of paired differences from the strategy with the plain classifier, "area": of accuracy}},
    "fine_tunes": {strategy: [...]}}.
    """
    found = results(played, settings)
    write_atomically(folder / "results.json", (json.dumps(found, indent=1) + "\n").encode())
    write_atomically(folder / "results.csv", table_of_rounds(played).encode())
    write_atomically(folder / "picks.csv", table_of_picks(played, study).encode())
    return found


def results(played: Sequence[Played], settings: dict[str, Any]) -> dict[str, Any]:
    """What results.json holds."""
    accuracy, recall = by_strategy(played, "accuracy"), by_strategy(played, "recall")
    bands = {name: band(curves) for name, curves in accuracy.items()}
    baseline = accuracy.get(BASELINE)
    others = {name: paired(curves, baseline) for name, curves in accuracy.items() if name != BASELINE and baseline}
    return {
        "settings": settings,
        "curves": {name: plain(found) for name, found in bands.items()},
        "recall": {name: plain(band(curves)) for name, curves in recall.items()},
        "labels_to": {
            name: {f"{share:.2f}": labels_to(found.labels, found.mean, share) for share in SHARES}
            for name, found in bands.items()
        },
        "area": {name: interval([area(curve) for curve in curves]) for name, curves in accuracy.items()},
        "against_random": {name: plain(found) for name, found in others.items()},
        "gain": {
            name: area_apart(curves, baseline) for name, curves in accuracy.items() if name in others and baseline
        },
        "saved": {name: saved(curves, baseline) for name, curves in accuracy.items() if name in others and baseline},
        "saved95": {
            name: saved95(curves, baseline) for name, curves in accuracy.items() if name in others and baseline
        },
        "calibration": {name: plain(band(curves)) for name, curves in by_strategy(played, "calibration").items()},
        "against_plain": against_plain(played),
        "fine_tunes": {
            name: [line.tuned for each in played if each.strategy == name for line in each.lines if line.tuned]
            for name in accuracy
        },
    }


def by_strategy(played: Sequence[Played], what: str) -> dict[str, list[Curve]]:
    """strategy -> labels to accuracy (or another field of Line) of each seed, in the order of the seeds."""
    found: dict[str, list[Curve]] = {}
    for each in sorted(played, key=lambda one: one.seed):
        curve = {line.labels: getattr(line, what) for line in each.lines}
        found.setdefault(each.strategy, []).append({at: value for at, value in curve.items() if value is not None})
    return dict(sorted(found.items()))


def against_plain(played: Sequence[Played]) -> dict[str, dict[str, Any]]:
    """What another way to teach the classifier changes, seed by seed, where the strategy was played plainly too."""
    curves = {what: by_strategy(played, what) for what in ("accuracy", "recall", "calibration")}
    found: dict[str, dict[str, Any]] = {}
    for name in curves["accuracy"]:
        strategy, way = strategy_and_way(name)
        if way != PLAIN and strategy in curves["accuracy"]:
            found[name] = {what: plain(paired(of[name], of[strategy])) for what, of in curves.items()}
            found[name]["area"] = area_apart(curves["accuracy"][name], curves["accuracy"][strategy])
    return found


def area_apart(curves: Sequence[Curve], others: Sequence[Curve]) -> dict[str, float | None]:
    """What one way names more than another over the whole course, seed by seed."""
    return interval([area(mine) - area(theirs) for mine, theirs in zip(curves, others, strict=True)])


def saved(curves: Sequence[Curve], baseline: Sequence[Curve]) -> float | None:
    """The share of random's labels that a strategy does without to name as much right as random does at the budget.

    None where it never does. Both mean curves are made never to fall first (isotonic regression): the first crossing of a
    noisy curve comes too early, and a curve measured against itself would save labels.
    """
    labels = common_labels([*curves, *baseline])
    mine, theirs = (rising(labels, each) for each in (curves, baseline))
    needed, usual = labels_to(labels, mine, theirs[-1]), labels_to(labels, theirs, theirs[-1])
    return None if needed is None or not usual else round(1 - needed / usual, DIGITS)


def saved95(curves: Sequence[Curve], baseline: Sequence[Curve]) -> list[float | None]:
    """[low, high] of the same with 95%, over seeds drawn again (Efron 1979); low is None where more than 2.5% never get there.

    Empty with one seed.
    """
    if len(curves) < 2:
        return []
    rng = np.random.default_rng(len(curves))
    found = []
    for again in rng.integers(0, len(curves), (REDRAWN, len(curves))).tolist():
        share = saved([curves[seed] for seed in again], [baseline[seed] for seed in again])
        found.append(-math.inf if share is None else share)
    found.sort()
    low, high = found[int(0.025 * REDRAWN)], found[math.ceil(0.975 * REDRAWN) - 1]
    return [None if share == -math.inf else share for share in (low, high)]


def rising(labels: Sequence[int], curves: Sequence[Curve]) -> list[float]:
    """The mean of the curves, as near as a curve that never falls can be."""
    mean = [statistics.fmean(curve[at] for curve in curves) for at in labels]
    return [float(value) for value in isotonic_regression(mean).x]


def interval(values: Sequence[float]) -> dict[str, float | None]:
    """Mean and its 95% interval."""
    mean, half = mean_and_half(values)
    return {"mean": rounded(mean), "low95": rounded(mean - half), "high95": rounded(mean + half)}


def plain(found: Band) -> dict[str, list[Any]]:
    """As JSON has it: null where there is no interval."""
    return {name: [rounded(value) for value in values] for name, values in asdict(found).items()}


def rounded(value: float) -> float | None:
    if isinstance(value, int):
        return value
    return None if math.isnan(value) else round(value, DIGITS)


def table_of_rounds(played: Sequence[Played]) -> str:
    """One line a round of a course."""
    rows = [
        [each.strategy, each.seed, line.number, line.labels, f"{line.accuracy:.4f}", f"{line.recall:.4f}",
         f"{line.seconds:.2f}", "" if line.tuned is None else "yes" if line.tuned["helped"] else "no",
         "" if line.calibration is None else f"{line.calibration:.4f}"]
        for each in played
        for line in each.lines
    ]  # fmt: skip
    header = [
        "strategy",
        "seed",
        "round",
        "labels",
        "accuracy",
        "recall",
        "seconds",
        "fine_tune_helped",
        "calibration_error",
    ]
    return csv_of(header, rows)


def table_of_picks(played: Sequence[Played], study: Study) -> str:
    """One line a crop that was asked about: by which course, when, what it was."""
    paths = [str(sight.path) for sight in study.crops.sights] if study.crops is not None else None
    rows = [
        [each.strategy, each.seed, line.number, row, study.species[study.labels[row]], paths[row] if paths else ""]
        for each in played
        for line in each.lines
        for row in line.picks
    ]
    return csv_of(["strategy", "seed", "round", "row", "species", "path"], rows)


def csv_of(header: list[str], rows: list[list[Any]]) -> str:
    """RFC 4180."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
