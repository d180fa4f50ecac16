"""SRAAL's online uncertainty: how far a probability vector is from a sure one."""

import numpy as np

from worker.selection.pool import Floats

LEAST_VARIANCE = 1e-12


def online_uncertainty(probabilities: Floats) -> Floats:
    """(n, C) -> (n,) u in [0, 1]: 0 for one class at 1, 1 for all alike. Zhang et al. 2020, eq. 3 and 4.

    u = 1 - MINVar(V) / Var(V) * max(V). Var is the variance around 1/C; MINVar is the variance of the flattest V that has
    this max. Eq. 4 prints (1 - max V) / (1 - C); its text and the bound [0, 1] need (C - 1). One class says nothing: u = 1.
    Raises ValueError on another shape, or naming the first row that is not finite.
    """
    if probabilities.ndim != 2 or not probabilities.shape[1]:
        raise ValueError(f"probabilities must be (n, classes), not {probabilities.shape}")
    shares = probabilities.astype(np.float64)
    bad = ~np.isfinite(shares.sum(axis=1))
    if bad.any():
        raise ValueError(f"the probabilities of row {int(bad.argmax())} are not finite")
    c = shares.shape[1]
    mean, top = 1 / c, shares.max(axis=1)
    others = (1 - top) / max(c - 1, 1)
    variance = ((shares - mean) ** 2).mean(axis=1)
    least = ((mean - top) ** 2 + (c - 1) * (mean - others) ** 2) / c
    flat = variance < LEAST_VARIANCE
    u = np.where(flat, 1, 1 - least / np.where(flat, 1, variance) * top)
    bounded: Floats = u.clip(0, 1).astype(np.float32)
    return bounded
