"""One course of the harness: a strategy, a seed, and a person who knows every answer.

The same code as the live loop, in the same order (worker/jobs/learn, choosing): the first round is random; at 80% of a round the
classifier learns what was said so far and the next round is chosen, with the rest of this one out of reach; when the round is
full it learns again. At every 2,000th label the embedder is fine-tuned, and the round that was chosen ahead is still asked
first. Decisions: a round is one line of a file, written and flushed before the next begins, so that a course that was cut
goes on after its last round as if it had not been; nothing depends on the time that things took but `seconds`.
Norouzzadeh et al. 2019, Algorithm 2; Ren et al. 2021, sec. 5 (equal first pools, several seeds, saved settings).
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save

from worker.device import find_device
from worker.learning.classifier import Classifier
from worker.learning.descent import Floats, Ids
from worker.learning.finetuning import fine_tune
from worker.learning.named_crops import NamedCrops
from worker.learning.temperature import calibration_error
from worker.learning.ways import PLAIN, WAYS, learn
from worker.networks.weights import write_atomically
from worker.selection.coverage import Coverage
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES
from worker.simulation.embedding import embedded
from worker.simulation.studies import Study

AHEAD_AT = 0.8  # DECISIONS 9, as models/round.py has it
FIRSTS = {"random": "random", "kcenter": "latent_k_center"}  # ways to the first pool -> the strategy
COVERING = "k_center"
LINES = "rounds.jsonl"


@dataclass(frozen=True)
class Protocol:
    """What all courses of a simulation share. budget: labels at the end. finetune_every: labels; 0: never.

    loss: of the fine-tune. steps: of one fine-tune; None: as the job would take. first: which crops are named first, by
    chance (Norouzzadeh et al. 2019) or `kcenter`, far apart in the codes of an autoencoder (Zhang et al. 2020, Alg. 1).
    """

    initial: int = 1000
    round: int = 100
    budget: int = 5000
    finetune_every: int = 0
    loss: str = "triplet"
    steps: int | None = None
    first: str = "random"


@dataclass(frozen=True)
class Line:
    """One finished round. picks: rows of the pool that were asked. next: those chosen ahead. accuracy: of the rows to measure
    on; recall: the mean over their species; calibration: the expected calibration error there, None in older files. tuned:
    what a fine-tune at its end came to, or None."""

    number: int
    picks: list[int]
    next: list[int]
    labels: int
    accuracy: float
    recall: float
    seconds: float
    tuned: dict[str, float | bool | str] | None = None
    calibration: float | None = None


@dataclass(frozen=True, eq=False)
class Table:
    """What all courses of a simulation look at; files, so that their processes share the memory.

    vectors: .npy of (n, d) float32 that `weights` made of the study's crops. weights: None where a study brings vectors
    only; then nothing can be fine-tuned. pixels: .npy of (pool, h, w, 3) uint8 for the strategies that look at crops
    themselves, or None.
    """

    study: Study
    vectors: Path
    weights: Path | None
    pixels: Path | None = None


class Course:
    """The state of one course between two rounds."""

    def __init__(self, table: Table, strategy: str, seed: int, protocol: Protocol, folder: Path) -> None:
        """strategy: its name, or name+way of the classifier. folder: keeps the course; where it holds lines already, the
        course goes on."""
        self.study, self.seed, self.protocol, self.folder = table.study, seed, protocol, folder
        self.strategy, self._way = strategy_and_way(strategy)
        self._weights = table.weights
        self._classifier: Classifier | None = None
        self._coverage: Coverage | None = None
        self._pixels: NDArray[np.uint8] | None = np.load(table.pixels, mmap_mode="r") if table.pixels else None
        self._see(table.vectors)
        self.lines = read_lines(folder / LINES)
        if self.lines:
            self._resume()

    @property
    def is_over(self) -> bool:
        """Whether the budget is spent or nothing is left to ask."""
        labels = self.lines[-1].labels if self.lines else 0
        return labels >= min(self.protocol.budget, self.study.pool) or bool(self.lines and not self.lines[-1].next)

    def run(self) -> Iterator[Line]:
        """The rounds that are missing, one by one; each is on the disk when it is given out."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while not self.is_over:
            line = self._round()
            self._keep(line)
            yield line

    # --- one round -----------------------------------------------------------------------------------------------------------

    def _round(self) -> Line:
        started, number = time.monotonic(), len(self.lines) + 1
        before = self._answered()
        picks = self.lines[-1].next if self.lines else self._first()
        ahead = math.ceil(AHEAD_AT * len(picks))
        self._fit(before + picks[:ahead])
        chosen = self._choose(before + picks[:ahead], picks[ahead:], number + 1)
        answered = before + picks
        self._fit(answered)
        tuned = self._fine_tune(answered, number) if self._is_due(len(before), len(answered)) else None
        accuracy, recall, error = self._measured()
        seconds = time.monotonic() - started
        return Line(number, picks, chosen, len(answered), accuracy, recall, seconds, tuned, error)

    def _first(self) -> list[int]:
        """Equal for all strategies of a seed."""
        size = min(self.protocol.initial, self.protocol.budget, self.study.pool)
        return STRATEGIES[FIRSTS[self.protocol.first]](
            self._pool_of([], []), size, np.random.default_rng([self.seed, 1])
        )

    def _choose(self, answered: list[int], waiting: list[int], number: int) -> list[int]:
        left = min(self.protocol.budget, self.study.pool) - len(answered) - len(waiting)
        size = min(self.protocol.round, left)
        if size <= 0:
            return []
        pool = self._pool_of(answered, waiting)
        if self.strategy == COVERING:  # what it knows is kept from round to round, as the live loop does
            self._coverage = self._coverage or Coverage.of_rows(pool.vectors, pool.gone())
            pool = replace(pool, coverage=self._coverage)
        return STRATEGIES[self.strategy](pool, size, np.random.default_rng([self.seed, number]))

    def _pool_of(self, answered: list[int], waiting: list[int]) -> Pool:
        vectors, classifier = self._asked, self._classifier
        rows = np.array(answered, np.int64)

        def said() -> Floats:
            return np.empty((len(vectors), 0), np.float32) if classifier is None else classifier.probabilities(vectors)

        return Pool(
            vectors=vectors, labelled=rows, labels=columns_of(self.study.labels[rows], classifier), fit=said,
            sequence=self.study.sequence[: self.study.pool], deployment=self.study.deployment[: self.study.pool],
            crops=self._pixels, taken=np.array(waiting, np.int64), classifier=classifier,
        )  # fmt: skip

    def _fit(self, rows: list[int]) -> None:
        crops = NamedCrops(
            vectors=self._asked, rows=np.array(rows, np.int64), labels=self.study.labels[rows],
            deployment=self.study.deployment[rows], sequence=self.study.sequence[rows], number=len(self.lines) + 1,
        )  # fmt: skip
        self._classifier, _report = learn(crops, self.seed, warm=self._classifier, way=WAYS[self._way])

    def _measured(self) -> tuple[float, float, float]:
        """(share of the rows to measure on that are named right, the mean of that over their species, calibration error)."""
        assert self._classifier is not None
        chances = self._classifier.probabilities(self._vectors[self.study.pool :])
        found, true = chances.argmax(axis=1), self.study.true_of_test
        right = np.array(self._classifier.classes)[found] == true
        recall = float(np.mean([right[true == kind].mean() for kind in np.unique(true)]))
        return float(right.mean()), recall, calibration_error(chances, np.where(right, found, -1))

    # --- the embedder --------------------------------------------------------------------------------------------------------

    def _is_due(self, before: int, labels: int) -> bool:
        every = self.protocol.finetune_every
        return bool(every) and before // every < labels // every

    def _fine_tune(self, rows: list[int], number: int) -> dict[str, float | bool | str]:
        """Teach the embedder all that was said; where that helps, see everything anew."""
        assert self.study.crops is not None and self._weights is not None
        device, out = find_device(), self.folder / f"embedder-{number}.safetensors"
        state = self.folder / "fine-tune.safetensors"
        taught = np.array(rows, np.int64)
        verdict = fine_tune(
            self._weights, out, Taught(self.study, taught), self.study.labels[taught], self.study.deployment[taught], device,
            ids=taught, sequences=self.study.sequence[taught], changed=self._changed(), state=state,
        )  # fmt: skip
        state.unlink(missing_ok=True)
        if verdict.helped:
            self._see_through(out)
            self._fit(rows)
        told = {key: value for key, value in asdict(verdict).items() if not is_endless(value)}
        return told | {"weights": out.name if verdict.helped else ""}

    def _changed(self) -> dict[str, Any]:
        """What this protocol wants otherwise than the job does."""
        steps = {"steps": self.protocol.steps} if self.protocol.steps else {}
        return {"loss": self.protocol.loss, "seed": self.seed, **steps}

    def _see_through(self, weights: Path) -> None:
        """From now on with these weights."""
        assert self.study.crops is not None
        self._weights = weights
        self._see(embedded(self.study.crops, "the study", weights, self.folder, find_device(), lambda *_: None))

    def _see(self, vectors: Path) -> None:
        """What was learnt from other vectors holds no more."""
        self._vectors: Floats = np.load(vectors, mmap_mode="r")
        self._asked = self._vectors[: self.study.pool]
        self._classifier, self._coverage = None, None

    # --- the file ------------------------------------------------------------------------------------------------------------

    def _answered(self) -> list[int]:
        return [row for line in self.lines for row in line.picks]

    def _keep(self, line: Line) -> None:
        """The classifier first: a line without it would be of no use, it without a line does no harm."""
        assert self._classifier is not None
        write_atomically(self._classifier_file(line.number), save(self._classifier.to_arrays()))
        with (self.folder / LINES).open("a") as file:
            file.write(json.dumps(asdict(line)) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.lines.append(line)
        self._classifier_file(line.number - 1).unlink(missing_ok=True)

    def _classifier_file(self, number: int) -> Path:
        return self.folder / f"classifier-{number}.safetensors"

    def _resume(self) -> None:
        """Where the last line left off."""
        tuned = [str(line.tuned["weights"]) for line in self.lines if line.tuned and line.tuned["weights"]]
        if tuned and not self.is_over:
            self._see_through(self.folder / tuned[-1])
        if not self.is_over:
            self._classifier = Classifier.from_arrays(load_file(self._classifier_file(len(self.lines))))


class Taught:
    """The crops of some rows of a study, numbered from 0."""

    def __init__(self, study: Study, rows: Ids) -> None:
        self._study, self._rows = study, rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, rows: Ids, /) -> np.ndarray:
        """rows: (m,) -> (m, h, w, 3) uint8."""
        assert self._study.crops is not None
        return self._study.crops[self._rows[rows]]


def strategy_and_way(name: str) -> tuple[str, str]:
    """ "margin+ceal" -> the strategy and the way to teach the classifier; without a way it is plain."""
    strategy, _, way = name.partition("+")
    return strategy, way or PLAIN


def columns_of(labels: Ids, classifier: Classifier | None) -> Ids:
    """Class numbers -> columns of the classifier's probabilities; as they are before there is one."""
    if classifier is None:
        return labels
    return np.searchsorted(np.array(classifier.classes), labels).astype(np.int64)


def is_endless(value: object) -> bool:
    """JSON knows no NaN."""
    return isinstance(value, float) and not math.isfinite(value)


def read_lines(path: Path) -> list[Line]:
    """All whole lines; one that was cut in the middle is written again."""
    if not path.is_file():
        return []
    text = path.read_text()
    whole, _, cut = text.rpartition("\n")
    if cut:
        write_atomically(path, (whole + "\n" if whole else "").encode())
    return [Line(**json.loads(line)) for line in whole.splitlines()]
