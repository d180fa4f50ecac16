"""What a classifier says about every box: float16 n x classes in files that are written once (DECISIONS 2).

A classifier's folder holds the part that its learn job wrote and one part for each shard of photos that came in later.
Part: one line of JSON (magic, rows, classes, sha256), then n int64 box ids in rising order, then n x classes float16.
"""

from __future__ import annotations

import copy
import hashlib
import json
import time
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.meaning import Meanings
from models.storage import Store
from models.vectors import DamagedFile

MAGIC = "waterhole-predictions-1"
MAPPED_FROM = 4 << 20  # bytes; smaller parts are read, since each mapping keeps a file handle open
SUFFIX = ".predictions"
SETTLED_S = 2.0  # a folder that changed just now may change again within one tick of its clock


def write_part(
    store: Store,
    folder: Path,
    name: str,
    box_ids: npt.NDArray[np.int64],
    probabilities: npt.NDArray[np.floating],
    classes: list[int],
) -> Path:
    """box_ids: (n,). probabilities: (n, C). classes: C species ids. Durable when this returns."""
    order = np.argsort(box_ids, kind="stable")
    body = (
        np.ascontiguousarray(box_ids[order], "<i8").tobytes()
        + np.ascontiguousarray(probabilities[order], "<f2").tobytes()
    )
    header = {"magic": MAGIC, "rows": len(box_ids), "classes": classes, "sha256": hashlib.sha256(body).hexdigest()}
    path = folder / f"{name}{SUFFIX}"
    store.write(path, json.dumps(header).encode() + b"\n" + body)
    return path


class Part:
    """One file: small ones in memory, large ones memory-mapped."""

    def __init__(self, path: Path, *, check: bool = False) -> None:
        """Raises DamagedFile naming the path."""
        try:
            with path.open("rb") as file:
                line = file.readline(1 << 20)
            header = json.loads(line)
            rows, self.classes = int(header["rows"]), [int(species_id) for species_id in header["classes"]]
            whole = len(line) + rows * 8 + rows * len(self.classes) * 2
            if header["magic"] != MAGIC or path.stat().st_size != whole:
                raise DamagedFile(f"{path}: not a whole predictions file")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DamagedFile(f"{path}: not a readable predictions file ({error})") from error
        if check and hashlib.sha256(path.read_bytes()[len(line) :]).hexdigest() != header["sha256"]:
            raise DamagedFile(f"{path}: its bytes changed since they were written")
        self.first, self.last = 0, -1  # box ids
        self.box_ids: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.probabilities: npt.NDArray[np.float16] = np.zeros((0, len(self.classes)), np.float16)
        if rows:
            body = path.read_bytes() if whole < MAPPED_FROM else np.memmap(path, np.uint8, "r")
            self.box_ids = np.frombuffer(body, "<i8", rows, len(line))
            flat = np.frombuffer(body, "<f2", rows * len(self.classes), len(line) + rows * 8)
            self.probabilities = flat.reshape(rows, len(self.classes))
            self.first, self.last = int(self.box_ids[0]), int(self.box_ids[-1])

    def row(self, box_id: int) -> npt.NDArray[np.float16] | None:
        """(C,) probabilities of a box, None when it is not in this part."""
        if not self.first <= box_id <= self.last:
            return None
        at = int(np.searchsorted(self.box_ids, box_id))
        if at < len(self.box_ids) and self.box_ids[at] == box_id:
            return np.asarray(self.probabilities[at])
        return None

    def rows(self, box_ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float16]]:
        """box_ids: (m,) rising. Which of them are in this part (m,), and their probabilities (hits, C)."""
        here = np.zeros(len(box_ids), bool)
        apart = (
            not len(self.box_ids) or not len(box_ids) or box_ids[-1] < self.box_ids[0] or box_ids[0] > self.box_ids[-1]
        )
        if apart or not self.classes:
            return here, np.zeros((0, len(self.classes)), np.float16)
        at = np.minimum(np.searchsorted(self.box_ids, box_ids), len(self.box_ids) - 1)
        here = np.asarray(self.box_ids[at] == box_ids)
        return here, np.asarray(self.probabilities[at[here]])


