"""Intervals for a share: Wilson's, near its level on average, and Clopper and Pearson's, never below it."""

from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]

HALVINGS = 32  # of 0..1: far below what a person can read


def wilson(share: float, n: float, alpha: float) -> tuple[float, float]:
    """(low, high) around a share 0..1 of n > 0 trials, wrong with probability about alpha. Wilson 1927.

    n may be a fraction: the size of the simple sample that would be as exact. Brown, Cai & DasGupta 2001, eq. 4.
    """
    z = NormalDist().inv_cdf(1 - alpha / 2)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(float(middle - reach), 0.0), min(float(middle + reach), 1.0)


def clopper_pearson(share: float, n: float, alpha: float) -> tuple[float, float]:
    """(low, high) around a share 0..1 of n trials, each side wrong with probability at most alpha / 2.

    Clopper & Pearson 1934. Where n or share * n is a fraction (Korn & Graubard 1998) both are rounded to the wide side.
    It also holds for independent trials whose probabilities differ, as in a spread sample: Hoeffding 1956, thm. 5.
    """
    whole = int(n + 1e-9)
    fewest = int(np.floor(share * whole + 1e-9))
    most = int(np.ceil(share * whole - 1e-9))
    return least_share(fewest, whole, alpha / 2), 1 - least_share(whole - most, whole, alpha / 2)


@lru_cache(maxsize=65_536)
def least_share(right: int, n: int, level: float) -> float:
    """The share at which `right` or more of n trials have probability `level`; below it they have less."""
    if right == 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(right, n, middle) < level else (low, middle)
    return low


def upper_tail(right: int, n: int, share: float) -> float:
    """P(X >= right) of a binomial X, 0 < share < 1."""
    logs = log_factorials(n)
    x = np.arange(right, n + 1)
    chances = np.exp(logs[n] - logs[x] - logs[n - x] + x * np.log(share) + (n - x) * np.log1p(-share))
    return float(chances.sum())


@lru_cache(maxsize=1024)
def log_factorials(n: int) -> Reals:
    """(n + 1,) log 0!, log 1!, ... log n!."""
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
