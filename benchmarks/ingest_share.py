"""What share of its slowest stage alone the whole ingest reaches; benchmarks/networks.py says what that means."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.household import Household, household
from models.importing import import_folder
from worker.device import Device, enter_lane, usable_cores
from worker.images.crops import crops, to_jpeg
from worker.images.decoder import Decoded, DecoderPool
from worker.jobs.looking import worth_a_crop
from worker.jobs.networks import decoders_for
from worker.networks.detector import Detections, Detector, load_detector
from worker.networks.embedder import load_embedder

T = TypeVar("T")
R = TypeVar("R")
CLASSIFY_ABOVE = 0.25  # about the starter's own: 1 to 2 crops a photo
GOAL = 0.85
STAGES = ("decode", "detect", "embed")


@dataclass(frozen=True)
class Took:
    """Seconds on the clock, and seconds of processor time."""

    wall_s: float
    processor_s: float


def timed(work: Callable[[], object]) -> Took:
    """Run it once in this process and its children, which must have ended with it."""
    wall, processor = time.perf_counter(), processor_s()
    work()
    return Took(time.perf_counter() - wall, processor_s() - processor)


def processor_s() -> float:
    """User and system time so far."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def lanes_of(device: Device) -> Iterator[ThreadPoolExecutor]:
    """The lanes in which the worker computes."""
    with ThreadPoolExecutor(device.lanes, "lane", enter_lane, (device.lane_threads,)) as lanes:
        yield lanes


def in_lanes(lanes: ThreadPoolExecutor, work: Callable[[Sequence[T]], R], things: Sequence[T], at_once: int) -> list[R]:
    """Batches through the lanes."""
    return list(lanes.map(work, [things[start : start + at_once] for start in range(0, len(things), at_once)]))


def opened(paths: list[Path], device: Device) -> list[Decoded]:
    """The photos, decoded; those that are none are left out."""
    with DecoderPool(decoders_for(device)) as pool:
        return [photo for photo in pool.decode(paths) if photo.verdict == "accept"]


