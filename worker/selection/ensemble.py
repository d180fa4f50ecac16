"""Deep ensemble: the crops whose mean guess over five networks is spread the widest."""

import numpy as np

from worker.selection import members, random_pick
from worker.selection.learnt import tells_apart
from worker.selection.pool import Pool
from worker.selection.ranking import lowest

NETWORKS = 5


def select(pool: Pool, k: int, rng: np.random.Generator) -> list[int]:
    """Choose the k rows of the highest entropy of the mean probabilities of five networks (not BALD over them).

    They are fitted here on the pool's labels, from different first weights; by chance while fewer than two classes have
    a label. Raises NotEnough, and ValueError where a vector is not finite. Lakshminarayanan et al. 2017, "Simple and
    scalable predictive uncertainty estimation using deep ensembles", sec. 2.4; Beluch et al. 2018, sec. 3.
    """
    rows = pool.open_rows(k)
    if not k or not tells_apart(pool):
        return random_pick.select(pool, k, rng)
    whole, _ = members.doubts_of(members.ensemble(pool, NETWORKS, rng), pool.vectors, rows)
    return [int(rows[point]) for point in lowest(-whole, np.arange(len(rows)), k)]
