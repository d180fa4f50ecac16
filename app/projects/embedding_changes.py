"""Changes of the embedding: when it is fine-tuned, pausing and stopping that, going back, and letting files go."""

from __future__ import annotations

from collections.abc import Callable

from app.dependencies import Access
from app.forms import whole
from app.projects.embedding_queries import is_alive, tuning_job
from app.projects.settings_changes import Typed, change, number_of
from models import embedders, queue
from models.audit import note
from models.checkpoint import Checkpoint
from models.fine_tune import ask_now


def change_step(access: Access, typed: Typed) -> None:
    """At every how many settled names a fine-tune comes by itself, and how it teaches: from the next one on."""
    every, loss = whole("every", typed["every"]), typed["loss"]
    wanted = {"fine_tune_every": every, "fine_tune_loss": loss}
    change(access, "settings.embedding", typed["version"], wanted, lambda: access.project.set_fine_tune(every, loss))


def fine_tune_now(access: Access) -> None:
    """Raises Conflict or Invalid, which say why not."""
    ask_now(access.session, access.project)
    note(access.session, "embedder.asked", user=access.user, project_id=access.project.id)


def pause(access: Access, job_id: str) -> None:
    """It keeps what it has."""
    change_job(access, job_id, "job.paused", lambda: queue.pause(access.session, job_id))


def go_on(access: Access, job_id: str) -> None:
    """It waits for its turn, and goes on where it lay still."""
    change_job(access, job_id, "job.went_on", lambda: queue.go_on(access.session, job_id))


def stop(access: Access, job_id: str) -> None:
    """What is half made goes; the embedder in use stays."""
    change_job(access, job_id, "job.stopped", lambda: queue.cancel(access.session, job_id))


def change_job(access: Access, job_id: str, act: str, do: Callable[[], None]) -> None:
    """Nothing happens to one that ended meanwhile, and a second click is none. Raises NotYours."""
    job = tuning_job(access.session, access.project, job_id)
    before = (job.state, job.pause_requested, job.cancel_requested)
    if not is_alive(job) or job.cancel_requested:
        return
    do()
    if (job.state, job.pause_requested, job.cancel_requested) != before:
        note(access.session, act, user=access.user, project_id=access.project.id, job=job.id, line=job.line)


def use(access: Access, checkpoint_id: int, version: str) -> None:
    """Go back to an embedder, at once or when every crop is embedded again. Raises Conflict, Invalid, Changed, NotYours."""
    session, project = access.session, access.project
    project.lock(session)
    wanted = embedders.embedder(session, project, checkpoint_id)
    if wanted.id == project.embedder_id:
        return  # a second click
    project.expect_version(number_of(version))
    old = session.get(Checkpoint, project.embedder_id) if project.embedder_id else None
    if embedders.use(session, project, wanted):
        names = [f"{each.name} ({each.id})" if each else "" for each in (old, wanted)]
        note(
            session, "embedder.used", user=access.user, project_id=project.id, name=wanted.name,
            changes={"in_use": names},
        )  # fmt: skip


def remove(access: Access, checkpoint_id: int) -> None:
    """Raises Conflict in words, NotYours."""
    session, project = access.session, access.project
    project.lock(session)
    wanted = embedders.embedder(session, project, checkpoint_id)
    embedders.remove_files(session, project, wanted)
    note(session, "embedder.removed", user=access.user, project_id=project.id, name=f"{wanted.name} ({wanted.id})")
