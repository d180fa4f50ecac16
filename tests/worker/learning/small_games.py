"""Games small enough for tests, and crops of three kinds to play them with."""

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.device import find_device
from worker.learning import latent_game, loss_prediction, wasserstein
from worker.learning.latent_game import Recipe
from worker.networks.latent import Sizes

CPU = find_device("cpu")
SIDE = 16
SIZES = Sizes(side_px=SIDE, widths=(8, 16), latent=4, hidden=16)
RECIPE = Recipe(sizes=SIZES, rate=2e-3, judge_rate=2e-3, batch=16, least_steps=100, most_steps=100)
BLINK = Recipe(sizes=Sizes(side_px=4, widths=(2,), latent=2, hidden=3), batch=2, least_steps=2, most_steps=2)

Crops = NDArray[np.uint8]


def kinds_of_crops(kinds: NDArray[np.int64], seed: int) -> Crops:
    """(n,) 0, 1 or 2 -> (n, 16, 16, 3) noisy crops: the upper half is light, the left half is, or each by a half of that."""
    rng = np.random.default_rng(seed)
    down, across = np.mgrid[:SIDE, :SIDE] < SIDE // 2
    light = np.stack([down, across, (down * 1.0 + across) / 2])[kinds][..., None]
    shade = rng.integers(30, 60, (len(kinds), 1, 1, 3)) + 120 * light + rng.normal(0, 10, (len(kinds), SIDE, SIDE, 3))
    crops: Crops = shade.clip(0, 255).astype(np.uint8)
    return crops


def shorten(patch: pytest.MonkeyPatch) -> None:
    """Learned strategies take two steps: enough for what must hold of any picks."""
    patch.setattr(latent_game, "recipe_for", lambda _device: BLINK)
    patch.setattr(loss_prediction, "STEPS", 2)
    patch.setattr(wasserstein, "STEPS", 2)
