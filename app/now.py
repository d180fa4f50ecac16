"""What the worker does now, in words: the line on the overview, the stream that keeps it alive, and the list of projects."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, fields, replace

from sqlalchemy.orm import Session

from app.pages import day_and_month, decimals, duration
from models.base import utc_now
from models.job import ALWAYS_ENDED, ASKED, CROPS, FAILED, PHOTOS, RUNNING, STEPS, Job, WorkerBeat
from models.queue import current, last_ended, workers
from models.round import OPEN, Round
from models.words import figure, mark, retold, say, say_many

ON, OFF, WARN = "on", "off", "warn"
GONE_AFTER = dt.timedelta(
    hours=1
)  # a worker that was silent for so long is not taken for one that comes back by itself
UNHURRIED = ("finetune", "embed", "discard", "blur", "events", "statics")  # kinds of jobs that nobody waits for
FAR = {
    PHOTOS: mark("%(done)s of %(total)s photos"),
    CROPS: mark("%(done)s of %(total)s crops"),
    "vectors": mark("%(done)s of %(total)s vectors"),
}
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
    scene: Scene | None = field(default=None, compare=False, repr=False)  # for readers of other languages

    def told(self) -> dict[str, object]:
        """As JSON has it, in the language of who reads it: one poller makes the lines of all readers."""
        said = self if self.scene is None else words(self.scene)
        return {each.name: getattr(said, each.name) for each in fields(self) if each.name != "scene"} | {
            "stamp": self.stamp
        }


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
    return replace(words(scene), stamp=" ".join(map(str, marks)), scene=scene)


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
        return Now(WARN, sentence(say("Stopped: %(why)s", why=retold(scene.ended.error))), device=device)
    return Now(OFF, say("Nothing to do."), detail=last_worked(scene), device=device)


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
    if job.state == ASKED:
        return say("then %(line)s", line=lowered(retold(job.line)))
    return ", ".join(filter(None, [say("meanwhile %(line)s", line=lowered(retold(job.line))), progress_of(job)]))


def lowered(line: str) -> str:
    """For the middle of a sentence; languages that write nouns large keep them in their translation."""
    return f"{line[:1].lower()}{line[1:]}"


def title_of(job: Job) -> str:
    """Finding animals in batch 6 / Learning from round 18."""
    kind, _dash, number = str(job.arguments.get("reason", "")).partition("-")
    if job.kind == "learn" and kind in ("full", "ahead"):
        return say("Learning from round %(number)s", number=number)
    return retold(job.line)


def progress_of(job: Job) -> str:
    """5,657 of 7,000 photos, 6.2 a second / step 120 of 400."""
    if job.state == ASKED:
        many = job.total > 1 and job.unit == PHOTOS
        return (
            say("%(count)s photos wait for their turn", count=figure(job.total)) if many else say("waits for its turn")
        )
    if not job.total:
        return ""
    if job.unit == STEPS:
        return say("step %(done)s of %(total)s", done=figure(job.done), total=figure(job.total))
    far = say(FAR.get(job.unit, job.unit), done=figure(job.done), total=figure(job.total))
    return f"{far}, {pace(job.rate_per_s)}" if job.rate_per_s else far


def pace(rate_per_s: float) -> str:
    """6.2 a second."""
    return say("%(rate)s a second", rate=decimals(rate_per_s, 1))


def eta_of(job: Job) -> str:
    """About 4 minutes left."""
    if job.cancel_requested or job.pause_requested:
        return ends_words(job.cancel_requested, job.unit if job.total else "")
    if job.state == ASKED:
        return ""
    if not job.total:
        return "" if job.unit == STEPS else say("a few seconds")
    return duration(job.seconds_left)


def ends_words(stops: bool, unit: str) -> str:
    """Stops after the photos in hand / pauses soon. unit: what is in hand, or "" while that is not known."""
    if unit == STEPS:
        return say("stops after this step") if stops else say("pauses after this step")
    if unit == CROPS:
        return say("stops after the crops in hand") if stops else say("pauses after the crops in hand")
    if unit == PHOTOS:
        return say("stops after the photos in hand") if stops else say("pauses after the photos in hand")
    return say("stops soon") if stops else say("pauses soon")


def absent(scene: Scene) -> Now:
    """Nobody works: silent for a while, or not there at all."""
    kept = ""
    if scene.ready:
        kept = say_many(
            "You can go on labeling: %(num)s crop is ready.",
            "You can go on labeling: %(num)s crops are ready.",
            scene.ready,
        )
    gap = scene.at - scene.beats[0].beat_at if scene.beats else None
    if gap is None or gap >= GONE_AFTER:
        return Now(WARN, say("No worker is running: start one with"), command="waterhole worker", detail=kept)
    return Now(WARN, silence(gap), detail=" ".join(filter(None, [kept, say("New photos wait until it is back.")])))


def silence(gap: dt.timedelta) -> str:
    """The worker has been silent for 6 minutes."""
    if gap < MINUTE:
        return say_many(
            "The worker has been silent for %(num)s second.", "The worker has been silent for %(num)s seconds.",
            int(gap.total_seconds()),
        )  # fmt: skip
    return say_many(
        "The worker has been silent for %(num)s minute.",
        "The worker has been silent for %(num)s minutes.",
        gap // MINUTE,
    )


def last_worked(scene: Scene) -> str:
    """Last worked at 13:02 UTC."""
    moments = [scene.ended.ended_at if scene.ended else None, *(beat.worked_at for beat in scene.beats[:1])]
    newest = max((moment for moment in moments if moment is not None), default=None)
    if newest is None:
        return ""
    if newest.date() == scene.at.date():
        return say("Last worked at %(time)s UTC.", time=f"{newest:%H:%M}")
    return say("Last worked at %(day)s, %(time)s UTC.", day=day_and_month(newest), time=f"{newest:%H:%M}")


def sentence(text: str) -> str:
    """With one full stop."""
    return text.rstrip(".") + "."
