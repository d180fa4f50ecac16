"""What courses came to: learning curves with intervals over the seeds, labels needed, and the strategies seed by seed.

Decisions: an interval is Student's t over the seeds, 95%; two strategies are compared seed by seed, because they began with the
same pool; where a curve goes over a share between two rounds, the labels are read off the straight line between them.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from scipy.special import stdtrit

Curve = Mapping[int, float]  # labels -> accuracy


@dataclass(frozen=True)
class Band:
    """At each number of labels: the mean over the seeds and its 95% interval (NaN where there is one seed)."""

    labels: list[int]
    mean: list[float]
    low95: list[float]
    high95: list[float]


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """(mean, half the width of its 95% interval, Student's t); of one value the half is nan."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, float(stdtrit(len(values) - 1, 0.975)) * statistics.stdev(values) / math.sqrt(len(values))


def band(curves: Sequence[Curve]) -> Band:
    """Over the numbers of labels that all curves have."""
    labels = common_labels(curves)
    told = [mean_and_half([curve[at] for curve in curves]) for at in labels]
    means = [mean for mean, _ in told]
    return Band(labels, means, [mean - half for mean, half in told], [mean + half for mean, half in told])


def paired(curves: Sequence[Curve], others: Sequence[Curve]) -> Band:
    """curves - others, seed by seed. Raises ValueError on other numbers of seeds."""
    labels = common_labels([*curves, *others])
    return band([{at: mine[at] - theirs[at] for at in labels} for mine, theirs in zip(curves, others, strict=True)])


def common_labels(curves: Sequence[Curve]) -> list[int]:
    """Ascending."""
    return sorted(set.intersection(*(set(curve) for curve in curves))) if curves else []


def labels_to(labels: Sequence[int], accuracy: Sequence[float], share: float) -> int | None:
    """The fewest labels at which this share is named right; None where it never is."""
    before: tuple[int, float] | None = None
    for at, reached in zip(labels, accuracy, strict=True):
        if reached >= share:
            if before is None:
                return at
            between = (share - before[1]) / (reached - before[1]) * (at - before[0])
            return before[0] + math.ceil(round(between, 6))  # 50.0000000001 labels are 50
        before = (at, reached)
    return None


def area(curve: Curve) -> float:
    """The mean accuracy between the first and the last number of labels (trapezoids)."""
    labels = sorted(curve)
    if len(labels) < 2:
        return curve[labels[0]]
    pieces = [(b - a) * (curve[a] + curve[b]) / 2 for a, b in pairwise(labels)]
    return sum(pieces) / (labels[-1] - labels[0])


def points(values: Sequence[float]) -> str:
    """Shares -> "83.1 ± 0.6" percent."""
    mean, half = mean_and_half(values)
    return f"{mean * 100:.2f}" if math.isnan(half) else f"{mean * 100:.2f} ± {half * 100:.2f}"