class Predictions:
    """Everything one classifier says, in today's words. Opened per request; the parts behind it are kept open."""

    def __init__(self, folder: Path, meant: Meanings | None = None) -> None:
        """folder: of one classifier; no parts means no predictions. meant: what its species mean now."""
        self.parts = [open_part(path) for path in sorted(folder.glob(f"*{SUFFIX}"))]
        self._meant = meant or Meanings()

    def meaning(self, meant: Meanings) -> Predictions:
        """The same with other words; the parts are shared."""
        same = copy.copy(self)
        same._meant = meant
        return same

    def top(self, box_id: int, count: int = 5) -> list[tuple[int, float]]:
        """Up to `count` (species id, probability) of a box, the most likely first; empty when it was never classified."""
        for part in self.parts:
            row = part.row(box_id)
            if row is not None:
                classes, (folded,) = fold(part.classes, row[None], self._meant)
                best = np.argsort(-folded.astype(np.float32), kind="stable")[:count]
                return [(classes[column], float(folded[column])) for column in best]
        return []

    def every(self, box_id: int) -> dict[int, float]:
        """Species id -> probability of a box, of all the classes; empty when it was never classified."""
        return dict(self.top(box_id, 10**6))

    def rows_of(self, box_ids: Iterable[int]) -> Iterator[tuple[list[int], list[int], npt.NDArray[np.floating]]]:
        """(box ids, classes, (n, C) probabilities) part by part, for those of the boxes that were classified."""
        wanted = np.unique(np.fromiter(box_ids, np.int64))
        for part in self.parts:
            here, rows = part.rows(wanted)
            if here.any():
                classes, folded = fold(part.classes, rows, self._meant)
                yield wanted[here].tolist(), classes, folded
            wanted = wanted[~here]

    def firsts(self, box_ids: Iterable[int]) -> dict[int, tuple[int, float]]:
        """box id -> (most likely species id, probability), for the boxes that were classified."""
        found: dict[int, tuple[int, float]] = {}
        for ids, classes, rows in self.rows_of(box_ids):
            best = np.argsort(-rows.astype(np.float32), axis=1, kind="stable")[:, :1]
            best_p = np.take_along_axis(rows, best, axis=1)
            for box_id, column, p in zip(ids, best.ravel(), best_p.ravel(), strict=True):
                found[box_id] = (classes[column], float(p))
        return found

    def best(self, box_ids: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The most likely species id of each box and its probability; 0 and NaN for one that was never classified: firsts() for a
        million boxes.

        box_ids: (n,) in any order, none twice.
        """
        order = np.argsort(box_ids)
        wanted, found = box_ids[order], np.zeros(len(box_ids), np.int64)
        shares = np.full(len(box_ids), np.nan, np.float32)
        for part in self.parts:
            here, rows = part.rows(wanted)
            if here.any():
                columns = rows.argmax(axis=1)
                found[order[here]] = np.array(part.classes, np.int64)[columns]
                shares[order[here]] = np.take_along_axis(rows, columns[:, None], axis=1)[:, 0]
                order, wanted = order[~here], wanted[~here]
        return found, shares


def fold(
    classes: list[int], rows: npt.NDArray[np.floating], meant: Meanings
) -> tuple[list[int], npt.NDArray[np.floating]]:
    """The same in today's words: what means one species is summed there. classes: C species ids. rows: (n, C) probabilities."""
    now = [meant.of(species_id) for species_id in classes]
    if now == classes:
        return classes, rows
    kept = list(dict.fromkeys(now))
    place = {species_id: column for column, species_id in enumerate(kept)}
    summed = np.zeros((len(kept), len(rows)), np.float32)
    np.add.at(summed, [place[species_id] for species_id in now], rows.T.astype(np.float32))
    return kept, summed.T


def predictions_of(folder: Path) -> Predictions:
    """The same, listed again only when a part came in: while photos stream in, a folder may hold thousands."""
    try:
        changed = folder.stat().st_mtime
    except FileNotFoundError:
        return Predictions(folder)
    return Predictions(folder) if time.time() - changed < SETTLED_S else listed(folder, changed)


@lru_cache(maxsize=32)
def listed(folder: Path, _changed: float) -> Predictions:
    """The parts that were there when the folder was last changed."""
    return Predictions(folder)


@lru_cache(maxsize=2048)
def open_part(path: Path) -> Part:
    """Files are never changed once written, so an open one stays good."""
    return Part(path)
