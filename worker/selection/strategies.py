"""Every strategy under its name. Adding one is one file and one line here."""

from collections.abc import Callable

import numpy as np

from worker.selection import (
    badge,
    bald,
    batch_bald,
    confidence,
    deepfool,
    discriminative,
    dmbal,
    ensemble,
    entropy,
    exploration_p,
    informative_diverse,
    initial,
    k_center,
    learning_loss,
    margin,
    margin_cluster_mean,
    margin_spread,
    probcover,
    random_pick,
    sraal,
    ta_vaal,
    typiclust,
    vaal,
    waal,
)
from worker.selection.event_aware import event_aware
from worker.selection.pool import Pool

Select = Callable[[Pool, int, np.random.Generator], list[int]]

# select(pool, k, rng) -> k different rows, never a labelled or taken one, the same for equal pools and seeds
STRATEGIES: dict[str, Select] = {
    "random": random_pick.select,
    "k_center": k_center.select,
    "confidence": confidence.select,
    "margin": margin.select,
    "entropy": entropy.select,
    "informative_diverse": informative_diverse.select,
    "margin_cluster_mean": margin_cluster_mean.select,
    "margin_spread": margin_spread.select,
    "bald": bald.select,
    "batch_bald": batch_bald.select,
    "ensemble": ensemble.select,
    "badge": badge.select,
    "dmbal": dmbal.select,
    "exploration_p": exploration_p.select,
    "deepfool": deepfool.select,
    "discriminative": discriminative.select,
    "typiclust": typiclust.select,
    "probcover": probcover.select,
    "learning_loss": learning_loss.select,
    "waal": waal.select,
    "vaal": vaal.select,
    "ta_vaal": ta_vaal.select,
    "sraal": sraal.select,
    "latent_k_center": initial.select,
    "event_aware_margin": event_aware(margin.select),
}

# those that look at pixels, not at vectors alone
NEEDS_CROPS = frozenset({"sraal", "vaal", "ta_vaal", "latent_k_center"})
