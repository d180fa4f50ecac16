"""The worker: takes up jobs, runs them step by step, beats. One process; one of a name on a database."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError

from models.base import utc_now
from models.database import Database
from models.deletion import ask_due, due
from models.errors import DomainError, Invalid
from models.job import RUNNING, Job, WorkerBeat
from models.queue import waiting
from models.schema import check_schema
from models.settings import Settings
from models.storage import Store
from models.upkeep import ask_events, outdated
from worker.jobs.alone import only_one
from worker.jobs.bench import Bench, Step, first_line
from worker.jobs.durable import Durable
from worker.jobs.measuring import Measuring
from worker.jobs.networks import FileShelf, Networks, Shelf
from worker.jobs.running import queue_of, run_job

log = structlog.get_logger()
SWEEP_S = 0.2
BEAT_S = 5.0
EVENTS_S = 2.0  # between two looks for events that are old
DEAD_AFTER_S = 60.0  # a worker that was silent for so long is taken for dead and its jobs are taken over
LAST_STEP_S, CLOSING_S = 7.0, 1.0  # how long a step may go on after the word to stop, and the queue may take to close


def run_worker(settings: Settings, *, shelf: Shelf | None = None, stop: threading.Event | None = None) -> None:
    """Work until told to stop: by SIGTERM or SIGINT, or by `stop`.

    shelf: other weights than the shipped ones. Raises a DomainError in words when it cannot begin: no database, another
    schema, a worker of this name is running.
    """
    stopping = stop or threading.Event()
    with opened(settings) as database, only_one(settings, database):
        networks = Networks(Store(settings.store), shelf or FileShelf(settings.weights), settings.decoder_processes)
        bench = Bench(
            worker=settings.worker_name,
            database=database,
            store=Store(settings.store, free_floor_bytes=settings.free_space_floor_mb << 20),
            networks=networks,
            decoder_processes=networks.decoder_processes,
            halves=settings.vectors_float16,
            stopping=stopping,
        )
        if stop is None:
            stop_on_signals(stopping)
        work(bench, settings)
    if stop is None:
        leave()


def work(bench: Bench, settings: Settings) -> None:
    """Beat and sweep until the word to stop; then give the running step a moment."""
    device = bench.networks.device.line
    beat(bench, device, first=True)
    heart = threading.Thread(target=keep_beating, args=(bench, device), name="heart", daemon=True)
    heart.start()
    measuring = Measuring(bench)
    measuring.start()
    running = Running(bench)
    durable = Durable(settings, running.run)
    try:
        durable.launch()
        log.info("worker ready", worker=bench.worker, device=device)
        Sweeper(bench, durable).until_stopped()
    finally:
        bench.stopping.set()
        running.wait(LAST_STEP_S)
        closing = threading.Thread(target=durable.close, name="closing", daemon=True)
        closing.start()
        closing.join(CLOSING_S)  # a database that is away must not keep us
        measuring.join(CLOSING_S)
        heart.join(CLOSING_S)


class Running:
    """The jobs that run now, so that the worker knows when the last one let go."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._count = 0
        self._changed = threading.Condition()

    def run(self, job_id: str, step: Step) -> None:
        """One job, counted."""
        with self._changed:
            self._count += 1
        try:
            run_job(self._bench, job_id, step)
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def wait(self, timeout_s: float) -> None:
        """Return when nothing runs, or after timeout_s."""
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, timeout_s)


