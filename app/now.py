"""What the worker does now, in words: the line on the overview, the stream that keeps it alive, and the list of projects."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.pages import count_of, duration
from models.base import utc_now
from models.job import ALWAYS_ENDED, ASKED, FAILED, PHOTOS, RUNNING, STEPS, Job, WorkerBeat
from models.queue import current, last_ended, workers
from models.round import OPEN, Round

ON, OFF, WARN = "on", "off", "warn"
GONE_AFTER = dt.timedelta(
    hours=1
)  # a worker that was silent for so long is not taken for one that comes back by itself
UNHURRIED = ("finetune", "embed", "discard", "blur", "events", "statics")  # kinds of jobs that nobody waits for
MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)


@dataclass(frozen=True)
class Now:
    """One line. `stamp` changes whenever other figures of the page may have changed."""

    tone: str  # on, off or warn: the dot before it
    what: str
    command: str = ""  # to type in a terminal
    detail: str = ""
    eta: str = ""
    done: int = 0
    total: int = 0  # 0: there is no bar
    device: str = ""
    job_id: str = ""  # what an administrator may stop
    stamp: str = ""


@dataclass(frozen=True)
class Scene:
    """What the words are made of."""

    jobs: list[Job]  # unfinished, the running ones first
    beats: list[WorkerBeat]  # the freshest first
    ended: Job | None  # the one that ended last
    ready: int  # crops that wait for an answer
    at: dt.datetime


def now_of(session: Session, project_id: int) -> Now:
    """The line of a project."""
    rounds = Round.unfinished(session, project_id)
    ready = sum(round_.tally(session).get(OPEN, 0) for round_ in rounds)
    scene = Scene(current(session, project_id), workers(session), last_ended(session, project_id), ready, utc_now())
    marks = [
        *(f"{round_.number}" for round_ in rounds), ready, *map(mark_of, scene.jobs), scene.ended and scene.ended.id,
    ]  # fmt: skip
    return replace(words(scene), stamp=" ".join(map(str, marks)))


def mark_of(job: Job) -> str:
    """Changes when figures of the page may have: with each photo, but with each fiftieth part of what goes on for hours."""
    done = job.done if job.unit == PHOTOS else 50 * job.done // max(job.total, 1)
    return f"{job.id} {job.state} {job.unit} {done} {job.pause_requested}"


def words(scene: Scene) -> Now:
    """The words of ui/UI.md, section 5."""
    alive = [beat for beat in scene.beats if scene.at - beat.beat_at < WorkerBeat.SILENT_AFTER]
    if not alive:
        return absent(scene)
    device = alive[0].device
    if scene.jobs:
        return replace(working(scene.jobs), device=device)
    if scene.ended is not None and scene.ended.state == FAILED:
        return Now(WARN, sentence(f"Stopped: {scene.ended.error}"), device=device)
    return Now(OFF, "Nothing to do.", detail=last_worked(scene), device=device)


def working(jobs: list[Job]) -> Now:
    """What runs, how far it is, and what runs beside it or waits behind it."""
    job, *others = sorted(jobs, key=lambda each: (each.state != RUNNING, each.kind in UNHURRIED))
    parts = [progress_of(job), *map(besides, others[:1])]
    return Now(
        OFF if job.state == ASKED else ON, title_of(job), detail=", ".join(filter(None, parts)), eta=eta_of(job),
        done=job.done, total=job.total, job_id="" if job.kind in ALWAYS_ENDED else job.id,
    )  # fmt: skip


def besides(job: Job) -> str:
    """Then finding animals in batch 6 / meanwhile fine-tuning the embedding, step 120 of 400."""
    line = f"{job.line[:1].lower()}{job.line[1:]}"
    if job.state == ASKED:
        return f"then {line}"
    return ", ".join(filter(None, [f"meanwhile {line}", progress_of(job)]))


def title_of(job: Job) -> str:
    """Finding animals in batch 6 / Learning from round 18."""
    kind, _dash, number = str(job.arguments.get("reason", "")).partition("-")
    return f"Learning from round {number}" if job.kind == "learn" and kind in ("full", "ahead") else job.line


def progress_of(job: Job) -> str:
    """5,657 of 7,000 photos, 6.2 a second / step 120 of 400."""
    if job.state == ASKED:
        many = job.total > 1 and job.unit == PHOTOS
        return f"{job.total:,} photos wait for their turn" if many else "waits for its turn"
    if not job.total:
        return ""
    if job.unit == STEPS:
        return f"step {job.done:,} of {job.total:,}"
    rate = f", {job.rate_per_s:.1f} a second" if job.rate_per_s else ""
    return f"{job.done:,} of {job.total:,} {job.unit}{rate}"


def eta_of(job: Job) -> str:
    """About 4 minutes left."""
    if job.cancel_requested or job.pause_requested:
        does = "stops" if job.cancel_requested else "pauses"
        after = "after this step" if job.unit == STEPS else f"after the {job.unit} in hand"
        return f"{does} {after}" if job.total else f"{does} soon"
    if job.state == ASKED:
        return ""
    if not job.total:
        return "" if job.unit == STEPS else "a few seconds"
    return duration(job.seconds_left)


def absent(scene: Scene) -> Now:
    """Nobody works: silent for a while, or not there at all."""
    go_on = f"You can go on labeling: {count_of(scene.ready, 'crop')} {'is' if scene.ready == 1 else 'are'} ready."
    kept = go_on if scene.ready else ""
    gap = scene.at - scene.beats[0].beat_at if scene.beats else None
    if gap is None or gap >= GONE_AFTER:
        return Now(WARN, "No worker is running: start one with", command="waterhole worker", detail=kept)
    return Now(
        WARN, f"The worker has been silent for {silence(gap)}.",
        detail=" ".join(filter(None, [kept, "New photos wait until it is back."])),
    )  # fmt: skip


def silence(gap: dt.timedelta) -> str:
    """6 minutes."""
    return count_of(gap // MINUTE, "minute") if gap >= MINUTE else count_of(int(gap.total_seconds()), "second")


def last_worked(scene: Scene) -> str:
    """Last worked at 13:02 UTC."""
    moments = [scene.ended.ended_at if scene.ended else None, *(beat.worked_at for beat in scene.beats[:1])]
    newest = max((moment for moment in moments if moment is not None), default=None)
    if newest is None:
        return ""
    day = "" if newest.date() == scene.at.date() else f"{newest.day} {newest:%B}, "
    return f"Last worked at {day}{newest:%H:%M} UTC."


def sentence(text: str) -> str:
    """With one full stop."""
    return text.rstrip(".") + "."
