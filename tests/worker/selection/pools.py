"""Pools for tests: small, with ties and duplicates on purpose."""

import numpy as np

from worker.selection.pool import Floats, Pool


def make_pool(vectors: Floats, labelled: list[int], classes: int = 4, taken: list[int] | None = None) -> Pool:
    """A pool whose probabilities are coarse, so that ties are common."""
    n = len(vectors)
    chances = np.random.default_rng(n).integers(1, 4, (n, classes)).astype(np.float32)
    return Pool(
        vectors=vectors,
        labelled=np.array(labelled, dtype=np.int64),
        labels=np.arange(len(labelled), dtype=np.int64) % classes,
        fit=lambda: chances / chances.sum(axis=1, keepdims=True),
        sequence=np.arange(n, dtype=np.int64),
        deployment=np.zeros(n, dtype=np.int64),
        taken=np.array(taken or [], dtype=np.int64),
    )


def slow_k_center(vectors: Floats, centers: Floats, k: int, banned: set[int] | None = None) -> list[int]:
    """k-center as the paper says it, with loops."""
    chosen = [np.array(center) for center in centers]
    gone = set(banned or set())
    picks: list[int] = []
    for _ in range(k):
        best, farthest = -1, np.float32(-1)
        against = chosen or [vectors.mean(axis=0, dtype=np.float64).astype(np.float32)]
        for row, vector in enumerate(vectors):
            if row in gone:
                continue
            reach = min(np.vecdot(vector - center, vector - center) for center in against)
            if reach > farthest:
                best, farthest = row, reach
        picks.append(best)
        gone.add(best)
        chosen.append(vectors[best])
    return picks


def known_pool(vectors: Floats, labelled: list[int], labels: list[int], chances: Floats | None = None) -> Pool:
    """A pool whose labels, and whose probabilities (n, C) where given, are said by the test; every row its own burst."""
    n = len(vectors)
    said = np.ones((n, 1), dtype=np.float32) if chances is None else chances.astype(np.float32)
    return Pool(
        vectors=vectors.astype(np.float32),
        labelled=np.array(labelled, dtype=np.int64),
        labels=np.array(labels, dtype=np.int64),
        fit=lambda: said,
        sequence=np.arange(n, dtype=np.int64),
        deployment=np.zeros(n, dtype=np.int64),
    )


def blobs(middles: list[list[float]], sizes: list[int], spread: float = 0.1, seed: int = 0) -> tuple[Floats, list[int]]:
    """Normal clouds around the middles, one after the other: their rows (n, d) and the number of each one's cloud (n,)."""
    homes = np.repeat(np.arange(len(sizes)), sizes)
    noise = np.random.default_rng(seed).standard_normal((len(homes), len(middles[0])), dtype=np.float32)
    vectors: Floats = np.array(middles, dtype=np.float32)[homes] + np.float32(spread) * noise
    return vectors, homes.tolist()


def two_class_chances(gaps: Floats) -> Floats:
    """(n,) -> (n, 2) probabilities whose margins are these."""
    chances: Floats = np.stack([1 + gaps, 1 - gaps], axis=1).astype(np.float32) / 2
    return chances
