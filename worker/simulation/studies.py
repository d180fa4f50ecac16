"""A study whose every answer is known: what the harness plays through.

Decisions: rows that may be asked about come first, those to measure on last, so that the first part of any matrix over them
is the pool, without a copy; a set that says which rows are test keeps them, from others whole deployments are held out;
a picture that cannot be read is named and left out before anything is measured.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from worker.learning.descent import Floats, Ids
from worker.learning.label_tables import paths_of
from worker.learning.labelled_sets import DECODERS, SightedCrops, read_set
from worker.learning.sights import WHOLE, NotASet, Sight
from worker.learning.splits import unseen

ARCHIVES = (".tar", ".tar.gz", ".tgz")
TEST = "test"
Tell = Callable[[str, int, int], None]  # what is done, how many of how many


@dataclass(frozen=True, eq=False)
class Study:
    """n crops with their names; the first `pool` of them may be asked about, the others are measured on.

    species: class number -> name. labels, deployment, sequence: (n,) whole numbers. crops: by row, None where the study
    brings vectors only. vectors: (n, d) where they are known already. said: what was left out, for people.
    """

    name: str
    species: tuple[str, ...]
    labels: Ids
    deployment: Ids
    sequence: Ids
    pool: int
    crops: SightedCrops | None = None
    vectors: Floats | None = None
    said: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def sha256(self) -> str:
        """Equal for equal crops (which pictures, which part of each; or which vectors) with equal names, in equal order."""
        digest = hashlib.sha256(repr((self.species, self.pool)).encode())
        for column in (self.labels, self.deployment, self.sequence):
            digest.update(np.ascontiguousarray(column, np.int64).tobytes())
        if self.vectors is not None:
            digest.update(np.ascontiguousarray(self.vectors).tobytes())
        for sight in self.crops.sights if self.crops is not None else ():
            digest.update(repr((str(sight.path), tuple(sight.box_xyxy))).encode())
        return digest.hexdigest()

    @property
    def true_of_test(self) -> Ids:
        """(n - pool,) the names to find."""
        return self.labels[self.pool :]


@dataclass(frozen=True)
class Draw:
    """How much of a set is used. pool, test: rows at most, None: all. test_share: where the set names no test rows."""

    test_share: float = 0.2
    pool: int | None = None
    test: int | None = None
    whole: bool = False  # the whole picture where there is a box
    seed: int = 0


def read_study(source: Path, unpacked: Path, draw: Draw, tell: Tell) -> Study:
    """source: whatever read_set() reads. unpacked: a folder for the pictures of an archive beside a table.

    Raises NotASet where it is none, or where nothing is left to ask about or to measure on.
    """
    table = table_of(source)
    found = read_set(table, unpack(table, unpacked) if table.suffix.lower() == ".csv" else None)
    sights = [replace(sight, box_xyxy=WHOLE) for sight in found.sights] if draw.whole else found.sights
    rows, pool = drawn(sights, draw)
    crops = SightedCrops([sights[row] for row in rows], found.skipped)
    good = whole_ones(crops, tell)
    pool = int(good[:pool].sum())
    kept = SightedCrops([sight for sight, fine in zip(crops.sights, good, strict=True) if fine], crops.skipped)
    if not 0 < pool < len(kept):
        raise NotASet(f"{source}: {pool} pictures to ask about and {len(kept) - pool} to measure on are too few.")
    sequences = [sight.sequence or str(sight.path) for sight in kept.sights]  # a picture without one is its own
    return Study(
        name=source.stem if source.is_file() else source.name,
        species=tuple(kept.species.tolist()),
        labels=kept.labels.astype(np.int64),
        deployment=kept.places,
        sequence=np.unique(sequences, return_inverse=True)[1].astype(np.int64) + 1,  # 0 would be: not known
        pool=pool,
        crops=kept,
        said=tuple(kept.skipped.lines()),
    )


def table_of(source: Path) -> Path:
    """The table of a folder that has one, else the source itself."""
    table = source / "labels.csv"
    return table if source.is_dir() and table.is_file() else source


def unpack(table: Path, folder: Path) -> Path:
    """Where the table's pictures lie: beside it, or unpacked from the archives beside it. Done once."""
    wanted = paths_of(table)
    if not wanted or any((table.parent / name).is_file() for name in wanted[:20]):
        return table.parent
    archives = [each for each in sorted(table.parent.iterdir()) if each.name.endswith(ARCHIVES)]
    done = folder / ".complete"
    if not archives or done.is_file():
        return folder if archives else table.parent
    names = set(wanted)
    for archive in archives:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, [each for each in tar if each.isfile() and each.name in names], filter="data")
    done.touch()
    return folder


def drawn(sights: Sequence[Sight], draw: Draw) -> tuple[Ids, int]:
    """(rows of the study, the pool's first, how many of them are the pool's). By the seed alone."""
    chance = np.random.default_rng(draw.seed)
    is_test = np.array([sight.split == TEST for sight in sights])
    if not is_test.any():
        labels, places, sequences = (
            np.unique([getattr(sight, what) for sight in sights], return_inverse=True)[1]
            for what in ("species", "place", "sequence")
        )
        known = np.array([bool(sight.sequence) for sight in sights])
        is_test[held_out(labels, places, np.where(known, sequences + 1, 0), draw.test_share, chance)] = True
    ask, measure = (
        np.sort(chance.permutation(np.flatnonzero(mask))[:most])
        for mask, most in ((~is_test, draw.pool), (is_test, draw.test))
    )
    return np.concatenate([ask, measure]), len(ask)


def held_out(labels: Ids, deployments: Ids, sequences: Ids, share: float, chance: np.random.Generator) -> Ids:
    """Rows to measure on: whole deployments where that makes at least half of the share, else whole bursts, else single rows.

    sequences: 0 where the burst is not known.
    """
    held = unseen(deployments, sequences, labels, share, chance)[1]
    return held if len(held) else chance.permutation(len(labels))[: round(share * len(labels))]


def whole_ones(crops: SightedCrops, tell: Tell, at_once: int = 256) -> NDArray[np.bool_]:
    """(n,) which pictures can be read. The others are noted in crops.skipped."""
    good = np.zeros(len(crops), bool)
    with ThreadPoolExecutor(DECODERS) as threads:
        for start in range(0, len(crops), at_once):
            few = crops.sights[start : start + at_once]
            good[start : start + len(few)] = [each is not None for each in threads.map(crops.readable, few)]
            tell("Opening pictures", start + len(few), len(crops))
    return good
