"""Every strategy under its name. Adding one is one file and one line here."""

from collections.abc import Callable

import numpy as np

from worker.selection import confidence, entropy, k_center, margin, random_pick
from worker.selection.pool import Pool

Select = Callable[[Pool, int, np.random.Generator], list[int]]

# select(pool, k, rng) -> k different rows, never a labelled or taken one, the same for equal pools and seeds
STRATEGIES: dict[str, Select] = {
    "random": random_pick.select,
    "k_center": k_center.select,
    "confidence": confidence.select,
    "margin": margin.select,
    "entropy": entropy.select,
}

NEEDS_CROPS = frozenset({"sraal", "vaal", "ta_vaal"})  # those that look at pixels, not at vectors alone
