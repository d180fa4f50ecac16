"""Other ways to the same picks: plain greedy, FAISS-flat greedy, scikit-activeml's CoreSet. Each reads a .npy file of (n, d)
vectors and says how many seconds it took."""

import statistics
import time
from pathlib import Path

import faiss
import numpy as np
from skactiveml.pool import CoreSet

from worker.selection.coverage import Rows, rounding, squared_distance
from worker.selection.nearest import Floats, Vectors

SMALL = 512  # rows at a time: the differences stay in the cache
BLOCK = 4_096  # rows at a time in a matrix product
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def opened(path: Path) -> Vectors:
    """Memory-mapped, and all of it read once, so that nobody waits for the disk while the clock runs."""
    vectors: Vectors = np.load(path, mmap_mode="r")
    for lo in range(0, len(vectors), BLOCK):
        vectors[lo : lo + BLOCK].max()
    return vectors


def plain_rounds(path: Path, labelled: Rows, rounds: list[list[int]], clock: str) -> tuple[float, bool]:
    """Plain greedy goes through as many picks: (median seconds of a round, whether every round picks the same)."""
    now, vectors = CLOCKS[clock], opened(path)
    reach = distances_to(vectors, vectors[labelled])
    reach[labelled] = -1
    same, laps = True, []
    for expected in rounds:
        start = now()
        picks = []
        for _ in expected:
            picks.append(int(reach.argmax()))
            shorten(reach, vectors, picks[-1])
            reach[picks[-1]] = -1
        laps.append(now() - start)
        same = same and picks == expected
    return statistics.median(laps), same


def distances_to(vectors: Vectors, centers: Vectors) -> Floats:
    """(n,) the least squared distance to any centre: a matrix product says which pairs may have it, those are measured."""
    centers = np.asarray(centers, dtype=np.float32)
    sizes = np.vecdot(centers, centers)
    reach = np.full(len(vectors), np.inf, dtype=np.float32)
    for lo in range(0, len(vectors), BLOCK):
        block = np.asarray(vectors[lo : lo + BLOCK], dtype=np.float32)
        rough = (-2 * block) @ centers.T + sizes
        slack = 2 * rounding(block.shape[1]) * (np.vecdot(block, block) + sizes.max())
        row, center = np.nonzero(rough <= (rough.min(axis=1) + slack)[:, None])
        np.minimum.at(reach, lo + row, squared_distance(block[row], centers[center]))
    return reach


def shorten(reach: Floats, vectors: Vectors, center: int) -> None:
    """One fused pass: bring every row's distance down to that of a new centre."""
    for lo in range(0, len(vectors), SMALL):
        part = reach[lo : lo + SMALL]
        np.minimum(part, squared_distance(vectors[lo : lo + SMALL], vectors[center]), out=part)


def faiss_greedy(path: Path, labelled: Rows, k: int, clock: str) -> float:
    """FAISS's exhaustive search, for the nearest of all labelled rows and then of each pick."""
    now, vectors = CLOCKS[clock], np.asarray(opened(path), dtype=np.float32)
    start = now()
    index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors[labelled])
    reach = index.search(vectors, 1)[0][:, 0]
    reach[labelled] = -1
    picks: list[int] = []
    while len(picks) < k:
        picks.append(int(reach.argmax()))
        index.reset()
        index.add(vectors[picks[-1:]])
        np.minimum(reach, index.search(vectors, 1)[0][:, 0], out=reach)
        reach[picks[-1]] = -1
    return now() - start


def core_set(path: Path, labelled: Rows, k: int, clock: str) -> float:
    """One query of scikit-activeml."""
    now, vectors = CLOCKS[clock], opened(path)
    answers = np.full(len(vectors), np.nan)
    answers[labelled] = 0
    start = now()
    CoreSet(random_state=0).query(vectors, answers, batch_size=k)
    return now() - start
