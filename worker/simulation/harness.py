"""Every strategy from the same first pools, several seeds, in several processes: behind `waterhole simulate`.

Decisions: courses share nothing but the files that they read, so each runs in a process of its own; the folder keeps
settings, vectors and every round, and the same command goes on where a run was cut; a folder of other settings is refused.
Ren et al. 2021, sec. 5.
"""

from __future__ import annotations

import io
import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from worker.device import find_device
from worker.images.crops import CROP_PX
from worker.learning.ways import WAYS
from worker.networks.weights import sha256_of, write_atomically
from worker.selection.strategies import NEEDS_CROPS, STRATEGIES
from worker.simulation.course import FIRSTS, LINES, Course, Line, Protocol, Table, read_lines, strategy_and_way
from worker.simulation.embedding import embedded, file_of, start_weights
from worker.simulation.studies import Study

PIXELS_PX = 64  # the side at which strategies look at crops (DECISIONS 12)
LOOK_EVERY_S = 1.0
Tell = Callable[[str, int, int], None]


class SimulationError(Exception):
    """The simulation cannot be run, or broke off; the words say why."""


@dataclass(frozen=True)
class Wishes:
    """What is simulated. strategies: names, or name+way of the classifier ("margin+ceal"). size_px: the side at which the
    embedder sees a crop. seeds: 1 to this number."""

    strategies: tuple[str, ...]
    seeds: int
    protocol: Protocol
    embedder: str = "starter"
    size_px: int = CROP_PX

    def check(self, study: Study) -> None:
        """Raises SimulationError naming what cannot be."""
        for strategy, way in map(strategy_and_way, self.strategies):
            if strategy not in STRATEGIES:
                raise SimulationError(f"no strategy is called {strategy!r}; there are {', '.join(STRATEGIES)}")
            if way not in WAYS:
                raise SimulationError(f"no classifier is called {way!r}; there are {', '.join(WAYS)}")
        protocol = self.protocol
        if protocol.first not in FIRSTS:
            raise SimulationError(f"no first round is called {protocol.first!r}; there are {', '.join(FIRSTS)}")
        needs = sorted(self.looking())
        if not self.strategies or min(self.seeds, protocol.initial, protocol.round, protocol.budget) < 1:
            raise SimulationError("at least one strategy, one seed and one label a round are needed")
        if protocol.initial > min(protocol.budget, study.pool):
            most = f"a budget of {protocol.budget:,} and a pool of {study.pool:,}"
            raise SimulationError(f"the first round of {protocol.initial:,} does not fit {most}")
        if study.crops is None and (needs or protocol.finetune_every):
            raise SimulationError(
                f"{needs[0] if needs else 'a fine-tune'} needs crops, and this study has vectors only"
            )

    def looking(self) -> frozenset[str]:
        """The strategies that look at the crops themselves; the one that makes the first round is one of them."""
        names = {strategy_and_way(name)[0] for name in self.strategies}
        return NEEDS_CROPS & (names | {FIRSTS[self.protocol.first]})


@dataclass(frozen=True)
class Played:
    """One finished course."""

    strategy: str
    seed: int
    lines: list[Line]


def simulate(study: Study, wishes: Wishes, work: Path, processes: int, tell: Tell) -> list[Played]:
    """All courses, by strategy and seed. work: keeps everything. tell: what is done, how many of how many.

    Raises SimulationError, WeightsError, NotASet.
    """
    wishes.check(study)
    work.mkdir(parents=True, exist_ok=True)
    remember(wishes, study, work)
    table = set_up(study, wishes, work, tell)
    plan = [(strategy, seed) for seed in range(1, wishes.seeds + 1) for strategy in wishes.strategies]
    folders = {(strategy, seed): work / "courses" / f"{strategy}-{seed}" for strategy, seed in plan}
    total = len(plan) * rounds_of(wishes.protocol, study.pool)

    def look() -> None:
        tell("Rounds", sum(count_lines(folder / LINES) for folder in folders.values()), total)

    play_all([(table, *key, wishes.protocol, folder) for key, folder in folders.items()], processes, look)
    return [Played(strategy, seed, read_lines(folders[strategy, seed] / LINES)) for strategy, seed in sorted(plan)]


