"""The sequence job: the burst gap of a project changed, so every camera's photos are grouped anew."""

from __future__ import annotations

from sqlalchemy import select

from models.deployment import Deployment
from models.job import Job
from models.project import Project
from models.queue import finish_step
from models.sequence import regroup
from worker.jobs.bench import Bench, Step


def sequence(bench: Bench, job: Job, step: Step) -> None:
    """One camera a step, each in one transaction."""
    with bench.database.reading() as session:
        deployments = list(
            session.scalars(
                select(Deployment.id).where(Deployment.project_id == job.project_id).order_by(Deployment.id)
            )
        )
    for deployment_id in deployments:
        step(
            f"camera-{deployment_id}",
            lambda deployment_id=deployment_id: group_camera(bench, job, deployment_id),  # type: ignore[misc]
        )


def group_camera(bench: Bench, job: Job, deployment_id: int) -> int:
    """With the gap that the project has now. How many bursts changed."""
    bench.breathe()
    with bench.database.writing() as session:
        own = session.get_one(Job, job.id)
        if not finish_step(session, own, f"camera-{deployment_id}", bench.worker, done=1):
            return 0
        return regroup(session, deployment_id, session.get_one(Project, job.project_id).sequence_gap_s)
