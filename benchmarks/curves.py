"""With and without a fine-tune: a table of accuracy against labels, and the line of JSON."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from worker.simulation.curves import Curve, points


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
