"""A long job between two of its steps: has a person paused or stopped it, does the worker stop, and how far is it?"""

from __future__ import annotations

import time
from collections.abc import Callable

from models.job import Job
from worker.jobs.bench import Bench, Paused, is_passing

TELL_EVERY_S = 1.0
LIES_STILL, STOPPED = -1, -2  # what a step gives when the job shall not go on to the next one


class Halted(BaseException):
    """A person paused or stopped the job. Not an Exception, so that nothing on the way takes it for a failure."""

    def __init__(self, outcome: int) -> None:
        """outcome: LIES_STILL or STOPPED."""
        super().__init__(outcome)
        self.outcome = outcome


class Watch:
    """Looks at the row of one job, and writes how far it is."""

    def __init__(self, bench: Bench, job_id: str) -> None:
        """Reads nothing yet."""
        self._bench, self.job_id = bench, job_id
        self._told_at = 0.0
        self._began: tuple[float, int] | None = None  # when, and what was done by then

    def look(self) -> None:
        """Raises Halted when a person paused or stopped the job, or its project is gone; Abandoned when the worker stops."""
        self._bench.breathe()
        asked = self._bench.patiently(self._asked)
        if asked:
            raise Halted(asked)

    def tell(self, done: int, total: int, seconds_left: float | None = None) -> None:
        """How far it is, about once a second. Without seconds_left the pace so far says how long it takes."""
        if self._began is None:
            self._began = (time.monotonic(), done)
        if done < total and time.monotonic() - self._told_at < TELL_EVERY_S:
            return
        self._told_at = time.monotonic()
        since, first = self._began
        rate = (total - done) / seconds_left if seconds_left else (done - first) / max(self._told_at - since, 1e-6)
        self._bench.patiently(lambda: self._write(done=done, total=total, rate_per_s=rate or None))

    def begin_part(self, line: str, unit: str) -> None:
        """The job goes on to something that is counted anew."""
        self._told_at, self._began = 0.0, None
        self._bench.patiently(lambda: self._write(line=line[:300], unit=unit, done=0, total=0, rate_per_s=None))

    def _asked(self) -> int:
        with self._bench.database.reading() as session:
            job = session.get(Job, self.job_id)
            if job is None or job.cancel_requested:
                return STOPPED
            return LIES_STILL if job.pause_requested else 0

    def _write(self, **columns: object) -> None:
        with self._bench.database.writing() as session:
            job = session.get(Job, self.job_id)
            for name, value in columns.items() if job is not None else ():
                setattr(job, name, value)


def halting(do: Callable[[], int], tidy: Callable[[], None]) -> Callable[[], int]:
    """A step that gives LIES_STILL or STOPPED when a person halted the job.

    tidy: removes what is half made, when the job was stopped or fails; it may run twice. A database that is away is no
    failure: the step is done again.
    """

    def done() -> int:
        try:
            return do()
        except Halted as halted:
            if halted.outcome == STOPPED:
                tidy()
            return halted.outcome
        except Exception as error:
            if not is_passing(error):
                tidy()
            raise

    return done


def goes_on(outcome: int) -> bool:
    """Whether the job goes on after a step with this outcome. Raises Paused when it lies still from now on."""
    if outcome == LIES_STILL:
        raise Paused
    return outcome >= 0
