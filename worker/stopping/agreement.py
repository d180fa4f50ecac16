"""Stabilizing Predictions: successive classifiers say the same. Bloodgood & Vijay-Shanker 2009.

It needs no label and says when more labels change little. It does not say that the names are right.
"""

from collections.abc import Sequence

import numpy as np

from worker.selection.pool import Rows

STOP_SET = 2000  # crops, or all if there are fewer: sec. 3.2
WINDOW = 3
CUT = 0.99


def stop_set(n: int, rng: np.random.Generator) -> Rows:
    """Rows of n crops, drawn once for the whole project, ascending; all classifiers are compared on these."""
    return np.sort(rng.choice(n, size=min(n, STOP_SET), replace=False))


def kappa(before: Rows, after: Rows) -> float:
    """Cohen's kappa of the class ids (s,) and (s,) that two classifiers give to the stop set, -1..1.

    1 where both name one and the same class throughout. Raises ValueError on lengths that differ or are 0.
    Cohen 1960, eq. 1; Bloodgood & Vijay-Shanker 2009, sec. 3.1.
    """
    if len(before) != len(after) or not len(before):
        raise ValueError(f"two classifiers must name the same crops, not {len(before)} and {len(after)}")
    _, both = np.unique(np.concatenate([before, after]), return_inverse=True)
    first, second = (np.bincount(part, minlength=both.max() + 1) / len(before) for part in np.split(both, 2))
    by_chance = float(first @ second)
    if by_chance == 1:
        return 1.0
    return float(((before == after).mean() - by_chance) / (1 - by_chance))


def mean_of_window(kappas: Sequence[float]) -> float | None:
    """The mean of the last three kappas, oldest first; None before there are three."""
    return float(np.mean(kappas[-WINDOW:])) if len(kappas) >= WINDOW else None


def is_stable(kappas: Sequence[float]) -> bool:
    """Whether the mean of the last three is at least 0.99."""
    mean = mean_of_window(kappas)
    return mean is not None and mean >= CUT - 1e-9
