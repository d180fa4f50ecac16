"""Which weights a project uses, found, copied into the store and loaded when first needed.

A project keeps the weights with which it began: their file is copied into the store under its hash, so that an update of
the program never mixes vectors of two spaces.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import structlog
import torch
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from models.checkpoint import DETECTOR, EMBEDDER, Checkpoint
from models.database import Database
from models.errors import Invalid
from models.offered import STARTER, place_of
from models.project import FLOOR, Project
from models.storage import Store
from models.words import say
from worker.device import Device, find_device, usable_cores
from worker.learning.finetuning import CropReader, Verdict, fine_tune
from worker.learning.metric_training import Progress
from worker.networks.detector import Detector, load_detector
from worker.networks.embedder import Embedder, load_embedder
from worker.networks.weights import STARTER_DIR, read_weights, sha256_of

log = structlog.get_logger()
PAPER = (0.90, 0.90)  # what a project has until somebody or its detector's card says otherwise (DECISIONS 1)


@dataclass(frozen=True)
class Weights:
    """A file of weights before it is loaded. content: its bytes, empty for weights that no file holds (tests)."""

    kind: str
    name: str
    sha256: str
    card: dict[str, Any]
    content: bytes = b""


@dataclass(frozen=True)
class Course:
    """What a fine-tune learns from, and where it writes. labels to sequences: (n,). recipe: what is not as usual."""

    crops: CropReader
    labels: NDArray[np.int64]
    deployments: NDArray[np.int64]
    ids: NDArray[np.int64]
    sequences: NDArray[np.int64]
    out: Path
    state: Path
    report: Callable[[Progress], None]
    recipe: dict[str, Any]


class Shelf(Protocol):
    """Where weights come from; tests put their own here."""

    def find(self, kind: str, source: str) -> Weights:
        """source: `starter`, the name of fetched weights, or a path."""
        ...

    def detector(self, source: str, device: Device) -> Detector:
        """Ready to look at photos."""
        ...

    def embedder(self, source: str, device: Device) -> Embedder:
        """Ready to embed crops."""
        ...

    def fine_tune(self, start: str, course: Course, device: Device) -> Verdict:
        """Teach the embedder of this source; writes course.out where that helps."""
        ...


class FileShelf:
    """The shipped weights, those that `fetch-weights` brought, and files by path."""

    def __init__(self, weights: Path | None = None) -> None:
        """weights: the folder of the fetched ones."""
        self._weights = weights

    def find(self, kind: str, source: str) -> Weights:
        """Raises WeightsError when the file is missing or of another kind."""
        path = STARTER_DIR / f"{kind}.safetensors" if source == STARTER else self._place(source)
        _tensors, card = read_weights(path, kind)
        beside = path.with_suffix(".card.json")  # what was measured after training: presets
        more = json.loads(beside.read_text()) if beside.is_file() else {}
        return Weights(kind, source, sha256_of(path), card | more, path.read_bytes())

    def detector(self, source: str, device: Device) -> Detector:
        """Raises WeightsError."""
        return load_detector(source, device)

    def embedder(self, source: str, device: Device) -> Embedder:
        """Raises WeightsError."""
        return load_embedder(source, device)

    def fine_tune(self, start: str, course: Course, device: Device) -> Verdict:
        """Raises WeightsError, and what course.report raises."""
        path = STARTER_DIR / f"{EMBEDDER}.safetensors" if start == STARTER else Path(start)
        return fine_tune(
            path, course.out, course.crops, course.labels, course.deployments, device, ids=course.ids,
            sequences=course.sequences, changed=course.recipe, state=course.state, report=course.report,
        )  # fmt: skip

    def _place(self, source: str) -> Path:
        return place_of(self._weights, source) if self._weights else Path(source)


class Networks:
    """The networks of this worker; the last detector and the last embedder stay loaded."""

    def __init__(self, store: Store, shelf: Shelf | None = None, decoder_processes: int = 0) -> None:
        """shelf: where weights come from. decoder_processes: how many there shall be; 0: as many as suit the machine."""
        self._store = store
        self._wanted_decoders = decoder_processes
        self._shelf = shelf or FileShelf()
        self._detectors: dict[int, Detector] = {}
        self._embedders: dict[int, Embedder] = {}

    @cached_property
    def device(self) -> Device:
        """Where everything is computed."""
        device = find_device()
        if "OMP_NUM_THREADS" not in os.environ:
            torch.set_num_threads(threads_beside(self._wanted_decoders or decoders_for(device)))
        return device

    @property
    def decoder_processes(self) -> int:
        """How many processes open photos."""
        return self._wanted_decoders or decoders_for(self.device)

    def detector(self, checkpoint: Checkpoint) -> Detector:
        """The network of this row, loaded once."""
        if checkpoint.id not in self._detectors:
            self._detectors = {checkpoint.id: self._shelf.detector(self._source(checkpoint), self.device)}
        return self._detectors[checkpoint.id]

    def embedder(self, checkpoint: Checkpoint) -> Embedder:
        """The network of this row, loaded once."""
        if checkpoint.id not in self._embedders:
            self._embedders = {checkpoint.id: self._shelf.embedder(self._source(checkpoint), self.device)}
        return self._embedders[checkpoint.id]

    def another_embedder(self, checkpoint: Checkpoint) -> Embedder:
        """The same, for a job that runs beside those that look at photos: no network is safe for two threads at once."""
        return self._shelf.embedder(self._source(checkpoint), self.device)

    def fine_tune(self, start: Checkpoint, course: Course) -> Verdict:
        """Teach the embedder of this row. Raises what course.report raises; course.state then stays good."""
        return self._shelf.fine_tune(self._source(start), course, self.device)

    def equip(self, database: Database, project_id: int, *, with_detector: bool = True) -> None:
        """Give a project that has none yet its detector and embedder, and a new project its detector's thresholds."""
        with database.reading() as session:
            project = session.get_one(Project, project_id)
            missing = [
                (kind, source)
                for kind, source, has in (
                    (DETECTOR, project.detector, project.detector_id or not with_detector),
                    (EMBEDDER, project.embedder, project.embedder_id),
                )
                if not has
            ]
        for weights in [self._kept(kind, source) for kind, source in missing]:
            with database.writing() as session:
                project = session.get_one(Project, project_id, with_for_update={"key_share": True})
                adopt(session, project, weights, self._file(weights))

    def _kept(self, kind: str, source: str) -> Weights:
        """Found, and copied into the store."""
        weights = self._shelf.find(kind, source)
        path = self._store.checkpoint(f"{weights.sha256}.safetensors")
        if weights.content and not path.is_file():
            self._store.write(path, weights.content)
        return weights

    def _file(self, weights: Weights) -> str:
        return f"checkpoints/{weights.sha256}.safetensors" if weights.content else ""

    def _source(self, checkpoint: Checkpoint) -> str:
        if not checkpoint.file:
            return checkpoint.name
        path = self._store.root / checkpoint.file
        if not path.is_file():
            raise Invalid(
                say(
                    "the weights of %(kind)s %(name)s are missing: %(path)s",
                    kind=checkpoint.kind,
                    name=checkpoint.name,
                    path=path,
                )
            )
        return str(path)


