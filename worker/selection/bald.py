"""BALD: the crops that the networks of one dropout are sure about, each in its own way."""

import numpy as np

from worker.selection import random_pick
from worker.selection.learnt import tells_apart
from worker.selection.members import doubts_of, dropout_samples
from worker.selection.pool import Pool
from worker.selection.ranking import lowest

SAMPLES = 20


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k rows with the most information about the weights, I(y; w) = H(E_w p) - E_w H(p).

    Over 20 dropout masks of a network that is fitted here on the pool's labels; by chance while fewer than two classes
    have one. Raises NotEnough, and ValueError where a vector is not finite. Houlsby et al. 2011, eq. 2; Gal et al. 2017,
    sec. 4; Ren et al. 2021, eq. 3.
    """
    rows = pool.open_rows(k)
    if not k or not tells_apart(pool):
        return random_pick.select(pool, k, rng)
    whole, own = doubts_of(dropout_samples(pool, SAMPLES, rng), pool.vectors, rows)
    return [int(rows[point]) for point in lowest(own - whole, np.arange(len(rows)), k)]
