"""SRAAL: VAAL's game with a second code that knows the names, and unlabelled crops relabelled by how uncertain they are.

Decisions: the classifier of eq. 3 is the decoder of the second code, asked at every step ("online") and without noise; only
classes that have a label count, since any other would make every crop look less sure.
Zhang et al. 2020, sec. 3, Alg. 2.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from worker.device import Device, find_device
from worker.learning.adversarial import Report, play
from worker.learning.descent import Floats, Ids
from worker.learning.latent_game import Game, Recipe
from worker.learning.latent_losses import label_loss
from worker.learning.lessons import CropReader
from worker.networks.latent import Code
from worker.selection.uncertainty import online_uncertainty


def likeness(
    crops: CropReader,
    labelled: Ids,
    labels: Ids,
    unlabelled: Ids,
    rng: np.random.Generator,
    *,
    device: Device | None = None,
    recipe: Recipe | None = None,
    report: Report | None = None,
) -> Floats:
    """(u,) 0..1, how much each unlabelled crop is like the labelled and sure ones after one round of training.

    crops: (n, h, w, 3) uint8 by row. labelled: (m,) rows, m > 0, and labels: (m,) their classes; unlabelled: (u,) rows.
    Raises ValueError without a labelled row, FloatingPointError where the numbers run out of bounds.
    """
    device = device or find_device()
    classes, outputs = np.unique(labels, return_inverse=True)
    game = RelabelingGame(recipe, device, rng, classes=len(classes))
    return play(game, crops, labelled, unlabelled, rng, outputs=outputs, report=report)


class RelabelingGame(Game):
    """Two heads: z_UIR paints the crop, z_STL names it; the discriminator sees both side by side."""

    heads = 2

    def __init__(self, recipe: Recipe | None, device: Device, rng: np.random.Generator, *, classes: int) -> None:
        self.classes = classes
        super().__init__(recipe, device, rng)

    def build_namer(self) -> nn.Module:
        """The decoder of z_STL, a linear classifier."""
        return nn.Linear(self.recipe.sizes.latent, self.classes)

    def naming_loss(self, codes: list[Code], outputs: Tensor) -> Tensor:
        """L_STL of the labelled crops, from noisy codes."""
        return label_loss(self.namer(self.noisy(codes[1])), outputs, codes[1], self.recipe.label_kl)

    def states(self, codes: list[Code]) -> Tensor:
        """(m,) 1 - u of each unlabelled crop. Zhang et al. 2020, eq. 5."""
        shares = self.namer(codes[1].mean).softmax(dim=1)
        certain = 1 - online_uncertainty(shares.cpu().numpy())
        return torch.from_numpy(certain).to(shares.device)
