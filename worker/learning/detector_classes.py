"""The classes of a detector that learns: one, animal, or several species and `animal` for the rest.

Decisions: a species needs LEAST_BOXES right boxes to be a class; every class begins as the animal that the detector knows
already, so that the first answer of a detector of species finds what its parent finds; its card says that each is an animal.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torchvision.models.detection import FasterRCNN

from worker.networks.detector import ARCHITECTURE, KIND, build_network
from worker.networks.kinds import ANIMAL, KINDS
from worker.networks.weights import WeightsError, fill, read_weights

LEAST_BOXES = 20
PREDICTOR = "roi_heads.box_predictor"


def classes_of(species: Iterable[str], least: int = LEAST_BOXES) -> tuple[str, ...]:
    """The species that are named often enough, by name, and `animal` last. species: one name a box."""
    often = sorted(name for name, count in Counter(species).items() if count >= least and name.lower() not in KINDS)
    return (*often, ANIMAL)


def labels_in(classes: Sequence[str], species: Sequence[str]) -> NDArray[np.int64]:
    """(n,) the class of each box, from 1 on; what is no class is the last one, animal."""
    number = {name: row for row, name in enumerate(classes, start=1)}
    return np.array([number.get(name, len(classes)) for name in species], np.int64)


def begin_with(start: Path, classes: Sequence[str]) -> FasterRCNN:
    """A network of these classes with the weights of a checkpoint of the same classes, or of one that knows animals only.

    Raises WeightsError where it is another's, or of another architecture.
    """
    tensors, card = read_weights(start, KIND)
    if card.get("architecture") != ARCHITECTURE:
        raise WeightsError(
            f"{start.name} has architecture {card.get('architecture')!r}; only {ARCHITECTURE} can be taught"
        )
    known = card.get("classes")
    if known == [ANIMAL]:
        tensors = widened(tensors, len(classes))
    elif known != list(classes):
        raise WeightsError(f"{start.name} knows other classes; begin with a detector of animals, such as starter")
    network = build_network(len(classes))
    fill(network, tensors, start.name)
    return network


def widened(tensors: Mapping[str, Tensor], count: int) -> dict[str, Tensor]:
    """The weights of a detector of one class as those of `count` classes that share its probability evenly."""
    weight, bias = tensors[f"{PREDICTOR}.cls_score.weight"], tensors[f"{PREDICTOR}.cls_score.bias"]
    shift = torch.tensor([0.0] + [math.log(count)] * count)
    rows = [0] + [1] * count
    sides = [4 * row + side for row in rows for side in range(4)]
    return {
        **tensors,
        f"{PREDICTOR}.cls_score.weight": weight[rows],
        f"{PREDICTOR}.cls_score.bias": bias[rows] - shift,
        f"{PREDICTOR}.bbox_pred.weight": tensors[f"{PREDICTOR}.bbox_pred.weight"][sides],
        f"{PREDICTOR}.bbox_pred.bias": tensors[f"{PREDICTOR}.bbox_pred.bias"][sides],
    }
