"""The folders job: a pattern was applied or taken back, so every photo goes to the deployment that its folders name now.

CHUNK_ROWS photos a transaction, each of which reads the pattern anew. Where a photo belongs is a function of its path and the
pattern, so going on after a stop changes nothing; which deployments a stopped run had touched is not known, so all of them get
their bursts and times anew at the end.
"""

from __future__ import annotations

from functools import partial

from sqlalchemy import select, update

from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.image import Image
from models.job import Job
from models.placing import place_some
from worker.jobs.bench import Bench, Step
from worker.jobs.clock import correct, group


def put_in_folders(bench: Bench, job: Job, step: Step) -> None:
    """Every photo, then the cameras one after the other."""
    step("photos", lambda: place_all(bench, job))
    with bench.database.reading() as session:
        here = select(Deployment.id).where(Deployment.project_id == job.project_id).order_by(Deployment.id)
        has_photos = select(Image.id).where(Image.deployment_id == Deployment.id).exists()
        deployments = list(session.scalars(here.where(has_photos)))
    for deployment_id in deployments:
        step(f"times-{deployment_id}", partial(correct, bench, job, deployment_id, tells=False))
        step(f"bursts-{deployment_id}", partial(group, bench, deployment_id))


def place_all(bench: Bench, job: Job) -> int:
    """By rising id. How many deployments won or lost photos."""
    after: int | None = 0
    touched: set[int] = set()
    while after is not None:
        bench.breathe()
        after, more = bench.patiently(partial(place_few, bench, job, after))
        touched |= more
    return len(touched)


def place_few(bench: Bench, job: Job, after: int) -> tuple[int | None, set[int]]:
    """One transaction; it also says how far the job is."""
    with bench.database.writing() as session:
        last, touched = place_some(session, job.project_id, after)
        here = Job.id == job.id, Job.done + CHUNK_ROWS <= Job.total
        session.execute(update(Job).where(*here).values(done=Job.done + CHUNK_ROWS))
        return last, touched
