"""The durable queue (DBOS): it runs each job's steps to the end, whatever dies in between. Nothing else here knows DBOS.

Decisions: the version is pinned by hand, so that a new program takes up the jobs of the old one; the executor is the
worker's name; only ids and small numbers are kept, as JSON; on SQLite the queue has a file of its own, in its own journal
mode, and on PostgreSQL the schema `dbos`. Looking through photos, learning and fine-tuning have a queue each, one job at a
time: a person waits for the next round, nobody for the last photo, and both go on beside a fine-tune. The queue is never
backed up: what counts is in our own rows.
"""

from __future__ import annotations

from collections.abc import Callable

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from models.settings import Settings
from worker.jobs.bench import Step

APPLICATION = "waterhole"
VERSION = (
    "jobs-2"  # raised only when the order of a job's steps changes; jobs of another version begin anew, shard by shard
)
POLLING_S = 0.2
PHOTOS, ROUNDS, TRAINING, KEEPING = "photos", "rounds", "training", "keeping"
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class Durable:
    """The queue of this process. There can be one at a time."""

    def __init__(self, settings: Settings, run: Callable[[str, Step], None]) -> None:
        """run: does the job of this id, step by step."""
        DBOS(config=config(settings))
        self._run = DBOS.workflow(name="job")(lambda job_id: run(job_id, step))

    def launch(self) -> None:
        """Begin: first with the jobs that this worker had in hand when it ended."""
        DBOS.launch()
        DBOS.register_queue(PHOTOS, worker_concurrency=1, polling_interval_sec=POLLING_S)
        DBOS.register_queue(ROUNDS, global_concurrency=1, worker_concurrency=1, polling_interval_sec=POLLING_S)
        DBOS.register_queue(KEEPING, global_concurrency=1, worker_concurrency=1, polling_interval_sec=POLLING_S)
        DBOS.register_queue(TRAINING, global_concurrency=1, worker_concurrency=1, polling_interval_sec=POLLING_S)

    def start(self, job_id: str, queue: str) -> None:
        """Put the job on its queue, once. One that the queue thinks ended, though its row says otherwise, begins anew."""
        status = DBOS.get_workflow_status(job_id)
        if status is not None and status.status == "ENQUEUED" and status.app_version == VERSION:
            return
        if status is not None and (status.status in ENDED or status.app_version != VERSION):
            DBOS.delete_workflow(job_id)
        with SetWorkflowID(job_id):
            DBOS.enqueue_workflow(queue, self._run, job_id)

    def take_over(self, job_id: str, queue: str) -> None:
        """Go on with the job of a worker that died; should it only have slept, its later commits are refused."""
        DBOS.resume_workflow(job_id, queue_name=queue)

    def close(self) -> None:
        """Stop taking jobs. A step that still runs is left alone."""
        DBOS.destroy(destroy_registry=True)


def step(name: str, do: Callable[[], int]) -> int:
    """One durable step of the job that is running."""
    return DBOS.run_step({"name": name}, do)


def config(settings: Settings) -> DBOSConfig:
    """Nothing of this reaches beyond our database."""
    on_file = settings.url.startswith("sqlite")
    made: DBOSConfig = {
        "name": APPLICATION,
        "application_version": VERSION,
        "executor_id": settings.worker_name,
        "serializer": DBOSPortableJSONSerializer(),
        "log_level": "WARNING",
        "system_database_url": f"sqlite:///{settings.home.resolve() / 'jobs.sqlite'}" if on_file else settings.url,
        "dbos_system_schema": "dbos",
        "scheduler_polling_interval_sec": 3600.0,  # we have no schedules
    }
    return made
