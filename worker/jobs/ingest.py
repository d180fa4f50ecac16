"""The ingest job: one visit to each photo of a batch, one durable step a shard of 32 photos.

What a kill -9 leaves behind at any moment: thumbnails and previews are made again; a vectors file without rows is removed
at the end of the job; crops are written inside the claiming transaction, under the ids that it hands out, so that no
committed box lacks its picture; predictions follow the commit and are made when they are found missing. A shard is claimed
in the transaction that holds its rows, so it never happens twice, whoever else works on it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import structlog
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.base import utc_now
from models.batch import Batch, BatchFile
from models.box import Box, askable
from models.checkpoint import DETECTOR, Checkpoint
from models.clock import held_corrections
from models.correcting import Correction, corrected
from models.deletion import marked
from models.event import mark_deployments
from models.examining import examine
from models.image import READY, WAITING, Image
from models.job import Job, JobShard
from models.privacy import ask_blurs
from models.project import Project
from models.queue import finish_step, step_is_done
from models.round import Round, ask_if_idle, ask_learn
from models.sequence import regroup
from models.unlinking import unlink_pictures
from models.vectors import write_vectors
from worker.images.decoder import DecoderPool
from worker.images.exif import CameraFacts
from worker.jobs.ahead import SeenAhead
from worker.jobs.bench import Bench, Pace, Step
from worker.jobs.embedding import EmbedderChanged, ask_late, expect_embedder
from worker.jobs.guesses import name_boxes
from worker.jobs.leftovers import remove_if_unused, remove_unused
from worker.jobs.looking import Looker, PhotoRow, Seen, Visit, by_boxes_here, by_detector, by_record, nothing_found
from worker.jobs.networks import take_preset
from worker.jobs.statics import group_batch
from worker.networks.detector import Detections
from worker.networks.kinds import PERSON
from worker.networks.recorded import read_recorded

log = structlog.get_logger()
EARLY = 10  # the first round is chosen once there are so many times its size of crops: it is a tenth of them then


@dataclass(frozen=True)
class Gear:
    """What one shard is looked at with. classify_above is read anew for each shard."""

    detector_id: int
    embedder_id: int
    classify_above: float


class PhotosGone(Exception):
    """Some of the photos were deleted while they were looked at."""


class Ingest:
    """One ingest job in this process."""

    def __init__(self, bench: Bench, job: Job, pool: DecoderPool) -> None:
        """pool: decoders that this job has for itself."""
        self._bench = bench
        self._job_id, self._project_id = job.id, job.project_id
        self._batch_id, self.shards = int(job.arguments["batch_id"]), int(job.arguments["shards"])
        self._ahead = SeenAhead(pool, bench.store, bench.networks.device, self._rows, self.shards)
        self._pace = Pace()
        self._look: Looker | None = None
        self._given_by: int | None = job.arguments.get(
            "given_by"
        )  # the detector of a file whose boxes are here already
        self._recorded_id: int | None = self._given_by
        self._visits: dict[Gear, Visit] = {}

    def close(self) -> None:
        """Wait for the photos that are being looked at."""
        self._ahead.close()

    def run(self, step: Step) -> None:
        """All shards, unless somebody cancels."""
        for number in range(self.shards):
            if self._is_cancelled():
                return
            step(f"shard-{number}", lambda number=number: self.shard(number))  # type: ignore[misc]
        step("left-over", self.left_over)

    def shard(self, number: int) -> int:
        """Look at one shard and write it down, once; then name its boxes. How many photos."""
        self._bench.breathe()
        name = f"shard-{number}"
        with self._bench.database.reading() as session:
            done = step_is_done(session, self._job_id, name)
        rows = [] if done else self._rows(number)
        if rows:
            self._look_through(number, rows)
        in_shard = Box.image_id.in_(select(Image.id).where(Image.job_id == self._job_id, Image.shard == number))
        name_boxes(self._bench, self._project_id, f"{self._job_id}-{number}", in_shard)
        return len(rows)

    def _look_through(self, number: int, rows: list[PhotoRow]) -> None:
        """Again where another embedder was put to use meanwhile: no box gets a vector of the one before."""
        while True:
            gear = self._gear()
            seen = self._ahead.shard(number, rows, self._visit(gear), self._bench.breathe)
            try:
                return self._write_wanted(number, seen, gear)
            except EmbedderChanged:
                log.info("another embedder is in use now; looking again", job=self._job_id, shard=number)

    def _write_wanted(self, number: int, seen: list[Seen], gear: Gear) -> None:
        """Without the photos of a batch that was deleted meanwhile (H14): nothing of them is left behind."""
        while True:
            with self._bench.database.reading() as session:
                wanted = wanted_ids(session, [each.row.id for each in seen])
            try:
                self._write(number, [each for each in seen if each.row.id in wanted], gear)
                break
            except PhotosGone:
                log.info("photos were deleted while they were looked at", job=self._job_id, shard=number)
        for each in seen:
            if each.row.id not in wanted:
                self._bench.patiently(lambda each=each: self._forget(each.row.sha256))  # type: ignore[misc]

    def _forget(self, sha256: str) -> None:
        """The pictures of a photo that is gone, unless somebody else has it."""
        with self._bench.database.writing() as session:
            if (
                session.scalar(select(Image.id).where(Image.sha256 == sha256, Image.project_id == self._project_id))
                is None
            ):
                unlink_pictures(session, self._bench.store, self._project_id, sha256)

    def left_over(self) -> int:
        """Shards that the queue thinks done but whose rows are not there (the database came from a backup). How many."""
        with self._bench.database.reading() as session:
            done = set(session.scalars(select(JobShard.step).where(JobShard.job_id == self._job_id)))
        missing = [number for number in range(self.shards) if f"shard-{number}" not in done]
        for number in missing:
            self.shard(number)
        return len(missing)

    def _is_cancelled(self) -> bool:
        def ask() -> bool:
            with self._bench.database.reading() as session:
                job = session.get(Job, self._job_id)
                return job is None or job.cancel_requested

        return self._bench.patiently(ask)

    def _rows(self, number: int) -> list[PhotoRow]:
        with self._bench.database.reading() as session:
            found = session.execute(
                select(Image.id, Image.sha256, Image.path)
                .where(Image.job_id == self._job_id, Image.shard == number)
                .order_by(Image.path, Image.id)
            )
            return [PhotoRow(*row) for row in found]

    # --- with what ---------------------------------------------------------------------------------------------------------

    def _gear(self) -> Gear:
        if self._look is None:
            self._look = by_boxes_here(self._boxes_here, self._looker())
        with self._bench.database.reading() as session:
            project = session.get_one(Project, self._project_id)
            detector_id = self._recorded_id or project.detector_id
            assert detector_id is not None and project.embedder_id is not None  # equip() saw to it
            return Gear(detector_id, project.embedder_id, project.classify_above)

    def _looker(self) -> Looker:
        """The project's detector, or the boxes that came with the batch, or an import that has brought all there are."""
        bench = self._bench
        if self._given_by is not None:
            bench.networks.equip(bench.database, self._project_id, with_detector=False)
            return nothing_found
        with bench.database.reading() as session:
            boxes_file = session.get_one(Batch, self._batch_id).boxes_file
        bench.networks.equip(bench.database, self._project_id, with_detector=boxes_file is None)
        if boxes_file is not None:
            return self._by_record(boxes_file)
        with bench.database.reading() as session:
            project = session.get_one(Project, self._project_id)
            return by_detector(bench.networks.detector(session.get_one(Checkpoint, project.detector_id)))

    def _boxes_here(self, image_ids: Sequence[int]) -> dict[int, Detections]:
        """Lanes ask this, so it takes a session of its own."""
        with self._bench.database.reading() as session:
            here = standing_boxes(session, image_ids)
        return {
            image_id: Detections(
                np.array([(box.x_min, box.y_min, box.x_max, box.y_max) for box in boxes], np.float32),
                np.array([box.score for box in boxes], np.float32),
                tuple(box.kind for box in boxes),
            )
            for image_id, boxes in here.items()
        }

    def _by_record(self, boxes_file: str) -> Looker:
        recorded = read_recorded(self._bench.store.root / boxes_file)
        with self._bench.database.writing() as session:
            project = session.get_one(Project, self._project_id, with_for_update={"key_share": True})
            checkpoint = Checkpoint.known(session, DETECTOR, recorded.detector, recorded.sha256, recorded.card)
            if project.detector_id is None:
                take_preset(project, recorded.card)
            if recorded.problems:
                job = session.get_one(Job, self._job_id)
                said = (
                    f"{job.line}. The boxes file has {len(recorded.problems)} problems, first: {recorded.problems[0]}"
                )
                job.line = said[:300]
        for problem in recorded.problems:
            log.warning("boxes file", batch=self._batch_id, problem=problem)
        self._recorded_id = checkpoint.id
        return by_record(recorded.photos)

    def _visit(self, gear: Gear) -> Visit:
        if gear not in self._visits:
            bench = self._bench
            with bench.database.reading() as session:
                embedder = bench.networks.embedder(session.get_one(Checkpoint, gear.embedder_id))
            assert self._look is not None
            self._visits = {gear: Visit(bench.store, self._look, embedder, gear.classify_above)}
        return self._visits[gear]

    # --- rows --------------------------------------------------------------------------------------------------------------

    def _write(self, number: int, seen: list[Seen], gear: Gear) -> None:
        """Vectors first, durably; then the rows and the claim in one short transaction."""
        store = self._bench.store
        vectors = [each.vectors for each in seen if len(each.vectors)]
        # the name is new in each attempt: one who comes too late must never replace a file that rows point into
        file = store.vectors(gear.embedder_id, f"{self._job_id}-{number}-{uuid.uuid4().hex[:8]}.vectors")
        if vectors:
            write_vectors(store, file, np.concatenate(vectors))
        try:
            claimed = self._bench.patiently(lambda: self._commit(number, seen, gear, file.name))
        except (EmbedderChanged, PhotosGone):
            file.unlink(missing_ok=True)
            raise
        if not claimed:
            remove_if_unused(self._bench, self._project_id, file)

    def _commit(self, number: int, seen: list[Seen], gear: Gear, file_name: str) -> bool:
        with self._bench.database.writing() as session:
            ids = [each.row.id for each in seen]
            if len(wanted_ids(session, ids, hold=True)) < len(ids):
                raise PhotosGone
            job = session.get(Job, self._job_id)
            if job is None or not finish_step(session, job, f"shard-{number}", self._bench.worker, done=len(seen)):
                return False
            expect_embedder(session, self._project_id, gear.embedder_id)
            job.rate_per_s = self._pace.after(len(seen))
            write_shard(session, self._bench, seen, gear, file_name)
            ask_early(session, self._project_id)
            if any(PERSON in each.found.kinds for each in seen if each.found is not None):
                ask_blurs(session, self._project_id)
        return True

    # --- afterwards --------------------------------------------------------------------------------------------------------

    def bursts(self) -> int:
        """Put the photos of every camera that this job touched into bursts, a camera at a time. How many cameras."""
        with self._bench.database.reading() as session:
            gap_s = session.get_one(Project, self._project_id).sequence_gap_s
            touched = list(
                session.scalars(
                    select(Image.deployment_id)
                    .where(Image.job_id == self._job_id, Image.state == READY)
                    .distinct()
                    .order_by(Image.deployment_id)
                )
            )
        for deployment_id in touched:
            self._bench.breathe()
            group(self._bench, self._project_id, deployment_id, gap_s)
        return len(touched)

    def next_round(self) -> int:
        """Ask for a round if nobody has one to work on."""
        with self._bench.database.writing() as session:
            return int(ask_if_idle(session, session.get_one(Project, self._project_id)) is not None)