def look(lanes: ThreadPoolExecutor, device: Device, detector: Detector, photos: list[Decoded]) -> list[Detections]:
    """Resized and looked at, a batch a lane."""

    def see(batch: Sequence[Decoded]) -> list[Detections]:
        small = [detector.preprocess(photo.pixels) for photo in batch]
        return detector.predict(small, [photo.pixels.shape[:2] for photo in batch])

    at_once = min(device.photos, -(-len(photos) // device.lanes))
    return list(chain.from_iterable(in_lanes(lanes, see, photos, at_once)))


class Stages:
    """The three stages of an ingest with the starter networks, each to be run alone over the same photos."""

    def __init__(self, device: Device, lanes: ThreadPoolExecutor, paths: list[Path]) -> None:
        """The networks are loaded and have warmed up."""
        self._device, self._lanes, self._paths = device, lanes, paths
        self._photos = opened(paths, device)
        self._detector, self._embedder = load_detector("starter", device), load_embedder("starter", device)
        self._found: list[Detections] = []
        self.detect()
        self.embed()

    def decode(self) -> None:
        """Opened, with thumbnail and preview, by as many processes as there are cores."""
        with DecoderPool(max(usable_cores(), decoders_for(self._device))) as pool:
            for photo in pool.decode(self._paths, ahead=2 * pool.processes):
                photo.release()

    def detect(self) -> None:
        """Resized and looked at."""
        self._found = look(self._lanes, self._device, self._detector, self._photos)

    def embed(self) -> None:
        """The boxes that detect() found: cut, encoded for pages, embedded; a batch of photos at a time, as an ingest does."""
        in_lanes(self._lanes, self._embed, list(zip(self._photos, self._found, strict=True)), self._device.photos)

    @property
    def crops(self) -> int:
        """How many boxes become crops."""
        return sum(len(worth_a_crop(found, CLASSIFY_ABOVE)) for found in self._found)

    def _embed(self, batch: Sequence[tuple[Decoded, Detections]]) -> None:
        cuts = [crops(photo.pixels, found.boxes_xyxy[worth_a_crop(found, CLASSIFY_ABOVE)]) for photo, found in batch]
        together = np.concatenate(cuts)
        self._embedder.embed(together)
        for one in together:
            to_jpeg(one)


def measure(device: Device, lanes: ThreadPoolExecutor, paths: list[Path], folder: Path, rounds: int) -> dict[str, Any]:
    """Stages and ingest in turn, medians of the rounds. folder: for a copy of the photos."""
    stages = Stages(device, lanes, paths)
    took: dict[str, list[Took]] = {name: [] for name in (*STAGES, "ingest")}
    copied(paths, folder)
    with household(serve=False) as house:
        ingest(house, folder, "warm up")
        for number in range(rounds):
            for name in STAGES:
                took[name].append(timed(getattr(stages, name)))
            took["ingest"].append(ingest(house, folder, f"round {number}"))
    wall_s = {name: statistics.median(each.wall_s for each in times) for name, times in took.items()}
    work_s = {name: statistics.median(each.processor_s for each in times) for name, times in took.items()}
    return say(device, len(paths), stages.crops, wall_s, work_s)


def say(device: Device, photos: int, made: int, wall_s: dict[str, float], work_s: dict[str, float]) -> dict[str, Any]:
    """A table for people; the figures for the last line. wall_s, work_s: seconds for all photos, of each stage and the ingest."""
    in_networks = wall_s["detect"] + wall_s["embed"]
    slowest_s = max(wall_s["decode"], in_networks) if device.is_gpu else wall_s["decode"] + in_networks
    stages_s, share = sum(work_s[name] for name in STAGES), slowest_s / wall_s["ingest"]
    print(f"\n{f'starter, {photos} photos, {made} crops':32}{'ms a photo':>12}{'photos/s':>10}{'processor ms':>14}")
    for name, wall, work in (
        *((f"{name} alone", wall_s[name], work_s[name]) for name in STAGES),
        ("slowest alone", slowest_s, stages_s),
        ("ingest", wall_s["ingest"], work_s["ingest"]),
    ):
        print(f"{name:32}{1000 * wall / photos:12.1f}{photos / wall:10.2f}{1000 * work / photos:14.1f}")
    print(
        f"The ingest reaches {share:.0%} of the slowest alone (goal {GOAL:.0%}). It takes {work_s['ingest'] / stages_s:.0%} "
        f"of the stages' processor time and keeps {work_s['ingest'] / wall_s['ingest']:.2f} of {usable_cores()} cores busy; "
        f"load {os.getloadavg()[0]:.1f}."
    )
    return {
        "decode_photos_per_s": round(photos / wall_s["decode"], 2),
        "slowest_photos_per_s": round(photos / slowest_s, 2),
        "ingest_photos_per_s": round(photos / wall_s["ingest"], 2),
        "share": round(share, 3),
        "processor_ms_a_photo": {name: round(1000 * each / photos, 1) for name, each in work_s.items()},
    }


def ingest(house: Household, folder: Path, name: str) -> Took:
    """One job in the worker's process, from its start to its end."""
    project_id = house.project(name, classify_above=CLASSIFY_ABOVE, count_above=0.65)
    before = worker_processor_s(house)
    result = import_folder(house.database, house.store, project_id, folder, name=name, by=None, progress=lambda _: None)
    if result.job_id is None:
        raise SystemExit(f"no photo in {folder}")
    job = house.wait_for(result.job_id)
    worked_s = worker_processor_s(house) - before
    assert job.started_at is not None and job.ended_at is not None
    house.quiet(project_id)
    return Took((job.ended_at - job.started_at).total_seconds(), worked_s)


def worker_processor_s(house: Household) -> float:
    """User and system time of the worker and of its children that ended. Linux only; not a number elsewhere."""
    total = 0.0
    for process in house.running:
        stat = Path(f"/proc/{process.pid}/stat")
        if not stat.is_file():
            return float("nan")
        fields = stat.read_text().rsplit(")", 1)[1].split()
        total += sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    return total


def copied(paths: list[Path], folder: Path) -> None:
    """The photos in a folder of their own, as if four cameras had taken them."""
    for number, path in enumerate(paths):
        place = folder / f"camera {number % 4}" / f"{number:04}{path.suffix}"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
