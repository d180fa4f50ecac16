"""The fine-tune job: the labels so far teach the embedder; where that helps, it embeds every crop again and takes over.

The labels are read once, when it begins, and stored (RELIABILITY H8). Training goes on from its state file, embedding behind
its last part, whatever killed the worker; labeling goes on under the old embedder until one transaction switches. A person
may pause it, and stopping it removes what is half made. Norouzzadeh et al. 2019, sec. 3.1.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import structlog
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.audited import untaught
from models.box import Box
from models.checkpoint import EMBEDDER, Checkpoint
from models.database import CHUNK_ROWS
from models.embedders import ask_tidy
from models.errors import Invalid
from models.fine_tune import LINE, FineTune, too_few
from models.image import Image
from models.job import CROPS, STEPS, Job
from models.label import newest_label_id
from models.parts import VectorPart
from models.project import Project
from models.queue import end_cancelled, finish_step
from models.species import TRAINS, Species
from models.vectors import DamagedFile
from models.words import say, written
from worker.jobs.bench import Bench, Step
from worker.jobs.embedding import Embedding, remove_unnamed
from worker.jobs.halting import Watch, goes_on, halting
from worker.jobs.networks import Course
from worker.jobs.predicting import follow, predict_missing
from worker.jobs.stored_crops import crops_of
from worker.jobs.switching import Switching
from worker.learning.finetuning import Verdict
from worker.learning.metric_training import Progress
from worker.networks.weights import sha256_of

log = structlog.get_logger()
Ids = NDArray[np.int64]
TOO_LATE = " Another embedder was put to use meanwhile, so this one is kept and not in use."


def finetune(bench: Bench, job: Job, step: Step) -> None:
    """Labels, training, verdict; then embed, switch, and what may come later."""
    work = FineTuning(bench, job)
    for name, do in (("labels", work.labels), ("train", work.train), ("embed", work.embed), ("switch", work.switch)):
        outcome = step(name, halting(do, work.abandon))
        if not goes_on(outcome):
            return
        if not outcome:
            break
    else:
        goes_on(step("embed-late", halting(work.embed_late, lambda: None)))
        step("late-boxes", lambda: predict_missing(bench, job.project_id))
        step("guesses", lambda: follow(bench, job.project_id))
    step("tidy", work.tidy)


@dataclass(frozen=True)
class Labels:
    """What is learnt from, one row a box by rising id; each array (n,)."""

    label_ids: Ids
    box_ids: Ids
    species_ids: Ids
    deployment_ids: Ids
    sequence_ids: Ids  # 0 where the burst is not known

    @property
    def sha256(self) -> str:
        """Equal for equal sets of label rows."""
        return hashlib.sha256(",".join(map(str, sorted(self.label_ids.tolist()))).encode()).hexdigest()

    @property
    def counts(self) -> dict[int, int]:
        """Species id -> labels."""
        species, counts = np.unique(self.species_ids, return_counts=True)
        return dict(zip(species.tolist(), counts.tolist(), strict=True))


class FineTuning:
    """One fine-tune in this process. Each step gives 0 when the ones behind it are not needed."""

    def __init__(self, bench: Bench, job: Job) -> None:
        """Reads nothing yet."""
        self._bench, self._job = bench, job
        self._project_id = job.project_id
        self._watch = Watch(bench, job.id)
        self._folder = bench.store.tuning(job.id)
        self._weights = bench.store.checkpoint(f"embedder-{job.id}.safetensors")
        self._made_id: int | None = None  # known by then; its row goes first when the project is deleted

    # --- the labels ----------------------------------------------------------------------------------------------------------

    def labels(self) -> int:
        """Fix what is learnt from: the file, then the row. How many labels; 0 when they cannot teach."""
        self._watch.look()
        with self._bench.database.reading() as session:
            row = FineTune.of_job(session, self._job.id)
            if row is not None:
                return 0 if row.judged_at is not None and not row.helped else row.label_count
            label_max_id, labels = read_labels(session, self._project_id)
        labels = self._readable(labels)
        content = save({name: getattr(labels, name) for name in Labels.__dataclass_fields__})
        self._bench.store.write(self._labels_file(labels.sha256), content)
        return self._bench.patiently(lambda: self._begin(labels, label_max_id))

    def _readable(self, labels: Labels) -> Labels:
        """Without those whose crop is lost or damaged."""
        crops = crops_of(self._bench, labels.box_ids)
        mine = np.ones(len(labels.box_ids), bool)
        try:
            for start in range(0, len(mine), CHUNK_ROWS):
                self._watch.look()
                rows = np.arange(start, min(start + CHUNK_ROWS, len(mine)))
                mine[rows] = [cut is not None for cut in crops.readable(rows)]
        finally:
            crops.close()
        if not mine.all():
            log.error("labelled crops that cannot be read teach nothing", job=self._job.id, crops=int((~mine).sum()))
        return Labels(*(getattr(labels, name)[mine] for name in Labels.__dataclass_fields__))

    def _begin(self, labels: Labels, label_max_id: int) -> int:
        with self._bench.database.writing() as session:
            project = session.get_one(Project, self._project_id)
            if project.embedder_id is None:
                raise Invalid(say("there is no embedder to fine-tune: no photo was looked through yet"))
            if not finish_step(session, session.get_one(Job, self._job.id), "labels", self._bench.worker):
                return len(labels.label_ids)  # another worker was faster; the row names its file by the hash
            row = FineTune(
                project_id=project.id, job_id=self._job.id, start_id=project.embedder_id, label_max_id=label_max_id,
                label_count=len(labels.label_ids), class_count=len(labels.counts), labels_sha256=labels.sha256,
                loss=project.fine_tune_loss,
            )  # fmt: skip
            session.add(row)
            words = too_few(labels.counts)
            if words:
                row.judge(
                    helped=False,
                    words=written("Nothing was tried: %(why)s.", why=words),
                    before=None,
                    after=None,
                    steps=0,
                )
            return 0 if words else row.label_count

    # --- training ------------------------------------------------------------------------------------------------------------

    def train(self) -> int:
        """Whether it helped. Killed at any moment, it goes on from the state file."""
        self._watch.look()
        row = self._row()
        if row.judged_at is None:
            self._watch.begin_part(LINE, STEPS)
            verdict = self._taught(row)
            sha256 = sha256_of(self._weights) if verdict.helped else ""
            self._bench.patiently(lambda: self._judge(verdict, sha256))
        return int(bool(self._row().helped))

    def _taught(self, row: FineTune) -> Verdict:
        labels = self._stored_labels(row)
        with self._bench.database.reading() as session:
            start = session.get_one(Checkpoint, row.start_id)
        crops = crops_of(self._bench, labels.box_ids)
        try:
            return self._bench.networks.fine_tune(
                start,
                Course(
                    crops=crops, labels=labels.species_ids, deployments=labels.deployment_ids, ids=labels.box_ids,
                    sequences=labels.sequence_ids, out=self._weights,
                    state=self._folder / "state.safetensors", report=self._report,
                    recipe={"loss": row.loss} | (self._job.arguments.get("recipe") or {}),
                ),
            )  # fmt: skip
        finally:
            crops.close()

    def _report(self, progress: Progress) -> None:
        """After each step. Raises Halted or Abandoned; the state stays good."""
        self._watch.tell(progress.step, progress.steps, progress.seconds_left)
        self._watch.look()

    def _stored_labels(self, row: FineTune) -> Labels:
        """Raises DamagedFile unless they are those of the row."""
        path = self._labels_file(row.labels_sha256)
        try:
            found = load(path.read_bytes())
            # a job that began with an older version knows no bursts
            labels = Labels(**({"sequence_ids": np.zeros_like(found["label_ids"])} | found))
        except (OSError, SafetensorError, TypeError, KeyError) as error:
            raise DamagedFile(f"{path}: the list of labels cannot be read ({error})") from error
        if labels.sha256 != row.labels_sha256:
            raise DamagedFile(f"{path}: not the labels with which this fine-tune began")
        return labels

    def _labels_file(self, sha256: str) -> Path:
        return self._folder / f"labels-{sha256[:16]}.safetensors"

    def _judge(self, verdict: Verdict, sha256: str) -> None:
        """The verdict, and the row of the new embedder, not yet in use."""
        with self._bench.database.writing() as session:
            if not finish_step(session, session.get_one(Job, self._job.id), "train", self._bench.worker):
                return
            row = FineTune.of_job(session, self._job.id)
            assert row is not None
            row.judge(
                helped=verdict.helped, words=verdict.words, before=figure(verdict.before), after=figure(verdict.after),
                steps=verdict.steps,
            )  # fmt: skip
            if verdict.helped:
                made = self._checkpoint(row, session.get_one(Checkpoint, row.start_id), sha256)
                session.add(made)
                session.flush()
                row.embedder_id = made.id

    def _checkpoint(self, row: FineTune, start: Checkpoint, sha256: str) -> Checkpoint:
        root = str(start.card.get("root") or Path(start.name).stem)
        told = {"tuned_on_labels": row.label_count, "loss": row.loss, "before": row.before, "after": row.after}
        card = start.card | {"root": root} | told
        return Checkpoint(
            project_id=self._project_id, kind=EMBEDDER, name=f"{root} + {row.label_count:,} labels", sha256=sha256,
            file=self._bench.store.relative(self._weights), parent_id=start.id, job_id=self._job.id, card=card,
            label_count=row.label_count, labels_sha256=row.labels_sha256, label_max_id=row.label_max_id,
        )  # fmt: skip

    # --- taking over ---------------------------------------------------------------------------------------------------------

    def embed(self) -> int:
        """Every crop under the new embedder. 0 when a third one was put to use meanwhile."""
        self._watch.look()
        row = self._row()
        if row.switched_at is None and self._embedder_in_use() != row.start_id:
            return self._too_late()
        self._watch.begin_part(written("Embedding every crop again"), CROPS)
        self._embedding(row).all_missing()
        return 1

    def switch(self) -> int:
        """What came in meanwhile is embedded too; then the new one is in use. 0 when a third one was put to use meanwhile."""
        row = self._row()
        self._embedding(row).all_missing(tell=False)
        self._watch.begin_part(written("Learning with the new embedding"), CROPS)
        switched = Switching(self._bench, self._job, self._made(row), row.start_id).switch(self._watch)
        return switched or self._too_late()

    def embed_late(self) -> int:
        """What came in while the classifier learnt."""
        return self._embedding(self._row()).all_missing(tell=False)

    def tidy(self) -> int:
        """Remove the state and, after a switch, ask for the removal of what is two switches old. The labels' list stays."""
        with self._bench.database.writing() as session:
            row, job = FineTune.of_job(session, self._job.id), session.get(Job, self._job.id)
            if row is None or job is None:
                return 0
            for path in self._folder.glob("*"):
                if path != self._labels_file(row.labels_sha256):
                    path.unlink(missing_ok=True)
            job.line = row.words[:300]
            if row.embedder_id is not None:
                remove_unnamed(self._bench, self._project_id, row.embedder_id)
            if not row.switched_at:
                return 0
            return len(ask_tidy(session, self._bench.store, session.get_one(Project, self._project_id)))

    def _embedding(self, row: FineTune) -> Embedding:
        return Embedding(self._bench, self._project_id, self._made(row), self._watch)

    def _embedder_in_use(self) -> int | None:
        with self._bench.database.reading() as session:
            return session.get_one(Project, self._project_id).embedder_id

    def _too_late(self) -> int:
        with self._bench.database.writing() as session:
            row = FineTune.of_job(session, self._job.id)
            if row is not None and TOO_LATE not in row.words:
                row.words += TOO_LATE
        return 0

    def _row(self) -> FineTune:
        with self._bench.database.reading() as session:
            row = FineTune.of_job(session, self._job.id)
            assert row is not None
            self._made_id = row.embedder_id
            return row

    def _made(self, row: FineTune) -> Checkpoint:
        with self._bench.database.reading() as session:
            return session.get_one(Checkpoint, row.embedder_id)

    # --- stopped or failed -----------------------------------------------------------------------------------------------------

    def abandon(self) -> None:
        """Nothing half made stays: first the rows say so, then the files go, then the rows (RELIABILITY rule 1)."""
        with self._bench.database.reading() as session:
            row = FineTune.of_job(session, self._job.id)
        if row is not None and row.switched_at is not None:
            return
        self._made_id = row.embedder_id if row is not None else self._made_id
        store = self._bench.store
        self._bench.patiently(self._forget_parts)
        for path in (self._weights, store.checkpoint(f"classifier-{self._job.id}.safetensors")):
            path.unlink(missing_ok=True)
        folders = [self._folder, store.predictions(self._job.id)]
        if self._made_id is not None:
            folders += [store.root / "vectors" / str(self._made_id), store.matrix(self._made_id, self._project_id)]
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        self._bench.patiently(self._forget)

    def _forget_parts(self) -> None:
        with self._bench.database.writing() as session:
            session.execute(delete(VectorPart).where(VectorPart.embedder_id == self._made_id))

    def _forget(self) -> None:
        with self._bench.database.writing() as session:
            row, job = FineTune.of_job(session, self._job.id), session.get(Job, self._job.id)
            made = session.get(Checkpoint, self._made_id) if self._made_id is not None else None
            for each in (row, made):
                if each is not None:
                    session.delete(each)
                    session.flush()
            if job is not None and job.cancel_requested:
                end_cancelled(job)


def read_labels(session: Session, project_id: int) -> tuple[int, Labels]:
    """(the newest label's id, every box with a crop whose settled name trains: none of the audit)."""
    boxes, labels = untaught(session, project_id)
    found = session.execute(
        select(
            Box.settled_label_id,
            Box.id,
            Box.settled_species_id,
            Image.deployment_id,
            func.coalesce(Image.sequence_id, 0),
        )
        .join(Image, Image.id == Box.image_id)
        .join(Species, Species.id == Box.settled_species_id)
        .where(Box.project_id == project_id, Box.embedder_id.is_not(None), Species.kind.in_(TRAINS))
        .order_by(Box.id)
    ).all()
    taught = [tuple(row) for row in found if row[1] not in boxes and row[0] not in labels]
    columns = np.array(taught, np.int64).reshape(-1, 5).T
    return newest_label_id(session, project_id), Labels(*(np.ascontiguousarray(column) for column in columns))


def figure(share: float) -> float | None:
    """Not a number: it was not tried."""
    return None if math.isnan(share) else share
