"""Teach an embedder other people's labelled pictures before any project begins: behind `waterhole train-embedding`.

Decisions: the same lessons, triplets and judge as fine-tuning, but the best weights are always written: there is no older
embedding of a project that could be worse; places are held out whole; another set's state is refused, not overwritten.
Norouzzadeh et al. 2019, sec. 3.2 (the embedding is trained on a larger camera-trap set) and S1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from worker.device import Device
from worker.learning.finetuning import recipe_for
from worker.learning.judging import hold_out
from worker.learning.labelled_sets import NotASet, SightedCrops
from worker.learning.lessons import Lessons
from worker.learning.metric_training import Progress, Recipe, Trainer, fingerprint_of, put, run_course
from worker.networks.embedder import KIND, load_embedder
from worker.networks.weights import read_weights, sha256_of, write_weights

CPU_STEPS, GPU_STEPS = 500, 10_000
JUDGES = 2000  # crops that the judging classifier learns from, and that it names, at most


@dataclass(frozen=True)
class Pretrained:
    """before, after: share of crops of held-out places that are named right. by_place: places were held out whole."""

    sha256: str
    before: float
    after: float
    steps: int
    by_place: bool


def pretrain(
    start: Path,
    out: Path,
    crops: SightedCrops,
    device: Device,
    recipe: Recipe | None = None,
    *,
    state: Path | None = None,
    report: Callable[[Progress], None] | None = None,
) -> Pretrained:
    """Teach the embedder of `start` and write the best weights there were to `out`.

    state: a file that keeps the course; where it exists training goes on from it. report: called after every step, may
    raise to stop. Raises WeightsError where `start` is no embedder or the state is of another training, NotASet where
    the set has too few pictures, Diverged where the numbers run out of bounds.
    """
    embedder = load_embedder(start, device)
    recipe = recipe or pretraining_recipe(start, device)
    held = hold_out(crops.labels, crops.places, recipe.held_share, recipe.seed)
    if not len(held.held):
        raise NotASet(f"{len(crops)} pictures are too few: some of each species are needed to judge by.")
    lessons = Lessons(embedder, crops, crops.labels, held, recipe)
    before = lessons.named_right(embedder.network)
    trainer = Trainer(embedder.network, len(lessons.species), recipe, device)
    fingerprint = fingerprint_of(start, recipe, crops.labels, crops.places) + names_hash(crops)
    if state is not None and state.exists():
        trainer.resume(state, fingerprint)
    run_course(trainer, lessons.batch, lessons.named_right, state=state, fingerprint=fingerprint, report=report)
    put(trainer.averaged, trainer.best)
    _tensors, card = read_weights(start, KIND)
    card |= {
        "name": out.stem,
        "parent": sha256_of(start),
        "taught_crops": len(crops),
        "taught_species": len(crops.species),
    }
    sha256 = write_weights(out, trainer.averaged.state_dict(), card)
    return Pretrained(sha256, float(before.mean()), float(trainer.best_right.mean()), trainer.step, held.whole)


def pretraining_recipe(
    start: Path, device: Device, steps: int | None = None, loss: str = Recipe.loss, seed: int = Recipe.seed
) -> Recipe:
    """As for fine-tuning, but longer, judged more often and by fewer crops. start: the checkpoint to begin with."""
    on_gpu = device.torch_device.type == "cuda"
    steps = steps or (GPU_STEPS if on_gpu else CPU_STEPS)
    _tensors, card = read_weights(start, KIND)
    recipe = recipe_for(str(card.get("architecture")), device, 2000)
    return replace(
        recipe, steps=steps, loss=loss, seed=seed, validations=10, patience=10, held_share=0.1, judges=JUDGES
    )


def names_hash(crops: SightedCrops) -> str:
    """Which files and boxes, in which order."""
    digest = hashlib.sha256()
    for sight in crops.sights:
        digest.update(repr((str(sight.path), sight.box_xyxy, sight.species)).encode())
    return digest.hexdigest()
