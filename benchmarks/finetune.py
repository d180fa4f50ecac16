"""How to fine-tune an embedder: `python -m benchmarks.finetune --cifar ../shared/data/cifar10 --variants "" loss=softmax`.

For each seed and variant of the recipe: an embedder is fine-tuned on 2,000 labels as the job does it, then our classifier learns
from 3,000 labels and names 2,000 test pictures, on the vectors of the old checkpoint and of the new one (also where the verdict
is that it did not help). A variant is NAME=VALUE,NAME=VALUE over the recipe of the job ("" is that recipe itself; closest, light
and grey are those of the augmentation). With `--known 6` only the first six classes have labels to tune on, and a last column
says how well the others, which it never saw, are told apart afterwards: what it forgot. DIR keeps every finished run; the same
command goes on. A table, every variant against the first one seed by seed, and one JSON object on the last line.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.device import Device, find_device
from worker.learning.augmentation import Augmentation
from worker.learning.classifier import fit
from worker.learning.descent import Ids
from worker.learning.embedder_examples import read_small_pictures
from worker.learning.finetuning import Verdict, fine_tune, recipe_for
from worker.learning.metric_training import Progress, Recipe
from worker.networks.embedder import Crops, Embedder, load_embedder
from worker.networks.weights import STARTER_DIR, write_atomically
from worker.simulation.curves import points

FITS = 3  # classifiers whose mean counts
DEPLOYMENTS = 20  # drawn: these pictures come from no camera
Figures = dict[str, float]


def main() -> None:
    """Measure what is missing, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--cifar", type=Path, required=True)
    ask.add_argument("--work", type=Path, help="keeps what is finished; default: a folder that goes")
    ask.add_argument("--start", type=Path, default=STARTER_DIR / "embedder.safetensors")
    ask.add_argument("--labels", type=int, default=2000, help="that the fine-tune learns from")
    ask.add_argument("--final", type=int, default=3000, help="that the classifier learns from in the end")
    ask.add_argument("--test", type=int, default=2000)
    ask.add_argument("--size", type=int, default=112, help="side of the crops, pixels")
    ask.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    ask.add_argument("--variants", nargs="*", default=[""], metavar="NAME=VALUE,NAME=VALUE")
    ask.add_argument("--known", type=int, default=0, help="classes that the fine-tune sees; 0: all")
    ask.add_argument("--processes", type=int, default=1, help="runs at once, a thread each; 1: all threads")
    given = ask.parse_args()
    given.work = given.work or Path(tempfile.mkdtemp())
    given.work.mkdir(parents=True, exist_ok=True)
    device = find_device()
    print(device.line, "bf16" if device.fast_bf16 else "float32", flush=True)
    plan = [(variant, seed) for seed in given.seeds for variant in given.variants]
    if given.processes == 1:
        found = [kept(given, *each) for each in plan]
    else:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(given.processes, context, initializer=partial(torch.set_num_threads, 1)) as pool:
            found = list(pool.map(partial(kept_of, given), plan))
    by_variant = {
        variant: [each for (name, _), each in zip(plan, found, strict=True) if name == variant]
        for variant in given.variants
    }
    print(table(by_variant), flush=True)
    print(
        json.dumps(
            {"seeds": given.seeds, "variants": {name or "as the job": mean(all_) for name, all_ in by_variant.items()}}
        )
    )


def kept_of(given: argparse.Namespace, task: tuple[str, int]) -> Figures:
    """For a pool of processes."""
    return kept(given, *task)


def kept(given: argparse.Namespace, variant: str, seed: int) -> Figures:
    """What the folder has of it, else measured now."""
    settings = [str(given.start), given.labels, given.final, given.test, given.size, given.known]
    file = given.work / f"{variant or 'as-the-job'}-{seed}.json"
    if file.is_file():
        told = json.loads(file.read_text())
        if told["settings"] == settings:
            return dict(told["figures"])
    figures = measure(given, variant, seed, find_device())
    write_atomically(file, (json.dumps({"settings": settings, "figures": figures}) + "\n").encode())
    return figures