def ingest(bench: Bench, job: Job, step: Step) -> None:
    """Look through every photo of the job. What is done stays when the job is cancelled or fails."""
    with bench.decoders() as pool, contextlib.closing(Ingest(bench, job, pool)) as work:
        work.run(step)
    step("left-behind", lambda: remove_unused(bench, job.project_id, job.id))
    step("bursts", work.bursts)
    step("late-boxes", lambda: ask_late(bench, job.project_id))
    step("next-round", work.next_round)
    step("statics", lambda: group_batch(bench, job.project_id, job.id))


def wanted_ids(session: Session, image_ids: list[int], *, hold: bool = False) -> set[int]:
    """Those of the photos that still wait for a look: not hidden, and of no batch that is marked for deletion.

    hold: nobody can mark or hide them until the transaction ends; batches before photos, in the order of their ids.
    """
    found = select(Image.id, Image.batch_id).where(Image.id.in_(image_ids), Image.state == WAITING).order_by(Image.id)
    gone = marked(session, (row.batch_id for row in session.execute(found)))
    rows = session.execute(found.with_for_update(key_share=True) if hold else found)
    return {row.id for row in rows if row.batch_id not in gone}


def write_shard(session: Session, bench: Bench, seen: list[Seen], gear: Gear, file_name: str) -> None:
    """The rows of a shard, and the crops under the ids that its boxes get."""
    images = {
        image.id: image for image in session.scalars(select(Image).where(Image.id.in_([each.row.id for each in seen])))
    }
    clocks = held_corrections(session, {image.deployment_id for image in images.values()})
    here = standing_boxes(session, list(images))
    pictures: list[tuple[Box, str, bytes]] = []
    vector_row = 0
    for each in seen:
        boxes = here.get(each.row.id) or boxes_of(images[each.row.id], each, gear.detector_id)
        for box, jpeg in zip([boxes[row] for row in each.cut], each.jpegs, strict=True):
            box.embedder_id, box.vector_file, box.vector_row = gear.embedder_id, file_name, vector_row
            vector_row += 1
            pictures.append((box, each.row.sha256, jpeg))
        session.add_all(boxes)
        image = images[each.row.id]
        describe(session, image, each, gear.detector_id, clocks[image.deployment_id])
    session.flush()
    for box, sha256, jpeg in pictures:
        bench.store.write_cheaply(bench.store.crop(sha256, box.id), jpeg)