def remember(wishes: Wishes, study: Study, work: Path) -> None:
    """Raises SimulationError where another simulation lies in this folder."""
    settings = work / "settings.json"
    told = settings_of(wishes, study)
    if settings.is_file() and json.loads(settings.read_text()) != told:
        raise SimulationError(f"{work} holds a simulation with other settings (settings.json); name another folder")
    write_atomically(settings, (json.dumps(told, indent=1) + "\n").encode())


def settings_of(wishes: Wishes, study: Study) -> dict[str, Any]:
    """Everything that decides what comes out, for settings.json."""
    return json.loads(json.dumps(asdict(wishes))) | {  # type: ignore[no-any-return]  # lists as JSON has them
        "study": study.name,
        "pool": study.pool,
        "test": len(study) - study.pool,
        "species": list(study.species),
        "study_sha256": study.sha256,
        "embedder_sha256": sha256_of(file_of(wishes.embedder)),
    }


def set_up(study: Study, wishes: Wishes, work: Path, tell: Tell) -> Table:
    """Vectors of every crop, and small pictures where a strategy looks at them."""
    if study.vectors is not None:
        file = work / "vectors.npy"
        if not file.is_file():
            content = io.BytesIO()
            np.save(content, study.vectors)
            write_atomically(file, content.getvalue())
        return Table(replace(study, vectors=None), file, None)
    assert study.crops is not None
    weights = start_weights(wishes.embedder, wishes.size_px, work)
    vectors = embedded(study.crops, study.sha256, weights, work, find_device(), tell)
    return Table(study, vectors, weights, pixels_of(study, work, tell) if wishes.looking() else None)


def pixels_of(study: Study, work: Path, tell: Tell) -> Path:
    """A .npy of (pool, 64, 64, 3) uint8; each pixel the mean of what it covers."""
    assert study.crops is not None
    done, half = work / "pixels.npy", work / "pixels.half.npy"
    if not done.is_file():
        shape, factor = (study.pool, PIXELS_PX, PIXELS_PX, 3), CROP_PX // PIXELS_PX
        pixels = np.lib.format.open_memmap(half, mode="w+", dtype=np.uint8, shape=shape)
        for start in range(0, study.pool, 256):
            rows = np.arange(start, min(start + 256, study.pool))
            crops = study.crops[rows].reshape(len(rows), PIXELS_PX, factor, PIXELS_PX, factor, 3)
            pixels[rows] = crops.mean(axis=(2, 4)).round().astype(np.uint8)
            tell("Shrinking", int(rows[-1]) + 1, study.pool)
        pixels.flush()
        half.replace(done)
    return done


Task = tuple[Table, str, int, Protocol, Path]


def play_all(tasks: Sequence[Task], processes: int, look: Callable[[], None]) -> None:
    """Every course to its end. look: called now and then. Raises SimulationError naming the course that failed."""
    if processes == 1:
        for task in tasks:
            with named(task):
                play(task, look)
        return
    context = multiprocessing.get_context("spawn")  # a forked torch may hang
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context, initializer=one_thread) as pool:
        running: dict[Future[None], Task] = {pool.submit(play, task): task for task in tasks}
        try:
            waiting = set(running)
            while waiting:
                done, waiting = wait(waiting, timeout=LOOK_EVERY_S, return_when=FIRST_COMPLETED)
                look()
                for each in done:
                    with named(running[each]):
                        each.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def named(task: Task) -> Iterator[None]:
    """Raises SimulationError that names the course where it fails."""
    _, strategy, seed, *_ = task
    try:
        yield
    except BrokenProcessPool as error:
        raise SimulationError("a process of the simulation was killed; the same command goes on") from error
    except Exception as error:
        raise SimulationError(f"{strategy}, seed {seed}: {type(error).__name__}: {error}") from error


def one_thread() -> None:
    """Courses run beside each other; threads of one would wait for those of another."""
    torch.set_num_threads(1)


def play(task: Task, look: Callable[[], None] | None = None) -> None:
    """One course to its end. look: called after every round."""
    table, strategy, seed, protocol, folder = task
    for _ in Course(table, strategy, seed, protocol, folder).run():
        if look is not None:
            look()


def rounds_of(protocol: Protocol, pool: int) -> int:
    """How many rounds a course has."""
    more = min(protocol.budget, pool) - protocol.initial
    return 1 + -(-more // protocol.round)


def count_lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.is_file() else 0
