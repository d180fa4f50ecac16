"""What a project is told about stopping: one look, all numbers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from worker.selection.pool import Rows
from worker.stopping.accuracy import (
    LEAST,
    Audit,
    Share,
    accuracy_by_answer,
    accuracy_by_guess,
    accuracy_of_rest,
)
from worker.stopping.agreement import is_stable, mean_of_window
from worker.stopping.forecast import Forecast, forecast
from worker.stopping.intervals import Reals
from worker.stopping.watching import watched


@dataclass(frozen=True, eq=False)
class Course:
    """The rounds so far, oldest first, this one the last.

    labels: (t,) training labels. accuracy: (t,) estimates of the rest then. audited: (t,) the simple samples
    that would be as exact. kappas: (t - 1,) between successive classifiers, or fewer. planned: rounds in the label budget.
    """

    labels: Rows
    accuracy: Reals
    audited: Rows
    kappas: Sequence[float]
    planned: int


@dataclass(frozen=True)
class Verdict:
    """estimate, low, high: the share of the rest that is named right, with 95% at this look; n: audited crops;
    effective: the simple sample that would be as exact.

    always: (low, high) with 95% at all looks of the project together: the one to stop by. checked: the numbers come from
    a fresh sample and may be stopped by too. by_guess: of those called a species, the share that is; by_answer: of those
    that are, the share called so. kappa: mean of the last three. stable: it is at least 0.99. reached: the target, by
    `always` or by a check. words: one sentence.
    """

    estimate: float
    low: float
    high: float
    n: int
    effective: float
    always: tuple[float, float]
    checked: bool
    by_guess: dict[int, Share]
    by_answer: dict[int, Share]
    kappa: float | None
    stable: bool
    forecast: Forecast
    reached: bool
    words: str


def verdict(
    guesses: Rows,
    audit: Audit,
    rest: Rows,
    course: Course,
    target: float,
    rng: np.random.Generator,
    check: Audit | None = None,
) -> Verdict:
    """How the project stands after this round.

    guesses: (n,) class ids of the present classifier. audit: all audited crops that have not left, those of a check
    among them. rest: (r,) rows that nobody has looked at. target: the wanted accuracy, 0..1. check: the crops that were
    drawn at once, at the stop, and only they; its numbers are then shown. Raises ValueError as accuracy.py does.
    """
    stream = accuracy_of_rest(guesses, audit, rest)
    always = watched(stream, len(course.labels), course.planned)
    shown = accuracy_of_rest(guesses, check, rest) if check else stream
    low = shown.low if check else always[0]
    return Verdict(
        estimate=shown.estimate,
        low=shown.low,
        high=shown.high,
        n=shown.n,
        effective=shown.effective,
        always=always,
        checked=check is not None,
        by_guess=accuracy_by_guess(guesses, audit, rest),
        by_answer=accuracy_by_answer(guesses, audit, rest),
        kappa=mean_of_window(course.kappas),
        stable=is_stable(course.kappas),
        forecast=forecast(course.labels, course.accuracy, course.audited, target, rng),
        reached=shown.n >= LEAST and low >= target,
        words=words(shown),
    )


def words(share: Share) -> str:
    """The estimate in one sentence: "91.2-94.0% of the rest is right (95%)"."""
    if not share.of:
        return "Nothing is left that nobody has looked at."
    if share.n < LEAST:
        return f"Too few checked crops to say how much of the rest is right ({share.n} of {LEAST})."
    return f"{100 * share.low:.1f}-{100 * share.high:.1f}% of the rest is right (95%)"
