"""Scores that mean what a threshold asks: of the boxes scored 0.90 or more, nine in ten are right.

A sigmoid, sigmoid(slope * logit(score) + offset), fitted on boxes of photos that the detector was not trained on, and built
into the weights of the last layer, so that the network needs no second step. Decisions: Waterhole only ever compares a score
with a threshold. At the top, where a person sets it, 0.90 is where nine in ten boxes from there upwards are right; Platt's
own fit (Platt 1999, sec. 2), the chance of a box of just this score, puts 0.90 where 94 in 100 are, and loses animals for
it. At the bottom, where boxes are dropped for good, 0.05 is where one box in twenty of just this score is right. Between
the two lies the sigmoid.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

LAST_LAYER = "roi_heads.box_predictor.cls_score"
BOTTOM, TOP = 0.05, 0.90  # the floor of every detector here; the paper's threshold


@dataclass(frozen=True)
class Calibration:
    """How a raw score becomes one that a threshold understands; slope 1 and offset 0 change nothing."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) scores 0..1 -> (n,) scores 0..1, in the same order."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * logit(scores) + self.offset))), np.float32)

    def where(self, said: float) -> float:
        """The logit of the raw score that becomes `said`; nan where all become the same."""
        return float((logit(said) - self.offset) / self.slope) if self.slope else float("nan")


def calibrate(scores: NDArray[np.float32], hits: NDArray[np.bool_]) -> Calibration:
    """Fit on judged boxes (n,), (n,). Raises ValueError when all are right or all false: there is nothing to fit."""
    if len(np.unique(hits)) < 2:
        raise ValueError("a calibration needs boxes that are right and boxes that are false")
    x = logit(scores)
    just, upwards = sigmoid(x, hits.astype(np.float64)), sigmoid(x, precision_from(scores, hits))
    low, high = just.where(BOTTOM), upwards.where(TOP)
    if not low < high <= x.max():  # no box of these is worth 0.90, or the score says nothing
        return just
    slope = float((logit(TOP) - logit(BOTTOM)) / (high - low))
    return Calibration(slope, float(logit(TOP)) - slope * high)


def sigmoid(x: NDArray[np.float64], shares: NDArray[np.float64]) -> Calibration:
    """The likeliest sigmoid of x (n,) logits for shares (n,) of right boxes, 0..1."""
    both, kinds = np.concatenate([x, x])[:, None], np.repeat([True, False], len(x))  # each box as right and as false
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(both, kinds, np.concatenate([shares, 1 - shares]))
    return Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def precision_from(scores: NDArray[np.float32], hits: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,), (n,) -> (n,) the share of right boxes among those with at least each box's score.

    Of one right and one false box more (Laplace's rule), so that the first few boxes do not promise too much.
    """
    order = np.argsort(-scores, kind="stable")
    upwards = -scores[order]
    n = np.searchsorted(upwards, upwards, side="right")  # boxes of the same score count together
    share = np.empty(len(scores))
    share[order] = (np.cumsum(hits[order])[n - 1] + 1) / (n + 2)
    return share


def logit(scores: NDArray[np.float32] | float) -> NDArray[np.float64]:
    """log(s / (1 - s)), of scores a hair away from 0 and 1."""
    inside = np.clip(np.asarray(scores, np.float64), 1e-6, 1 - 1e-6)
    return np.asarray(np.log(inside / (1 - inside)))


def built_in(tensors: Mapping[str, Tensor], calibration: Calibration) -> dict[str, Tensor]:
    """The weights of a detector of one class whose scores are calibrated: the softmax of two numbers is the sigmoid of
    their difference, so the slope scales the last layer and the offset goes to the animal's side."""
    weight, bias = tensors[f"{LAST_LAYER}.weight"], tensors[f"{LAST_LAYER}.bias"]
    if len(bias) != 2:
        raise ValueError(f"this detector has {len(bias) - 1} classes; a calibration is for one")
    moved = bias.float() * calibration.slope + torch.tensor([0.0, calibration.offset])
    return {
        **tensors,
        f"{LAST_LAYER}.weight": weight.float() * calibration.slope,
        f"{LAST_LAYER}.bias": moved,
    }
