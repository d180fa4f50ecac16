"""Scores that mean what they say: of the boxes scored 0.90, nine in ten are right.

Platt scaling (Platt 1999, sec. 2): right = sigmoid(slope * logit(score) + offset), fitted on boxes of photos that the
detector was not trained on, and built into the weights of the last layer, so that the network needs no second step.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch import Tensor

LAST_LAYER = "roi_heads.box_predictor.cls_score"


@dataclass(frozen=True)
class Calibration:
    """How a raw score becomes a share of right boxes; slope 1 and offset 0 change nothing."""

    slope: float = 1.0
    offset: float = 0.0

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n,) scores 0..1 -> (n,) shares 0..1, in the same order."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * logit(scores) + self.offset))), np.float32)


def calibrate(scores: NDArray[np.float32], hits: NDArray[np.bool_]) -> Calibration:
    """Fit on judged boxes (n,), (n,). Raises ValueError when all are right or all false: there is nothing to fit."""
    if len(np.unique(hits)) < 2:
        raise ValueError("a calibration needs boxes that are right and boxes that are false")
    fitted = LogisticRegression(C=np.inf, max_iter=1000).fit(logit(scores)[:, None], hits)
    return Calibration(float(fitted.coef_[0, 0]), float(fitted.intercept_[0]))


def logit(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    """log(s / (1 - s)), of scores a hair away from 0 and 1."""
    inside = np.clip(scores.astype(np.float64), 1e-6, 1 - 1e-6)
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
