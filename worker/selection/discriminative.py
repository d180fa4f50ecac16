"""DAL: the crops that a network can tell best from the labelled ones."""

import numpy as np

from worker.learning.classifier import Classifier, fit
from worker.selection import random_pick
from worker.selection.candidates import drawn
from worker.selection.nearest import Vectors
from worker.selection.pool import Pool, Rows
from worker.selection.ranking import lowest

BATCHES = 10  # sub-batches a round; the picks of one are labelled for the next
LABELLED, UNLABELLED = 5_000, 10  # rows to learn from: at most so many labelled, so many unlabelled to one of them
FEWEST = 1_000  # unlabelled rows to learn from, where labelled ones are few
PICKED, OPEN = 0, 1


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose k rows, in 10 sub-batches, those that look the least labelled to a network of two classes.

    The network (100 ReLU) is fitted here on vectors: labelled, taken and picked rows against ten times as many open
    ones by chance; then it goes on from sub-batch to sub-batch. While nothing is labelled or taken the first sub-batch
    is drawn by chance. Raises NotEnough, and ValueError where a vector is not finite. Gissin & Shalev-Shwartz 2019,
    "Discriminative active learning", Alg. 1; Ren et al. 2021, sec. 3.1.
    """
    rows = pool.open_rows(k)
    known = pool.gone()
    picks: list[int] = []
    network: Classifier | None = None
    for size in sub_batches(k):
        if not len(known):
            picked = random_pick.select(pool, size, rng)
        else:
            network = taught(pool.vectors, known, rows, network, rng)
            looks = network.probabilities(pool.vectors)[:, PICKED]
            picked = lowest(looks, rows, size)
        picks += picked
        known = np.concatenate([known, picked])
        rows = np.setdiff1d(rows, picked, assume_unique=True)
    return picks


def sub_batches(k: int) -> list[int]:
    """k in at most 10 parts that differ by one at most; none for 0."""
    return [len(part) for part in np.array_split(np.arange(k), BATCHES) if len(part)]


def taught(
    vectors: Vectors, known: Rows, rows: Rows, before: Classifier | None, rng: np.random.Generator
) -> Classifier:
    """Tell known rows (0) from open ones (1); both are drawn from where there are many. Goes on from `before`."""
    known = drawn(np.sort(known), LABELLED, rng)
    few = drawn(rows, max(UNLABELLED * len(known), FEWEST), rng)
    labels = np.repeat(np.array([PICKED, OPEN]), [len(known), len(few)])
    both = np.concatenate([known, few])
    return fit(vectors[both], labels, classes=[PICKED, OPEN], seed=int(rng.integers(2**31)), warm=before)
