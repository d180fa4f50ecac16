"""The settle job: the rule of a project changed, or a species came to mean another one, so every crop that somebody spoke
about is settled anew.

At most CHUNK_ROWS crops a transaction, each of which reads the rule anew, so that no answer waits long. Doing it twice changes
nothing.
"""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from models.beside import settle_by_rule, spoken_boxes
from models.database import CHUNK_ROWS
from models.job import Job
from models.project import Project
from models.round import ask_learn
from worker.jobs.bench import Bench, Step
from worker.jobs.predicting import follow


def settle(bench: Bench, job: Job, step: Step) -> None:
    """Pass after pass until one changes nothing: an answer that read the old rule may be committed during the first. Then the
    classifier follows.
    """
    number = 1
    while step(f"pass-{number}", lambda: settle_all(bench, job)):
        number += 1
    if job.arguments.get("means"):
        step("guesses", lambda: follow(bench, job.project_id))
    step("learn", lambda: ask_to_learn(bench, job))


def settle_all(bench: Bench, job: Job) -> int:
    """Every crop with a voice, by rising id. How many stand otherwise now."""
    with bench.database.reading() as session:
        box_ids = spoken_boxes(session, job.project_id)
    changed = 0
    for start in range(0, len(box_ids), CHUNK_ROWS):
        bench.breathe()
        few = box_ids[start : start + CHUNK_ROWS]
        changed += bench.patiently(lambda few=few, start=start: settle_few(bench, job, few, start + len(few)))  # type: ignore[misc]
    return changed


def settle_few(bench: Bench, job: Job, box_ids: list[int], done: int) -> int:
    """One transaction. done: how far the pass is with these."""
    with bench.database.writing() as session:
        changed = settle_by_rule(session, job.project_id, box_ids)
        tell(session, job, done)
        return changed


def tell(session: Session, job: Job, done: int) -> None:
    """How far it is; a later pass begins at the end."""
    session.execute(update(Job).where(Job.id == job.id, Job.done < done, Job.total >= done).values(done=done))


def ask_to_learn(bench: Bench, job: Job) -> int:
    """From the names as they are now; 0 where nobody has spoken."""
    reason = f"means-{job.id}" if job.arguments.get("means") else f"rule-{job.arguments['version']}"
    with bench.database.writing() as session:
        if not spoken_boxes(session, job.project_id):
            return 0
        ask_learn(session, session.get_one(Project, job.project_id), reason)
        return 1
