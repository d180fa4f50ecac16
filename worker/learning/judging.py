"""Is a new embedding better? What counts is how well our own classifier names crops that the embedder has not seen.

Decisions: whole deployments are held out (frames of one burst or camera are near twins); the classifier is fitted with
several seeds and their mean counts, which is steadier than one; who is held follows from its id, not from how many labels
there are, so that an embedder that was fine-tuned before is judged mostly by crops that were held then too, and a crop that
taught it never judges; "better" means better than chance allows on these crops, seen pair by pair: most crops are named alike
before and after and say nothing. Frames of one burst go up and down together and count as one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.learning.classifier import fit
from worker.learning.descent import Floats, Ids
from worker.learning.splits import drawn, in_order

FITS = 3
ATTEMPTS = 20
COMMON = 5  # labels from which on a class is expected among the held
# One-sided 5 to 6% of the best of six looks of which each keeps 80 to 90% of the last one's differences (simulated: 800 crops,
# equal networks that differ on 15%); 1.64, which is right for one look, would be 12 to 16% there.
SURE = 2.1


@dataclass(frozen=True)
class Held:
    """kept, held: ascending rows. whole: deployments were held out whole."""

    kept: Ids
    held: Ids
    whole: bool


def hold_out(
    labels: Ids, deployments: Ids, share: float, seed: int, ids: Ids | None = None, taught: Ids | None = None
) -> Held:
    """Whole deployments if that leaves about `share` of the labels and most common classes among the held; else rows.

    labels, deployments: (n,). ids: (n,) what each crop is called whenever one is held out again; default its row. Of several
    draws the one that holds the most common classes counts, the first of equals. taught: ids that taught the embedder which
    is judged; they are not held, and not kept where their deployment is held.
    """
    ids = np.arange(len(labels)) if ids is None else ids
    fresh = np.ones(len(labels), bool) if taught is None else ~np.isin(ids, taught)
    kinds, counts = np.unique(labels, return_counts=True)
    common = kinds[counts >= COMMON]
    best, most = Held(np.arange(len(labels)), np.empty(0, np.int64), True), -1
    for attempt in range(ATTEMPTS):
        kept, held = in_order(deployments, labels, share, np.argsort(drawn(np.unique(deployments), seed, attempt)))
        held = held[fresh[held]]
        found = int(np.isin(common, labels[held]).sum())
        if len(held) >= share * len(labels) / 2 and found > most:
            best, most = Held(kept, held, True), found
    enough = most >= 2 and most >= len(common) / 2
    return best if enough else _hold_rows(labels, share, drawn(ids, seed), fresh)


def _hold_rows(labels: Ids, share: float, lots: NDArray[np.uint64], fresh: NDArray[np.bool_]) -> Held:
    """A share of each class, those with the smallest lots, of them the fresh ones; of classes too small for that nothing."""
    held = np.zeros(len(labels), bool)
    for kind in np.unique(labels):
        rows = np.flatnonzero(labels == kind)
        held[rows[np.argsort(lots[rows], kind="stable")][: round(len(rows) * share)]] = True
    return Held(np.flatnonzero(~held), np.flatnonzero(held & fresh), False)


def named_right(kept: Floats, kept_labels: Ids, held: Floats, held_labels: Ids, seed: int) -> NDArray[np.floating]:
    """(h,) how often, 0..1, each held crop is named right by classifiers that learned from the kept vectors.

    kept: (m, d), held: (h, d) float32.
    """
    classes = np.unique(kept_labels).tolist()
    right = np.zeros(len(held), np.float32)
    for number in range(FITS):
        classifier = fit(kept, kept_labels, classes=classes, seed=seed + number)
        named = np.array(classifier.classes)[classifier.probabilities(held).argmax(axis=1)]
        right += named == held_labels
    return right / FITS


def is_better(before: NDArray[np.floating], after: NDArray[np.floating], bursts: Ids | None = None) -> bool:
    """(h,), (h,) of the same crops: is the sum of the differences more than chance allows? McNemar 1947, for shares.

    bursts: (h,) crops of equal number count as one difference, their sum (Liang & Zeger 1986, a cluster's sum).
    """
    difference = after - before
    if bursts is not None:
        difference = np.bincount(np.unique(bursts, return_inverse=True)[1], weights=difference)
    return bool(difference.sum() > SURE * np.sqrt((difference**2).sum()))
