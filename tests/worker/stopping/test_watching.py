"""The interval that may be looked at every round."""

import numpy as np
import pytest
from scipy import stats

from worker.stopping.accuracy import Audit, accuracy_of_rest
from worker.stopping.watching import error_of_look, watched


def test_the_looks_share_one_error_probability() -> None:
    spent = [error_of_look(look, 20, 0.05) for look in range(1, 20_000)]
    assert sum(spent[:20]) == pytest.approx(0.045)
    assert spent[0] == spent[19]
    assert spent[20] > spent[21] > spent[22]
    assert sum(spent) == pytest.approx(0.05, abs=1e-5)
    assert sum(spent) < 0.05


def test_looks_count_from_one() -> None:
    with pytest.raises(ValueError, match="look 0 of 20"):
        error_of_look(0, 20, 0.05)


def interval(right: int, n: int, rest: int, look: int = 1, planned: int = 1) -> tuple[float, float]:
    audit = Audit(np.arange(n), (np.arange(n) < right).astype(np.int64), np.full(n + rest, n / (n + rest)))
    return watched(accuracy_of_rest(np.ones(n + rest, dtype=np.int64), audit, np.arange(n, n + rest)), look, planned)


@pytest.mark.parametrize(("n", "rest"), [(6, 6), (10, 3), (10, 40)])
def test_one_look_holds_the_truth_of_the_rest_by_enumeration(n: int, rest: int) -> None:
    intervals = [interval(x, n, rest) for x in range(n + 1)]
    for right in range(n + rest + 1):
        held = 0.0
        for x in range(max(0, right - rest), min(n, right) + 1):
            low, high = intervals[x]
            if low - 1e-9 <= (right - x) / rest <= high + 1e-9:
                held += stats.hypergeom.pmf(x, n + rest, right, n)
        assert held >= 0.95


def test_more_looks_make_it_wider_and_no_audit_says_nothing() -> None:
    once, often, late = interval(90, 100, 900), interval(90, 100, 900, 5, 40), interval(90, 100, 900, 60, 40)
    assert late[0] < often[0] < once[0] < 0.9 < once[1] < often[1] < late[1]
    assert interval(0, 0, 50) == (0, 1)
