"""Learning loss: the rows about which the classifier is predicted to be most wrong."""

import numpy as np

from worker.learning.classifier import Classifier, fit
from worker.learning.loss_prediction import PairLoss, margin_ranking, predicted_losses
from worker.selection import random_pick
from worker.selection.learnt import layers_of, tells_apart
from worker.selection.pool import Floats, Pool, Rows
from worker.selection.ranking import lowest


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k open rows of the highest predicted loss, by chance while no two labels or no two classes are there.

    Raises NotEnough, and ValueError naming a row that is not finite. Yoo & Kweon 2019, sec. 3.
    No better than random on frozen vectors of CIFAR-10 (docs/lab-log.md).
    """
    rows = pool.open_rows(k)
    if k == 0 or len(pool.labelled) < 2 or not tells_apart(pool):
        return random_pick.select(pool, k, rng)
    wrong = losses_of(pool, rows, rng)
    chosen: list[int] = rows[lowest(-wrong, np.arange(len(rows)), k)].tolist()
    return chosen


def losses_of(pool: Pool, rows: Rows, rng: np.random.Generator, pair_loss: PairLoss = margin_ranking) -> Floats:
    """(u,) how wrong the pool's classifier will be about these rows, in order; one is fitted where it is not at hand.

    Needs two labelled rows. The true losses are the cross-entropies of the labelled rows.
    """
    network = pool.classifier or fitted(pool, rng)
    hidden, chances = layers_of(network, pool.vectors, pool.labelled)
    losses = -np.log(np.clip(chances[np.arange(len(hidden)), pool.labels], 1e-12, 1))
    everything, _chances = layers_of(network, pool.vectors, rows)
    return predicted_losses(hidden, losses, everything, rng, pair_loss)


def fitted(pool: Pool, rng: np.random.Generator) -> Classifier:
    """A classifier of the labels whose output j means label j."""
    classes = range(int(pool.labels.max()) + 1)
    return fit(pool.vectors[pool.labelled], pool.labels, classes=classes, seed=int(rng.integers(2**31)))