def standing_boxes(session: Session, image_ids: Sequence[int]) -> dict[int, list[Box]]:
    """The boxes that photos have before anybody looked: those of an import. By photo, in the order of their rows."""
    wanted = (
        select(Box).where(Box.image_id.in_(image_ids), Box.deleted_at.is_(None)).order_by(Box.image_id, Box.ordinal)
    )
    found: dict[int, list[Box]] = {}
    for box in session.scalars(wanted):
        found.setdefault(box.image_id, []).append(box)
    return found


def boxes_of(image: Image, seen: Seen, detector_id: int) -> list[Box]:
    """One row a detection, 1, 2, ... by falling score."""
    if seen.found is None:
        return []
    corners = [[float(side) for side in box] for box in seen.found.boxes_xyxy]
    return [
        Box(
            project_id=image.project_id, image_id=image.id, ordinal=ordinal, x_min=x_min, y_min=y_min, x_max=x_max,
            y_max=y_max, score=float(score), kind=kind, detector_id=detector_id,
        )
        for ordinal, ((x_min, y_min, x_max, y_max), score, kind) in enumerate(
            zip(corners, seen.found.scores, seen.found.kinds, strict=True), start=1
        )
    ]  # fmt: skip


def describe(session: Session, image: Image, seen: Seen, detector_id: int, clock: Sequence[Correction]) -> None:
    """What the visit found out about the photo itself. A file that is no good is listed as such in its batch.

    clock: the corrections that stand for its camera.
    """
    image.state, image.reason, image.processed_at = seen.state, seen.reason[:300], utc_now()
    image.width_px, image.height_px = seen.width_px, seen.height_px
    for column, value in facts_of(seen.facts).items():
        if value is not None:  # an import may know what the file does not say
            setattr(image, column, value)
    image.taken_at = corrected(image.captured_at, clock)
    image.brightness = seen.brightness
    if seen.state == READY:
        image.detector_id = detector_id
        return
    session.execute(
        update(BatchFile).where(BatchFile.image_id == image.id).values(state=seen.state, reason=seen.reason[:300])
    )


