"""The crop job: classify-above was lowered, or a person drew boxes, so boxes that had no crop yet get one, with vector and
prediction. A job for drawn boxes names them, so that it never reads the others.

The boxes are there already, so the files are written under their ids before the transaction that names them. Photos are
taken in the order of their ids, 32 a step; the claim of a step names the photos between which it lies, so that it is found
again by its beginning.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import numpy as np
import structlog
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, func, select, update
from sqlalchemy.orm import Session

from models.batch import SHARD_PHOTOS
from models.box import Box
from models.checkpoint import Checkpoint
from models.image import READY, Image
from models.job import Job, JobShard
from models.project import Project
from models.queue import finish_step
from models.round import ask_if_idle
from models.vectors import write_vectors
from worker.images.crops import CROP_PX, crops, to_jpeg
from worker.images.decoder import DecoderPool
from worker.jobs.ahead import AHEAD
from worker.jobs.bench import Bench, Pace, Step
from worker.jobs.embedding import EmbedderChanged, ask_late, expect_embedder
from worker.jobs.guesses import name_boxes
from worker.jobs.leftovers import remove_if_unused, remove_unused
from worker.networks.kinds import ANIMAL

log = structlog.get_logger()


@dataclass(frozen=True)
class Wanted:
    """A photo and its boxes that have no crop. boxes_xyxy: (n, 4) shares."""

    image_id: int
    sha256: str
    box_ids: list[int]
    boxes_xyxy: NDArray[np.float32]


def crop(bench: Bench, job: Job, step: Step) -> None:
    """All photos with such boxes, unless somebody cancels."""
    with bench.decoders() as pool:
        work = Crop(bench, job, pool)
        bench.patiently(work.count)
        after = 0
        while not bench.patiently(work.is_cancelled):
            after = step(f"after-{after}", lambda after=after: work.photos(after))  # type: ignore[misc]
            if not after:
                break
    step("left-behind", lambda: remove_unused(bench, job.project_id, job.id))
    step("late-boxes", work.late)
    step("next-round", work.next_round)


class Crop:
    """One crop job in this process."""

    def __init__(self, bench: Bench, job: Job, pool: DecoderPool) -> None:
        """pool: decoders that this job has for itself."""
        self._bench, self._pool = bench, pool
        self._job_id, self._project_id = job.id, job.project_id
        self._drawn: list[int] | None = job.arguments.get("boxes")
        self._pace = Pace()

    def count(self) -> None:
        """How many photos there are to do, for the progress bar; once."""
        with self._bench.database.writing() as session:
            job, project = session.get_one(Job, self._job_id), session.get_one(Project, self._project_id)
            if not job.total:
                lacks = self._lacking(project)
                job.total = session.scalar(select(func.count(Box.image_id.distinct())).where(lacks)) or 0

    def is_cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        with self._bench.database.reading() as session:
            return session.get_one(Job, self._job_id).cancel_requested

    def photos(self, after: int) -> int:
        """The next 32 photos behind this one. The id of the last, 0 when there is none left."""
        self._bench.breathe()
        with self._bench.database.reading() as session:
            project = session.get_one(Project, self._project_id)
            done = session.scalar(
                select(JobShard.step).where(JobShard.job_id == self._job_id, JobShard.step.like(f"photos-{after}-%"))
            )
            wanted = [] if done else read_wanted(session, self._lacking(project), after)
            embedder = session.get(Checkpoint, project.embedder_id) if project.embedder_id else None
        if wanted and embedder is not None:
            done = f"photos-{after}-{wanted[-1].image_id}"
            try:
                self._write(done, wanted, embedder)
            except EmbedderChanged:
                return self.photos(after)
        if not done:
            return 0
        self._name(after, last := int(done.rsplit("-", 1)[1]))
        return last

    def late(self) -> int:
        """Ask for vectors of the embedder in use where another one took over meanwhile. Few drawn boxes are looked at alone."""
        if self._drawn is not None:
            with self._bench.database.reading() as session:
                in_use = session.get_one(Project, self._project_id).embedder_id
                others = select(Box.id).where(Box.id.in_(self._drawn), Box.embedder_id != in_use)
                if session.scalar(others.limit(1)) is None:
                    return 0
        return ask_late(self._bench, self._project_id)

    def next_round(self) -> int:
        """Ask for a round if nobody has one to work on."""
        with self._bench.database.writing() as session:
            return int(ask_if_idle(session, session.get_one(Project, self._project_id)) is not None)

    def _lacking(self, project: Project) -> ColumnElement[bool]:
        """The boxes that this job is about."""
        return lacking(project) if self._drawn is None else and_(lacking(project), Box.id.in_(self._drawn))

    def _write(self, step: str, wanted: list[Wanted], embedder: Checkpoint) -> None:
        """Crops and vectors, durably; then the rows that name them."""
        ids, cuts = self._cut(wanted)
        vectors = self._bench.networks.embedder(embedder).embed(cuts) if len(cuts) else None
        file = self._bench.store.vectors(embedder.id, f"{self._job_id}-{uuid.uuid4().hex[:8]}.vectors")
        if vectors is not None:
            if not np.isfinite(vectors).all():
                raise ArithmeticError("the embedder gave numbers that are none")
            write_vectors(self._bench.store, file, vectors)
        try:
            claimed = self._bench.patiently(lambda: self._commit(step, ids, embedder.id, file.name, len(wanted)))
        except EmbedderChanged:
            file.unlink(missing_ok=True)
            raise
        if not claimed:
            remove_if_unused(self._bench, self._project_id, file)

    def _cut(self, wanted: list[Wanted]) -> tuple[list[int], NDArray[np.uint8]]:
        """Box ids and their crops, which are in the store when this returns. A photo that cannot be opened is passed over."""
        ids: list[int] = []
        cuts = [np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)]
        paths = [self._bench.store.original(each.sha256) for each in wanted]
        for each, decoded in zip(wanted, self._pool.decode(paths, ahead=AHEAD), strict=True):
            self._bench.breathe()
            with decoded:
                if decoded.verdict != "accept":
                    log.error("a photo cannot be opened any more", photo=each.image_id, reason=decoded.reason)
                    continue
                cut = crops(decoded.pixels, each.boxes_xyxy)
            for box_id, one in zip(each.box_ids, cut, strict=True):
                self._bench.store.write_cheaply(self._bench.store.crop(each.sha256, box_id), to_jpeg(one))
            ids += each.box_ids
            cuts.append(cut)
        return ids, np.concatenate(cuts)

    def _commit(self, step: str, box_ids: list[int], embedder_id: int, file_name: str, photos: int) -> bool:
        with self._bench.database.writing() as session:
            job = session.get_one(Job, self._job_id)
            if not finish_step(session, job, step, self._bench.worker, done=photos):
                return False
            expect_embedder(session, self._project_id, embedder_id)
            job.rate_per_s = self._pace.after(photos)
            places = [
                {"id": box_id, "embedder_id": embedder_id, "vector_file": file_name, "vector_row": row}
                for row, box_id in enumerate(box_ids)
            ]
            there = select(Box.id).where(Box.id.in_(box_ids), Box.deleted_at.is_(None)).order_by(Box.id)
            still = set(session.scalars(there.with_for_update(key_share=True)))
            places = [place for place in places if place["id"] in still]
            if places:
                session.execute(update(Box), places)
        return True

    def _name(self, after: int, last: int) -> None:
        """Predictions of the boxes of these photos that have none yet."""
        here = and_(Box.image_id > after, Box.image_id <= last) if self._drawn is None else Box.id.in_(self._drawn)
        fresh = and_(here, Box.guess_classifier_id.is_(None))
        name_boxes(self._bench, self._project_id, f"{self._job_id}-{after}", fresh)


def read_wanted(session: Session, lacks: ColumnElement[bool], after: int) -> list[Wanted]:
    """The next photos that have boxes without a crop, by rising id."""
    photos = session.execute(
        select(Image.id, Image.sha256)
        .join(Box, Box.image_id == Image.id)
        .where(lacks, Image.state == READY, Image.id > after)
        .distinct()
        .order_by(Image.id)
        .limit(SHARD_PHOTOS)
    ).all()
    return [read_photo(session, lacks, image_id, sha256) for image_id, sha256 in photos]


def read_photo(session: Session, lacks: ColumnElement[bool], image_id: int, sha256: str) -> Wanted:
    """One photo's boxes that lack a crop."""
    boxes = session.execute(
        select(Box.id, Box.x_min, Box.y_min, Box.x_max, Box.y_max)
        .where(lacks, Box.image_id == image_id)
        .order_by(Box.ordinal)
    ).all()
    corners = np.array([row[1:] for row in boxes], np.float32).reshape(-1, 4)
    return Wanted(image_id, sha256, [row[0] for row in boxes], corners)


def lacking(project: Project) -> ColumnElement[bool]:
    """Animals that shall be classified and have no vector yet."""
    is_sure_animal = and_(Box.kind == ANIMAL, Box.score >= project.classify_above, Box.deleted_at.is_(None))
    return and_(Box.project_id == project.id, is_sure_animal, Box.embedder_id.is_(None))