def decoders_for(device: Device) -> int:
    """Decoders that keep this device busy. Beside a GPU they have the cores to themselves; on a CPU opening a photo takes about
    a third of what looking at it takes."""
    cores = usable_cores()
    return max(2, cores - device.lanes if device.is_gpu else cores // 2)


def threads_beside(decoder_processes: int) -> int:
    """Threads for what runs beside the lanes (worker/device.py): the cores that decoding leaves. One too many costs far more than
    one too few, since threads that wait for each other spin: measured on 2 busy cores, a photo takes 5 times the processor
    time with 2 threads."""
    return max(1, usable_cores() - decoder_processes)


def adopt(session: Session, project: Project, weights: Weights, file: str) -> None:
    """Make these weights the project's, unless another worker was faster."""
    if (project.detector_id if weights.kind == DETECTOR else project.embedder_id) is not None:
        return
    checkpoint = Checkpoint.known(session, weights.kind, weights.name, weights.sha256, weights.card)
    checkpoint.file = checkpoint.file or file
    checkpoint.activate(project)
    if weights.kind == DETECTOR:
        take_preset(project, weights.card)


def take_preset(project: Project, card: dict[str, Any]) -> None:
    """A new project counts from the score that its detector's card names and classifies from a third of it (DECISIONS 1).

    Not when somebody changed the settings before the first photo came.
    """
    preset = card.get("presets", {}).get("card", card)
    count_above = preset.get("count_above")
    untouched = project.version == 1 and (project.classify_above, project.count_above) == PAPER
    if not untouched or not isinstance(count_above, int | float) or not FLOOR <= count_above <= 1:
        return
    classify_above = preset.get("classify_above", count_above / 3)
    project.set_thresholds(min(max(float(classify_above), FLOOR), float(count_above)), float(count_above))
    project.version += 1  # a settings page that was opened before must be looked at again
    log.info("thresholds from the detector's card", project=project.id, count_above=project.count_above)
