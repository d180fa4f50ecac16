"""WAAL: the rows that are uncertain and, to a Wasserstein critic, unlike the labelled ones."""

import numpy as np

from worker.learning.wasserstein import judgements
from worker.selection import random_pick
from worker.selection.pool import Floats, Pool
from worker.selection.ranking import lowest

DIVERSITY = 1.0  # weight of the critic beside the doubt


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k open rows with the lowest sureness less what the critic says; by chance without a label.

    Raises NotEnough, and ValueError naming a row that is not finite. Shui et al. 2020, sec. 4 (query).
    """
    rows = pool.open_rows(k)
    if k == 0 or not len(pool.labelled):
        return random_pick.select(pool, k, rng)
    chances, unlike = judgements(pool.vectors, pool.labelled, pool.labels, rows, rng)
    scores = sureness(chances) - np.float32(DIVERSITY) * unlike
    chosen: list[int] = rows[lowest(scores, np.arange(len(rows)), k)].tolist()
    return chosen


def sureness(chances: Floats) -> Floats:
    """(n, C) -> (n,) half of mean and root mean square of -log p over the classes; least where all are alike.

    The paper sums over the classes (its bounds by L1 and L2 norm under a uniform label). The mean of them ranks alike and
    keeps the weight of the critic, whatever the number of classes.
    """
    surprise = -np.log(np.clip(chances, 1e-12, 1))
    bound: Floats = ((surprise.mean(axis=1) + np.sqrt((surprise**2).mean(axis=1))) / 2).astype(np.float32)
    return bound
