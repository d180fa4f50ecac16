"""Which labels to hold back when a classifier is judged."""

import numpy as np
from numpy.typing import NDArray

from worker.learning.descent import Ids


def unseen(deployment: Ids, sequence: Ids, labels: Ids, share: float, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """(kept, held) rows: whole deployments are held; where that leaves less than half of the share, whole sequences.

    deployment, sequence, labels: (m,); sequence 0: not known, a crop by itself.
    """
    kept, held = by_group(deployment, labels, share, rng)
    if len(held) >= share * len(labels) / 2:
        return kept, held
    return by_group(bursts(sequence), labels, share, rng)


def bursts(sequence: Ids) -> Ids:
    """(m,) -> (m,) the same groups, and a number of its own for each crop of which the sequence is not known, 0."""
    return np.where(sequence == 0, sequence.max(initial=0) + 1 + np.arange(len(sequence)), sequence)


def by_group(groups: Ids, labels: Ids, share: float, rng: np.random.Generator) -> tuple[Ids, Ids]:
    """(kept, held) rows, ascending: whole groups are held until about `share` of the labels is, 0 < share < 1.

    groups: (m,) the deployment (or sequence) of each label; labels: (m,) class ids. Frames of one burst or camera are
    near twins and would leak from one side to the other. A group is passed over if it would take the last labels of a
    class away from the kept side, or take the held side past the share by more than half the group. With one group
    nothing is held. Raises ValueError on lengths that differ or a share outside of 0..1.
    """
    return in_order(groups, labels, share, rng.permutation(len(np.unique(groups))))


def in_order(groups: Ids, labels: Ids, share: float, order: Ids) -> tuple[Ids, Ids]:
    """The same, the groups taken in this order. order: (g,) their places among the sorted groups."""
    if len(groups) != len(labels) or not 0 < share < 1:
        raise ValueError(f"{len(groups)} groups, {len(labels)} labels, share {share}: lengths equal, share in 0..1")
    _, group = np.unique(groups, return_inverse=True)
    _, kind = np.unique(labels, return_inverse=True)
    left = np.bincount(kind)
    shape = (int(group.max(initial=-1)) + 1, len(left))
    of_group = np.bincount(group * len(left) + kind, minlength=shape[0] * shape[1]).reshape(shape)
    held_groups, held = [], 0
    for number in order:
        counts = of_group[number]
        mine = int(counts.sum())
        takes_the_last = ((left == counts) & (counts > 0)).any()
        if takes_the_last or held + mine / 2 > share * len(labels):
            continue
        held_groups.append(number)
        held += mine
        left = left - counts
    is_held = np.isin(group, held_groups)
    return np.flatnonzero(~is_held), np.flatnonzero(is_held)


def drawn(ids: Ids, *seed: int) -> NDArray[np.uint64]:
    """(n,) whole numbers that look drawn by chance, each from its id and the seed alone, whatever else is there.

    Steele, Lea & Flood 2014 (SplitMix64).
    """
    mixed = np.asarray(ids).astype(np.uint64)
    for each in (0, *seed):
        mixed = mixed + np.uint64(each) + np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return mixed
