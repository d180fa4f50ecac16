"""Fine-tune an embedder on the labels of a project, and say whether that helped.

Decisions: crops of held-out deployments judge, before and after, by what counts: how well our own classifier names them;
the old checkpoint stays unless the new one is better than chance allows; crops are read a batch at a time.
Norouzzadeh et al. 2019, sec. 3.1 step 5 (every 20 rounds, from 2,000 labels on) and S1.
"""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from worker.device import Device
from worker.learning.descent import Ids
from worker.learning.judging import Held, hold_out, is_better
from worker.learning.lessons import CropReader, Lessons
from worker.learning.metric_training import Diverged, Progress, Recipe, Trainer, fingerprint_of, put, run_course
from worker.learning.splits import bursts
from worker.networks.embedder import KIND, load_embedder
from worker.networks.embedding import EmbeddingNetwork, ResNet50Embedding
from worker.networks.weights import WeightsError, read_weights, sha256_of, write_weights

__all__ = ["CropReader", "Verdict", "fine_tune", "recipe_for"]

LEAST_LABELS = 20
NOBODY = base64.b64encode(zlib.compress(b""))


@dataclass(frozen=True)
class Verdict:
    """helped: a new checkpoint was written. before, after: share of held-out crops that are named right, NaN where it was
    not tried. steps: that were taught. words: one sentence for an ecologist."""

    helped: bool
    before: float
    after: float
    steps: int
    words: str


def fine_tune(
    start: Path,
    out: Path,
    crops: CropReader,
    labels: Ids,
    deployments: Ids,
    device: Device,
    recipe: Recipe | None = None,
    *,
    ids: Ids | None = None,
    sequences: Ids | None = None,
    changed: Mapping[str, Any] | None = None,
    state: Path | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Verdict:
    """Teach the embedder of `start` these labels; where that helps, write the new checkpoint to `out`.

    crops: (n, h, w, 3) uint8 by row, asked for a batch at a time. labels: (n,) species ids. deployments: (n,). ids: (n,)
    of the crops, so that those who judge now did not teach `start` before; default their rows. sequences: (n,) their bursts, 0:
    not known.
    recipe: default recipe_for() this device and number of labels. changed: fields of it that are to be others.
    state: a file that keeps the course at least every minute; where it holds this very course, training goes on from it,
    exactly; another one is overwritten.
    report: called after every step, may raise to stop; the state then stays good.
    Raises WeightsError where `start` is no embedder, ValueError on lengths that differ.
    """
    if not len(crops) == len(labels) == len(deployments):
        raise ValueError(f"{len(crops)} crops, {len(labels)} labels, {len(deployments)} deployments: lengths differ")
    embedder = load_embedder(start, device)
    recipe = replace(recipe or recipe_for(embedder.network.architecture, device, len(labels)), **(changed or {}))
    ids = np.arange(len(labels)) if ids is None else ids
    taught = taught_ids(start)
    held = hold_out(labels, deployments, recipe.held_share, recipe.seed, ids, taught)
    obstacle = why_not(labels, held)
    if obstacle:
        return Verdict(False, math.nan, math.nan, 0, obstacle)
    lessons = Lessons(embedder, crops, labels, held, recipe)
    before = lessons.named_right(embedder.network)
    trainer = Trainer(embedder.network, len(lessons.species), recipe, device)
    fingerprint = fingerprint_of(start, recipe, labels, deployments, ids)
    go_on(trainer, state, fingerprint)
    try:
        run_course(trainer, lessons.batch, lessons.named_right, state=state, fingerprint=fingerprint, report=report)
    except Diverged as broke:
        words = f"{broke} The old one stays."
        return Verdict(False, float(before.mean()), math.nan, trainer.step, words)
    put(trainer.averaged, trainer.best)
    after = trainer.best_right
    groups = bursts(np.zeros(len(labels), np.int64) if sequences is None else sequences)
    helped = is_better(before, after, groups[lessons.judge])
    if helped:
        write_tuned(start, out, trainer.averaged, len(labels), np.union1d(taught, ids[held.kept]))
    words = in_words(helped, float(before.mean()), float(after.mean()), held.whole)
    return Verdict(helped, float(before.mean()), float(after.mean()), trainer.step, words)


def recipe_for(architecture: str, device: Device, n_labels: int) -> Recipe:
    """What was found good for this device and this many labels; docs/lab-log.md has the table."""
    on_gpu = device.torch_device.type == "cuda"
    resnet = architecture == ResNet50Embedding.architecture
    steps = int(np.clip(n_labels * (12 if on_gpu else 6) / 64, 60, 3000 if on_gpu else 600))
    frozen = (5 if on_gpu else 14) if resnet else (2 if on_gpu else 6)
    return Recipe(frozen=frozen, steps=steps)


def why_not(labels: Ids, held: Held) -> str:
    """Why these labels cannot teach; empty where they can."""
    _kinds, counts = np.unique(labels[held.kept], return_counts=True)
    if len(np.unique(labels)) < 2:
        return "Only one species has labels." if len(labels) else "No crop has a label."
    if len(labels) < LEAST_LABELS or (counts >= 2).sum() < 2 or not len(held.held):
        return f"{len(labels)} labels are too few: two species need several each."
    return ""


def go_on(trainer: Trainer, state: Path | None, fingerprint: str) -> None:
    """Take up the state where it is this course's. Another one is of no use to this job any more."""
    if state is not None and state.exists():
        try:
            trainer.resume(state, fingerprint)
        except WeightsError:
            state.unlink()


def taught_ids(path: Path) -> Ids:
    """Ascending: the crops that ever taught this embedder or one that it came from."""
    _tensors, card = read_weights(path, KIND)
    steps = np.frombuffer(zlib.decompress(base64.b64decode(card.get("taught", NOBODY))), np.uint32)
    return steps.cumsum(dtype=np.int64)


def write_tuned(start: Path, out: Path, network: EmbeddingNetwork, n_labels: int, taught: Ids) -> None:
    """The checkpoint: the card of its parent but for the name, which file it came from, and who taught it (ids, ascending)."""
    _tensors, card = read_weights(start, KIND)
    root = str(card.get("root", card["name"]))
    card |= {
        "name": f"{root} + {n_labels} labels",
        "root": root,
        "parent": sha256_of(start),
        "tuned_on_labels": n_labels,
        "taught": base64.b64encode(zlib.compress(np.diff(taught, prepend=0).astype(np.uint32).tobytes())).decode(),
    }
    write_weights(out, network.state_dict(), card)


def in_words(helped: bool, before: float, after: float, whole: bool) -> str:
    """What an ecologist reads."""
    split = "" if whole else " They are held out crop by crop, not by deployment, so both figures flatter."
    if helped:
        return f"Recognises {after:.1%} of held-out crops, before {before:.1%}.{split}"
    return f"It did not help: {after:.1%} of held-out crops, before {before:.1%}. The old one stays.{split}"
