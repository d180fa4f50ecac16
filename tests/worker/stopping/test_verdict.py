"""What the page is told."""

import numpy as np
import pytest

from worker.stopping.accuracy import Audit
from worker.stopping.verdict import Course, Verdict, verdict

N = 2_000


def told(right: int, audited: int, target: float, check: int = 0, kappas: tuple[float, ...] = (1.0,) * 3) -> Verdict:
    """One class throughout; the first `right` of the audited crops are so, 95 in 100 of a check."""
    truth = np.zeros(N, dtype=np.int64)
    truth[:right] = 1
    checked = np.arange(audited, audited + check)
    truth[checked[: round(0.95 * check)]] = 1
    rows = np.arange(audited + check)
    course = Course(
        labels=np.arange(100, 1_100, 100),
        accuracy=0.9 - 2 / np.sqrt(np.arange(100, 1_100, 100)),
        audited=np.arange(7, 77, 7),
        kappas=kappas,
        planned=20,
    )
    return verdict(
        np.ones(N, dtype=np.int64),
        Audit(rows, truth[rows], np.full(N, 0.1)),
        np.arange(audited + check, N),
        course,
        target,
        np.random.default_rng(0),
        Audit(checked, truth[checked], np.full(N, 0.1)) if check else None,
    )


def test_the_estimate_is_one_sentence() -> None:
    said = told(180, 200, 0.9)
    assert said.estimate == 0.9
    assert said.n == 200
    assert said.words == f"{100 * said.low:.1f}-{100 * said.high:.1f}% of the rest is right (95%)"
    # 200 drawn and 1800 left are as exact as 180 of a set without end: 0.8916 -+ 0.0442 by hand
    assert said.words == "84.7-93.6% of the rest is right (95%)"
    assert said.always[0] < said.low < said.high < said.always[1]
    assert set(said.by_guess) == set(said.by_answer) == {1}


def test_a_good_look_alone_is_no_reason_to_stop_but_a_check_is() -> None:
    said = told(180, 200, 0.84)
    assert said.low > 0.84 > said.always[0]
    assert not said.reached
    assert told(180, 200, said.always[0] - 0.001).reached
    checked = told(180, 200, 0.9, check=300)
    assert checked.checked
    assert (checked.estimate, checked.n) == (0.95, 300)
    assert checked.reached
    assert not told(180, 200, 0.94, check=300).reached


def test_thirty_crops_are_too_few_before_and_enough_then() -> None:
    assert told(29, 29, 0.5).words == "Too few checked crops to say how much of the rest is right (29 of 30)."
    assert not told(29, 29, 0.5).reached
    assert "of the rest is right (95%)" in told(30, 30, 0.5).words
    assert told(30, 30, 0.5).reached


def test_nothing_left_is_said() -> None:
    assert told(N, N, 0.9).words == "Nothing is left that nobody has looked at."


def test_agreement_and_forecast_are_told_beside() -> None:
    said = told(180, 200, 0.9, kappas=(0.2, 0.98, 0.99, 1.0))
    assert said.kappa == pytest.approx(0.99)
    assert said.stable
    assert told(180, 200, 0.9, kappas=(0.9,)).kappa is None
    assert said.forecast.target == 0.9
    assert said.forecast.words
