"""How fast each network is, how fast photos are decoded, and what share of that the whole ingest reaches.

    python -m benchmarks.networks --photos ../shared/data/camera-trap

Every network runs as the worker runs it: in lanes (worker/device.py), channels last, batch norms folded. bf16 is measured where
the device multiplies it itself; elsewhere it is emulated, 20 times slower, and never used. Weights that nobody fetched are
drawn at random, which costs the same sums; the table says so.

The share. Stages that use the same thing, the processor's cores or the GPU, can at best follow each other without a gap. Each
is measured alone on all of it, over the same photos: opening them (with thumbnail and preview), the detector, and cutting,
encoding and embedding the crops. The slowest alone is then: all stages one after the other where there are only cores; with a
GPU the longer of decoding and of the networks. The ingest is the real one: a worker process with its database, from the job's
start to its end, the start of its decoders included. Stages and ingest take turns; medians of the rounds. Processor time is
printed beside the clock: other work on the machine disturbs it less.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks import ingest_share
from benchmarks.ingest_share import in_lanes, lanes_of, look, opened, timed
from worker.device import Device, find_device, usable_cores
from worker.images.decoder import Decoded
from worker.networks import detector as detectors
from worker.networks import embedder as embedders
from worker.networks.detector import Detector, load_detector
from worker.networks.embedder import CROP_PX, Crops, Embedder, load_embedder
from worker.networks.embedding import ResNet50Embedding, blank_network
from worker.networks.kinds import KINDS
from worker.networks.resnet_detector import ARCHITECTURE as LARGE
from worker.networks.resnet_detector import SIDES_PX, build_resnet50_fpn_v2
from worker.networks.weights import write_weights

RESNET50 = "resnet50"


def main() -> None:
    """Print tables for people, then one JSON object on the last line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=64, help="photos of the folder, evenly chosen")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", type=Path, default=Path("var/weights"), help="folder of fetched weights")
    asked = parser.parse_args()
    device, paths = find_device(), chosen(asked.photos, asked.count)
    bf16 = "bf16" if device.fast_bf16 else "float32"
    print(
        f"{device.line}, {bf16}, {usable_cores()} cores, load {os.getloadavg()[0]:.1f}; {len(paths)} of {asked.photos}"
    )
    with lanes_of(device) as lanes, tempfile.TemporaryDirectory() as folder:
        shelf = Shelf(asked.weights, Path(folder))
        figures: dict[str, Any] = {"device": device.line, "networks": networks(device, lanes, shelf, paths)}
        figures |= ingest_share.measure(device, lanes, paths, Path(folder) / "photos", asked.rounds)
    print(json.dumps(figures))


def chosen(folder: Path, count: int) -> list[Path]:
    """So many photos of a folder, evenly from its beginning to its end."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        raise SystemExit(f"no photo in {folder}")
    return [found[int(number)] for number in np.linspace(0, len(found) - 1, min(count, len(found)))]


class Shelf:
    """Fetched weights, or some drawn at random."""

    def __init__(self, weights: Path, drawn: Path) -> None:
        """weights: where fetched ones lie. drawn: where others may be written."""
        self._weights, self._drawn = weights, drawn

    def find(self, name: str) -> tuple[str, str]:
        """Where they lie, and what they are."""
        if name == "starter":
            return name, "shipped"
        fetched, drawn = (folder / f"{name}.safetensors" for folder in (self._weights, self._drawn))
        if fetched.is_file():
            return str(fetched), "fetched"
        if not drawn.is_file():
            DRAW[name](drawn)
        return str(drawn), "random"


def networks(device: Device, lanes: ThreadPoolExecutor, shelf: Shelf, paths: list[Path]) -> dict[str, Any]:
    """Name -> {unit, weights, fp32, bf16}, printed as they come."""
    photos, crops = opened(paths, device), crops_like(1024 if device.is_gpu else 64)
    few = photos if device.is_gpu else photos[: 2 * device.lanes]  # the large one takes seconds for each
    exact = replace(device, fast_bf16=False)
    precisions = {"fp32": exact} | ({"bf16": device} if device.fast_bf16 else {})
    rows: dict[str, Any] = {}
    print(f"\n{'alone':32}{'weights':10}{'fp32':>10}{'bf16':>10}")
    for name, source, unit in (
        ("starter detector", "starter", "photos/s"),
        (LARGE, LARGE, "photos/s"),
        ("starter embedder", "starter", "crops/s"),
        ("resnet50 embedder", RESNET50, "crops/s"),
    ):
        place, weights = shelf.find(source)
        rates: dict[str, float] = {}
        for precision, precise in precisions.items():
            if unit == "crops/s":
                rates[precision] = embedder_rate(lanes, precise, load_embedder(place, precise), crops)
            else:
                some = few if name == LARGE else photos
                rates[precision] = detector_rate(lanes, precise, load_detector(place, precise), some)
        rows[name] = {"unit": unit, "weights": weights} | {key: round(rate, 2) for key, rate in rates.items()}
        cells = "".join(f"{rates[key]:10.2f}" if key in rates else f"{'-':>10}" for key in ("fp32", "bf16"))
        print(f"{name:32}{weights:10}{cells}  {unit}", flush=True)
    return rows


def detector_rate(lanes: ThreadPoolExecutor, device: Device, detector: Detector, photos: list[Decoded]) -> float:
    """Photos a second, resized and looked at; the second time."""
    look(lanes, device, detector, photos[: device.lanes])
    return len(photos) / timed(lambda: look(lanes, device, detector, photos)).wall_s


def embedder_rate(lanes: ThreadPoolExecutor, device: Device, embedder: Embedder, crops: Crops) -> float:
    """Crops a second; the second time."""

    def embed(rows: Sequence[int]) -> None:
        embedder.embed(crops[list(rows)])

    at_once = min(device.crops, len(crops) // (2 * device.lanes))
    in_lanes(lanes, embed, range(device.lanes * at_once), at_once)
    return len(crops) / timed(lambda: in_lanes(lanes, embed, range(len(crops)), at_once)).wall_s


def crops_like(count: int) -> Crops:
    """(count, 256, 256, 3) of noise: what a network sees does not change its speed."""
    return np.random.default_rng(0).integers(0, 256, (count, CROP_PX, CROP_PX, 3), dtype=np.uint8)


def draw_detector(path: Path) -> None:
    """The large detector, its weights drawn at random."""
    network = build_resnet50_fpn_v2(len(KINDS), detectors.FLOOR, detectors.MOST_BOXES)
    card = {
        "kind": detectors.KIND, "name": path.stem, "architecture": LARGE, "classes": list(KINDS),
        "short_side_px": SIDES_PX[0], "long_side_px": SIDES_PX[1],
    }  # fmt: skip
    write_weights(path, drawn(network).state_dict(), card, half=False)


def draw_embedder(path: Path) -> None:
    """The ResNet-50 embedder, its weights drawn at random."""
    network = blank_network(ResNet50Embedding.architecture)
    card = embedders.card_of(path.stem, ResNet50Embedding.architecture)
    write_weights(path, drawn(network).state_dict(), card, half=False)


DRAW = {LARGE: draw_detector, RESNET50: draw_embedder}


@torch.no_grad()
def drawn(network: nn.Module) -> nn.Module:
    """Weights with which numbers neither vanish nor grow: very small ones are slow on some processors."""
    torch.manual_seed(0)
    for tensor in network.state_dict().values():
        tensor.zero_()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return network


if __name__ == "__main__":
    main()
