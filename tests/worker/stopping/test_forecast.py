"""Labels still needed: curves whose end is known, and curves that say nothing."""

from math import inf

import numpy as np
import pytest

from worker.stopping.forecast import EXPONENTS, Forecast, errors, fitter, forecast

LABELS = np.arange(100, 1_100, 100)


def ahead(accuracy: np.ndarray, audited: int, target: float, seed: int = 0) -> Forecast:
    return forecast(LABELS, accuracy, np.full(len(LABELS), audited), target, np.random.default_rng(seed))


def test_a_clean_curve_says_where_it_meets_the_target() -> None:
    # 0.95 - 2 / sqrt(n) = 0.9 at 1600 labels, 600 more
    said = ahead(0.95 - 2 / np.sqrt(LABELS), 10**9, 0.9)
    assert said.more == pytest.approx(600, rel=0.03)
    assert said.low == pytest.approx(600, rel=0.03)
    assert said.high == pytest.approx(600, rel=0.03)
    assert said.words == f"90% needs about {said.more:,.0f} more labels ({said.low:,.0f}-{said.high:,.0f})."


def test_few_audited_crops_make_it_unsure() -> None:
    curve = 0.95 - 2 / np.sqrt(LABELS)
    sure, unsure = ahead(curve, 100_000, 0.9), ahead(curve, 1_000, 0.9)
    assert unsure.low < sure.low < 600 < sure.high < unsure.high
    assert ahead(curve, 300, 0.9).high == inf


def test_a_flat_curve_does_not_reach_what_lies_above() -> None:
    said = ahead(np.full(len(LABELS), 0.8), 10**6, 0.9)
    assert (said.more, said.low, said.high) == (inf, inf, inf)
    assert said.words == "The curve does not reach 90% within 5 times the labels so far."


def test_what_is_reached_needs_none() -> None:
    said = ahead(0.95 - 2 / np.sqrt(LABELS), 10**7, 0.85)
    assert (said.low, said.more, said.high) == (0, 0, 0)
    assert said.words == "The curve says that 85% is reached."


def test_a_short_curve_says_nothing() -> None:
    audited = np.full(6, 50)
    for labels, audits in [(LABELS[:6] + 2_000, audited), (LABELS[:6], np.array([0, 0, 5, 5, 5, 5]))]:
        said = forecast(labels, np.linspace(0.5, 0.7, 6), audits, 0.9, np.random.default_rng(0))
        assert said.more is None
        assert said.words == "Too early to say how many labels 90% needs."


def test_an_open_end_is_said() -> None:
    assert Forecast(0.9, 500, 120, inf).words == "90% needs at least 120 more labels; the curve cannot say how many."


def test_the_fit_is_the_best_of_a_fine_grid() -> None:
    rng = np.random.default_rng(1)
    audited = np.arange(10, 110, 10)
    accuracy = np.clip(0.9 - 3 / np.sqrt(LABELS) + rng.normal(size=10) * 0.03, 0, 1)
    a, b, c = fitter(LABELS, audited)(accuracy[None])[0]
    weight = audited / audited.sum()

    def missed(a: float, b: float, c: float) -> float:
        return float(weight @ (a - b * LABELS**-c - accuracy) ** 2)

    grid = min(
        missed(a, b, c)
        for c in EXPONENTS
        for a in np.linspace(0.3, 1, 71)
        for b in np.linspace(0, 1, 41) * np.sign(c) * 0.6 * (100.0 if c > 0 else 1_000.0) ** c
    )
    assert missed(a, b, c) <= grid + 1e-12
    assert a <= 1
    assert b * c >= 0


def test_a_curve_levels_off_at_one_at_most_rises_straight_at_most_and_never_falls() -> None:
    too_high, straight, falling = fitter(LABELS, np.full(10, 5))(
        np.stack([1.2 - 7 / np.sqrt(LABELS), 0.5 + 0.0004 * LABELS, np.linspace(0.9, 0.5, 10)])
    )
    assert too_high[0] == 1
    assert straight == pytest.approx([0.5, -0.0004, -1])
    assert falling[:2] == pytest.approx([0.7, 0])


def test_a_straight_line_meets_the_target_where_it_does() -> None:
    # 0.5 + 0.0002 n = 0.9 at 2000 labels, 1000 more
    said = ahead(0.5 + 0.0002 * LABELS, 10**9, 0.9)
    assert (said.low, said.more, said.high) == pytest.approx((1_000, 1_000, 1_000), abs=1)


def test_points_that_share_their_crops_err_together() -> None:
    drawn = np.concatenate(
        [errors(np.array([0.5, 0.5]), np.array([100, 400]), np.random.default_rng(seed)) for seed in range(20)]
    )
    found = np.cov(drawn.T)
    # p (1 - p) over the larger number of crops
    assert found == pytest.approx(0.25 * np.array([[1 / 100, 1 / 400], [1 / 400, 1 / 400]]), rel=0.08)


def test_an_audit_that_shrinks_errs_as_much_as_its_crops_do() -> None:
    drawn = np.concatenate(
        [errors(np.array([0.5, 0.5]), np.array([400, 100]), np.random.default_rng(seed)) for seed in range(20)]
    )
    assert drawn.std(axis=0) == pytest.approx([0.5 / 20, 0.5 / 10], rel=0.04)


def test_rounds_that_know_nothing_are_left_out() -> None:
    curve = 0.95 - 2 / np.sqrt(LABELS)
    curve[3] = np.nan
    assert ahead(curve, 10**9, 0.9).more == pytest.approx(600, rel=0.03)


def test_the_same_chance_gives_the_same_forecast_and_nonsense_is_refused() -> None:
    curve = 0.95 - 2 / np.sqrt(LABELS)
    assert ahead(curve, 1_000, 0.9, seed=3) == ahead(curve, 1_000, 0.9, seed=3)
    for labels, accuracy, target in [(LABELS[::-1], curve, 0.9), (LABELS, curve[:3], 0.9), (LABELS, curve, 1.0)]:
        with pytest.raises(ValueError, match="labels"):
            forecast(labels, accuracy, np.full(10, 5), target, np.random.default_rng(0))
