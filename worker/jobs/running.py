"""Every kind of job under its name, and the one way in which each begins and ends. Adding a kind is one row."""

from __future__ import annotations

import os
from collections.abc import Callable

import structlog
from sqlalchemy.orm import Session

from models import queue
from models.batch import Batch
from models.deletion import REMOVE, resume_batches
from models.drawing import CUT
from models.imported import TAKE, UNTAKE, let_go
from models.job import ALWAYS_ENDED, CLOCK, EVENTS, FOLDERS, SETTLE, UNFINISHED, Job
from models.project import Project
from models.rebuilding import REBUILD
from models.static import STATICS
from worker.jobs.bench import Bench, Paused, Step, first_line
from worker.jobs.blurring import blur
from worker.jobs.clock import clock
from worker.jobs.crop import crop
from worker.jobs.curve import curve
from worker.jobs.discarding import discard
from worker.jobs.durable import KEEPING, PHOTOS, ROUNDS, TRAINING
from worker.jobs.embedding import embed
from worker.jobs.events import events
from worker.jobs.finetune import finetune
from worker.jobs.folders import put_in_folders
from worker.jobs.ingest import ingest, release_waiting
from worker.jobs.learn import learn
from worker.jobs.predicting import predict
from worker.jobs.rebuilding import rebuild
from worker.jobs.removing import remove
from worker.jobs.sequence import sequence
from worker.jobs.settling import settle
from worker.jobs.statics import statics
from worker.jobs.taking import take, untake

log = structlog.get_logger()
Run = Callable[[Bench, Job, Step], None]
KINDS: dict[str, tuple[str, Run]] = {
    "ingest": (PHOTOS, ingest),
    "crop": (PHOTOS, crop),
    CUT: (PHOTOS, crop),
    "learn": (ROUNDS, learn),
    "predict": (ROUNDS, predict),
    "sequence": (ROUNDS, sequence),
    CLOCK: (ROUNDS, clock),
    FOLDERS: (ROUNDS, put_in_folders),
    "curve": (ROUNDS, curve),
    SETTLE: (ROUNDS, settle),
    EVENTS: (ROUNDS, events),
    STATICS: (ROUNDS, statics),
    "blur": (ROUNDS, blur),
    TAKE: (PHOTOS, take),
    UNTAKE: (PHOTOS, untake),
    "finetune": (TRAINING, finetune),
    "embed": (TRAINING, embed),
    "discard": (TRAINING, discard),
    REMOVE: (KEEPING, remove),
    REBUILD: (PHOTOS, rebuild),
}


def queue_of(job: Job) -> str:
    """Where the job waits its turn. An unknown kind ends at once, with a reason, wherever it waits."""
    return KINDS.get(job.kind, (ROUNDS, unknown))[0]


def run_job(bench: Bench, job_id: str, step: Step) -> None:
    """From the row's start to its end. A job that fails says why in one line; what it did stays."""
    job = bench.patiently(lambda: begin(bench, job_id))
    if job is None or job.state not in UNFINISHED:
        return
    log.info("job begins", job=job_id, kind=job.kind, project=job.project_id)
    error = ""
    try:
        KINDS.get(job.kind, (ROUNDS, unknown))[1](bench, job, patient(bench, step))
    except Paused:
        bench.patiently(lambda: lie_still(bench, job_id))
        log.info("job lies still", job=job_id, kind=job.kind)
        return
    except Exception as failure:
        error = first_line(failure)
        traced = failure if "WATERHOLE_TRACEBACK" in os.environ else None
        log.error("job failed", job=job_id, kind=job.kind, error=error, exc_info=traced)
    step("end", lambda: bench.patiently(lambda: end(bench, job_id, error)))
    log.info("job ended", job=job_id, kind=job.kind, **({"error": error} if error else {}))


def patient(bench: Bench, step: Step) -> Step:
    """Steps that wait while the database is away, and are done again then: every step may be."""
    return lambda name, do: step(name, lambda: bench.patiently(do))


def begin(bench: Bench, job_id: str) -> Job | None:
    """The job, now running here; None when its project is gone. In a project that is closed nothing begins but its removal."""
    with bench.database.writing() as session:
        job = session.get(Job, job_id)
        if job is None:
            return None
        if is_closed(session.get_one(Project, job.project_id), job) and job.state in UNFINISHED:
            queue.end_cancelled(job)
            job.key = None  # the same may be asked again once the project is back
            put_back(session, job_id)
            return job
        return queue.start(session, job_id, bench.worker)


def is_closed(project: Project, job: Job) -> bool:
    """Deleted or archived. What a changed rule began in an archived one is ended, or names would contradict it."""
    if job.kind == REMOVE:
        return False
    return project.deletion_id is not None or (project.archived_at is not None and job.kind not in ALWAYS_ENDED)


def lie_still(bench: Bench, job_id: str) -> None:
    """Paused; whoever lets it go on has it started anew, with the steps that are committed behind it."""
    with bench.database.writing() as session:
        if session.get(Job, job_id) is not None:
            queue.lie_still(session, job_id)


def end(bench: Bench, job_id: str, error: str) -> int:
    """Done, failed or cancelled; photos that nobody looked at can be asked for again."""
    with bench.database.writing() as session:
        if session.get(Job, job_id) is not None:
            queue.end(session, job_id, error=error)
            put_back(session, job_id)
            go_on_elsewhere(session, job_id)
    return 0


def put_back(session: Session, job_id: str) -> None:
    """What an ended job leaves undone waits for the next one."""
    release_waiting(session, job_id)
    let_go(session, job_id)


def go_on_elsewhere(session: Session, job_id: str) -> None:
    """Looking through a batch that was deleted meanwhile has ended: photos of others that it had in hand are asked for."""
    job = session.get_one(Job, job_id)
    batch = session.get(Batch, job.arguments["batch_id"]) if job.kind == "ingest" else None
    project = session.get_one(Project, job.project_id)
    if (
        batch is not None
        and batch.deletion_id is not None
        and project.deletion_id is None
        and project.archived_at is None
    ):
        resume_batches(session, project)


def unknown(_bench: Bench, job: Job, _step: Step) -> None:
    """Raises ValueError: this program is older than the one that asked."""
    raise ValueError(f"this worker does not know jobs of kind {job.kind!r}; update it")
