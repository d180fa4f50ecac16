"""The clock job: the times of many photos follow from the corrections that stand, then bursts, then what the doctor finds.

CHUNK_ROWS photos a transaction, each of which reads the corrections anew. Times are a function of what the camera wrote and of
the corrections, so doing it twice, or going on after a stop, changes nothing.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import update

from models.clock import correct_some
from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.event import mark_deployments
from models.examining import examine
from models.job import Job
from models.project import Project
from models.sequence import regroup
from worker.jobs.bench import Bench, Step


def clock(bench: Bench, job: Job, step: Step) -> None:
    """One camera after the other: times, then bursts and findings."""
    for deployment_id in (int(each) for each in job.arguments["deployments"]):
        step(f"times-{deployment_id}", partial(correct, bench, job, deployment_id))
        step(f"bursts-{deployment_id}", partial(group, bench, deployment_id))


def correct(bench: Bench, job: Job, deployment_id: int, *, tells: bool = True) -> int:
    """Every photo of the camera. How many times changed. tells: whether these photos are what the job counts."""
    after: int | None = 0
    changed = 0
    while after is not None:
        bench.breathe()
        after, more = bench.patiently(partial(correct_few, bench, job if tells else None, deployment_id, after))
        changed += more
    return changed


def correct_few(bench: Bench, job: Job | None, deployment_id: int, after: int) -> tuple[int | None, int]:
    """One transaction; it also says how far the job is."""
    with bench.database.writing() as session:
        last, changed = correct_some(session, deployment_id, after)
        if last is not None and job is not None:
            here = Job.id == job.id, Job.done + CHUNK_ROWS <= Job.total
            session.execute(update(Job).where(*here).values(done=Job.done + CHUNK_ROWS))
        return last, changed


def group(bench: Bench, deployment_id: int) -> int:
    """With the times as they are now. How many bursts changed."""
    bench.breathe()
    with bench.database.writing() as session:
        deployment = session.get(Deployment, deployment_id)
        if deployment is None:
            return 0
        changed = regroup(session, deployment_id, session.get_one(Project, deployment.project_id).sequence_gap_s)
        examine(session, deployment_id)
        mark_deployments(session, deployment.project_id, [deployment_id])
        return changed