@dataclass(frozen=True)
class Pictures:
    """Crops and the numbers of their classes: to teach a classifier with and to name."""

    crops: Crops
    labels: Ids
    test: Crops
    truth: Ids

    def only(self, classes: Ids) -> "Pictures":
        """Those of these classes."""
        mine, theirs = np.isin(self.labels, classes), np.isin(self.truth, classes)
        return Pictures(self.crops[mine], self.labels[mine], self.test[theirs], self.truth[theirs])

    def named_right(self, embedder: Embedder) -> float:
        """Share of the test pictures that classifiers name right, the mean of a few."""
        taught, asked, shares = embedder.embed(self.crops), embedder.embed(self.test), []
        for seed in range(FITS):
            classifier = fit(taught, self.labels, classes=np.unique(self.labels).tolist(), seed=seed)
            named = np.array(classifier.classes)[classifier.probabilities(asked).argmax(axis=1)]
            shares.append((named == self.truth).mean())
        return float(np.mean(shares))


def measure(given: argparse.Namespace, variant: str, seed: int, device: Device) -> Figures:
    """Accuracy before and after, seconds of the fine-tune, for one draw of the pictures."""
    all_, first = drawn(given, seed)
    classes = np.unique(all_.labels)
    known, others = all_.only(classes[:first]), all_.only(classes[first:])
    old = load_embedder(given.start, device)
    recipe = altered(recipe_for(old.network.architecture, device, given.labels), [*variant.split(","), f"seed={seed}"])
    figures = {"before": known.named_right(old)}
    if len(others.labels):
        figures["others_before"] = others.named_right(old)
    started = time.monotonic()
    taught = slice(0, given.labels)
    verdict, new = tuned(given, known.crops[taught], known.labels[taught], recipe, device)
    figures["seconds"] = round(time.monotonic() - started, 1)
    embedder = load_embedder(new, device)
    figures["after"] = known.named_right(embedder)
    if len(others.labels):
        figures["others_after"] = others.named_right(embedder)
    print(f"{variant or 'as the job'}, seed {seed}: {figures}, {verdict.words}", flush=True)
    return figures | {"helped": float(verdict.helped), "steps": verdict.steps}


def drawn(given: argparse.Namespace, seed: int) -> tuple[Pictures, int]:
    """Pictures by chance, and how many of their classes are known; enough that the known ones have as many as asked for."""
    share = 1.0 if not given.known else given.known / 10 * 0.95  # ten classes, drawn evenly but for chance
    crops, names = read_small_pictures(given.cifar, "train", round(given.final / share), seed, given.size)
    test, test_names = read_small_pictures(given.cifar, "test", given.test, seed, given.size)
    species = {name: number for number, name in enumerate(np.unique(names))}
    labels, truth = (np.array([species[name] for name in each]) for each in (names, test_names))
    return Pictures(crops, labels, test, truth), given.known or len(species)


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
        said = f"step {progress.step} of {progress.steps}, loss {progress.loss:.3f}, {judged}, {left}"
        print(f"  {os.getpid()}: {said}", flush=True)


def altered(recipe: Recipe, changes: Sequence[str]) -> Recipe:
    """The recipe with these NAME=VALUE; a number stays the kind of number that it was."""
    views = {each.name for each in fields(Augmentation)}
    for name, value in (each.split("=") for each in changes if each):
        of = recipe.augmentation if name in views else recipe
        changed: Any = {name: type(getattr(of, name))(value)}
        if name in views:
            changed = {"augmentation": replace(recipe.augmentation, **changed)}
        recipe = replace(recipe, **changed)
    return recipe


def table(by_variant: dict[str, list[Figures]]) -> str:
    """One line a variant, percent; the difference is that from the first variant, seed by seed, in points."""
    first = next(iter(by_variant.values()))
    forgets = "others_after" in first[0]
    head = [
        "variant",
        "before",
        "after",
        "difference",
        *(["others before", "others after"] if forgets else []),
        "seconds",
    ]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, runs in by_variant.items():
        apart = [run["after"] - base["after"] for run, base in zip(runs, first, strict=True)]
        cells = [name or "as the job", *(points([run[key] for run in runs]) for key in ("before", "after"))]
        cells += ["" if runs is first else points(apart)]
        cells += [points([run[key] for run in runs]) for key in ("others_before", "others_after") if forgets]
        cells += [f"{np.median([run['seconds'] for run in runs]):.0f}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def mean(runs: Sequence[Figures]) -> Figures:
    """Of every figure."""
    return {key: round(float(np.mean([run[key] for run in runs])), 4) for key in runs[0]}


if __name__ == "__main__":
    main()
