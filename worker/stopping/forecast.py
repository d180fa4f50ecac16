"""How many labels are still needed: an inverse power law through the accuracies so far, and when it cannot say.

accuracy = a - b n^-c with n labels (Figueroa et al. 2012, eq. 1), fitted by weighted least squares. Decisions:
* For each exponent c of a list the best a and b are a straight line's, so nothing has to converge. The curve never
  falls: b has the sign of c. Where it levels off, c > 0, it does so at a <= 1.
* c < 0 is allowed, down to a straight line in n (c = -1): the picks take the hard crops away, so the rest becomes easier
  in proportion to the labels, which no curve with an end follows (measured by benchmarks.audit: the interval then held
  the truth in 88% only).
* The points share their audited crops, so their errors go together: two points of m1 <= m2 crops share m1, and the
  covariance is p (1 - p) / m2. The interval is from curves with such errors added, each fitted anew. A fit that takes the
  points for independent would be far too sure (Figueroa et al. call their own interval sometimes optimistic).
* Nothing is said beyond five times the labels there are: no curve is known so far out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, inf

import numpy as np

from worker.selection.pool import Rows
from worker.stopping.intervals import Reals

EXPONENTS = np.concatenate([[-1, -0.75, -0.5, -0.25], np.geomspace(0.1, 2, 25)])
FEWEST_POINTS = 5
SPREAD = 2  # the last point must have so many times the labels of the first: else any curve fits
FARTHEST = 5  # times the labels so far
DRAWS = 400


@dataclass(frozen=True)
class Forecast:
    """Labels still needed for the target: the curve's own, and from low to high with 95%; inf where it cannot say.

    All three are None where there is no curve yet.
    """

    target: float
    more: float | None
    low: float | None
    high: float | None

    @property
    def words(self) -> str:
        """One sentence, as far as the curve can say."""
        if self.more is None or self.low is None or self.high is None:
            return f"Too early to say how many labels {self.target:.0%} needs."
        if self.high == 0:
            return f"The curve says that {self.target:.0%} is reached."
        if self.low == inf:
            return f"The curve does not reach {self.target:.0%} within {FARTHEST} times the labels so far."
        if self.high == inf:
            return f"{self.target:.0%} needs at least {self.low:,.0f} more labels; the curve cannot say how many."
        return f"{self.target:.0%} needs about {self.more:,.0f} more labels ({self.low:,.0f}-{self.high:,.0f})."


def forecast(labels: Rows, accuracy: Reals, audited: Rows, target: float, rng: np.random.Generator) -> Forecast:
    """Where the curve so far meets the target.

    labels: (t,) training labels of each round, rising. accuracy: (t,) estimated then, 0..1. audited: (t,) crops behind
    each; rounds with none, or whose accuracy is NaN, are left out. target: 0..1.
    Raises ValueError on lengths that differ, a target outside of 0..1, labels that fall.
    """
    if not len(labels) == len(accuracy) == len(audited) or not 0 < target < 1 or (np.diff(labels) < 0).any():
        raise ValueError(f"{len(labels)} labels (rising), {len(accuracy)} accuracies, {len(audited)} audits, {target}")
    known = (audited > 0) & (labels > 0) & np.isfinite(accuracy)
    labels, accuracy, audited = labels[known], accuracy[known], audited[known]
    if len(labels) < FEWEST_POINTS or labels[-1] < SPREAD * labels[0]:
        return Forecast(target, None, None, None)
    fit = fitter(labels, audited)
    curves = fit(accuracy[None] + np.concatenate([np.zeros((1, len(labels))), errors(accuracy, audited, rng)]))
    more = [float(number) for number in still_needed(curves, int(labels[-1]), target)]
    drawn = sorted(more[1:])
    return Forecast(target, more[0], drawn[int(0.025 * DRAWS)], drawn[ceil(0.975 * DRAWS) - 1])


def fitter(labels: Rows, audited: Rows) -> Callable[[Reals], Reals]:
    """A function from accuracies (d, t) to curves (d, 3), the best a, b and c of each row; weighted by audited crops.

    An accuracy of m crops has variance p (1 - p) / m; p is left out, so that one lucky 100% does not rule.
    """
    weight = audited / audited.sum()
    powers = labels[None] ** -EXPONENTS[:, None]  # (e, t)
    mean = powers @ weight
    centered = powers - mean[:, None]
    size = (centered**2) @ weight

    def fit(accuracy: Reals) -> Reals:
        level = accuracy @ weight
        b = -((accuracy * weight) @ centered.T) / size  # (d, e)
        b = np.where(b * EXPONENTS > 0, b, 0)
        a = level[:, None] + b * mean
        # where it would level off above 1 the best is the line through a = 1
        steep = ((1 - accuracy) * weight) @ powers.T / ((powers**2) @ weight)
        b, a = np.where(a > 1, np.maximum(steep, 0), b), np.minimum(a, 1)
        missed = ((a[:, :, None] - b[:, :, None] * powers - accuracy[:, None]) ** 2) @ weight
        best = missed.argmin(axis=1)
        rows = np.arange(len(accuracy))
        return np.stack([a[rows, best], b[rows, best], EXPONENTS[best]], axis=1)

    return fit


def errors(accuracy: Reals, audited: Rows, rng: np.random.Generator) -> Reals:
    """(DRAWS, t) errors of accuracies whose audited crops are each a part of the next ones'.

    Sums of independent steps, one of variance p (1 - p) a crop, over the number of crops.
    """
    p = (accuracy * audited + 1) / (audited + 2)  # not 0 or 1 where few crops were all right
    most = np.maximum.accumulate(audited)  # some leave the audit: the sum stays, the error is that of those who are in
    steps = rng.normal(size=(DRAWS, len(audited))) * np.sqrt(np.diff(most, prepend=0))
    return np.asarray(steps.cumsum(axis=1) / np.sqrt(most * audited) * np.sqrt(p * (1 - p)))


def still_needed(curves: Reals, labels: int, target: float) -> Reals:
    """(d, 3) -> (d,) labels beyond the present ones until a - b n^-c = target; inf where never or too far."""
    a, b, c = curves.T
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        meets = np.abs(b / (a - target)) ** (1 / c)
        total = np.where((a > target) == (c > 0), meets, np.where(a > target, 0, np.inf))
    return np.where(total <= FARTHEST * labels, np.ceil(np.maximum(total - labels, 0)), np.inf)
