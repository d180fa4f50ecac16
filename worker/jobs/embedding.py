"""Embed crops that have no vector of some embedder yet: all of them for a new one, those that came in meanwhile for another.

Each part is written whole before the transaction that names it, 512 crops at a time, and what is missing is looked up anew:
so a killed job goes on behind its last part, and whatever came in meanwhile is done too.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.box import Box
from models.checkpoint import Checkpoint
from models.database import CHUNK_ROWS
from models.embedders import ask_embed
from models.job import Job
from models.parts import SUFFIX, VectorPart, crop_ids, vector_ids
from models.project import Project
from models.round import ask_if_idle
from models.vectors import write_vectors
from worker.jobs.bench import Abandoned, Bench, Step
from worker.jobs.halting import Watch, goes_on, halting
from worker.jobs.predicting import follow, predict_missing
from worker.jobs.stored_crops import Crops, StoredCrops, crops_of, stacked
from worker.jobs.switching import Switching
from worker.networks.embedder import Embedder

log = structlog.get_logger()
Ids = NDArray[np.int64]
SHARD_CROPS = 512
MOST_AT_ONCE = 128  # crops decoded and embedded together: 25 MB


def embed(bench: Bench, job: Job, step: Step) -> None:
    """The embed job: complete the vectors of one embedder; with `use` it takes over then."""
    with bench.database.reading() as session:
        checkpoint = session.get_one(Checkpoint, int(job.arguments["checkpoint_id"]))
    watch = Watch(bench, job.id)
    work = Embedding(bench, job.project_id, checkpoint, watch)
    if not goes_on(step("embed", halting(work.all_missing, lambda: None))):
        return
    if job.arguments.get("use"):
        switching = Switching(bench, job, checkpoint, job.arguments.get("start_id"))
        if not goes_on(step("switch", halting(lambda: switching.switch(watch), lambda: None))):
            return
        goes_on(step("embed-late", halting(lambda: work.all_missing(tell=False), lambda: None)))
    step("left-behind", lambda: remove_unnamed(bench, job.project_id, checkpoint.id))
    step("late-boxes", lambda: predict_missing(bench, job.project_id))
    step("guesses", lambda: follow(bench, job.project_id))
    step("next-round", lambda: next_round(bench, job.project_id))


class EmbedderChanged(Exception):
    """Another embedder was put to use while vectors were computed with the one before."""


class CropsGone(Exception):
    """Some crops were deleted while they were embedded. left: the ids of the others."""

    def __init__(self, left: list[int]) -> None:
        super().__init__()
        self.left = left


class Embedding:
    """The crops of one project under one embedder, with a network of its own."""

    def __init__(self, bench: Bench, project_id: int, checkpoint: Checkpoint, watch: Watch) -> None:
        """Loads nothing yet."""
        self._bench, self._project_id, self._checkpoint, self._watch = bench, project_id, checkpoint, watch
        self._network: Embedder | None = None
        self._unreadable: Ids = np.empty(0, np.int64)  # crops that are lost or damaged; doctor names them

    def all_missing(self, *, tell: bool = True) -> int:
        """Until no crop is left without a vector; how many were embedded. Raises Halted."""
        count = 0
        while len(missing := self._missing()):
            there = self._there() if tell else 0
            for start in range(0, len(missing), SHARD_CROPS):
                if tell:
                    self._watch.tell(there + start, there + len(missing))
                count += self._shard(missing[start : start + SHARD_CROPS])
            if tell:
                self._watch.tell(there + len(missing), there + len(missing))
        return count

    def _missing(self) -> Ids:
        self._watch.look()
        late = self._bench.patiently(lambda: late_ids(self._bench, self._project_id, self._checkpoint.id))
        return np.setdiff1d(late, self._unreadable, assume_unique=True)

    def _there(self) -> int:
        with self._bench.database.reading() as session:
            return len(vector_ids(session, self._bench.store, self._project_id, self._checkpoint.id))

    def _shard(self, box_ids: Ids) -> int:
        """One part: the file, then its row."""
        crops = crops_of(self._bench, box_ids)
        try:
            found = list(self._embedded(crops))
        finally:
            crops.close()
        readable = np.concatenate([mine for mine, _vectors in found])
        self._unreadable = np.append(self._unreadable, box_ids[~readable])
        if not readable.any():
            return 0
        vectors = np.concatenate([some for _mine, some in found])
        if not np.isfinite(vectors).all():
            raise ArithmeticError("the embedder gave numbers that are none")
        ids = box_ids[readable]
        while len(ids):
            try:
                self._write(ids, vectors)
                break
            except CropsGone as gone:
                stay = np.isin(ids, gone.left)
                ids, vectors = ids[stay], vectors[stay]
        return len(ids)

    def _write(self, ids: Ids, vectors: NDArray[np.float32]) -> None:
        """The file, then its row."""
        name = f"{ids[0]:010}-{uuid.uuid4().hex[:8]}{SUFFIX}"  # new in each attempt: rows never point at other bytes
        path = self._bench.store.vector_parts(self._checkpoint.id, self._project_id) / name
        write_vectors(self._bench.store, path, vectors, ids=ids)
        try:
            self._bench.patiently(lambda: self._commit(name, ids, path.stat().st_size))
        except CropsGone:
            path.unlink(missing_ok=True)
            raise

    def _embedded(self, crops: StoredCrops) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.float32]]]:
        """A few at a time, the next ones being decoded meanwhile: which could be read, and their vectors."""
        if self._network is None:
            self._network = self._bench.networks.another_embedder(self._checkpoint)
        size = min(MOST_AT_ONCE, self._bench.networks.device.crops)
        pieces = [np.arange(start, min(start + size, len(crops))) for start in range(0, len(crops), size)]
        with ThreadPoolExecutor(1) as ahead:
            coming: Future[list[Crops | None]] = ahead.submit(crops.readable, pieces[0])
            for number in range(len(pieces)):
                self._watch.look()
                cuts = coming.result()
                if number + 1 < len(pieces):
                    coming = ahead.submit(crops.readable, pieces[number + 1])
                yield np.array([cut is not None for cut in cuts]), self._network.embed(stacked(cuts))

    def _commit(self, name: str, ids: Ids, size: int) -> None:
        """Raises Abandoned when another worker took the job over: this one only slept; CropsGone when some were deleted."""
        with self._bench.database.writing() as session:
            if session.get_one(Job, self._watch.job_id).worker != self._bench.worker:
                raise Abandoned
            left = crops_left(session, ids)
            if len(left) < len(ids):
                raise CropsGone(left)
            session.add(
                VectorPart(
                    project_id=self._project_id, embedder_id=self._checkpoint.id, name=name, rows=len(ids), size=size
                )
            )


def crops_left(session: Session, ids: Ids) -> list[int]:
    """Those of the boxes that have a crop still, held so until the transaction ends."""
    left: list[int] = []
    for start in range(0, len(ids), CHUNK_ROWS):
        some = Box.id.in_(ids[start : start + CHUNK_ROWS].tolist())
        held = select(Box.id).where(some, Box.embedder_id.is_not(None)).order_by(Box.id)
        left += session.scalars(held.with_for_update(read=True, key_share=True))
    return left


def remove_unnamed(bench: Bench, project_id: int, embedder_id: int) -> int:
    """Parts that killed attempts left without a row, once nothing is embedded any more. How many."""
    with bench.database.reading() as session:
        named = set(session.scalars(select(VectorPart.name).where(VectorPart.embedder_id == embedder_id)))
    folder = bench.store.vector_parts(embedder_id, project_id)
    unnamed = [path for path in folder.glob(f"*{SUFFIX}") if path.name not in named]
    for path in unnamed:
        path.unlink(missing_ok=True)
    return len(unnamed)


def late_ids(bench: Bench, project_id: int, embedder_id: int) -> Ids:
    """(n,) rising: boxes that have a crop and no vector of this embedder."""
    with bench.database.reading() as session:
        wanted = crop_ids(session, project_id)
        return np.setdiff1d(wanted, vector_ids(session, bench.store, project_id, embedder_id), assume_unique=True)


def expect_embedder(session: Session, project_id: int, embedder_id: int) -> None:
    """Raises EmbedderChanged unless this one is in use, and stays so until the transaction ends."""
    in_use = select(Project.embedder_id).where(Project.id == project_id).with_for_update(read=True)
    if session.scalar(in_use) != embedder_id:
        raise EmbedderChanged


def ask_late(bench: Bench, project_id: int) -> int:
    """After photos came in: crops that the embedder in use has not seen (a job that should have was stopped) are asked for."""
    with bench.database.reading() as session:
        embedder_id = session.get_one(Project, project_id).embedder_id
    if embedder_id is None or not len(late := late_ids(bench, project_id, embedder_id)):
        return 0
    with bench.database.writing() as session:
        project = session.get_one(Project, project_id)
        ask_embed(session, project, session.get_one(Checkpoint, embedder_id))
    return len(late)


def next_round(bench: Bench, project_id: int) -> int:
    """Ask for a round if nobody has one to work on."""
    with bench.database.writing() as session:
        return int(ask_if_idle(session, session.get_one(Project, project_id)) is not None)
