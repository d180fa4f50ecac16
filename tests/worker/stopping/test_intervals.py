"""Wilson's and Clopper and Pearson's intervals against known numbers, scipy and enumeration."""

import numpy as np
import pytest
from scipy import stats

from worker.stopping.intervals import clopper_pearson, wilson


def test_eight_of_ten() -> None:
    assert wilson(0.8, 10, 0.05) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert clopper_pearson(0.8, 10, 0.05) == pytest.approx((0.4439, 0.9748), abs=1e-4)


def test_all_and_none_stay_in_the_range() -> None:
    assert wilson(1.0, 10, 0.05) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert clopper_pearson(1.0, 10, 0.05) == pytest.approx((0.025**0.1, 1.0))
    assert clopper_pearson(0.0, 10, 0.05) == pytest.approx((0.0, 1 - 0.025**0.1))
    assert clopper_pearson(0.5, 0.9, 0.05) == (0.0, 1.0)


@pytest.mark.parametrize("alpha", [0.05, 1e-4])
@pytest.mark.parametrize(("right", "n"), [(1, 2), (29, 30), (270, 300), (1900, 2000)])
def test_as_the_quantiles_of_the_beta_distribution(right: int, n: int, alpha: float) -> None:
    low, high = clopper_pearson(right / n, n, alpha)
    assert low == pytest.approx(stats.beta.ppf(alpha / 2, right, n - right + 1), abs=1e-9)
    assert high == pytest.approx(stats.beta.ppf(1 - alpha / 2, right + 1, n - right), abs=1e-9)


def test_a_fraction_of_a_trial_is_rounded_to_the_wide_side() -> None:
    low, high = clopper_pearson(0.75, 10.9, 0.05)
    assert low == clopper_pearson(0.7, 10, 0.05)[0]
    assert high == clopper_pearson(0.8, 10, 0.05)[1]


def test_holds_with_trials_that_differ_by_enumeration() -> None:
    # a spread sample: each arc has its own share of right crops
    rng = np.random.default_rng(0)
    for _ in range(200):
        chances = rng.beta(2, 0.5, size=12)
        counts = np.array([1.0])
        for chance in chances:
            counts = np.convolve(counts, [1 - chance, chance])
        inside = [low <= chances.mean() <= high for low, high in (clopper_pearson(x / 12, 12, 0.05) for x in range(13))]
        assert counts @ inside >= 0.95