def facts_of(facts: CameraFacts) -> dict[str, Any]:
    """Columns of the camera's facts. sub_second: the digits behind the point, so that text sorts as the numbers do."""
    digits = None if facts.sub_second is None else f"{facts.sub_second:.9f}"[2:].rstrip("0") or "0"
    return {
        "captured_at": facts.captured_at, "sub_second": digits,
        "make": facts.make, "camera_model": facts.model,
        "serial": facts.serial, "latitude": facts.latitude, "longitude": facts.longitude,
    }  # fmt: skip


def ask_early(session: Session, project_id: int) -> None:
    """While photos still come in: ask for the first round as soon as it can have its full size."""
    if Round.last_number(session, project_id):
        return
    project = session.get_one(Project, project_id)
    crops = session.scalar(select(func.count()).select_from(Box).where(askable(project))) or 0
    if crops >= EARLY * project.first_round:
        ask_learn(session, project, "first")


def group(bench: Bench, project_id: int, deployment_id: int, gap_s: int) -> None:
    """One camera’s photos into bursts, in a transaction of its own; a look at its clock, and its events follow."""
    with bench.database.writing() as session:
        mark_deployments(session, project_id, [deployment_id])
        regroup(session, deployment_id, gap_s)
        examine(session, deployment_id)


def release_waiting(session: Session, job_id: str) -> None:
    """The job ends early: what it did not look at waits for the next one."""
    session.execute(update(Image).where(Image.job_id == job_id, Image.state == WAITING).values(job_id=None, shard=None))
