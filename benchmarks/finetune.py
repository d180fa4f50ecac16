"""What a fine-tune brings: `python -m benchmarks.finetune --cifar ../shared/data/cifar10`.

For each seed: an embedder is fine-tuned on 2,000 labels as the job does it, then our classifier learns from 3,000 labels and
names 2,000 test pictures, on the vectors of the old checkpoint and of the new one (also where the verdict is that it did
not help). `--recipe frozen=12 rate=1e-3` changes the recipe. A line a seed, then one JSON object on the last line.
"""

import argparse
import json
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from worker.device import Device, find_device
from worker.learning.classifier import fit
from worker.learning.descent import Ids
from worker.learning.embedder_examples import read_small_pictures
from worker.learning.finetuning import Verdict, fine_tune, recipe_for
from worker.learning.metric_training import Progress, Recipe
from worker.networks.embedder import Crops, load_embedder
from worker.networks.weights import STARTER_DIR

FITS = 3  # classifiers whose mean counts
DEPLOYMENTS = 20  # drawn: these pictures come from no camera


def main() -> None:
    """Measure, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--cifar", type=Path, required=True)
    ask.add_argument("--start", type=Path, default=STARTER_DIR / "embedder.safetensors")
    ask.add_argument("--labels", type=int, default=2000, help="that the fine-tune learns from")
    ask.add_argument("--final", type=int, default=3000, help="that the classifier learns from in the end")
    ask.add_argument("--test", type=int, default=2000)
    ask.add_argument("--size", type=int, default=112, help="side of the crops, pixels")
    ask.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    ask.add_argument("--recipe", nargs="*", default=[], metavar="NAME=VALUE")
    given = ask.parse_args()
    device = find_device()
    print(device.line, "bf16" if device.fast_bf16 else "float32", flush=True)
    found = [measure(given, seed, device) for seed in given.seeds]
    mean = {key: round(float(np.mean([each[key] for each in found])), 4) for key in found[0]}
    print(json.dumps(mean | {"points": round(100 * (mean["after"] - mean["before"]), 2), "seeds": len(found)}))


def measure(given: argparse.Namespace, seed: int, device: Device) -> dict[str, float]:
    """Accuracy before and after, seconds of the fine-tune, for one draw of the pictures."""
    crops, names = read_small_pictures(given.cifar, "train", given.final, seed, given.size)
    test, test_names = read_small_pictures(given.cifar, "test", given.test, seed, given.size)
    species = {name: number for number, name in enumerate(np.unique(names))}
    labels, truth = (np.array([species[name] for name in each]) for each in (names, test_names))
    old = load_embedder(given.start, device)
    recipe = altered(recipe_for(old.network.architecture, device, given.labels), [*given.recipe, f"seed={seed}"])
    before = accuracy(old.embed(crops), labels, old.embed(test), truth)
    started = time.monotonic()
    verdict, new = tuned(given, crops[: given.labels], labels[: given.labels], recipe, device)
    seconds = time.monotonic() - started
    tuned_embedder = load_embedder(new, device)
    after = accuracy(tuned_embedder.embed(crops), labels, tuned_embedder.embed(test), truth)
    print(f"seed {seed}: {before:.2%} -> {after:.2%}, {seconds:.0f} s, {verdict.words}", flush=True)
    return {
        "before": before, "after": after, "seconds": seconds, "judged_before": verdict.before,
        "judged_after": verdict.after, "helped": float(verdict.helped), "steps": verdict.steps,
    }  # fmt: skip


def tuned(given: argparse.Namespace, crops: Crops, labels: Ids, recipe: Recipe, device: Device) -> tuple[Verdict, Path]:
    """The verdict and the file that a project would use from then on."""
    out = Path(tempfile.mkdtemp()) / "tuned.safetensors"
    deployments = np.random.default_rng(recipe.seed).integers(0, DEPLOYMENTS, len(labels))
    verdict = fine_tune(given.start, out, crops, labels, deployments, device, recipe, report=show)
    return verdict, out if verdict.helped else given.start


def show(progress: Progress) -> None:
    """A line for each judgement."""
    if progress.validation is not None:
        judged = f"{progress.validation:.1%} of the held-out"
        left = f"{progress.seconds_left:.0f} s left"
        print(f"  step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {judged}, {left}", flush=True)


def accuracy(vectors: np.ndarray, labels: Ids, test: np.ndarray, truth: Ids) -> float:
    """Share of the test pictures that classifiers name right, the mean of a few."""
    shares = []
    for seed in range(FITS):
        classifier = fit(vectors, labels, classes=np.unique(labels).tolist(), seed=seed)
        named = np.array(classifier.classes)[classifier.probabilities(test).argmax(axis=1)]
        shares.append((named == truth).mean())
    return float(np.mean(shares))


def altered(recipe: Recipe, changes: list[str]) -> Recipe:
    """The recipe with these NAME=VALUE; a number stays the kind of number that it was."""
    kinds = {each.name: type(getattr(recipe, each.name)) for each in fields(recipe)}
    pairs: dict[str, Any] = {name: kinds[name](value) for name, value in (each.split("=") for each in changes)}
    return replace(recipe, **pairs)


if __name__ == "__main__":
    main()
