"""Accuracy against labels over several seeds: mean, 95% interval, a table, and the line of JSON."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

Curve = Mapping[int, float]  # labels -> accuracy

# Student's t, 97.5%, by degrees of freedom; beyond them the normal distribution's is near enough
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """(mean, half the width of its 95% interval, Student's t); of one value the half is nan."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return mean, math.nan
    return mean, T_975.get(len(values) - 1, 1.96) * statistics.stdev(values) / math.sqrt(len(values))


def points(values: Sequence[float]) -> str:
    """Shares -> "83.1 ± 0.6" percent."""
    mean, half = mean_and_half(values)
    return f"{mean * 100:.2f}" if math.isnan(half) else f"{mean * 100:.2f} ± {half * 100:.2f}"


def table(with_finetune: Sequence[Curve], without: Sequence[Curve]) -> str:
    """One line a number of labels: percent right with and without, and the difference seed by seed."""
    lines = ["| labels | with fine-tune | without | difference |", "|---|---|---|---|"]
    for labels in sorted(without[0]):
        off = [curve[labels] for curve in without]
        on = [curve[labels] for curve in with_finetune]
        gained = [better - plain for better, plain in zip(on, off, strict=False)]
        cells = [points(on) if on else "", points(off), points(gained) if on else ""]
        lines.append(f"| {labels:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def milestones(curve: Curve) -> list[int]:
    """Every thousand labels and the last."""
    return sorted({labels for labels in curve if labels % 1000 == 0} | {max(curve)})


def means(curves: Sequence[Curve], at: Sequence[int]) -> dict[str, float]:
    """labels as text -> mean accuracy, four digits."""
    return {str(labels): round(statistics.fmean(curve[labels] for curve in curves), 4) for labels in at}
