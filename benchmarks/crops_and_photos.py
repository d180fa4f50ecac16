"""Is a crop easier to name than the whole photo? `python -m benchmarks.crops_and_photos --boxes ../shared/data/boxes`.

Norouzzadeh et al. 2019, Fig. 5, on photos whose animals were boxed by people: our classifier learns from so many labels and
names the photos of a fold that taught nothing (5 folds of photos). One label is one photo either way: the largest crop of it, or
all of it. The same photos teach both; the embedder is never fine-tuned. A table, then one JSON object on the last line.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from worker.device import find_device
from worker.learning.classifier import fit
from worker.learning.descent import Floats, Ids
from worker.learning.labelled_sets import SightedCrops, read_set
from worker.learning.sights import WHOLE, Sight
from worker.networks.embedder import Embedder, load_embedder
from worker.networks.weights import STARTER_DIR
from worker.simulation.curves import points
from worker.simulation.studies import unpack

FOLDS = 5
AT_ONCE = 64


def main() -> None:
    """Measure, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--boxes", type=Path, required=True, help="boxes.csv and boxes.tar")
    ask.add_argument("--embedder", type=Path, default=STARTER_DIR / "embedder.safetensors")
    ask.add_argument("--labels", type=int, nargs="+", default=[25, 50, 100, 200, 390])
    ask.add_argument("--seed", type=int, default=1)
    given = ask.parse_args()
    embedder = load_embedder(given.embedder, find_device())
    with tempfile.TemporaryDirectory() as folder:
        table = given.boxes / "boxes.csv"
        found = read_set(table, unpack(table, Path(folder)))
        largest = largest_of(found.sights)
        crops = embedded(SightedCrops(largest, found.skipped), embedder)
        photos = SightedCrops([replace(sight, box_xyxy=WHOLE) for sight in largest], found.skipped)
        whole = embedded(photos, embedder)
    fold = np.random.default_rng(given.seed).permutation(len(largest)) % FOLDS
    print(f"{len(found.sights)} boxes on {len(largest)} photos of {', '.join(photos.species)}\n")
    print("| labels | crops | whole photos | difference |\n|---|---|---|---|")
    told = {}
    for count in given.labels:
        right = {
            name: [named_right(vectors, photos.labels, fold, each, count, given.seed) for each in range(FOLDS)]
            for name, vectors in (("crops", crops), ("photos", whole))
        }
        apart = [one - other for one, other in zip(right["crops"], right["photos"], strict=True)]
        print(f"| {count} | {points(right['crops'])} | {points(right['photos'])} | {points(apart)} |")
        told[str(count)] = {name: round(float(np.mean(each)), 4) for name, each in right.items()}
    print(json.dumps({"folds": FOLDS, "labels": told}))


def largest_of(sights: Sequence[Sight]) -> list[Sight]:
    """The largest box of each photo, by path."""
    found: dict[Path, Sight] = {}
    for sight in sights:
        other = found.get(sight.path)
        if other is None or area_of(sight) > area_of(other):
            found[sight.path] = sight
    return [found[path] for path in sorted(found)]


def area_of(sight: Sight) -> float:
    """Share of the photo."""
    x0, y0, x1, y1 = sight.box_xyxy
    return (x1 - x0) * (y1 - y0)


def embedded(crops: SightedCrops, embedder: Embedder) -> Floats:
    """(n, 256)."""
    rows = np.arange(len(crops))
    return np.concatenate([embedder.embed(crops[few]) for few in np.array_split(rows, -(-len(rows) // AT_ONCE))])


def named_right(vectors: Floats, labels: Ids, fold: Ids, held: int, count: int, seed: int) -> float:
    """Share of the held fold's photos that a classifier names right that learnt from `count` of the others, drawn by chance."""
    others, asked = np.flatnonzero(fold != held), np.flatnonzero(fold == held)
    taught = np.random.default_rng([seed, held]).permutation(others)[:count]
    classifier = fit(vectors[taught], labels[taught], classes=np.unique(labels[taught]).tolist(), seed=seed)
    named = np.array(classifier.classes)[classifier.probabilities(vectors[asked]).argmax(axis=1)]
    return float((named == labels[asked]).mean())


if __name__ == "__main__":
    main()
