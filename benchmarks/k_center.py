"""k-center against plain exact greedy: `python -m benchmarks.k_center --n 100000 --labelled 1000 --k 100`.

Prints a table for people and, on the last line, one JSON object. cold: from nothing but vectors and labelled rows to
the first k picks; steady: k picks of a later round, state kept (median of the rounds); plain: the same round by plain
greedy, one pass over all rows a pick, its distances kept too. Crops are clusters of uneven size, as animals are.
"""

import argparse
import json
import resource
import statistics
import time

import numpy as np

from worker.selection.coverage import BLOCK, Coverage, Floats, farthest_from_mean, squared_distance


def main() -> None:
    """Measure, print."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--n", type=int, default=100_000)
    ask.add_argument("--labelled", type=int, default=1_000)
    ask.add_argument("--k", type=int, default=100)
    ask.add_argument("--d", type=int, default=256)
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--clusters", type=int, default=300, help="0: one Gaussian cloud")
    ask.add_argument("--seed", type=int, default=0)
    given = ask.parse_args()

    rng = np.random.default_rng(given.seed)
    vectors = clustered(given.n, given.d, given.clusters, rng)
    labelled = rng.choice(given.n, given.labelled, replace=False)
    before_mb = peak_mb()

    start = time.perf_counter()
    coverage = Coverage.of_rows(vectors, labelled)
    rounds = [coverage.farthest(given.k)]
    cold_s = time.perf_counter() - start
    laps = []
    for _ in range(given.rounds):
        start = time.perf_counter()
        rounds.append(coverage.farthest(given.k))
        laps.append(time.perf_counter() - start)
    steady_s = statistics.median(laps)
    extra_mb = peak_mb() - before_mb

    plain_s, same_picks = plain_rounds(vectors, labelled, rounds)
    print(f"{given.n:,} x {given.d} float32 ({vectors.nbytes / 1e6:,.0f} MB), {given.labelled:,} labelled, k {given.k}")
    print(f"{'cold start and first round':32}{cold_s * 1e3:12,.1f} ms")
    print(f"{'steady round':32}{steady_s * 1e3:12,.1f} ms   {min(laps) * 1e3:,.1f} to {max(laps) * 1e3:,.1f}")
    print(f"{'plain greedy, steady round':32}{plain_s * 1e3:12,.1f} ms   {plain_s / steady_s:,.0f} times as long")
    print(f"{'peak memory on top of vectors':32}{extra_mb:12,.0f} MB")
    print(f"{'same picks in all rounds':32}{same_picks!s:>12}")
    figures = {"cold_s": round(cold_s, 4), "steady_s": round(steady_s, 4), "plain_s": round(plain_s, 4)}
    print(json.dumps({"n": given.n, "labelled": given.labelled, "k": given.k, **figures, "same_picks": same_picks}))


def clustered(n: int, d: int, clusters: int, rng: np.random.Generator) -> Floats:
    """(n, d) float32: clusters whose sizes fall like 1 / rank, made in blocks."""
    centers = rng.standard_normal((max(clusters, 1), d), dtype=np.float32)
    share = 1 / np.arange(1, len(centers) + 1)
    vectors = np.empty((n, d), dtype=np.float32)
    for lo in range(0, n, BLOCK):
        block = vectors[lo : lo + BLOCK]
        rng.standard_normal(out=block, dtype=np.float32)
        if clusters:
            block *= 0.3
            block += centers[rng.choice(clusters, len(block), p=share / share.sum())]
    return vectors


def plain_rounds(vectors: Floats, labelled: np.ndarray, rounds: list[list[int]]) -> tuple[float, bool]:
    """(seconds of the last round, whether every round picks the same) of plain greedy with the same distance."""
    reach = np.full(len(vectors), np.inf, dtype=np.float32)
    for row in labelled:
        shorten(reach, vectors, int(row))
    reach[labelled] = -1
    same, elapsed = True, 0.0
    for expected in rounds:
        start = time.perf_counter()
        picks = []
        for _ in expected:
            picks.append(farthest_from_mean(vectors) if np.isinf(reach[0]) else int(reach.argmax()))
            shorten(reach, vectors, picks[-1])
            reach[picks[-1]] = -1
        elapsed = time.perf_counter() - start
        same = same and picks == expected
    return elapsed, same


def shorten(reach: Floats, vectors: Floats, center: int) -> None:
    """One fused pass: bring every row's distance down to that of a new centre."""
    small = 512  # rows at a time: the differences stay in the cache
    for lo in range(0, len(vectors), small):
        part = reach[lo : lo + small]
        np.minimum(part, squared_distance(vectors[lo : lo + small], vectors[center]), out=part)


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