class Sweeper:
    """Finds the jobs that wait in our rows and puts them on the queue (DECISIONS 3)."""

    def __init__(self, bench: Bench, durable: Durable) -> None:
        self._bench, self._durable = bench, durable
        self._started: set[str] = set()
        self._looked_for_dead = self._looked_at_events = time.monotonic()

    def until_stopped(self) -> None:
        """Look around a few times a second. Raises what waiting does not heal."""
        self._bench.patiently(self.take_up_own)
        while not self._bench.stopping.wait(SWEEP_S):
            self._bench.patiently(self.sweep)

    def take_up_own(self) -> None:
        """Jobs that this worker had in hand. The queue knows most of them; a restored database may know more."""
        with self._bench.database.reading() as session:
            own = session.scalars(select(Job).where(Job.state == RUNNING, Job.worker == self._bench.worker)).all()
        for job in own:
            self._durable.start(job.id, queue_of(job))

    def sweep(self) -> None:
        """Start what is asked; now and then look for the dead."""
        with self._bench.database.reading() as session:
            asked = waiting(session)
        self._started &= {job.id for job in asked}
        for job in asked:
            if job.id not in self._started:
                self._durable.start(job.id, queue_of(job))
                self._started.add(job.id)
        if time.monotonic() - self._looked_at_events > EVENTS_S:
            self._looked_at_events = time.monotonic()
            self.ask_events()
        if time.monotonic() - self._looked_for_dead > BEAT_S:
            self._looked_for_dead = time.monotonic()
            self._started.clear()  # one that was let go on before its pause had ended is started by the next sweep
            self.take_over()
            self.ask_due()

    def ask_due(self) -> None:
        """Deletions whose day has come."""
        with self._bench.database.reading() as session:
            if not due(session):
                return
        with self._bench.database.writing() as session:
            for deletion in due(session):
                ask_due(session, deletion)

    def ask_events(self) -> None:
        """Where something changed that events follow from, a job brings them up to date."""
        with self._bench.database.reading() as session:
            old = outdated(session)
        for project_id in old:
            with self._bench.database.writing() as session:
                ask_events(session, project_id)

    def take_over(self) -> None:
        """Go on with the jobs of workers that fell silent. One of us gets each."""
        since = utc_now() - dt.timedelta(seconds=DEAD_AFTER_S)
        with self._bench.database.reading() as session:
            orphans = session.scalars(
                select(Job)
                .join(WorkerBeat, WorkerBeat.name == Job.worker)
                .where(Job.state == RUNNING, Job.worker != self._bench.worker, WorkerBeat.beat_at < since)
            ).all()
        for job in orphans:
            with self._bench.database.writing() as session:
                mine = session.execute(
                    update(Job).where(Job.id == job.id, Job.worker == job.worker).values(worker=self._bench.worker)
                )
            if mine.rowcount:  # type: ignore[attr-defined]
                log.warning("taking over a job", job=job.id, worker=job.worker)
                self._durable.take_over(job.id, queue_of(job))


def keep_beating(bench: Bench, device: str) -> None:
    """Say every few seconds that this worker lives."""
    while not bench.stopping.wait(BEAT_S):
        try:
            beat(bench, device)
        except (DBAPIError, DomainError) as error:
            log.warning("no heartbeat", error=first_line(error))


def beat(bench: Bench, device: str, *, first: bool = False) -> None:
    """One heartbeat."""
    with bench.database.writing() as session:
        row = session.get(WorkerBeat, bench.worker) or WorkerBeat(name=bench.worker)
        row.device, row.beat_at, row.worked_at = device, utc_now(), bench.worked_at or row.worked_at
        if first:
            row.started_at = utc_now()
        session.add(row)


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database, at exactly this program's schema. Raises Invalid or SchemaMismatch."""
    path = settings.home.resolve() / "waterhole.sqlite"
    if settings.url == f"sqlite:///{path}" and not path.is_file():
        raise Invalid(f"There is no database at {path} yet. Run `waterhole migrate`.")
    database = Database(settings.url)
    try:
        check_schema(database)
        yield database
    finally:
        database.dispose()


def stop_on_signals(stopping: threading.Event) -> None:
    """SIGTERM and SIGINT stop the worker; a second one ends it on the spot, which loses nothing either."""

    def stop(_number: int, _frame: object) -> None:
        if stopping.is_set():
            os._exit(0)
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)


def leave() -> None:
    """End this process now. A step that would not let go must not keep it alive: it is done again after the next start."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
