"""What the autoencoder's game says of crops: how like the labelled ones each is, or its code where nothing is labelled yet.

Sinha et al. 2019, Alg. 1 and 2 (VAAL); Kim et al. 2021, sec. 3 (with a condition: TA-VAAL); Zhang et al. 2020, Alg. 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from worker.device import Device, find_device
from worker.learning.descent import Floats, Ids
from worker.learning.latent_game import Game, Recipe, Side
from worker.learning.lessons import CropReader

Report = Callable[[int, int], None]  # steps done, steps in all; may raise to stop


def likeness(
    crops: CropReader,
    labelled: Ids,
    unlabelled: Ids,
    rng: np.random.Generator,
    *,
    condition: Floats | None = None,
    device: Device | None = None,
    recipe: Recipe | None = None,
    report: Report | None = None,
) -> Floats:
    """(u,) 0..1, how much each unlabelled crop is like the labelled ones after one game.

    crops: (n, h, w, 3) uint8 by row. labelled: (m,) rows, m > 0; unlabelled: (u,) rows. condition: (n,) a number a row that
    decoder and discriminator are told too. device: default the best; recipe: default recipe_for() it.
    Raises ValueError without a labelled row, FloatingPointError where the numbers run out of bounds.
    """
    device = device or find_device()
    game = Game(recipe, device, rng, conditions=0 if condition is None else 1)
    return play(game, crops, labelled, unlabelled, rng, condition=condition, report=report)


def play(
    game: Game,
    crops: CropReader,
    labelled: Ids,
    unlabelled: Ids,
    rng: np.random.Generator,
    *,
    outputs: Ids | None = None,
    condition: Floats | None = None,
    report: Report | None = None,
) -> Floats:
    """Train and score, as likeness() says. outputs: (m,) the class number of each labelled row, where the game asks."""
    if not len(labelled):
        raise ValueError("without a labelled crop there is no game")
    if not len(unlabelled):
        return np.empty(0, dtype=np.float32)
    told = np.empty((len(crops), 0), np.float32) if condition is None else condition[:, None].astype(np.float32)
    mine = np.arange(len(labelled)) if outputs is None else outputs
    known = Side.read(game, crops, labelled, mine, told, rng)
    unknown = Side.read(game, crops, unlabelled, np.zeros(len(unlabelled), np.int64), told, rng)
    steps = game.recipe.steps(max(len(known), len(unknown)))
    with repeatable():
        for step in range(1, steps + 1):
            game.turn(known.draw(game.recipe.batch, rng), unknown.draw(game.recipe.batch, rng))
            if report is not None:
                report(step, steps)
        return game.likeness(crops, unlabelled, told)


def latents(
    crops: CropReader,
    rows: Ids,
    rng: np.random.Generator,
    *,
    device: Device | None = None,
    recipe: Recipe | None = None,
    report: Report | None = None,
) -> Floats:
    """(m, latent) the codes of these rows, from an autoencoder that learned to paint them. Zhang et al. 2020, Alg. 1.

    crops: (n, h, w, 3) uint8 by row; rows: (m,). Raises FloatingPointError where the numbers run out of bounds.
    """
    game = Game(recipe, device or find_device(), rng)
    if not len(rows):
        return np.empty((0, game.recipe.sizes.latent), dtype=np.float32)
    nothing = np.empty((len(crops), 0), dtype=np.float32)
    side = Side.read(game, crops, rows, np.zeros(len(rows), np.int64), nothing, rng)
    steps = game.recipe.steps(len(side))
    with repeatable():
        for step in range(1, steps + 1):
            game.paint(side.draw(game.recipe.batch, rng))
            if report is not None:
                report(step, steps)
        return game.codes(crops, rows)


@contextmanager
def repeatable() -> Iterator[None]:
    """cuDNN takes the algorithms that give the same bits each time."""
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, deterministic=True):
        yield
