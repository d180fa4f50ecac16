"""A person stops a job."""

from __future__ import annotations

from app.dependencies import Access, not_yours
from models.audit import note
from models.job import ALWAYS_ENDED, UNFINISHED, Job
from models.queue import cancel


def job_of(access: Access, job_id: str) -> Job:
    """The job of the project. Raises NotYours."""
    job = access.session.get(Job, job_id)
    if job is None or job.project_id != access.project.id:
        raise not_yours()
    return job


def stop(acting: Access, job_id: str) -> Job:
    """Stop it after what it has in hand; what is done stays. One that always ends goes on. Raises NotYours."""
    job = job_of(acting, job_id)
    if job.state in UNFINISHED and not job.cancel_requested and job.kind not in ALWAYS_ENDED:
        cancel(acting.session, job.id)
        note(acting.session, "job.stopped", user=acting.user, project_id=acting.project.id, job=job.id, line=job.line)
    return job
