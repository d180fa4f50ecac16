"""k-center beside its peers: `python -m benchmarks.k_center --n 20000 100000 1000000 --labelled 1000 5000`.

Prints a table for people and, on the last line, one JSON object by "<n>/<labelled>". cold: from nothing but vectors and
labelled rows to the first k picks; steady: k picks of a later round, state kept (median of the rounds); restart: state read
back from its file, then k picks. plain: a later round by plain greedy, one pass over all rows a pick, its distances kept too;
all rounds of the others are compared with its picks. CoreSet (scikit-activeml) and FAISS keep nothing: their time is that of
every round. distances: pairs compared in the steady rounds, as a share of plain's. memory: peak of the process with all that
it maps, as a multiple of the vectors. Crops are clusters of uneven size, as animals are. Each method has its own process.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from safetensors.numpy import load_file, save_file

from benchmarks.k_center_peers import CLOCKS, core_set, faiss_greedy, opened, plain_rounds
from worker.selection.coverage import Coverage, Rows

BLOCK = 16_384  # rows at a time
COLUMNS = ["cold s", "steady ms", "restart ms", "plain ms", "CoreSet s", "FAISS s", "distances", "memory", "same picks"]


@dataclass(frozen=True)
class Lazy:
    """What was measured of worker.selection.coverage. rounds: the picks of each, the restarted one last."""

    cold_s: float
    laps_s: list[float]
    restart_s: float
    share: float
    memory: float
    rounds: list[list[int]]


def main() -> None:
    """Measure, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--n", type=int, nargs="+", default=[100_000])
    ask.add_argument("--labelled", type=int, nargs="+", default=[1_000])
    ask.add_argument("--k", type=int, default=100)
    ask.add_argument("--d", type=int, default=256)
    ask.add_argument("--rounds", type=int, default=3)
    ask.add_argument("--clusters", type=int, default=300, help="0: one Gaussian cloud")
    ask.add_argument("--half", action="store_true", help="float16 vectors, for every method")
    ask.add_argument(
        "--peers-up-to", type=int, default=10_000_000, help="rows; with more, CoreSet and FAISS are not run"
    )
    ask.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: processor seconds, for a busy machine")
    ask.add_argument("--seed", type=int, default=0)
    given = ask.parse_args()

    threads = f"{faiss.omp_get_max_threads()} threads on {len(os.sched_getaffinity(0))} cores"
    print(
        f"d {given.d}, k {given.k}, {threads}, load {os.getloadavg()[0]:.1f}, float{16 if given.half else 32}, {given.clock} time"
    )
    print(" | ".join(["n/labelled".rjust(14), *(f"{column:>10}" for column in COLUMNS)]))
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for n in given.n:
            path = Path(folder) / f"{n}.npy"
            alone(
                write_clustered, path, n, given.d, given.clusters, given.seed, np.float16 if given.half else np.float32
            )
            for m in given.labelled:
                labelled = np.random.default_rng([given.seed, m]).choice(n, m, replace=False)
                figures[f"{n}/{m}"] = case(path, labelled, given)
            path.unlink()
    print(json.dumps(figures))


def case(path: Path, labelled: Rows, given: argparse.Namespace) -> dict[str, float | bool | None]:
    """Every method on these vectors and labelled rows; prints its line of the table."""
    lazy: Lazy = alone(measure_lazy, path, labelled, given.k, given.rounds, given.clock)
    plain_s, same = alone(plain_rounds, path, labelled, lazy.rounds, given.clock)
    n, steady_s = len(np.load(path, mmap_mode="r")), statistics.median(lazy.laps_s)
    asked = n <= given.peers_up_to
    core_set_s = alone(core_set, path, labelled, given.k, given.clock) if asked else None
    faiss_s = alone(faiss_greedy, path, labelled, given.k, given.clock) if asked else None
    cells = [
        f"{lazy.cold_s:.2f}", f"{steady_s * 1e3:.1f}", f"{lazy.restart_s * 1e3:.1f}", f"{plain_s * 1e3:,.0f}",
        f"{core_set_s:.1f}" if core_set_s else "not run", f"{faiss_s:.1f}" if faiss_s else "not run",
        f"{lazy.share:.2%}", f"{lazy.memory:.2f}", str(same),
    ]  # fmt: skip
    print(" | ".join([f"{n:,}/{len(labelled):,}".rjust(14), *(f"{cell:>10}" for cell in cells)]), flush=True)
    return {
        "steady_ms": round(steady_s * 1e3, 2), "cold_s": round(lazy.cold_s, 3), "restart_ms": round(lazy.restart_s * 1e3, 2),
        "plain_ms": round(plain_s * 1e3, 1), "skactiveml_s": core_set_s and round(core_set_s, 2),
        "faiss_s": faiss_s and round(faiss_s, 2), "distances_share": round(lazy.share, 5),
        "memory_ratio": round(lazy.memory, 3), "same_picks": same,
    }  # fmt: skip


def alone(measure: Callable[..., Any], *arguments: object) -> Any:
    """What it returns, called in a fresh process: its peak of memory is its own. This one stays small, as a child inherits it."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def measure_lazy(path: Path, labelled: Rows, k: int, rounds: int, clock: str) -> Lazy:
    """Cold, `rounds` steady rounds, and one after the state went through a file."""
    now, before_mb = CLOCKS[clock], peak_mb()
    vectors = opened(path)
    start = now()
    coverage = Coverage.of_rows(vectors, labelled)
    picked = [coverage.farthest(k)]
    cold_s = now() - start
    laps_s, compared = [], coverage.compared
    for _ in range(rounds):
        start = now()
        picked.append(coverage.farthest(k))
        laps_s.append(now() - start)
    share = (coverage.compared - compared) / (len(vectors) * k * rounds)
    memory = (peak_mb() - before_mb) * 1e6 / vectors.nbytes
    state = path.with_suffix(".coverage")
    save_file(coverage.to_arrays(), state)
    start = now()
    picked.append(Coverage.resumed(vectors, load_file(state)).farthest(k))
    return Lazy(cold_s, laps_s, now() - start, share, memory, picked)


def write_clustered(path: Path, n: int, d: int, clusters: int, seed: int, kind: type[np.floating[Any]]) -> None:
    """(n, d) as a .npy file: clusters whose sizes fall like 1 / rank, made in blocks."""
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((max(clusters, 1), d), dtype=np.float32)
    share = 1 / np.arange(1, len(centers) + 1)
    vectors = np.lib.format.open_memmap(path, "w+", kind, (n, d))
    for lo in range(0, n, BLOCK):
        block = rng.standard_normal((min(BLOCK, n - lo), d), dtype=np.float32)
        if clusters:
            block *= 0.3
            block += centers[rng.choice(clusters, len(block), p=share / share.sum())]
        vectors[lo : lo + BLOCK] = block
    vectors.flush()


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
