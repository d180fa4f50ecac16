"""What the page says when there is no crop to show, and why (ui/UI.md section 5)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import exists, func, select

from app.labeling.review_queries import cases
from models.act import Act
from models.answering import SKIP
from models.base import utc_now
from models.box import Box, askable
from models.consensus import VOICE
from models.desk import Desk
from models.job import DONE, FAILED, UNFINISHED, Job, WorkerBeat
from models.lease import Lease
from models.presence import listed
from models.queue import workers
from models.round import FULL, OPEN, SKIPPED, Pick, Round
from models.user import User
from models.words import figure, retold, say, say_many

CHOOSING, SILENT, HELD, ARRIVING = "choosing", "silent", "held", "arriving"
FIT_FAILED, UNASKED, EMPTY, NOTHING_LEFT = "failed", "unasked", "empty", "done"
SKIPS_SEEN = 200


def why_nothing(desk: Desk) -> dict[str, Any]:
    """state, words, and what the page may offer: skipped crops to look at, the next round to start."""
    learn, ingest = newest_job(desk, "learn"), newest_job(desk, "ingest")
    if learn is not None and learn.state in UNFINISHED:
        return choosing(desk, learn)
    holders = others_with_picks(desk)
    if holders:
        return held(desk, holders)
    if ingest is not None and ingest.state in UNFINISHED:
        far = say_many(
            "%(line)s, %(done)s of %(num)s photo. Crops come after that.",
            "%(line)s, %(done)s of %(num)s photos. Crops come after that.",
            ingest.total, line=retold(ingest.line), done=figure(ingest.done),
        )  # fmt: skip
        return told(ARRIVING, far)
    if learn is not None and learn.state == FAILED:
        return told(
            FIT_FAILED, say("Choosing the next round failed. Your answers are safe. Try again?"), may_start=True
        )
    if somebody_unasked(desk):
        return told(UNASKED, say("Some crops have no answer yet. Start the next round?"), may_start=True)
    if Round.last_number(desk.session, desk.project.id) == 0:
        return told(EMPTY, say("No crops to answer yet. Upload photos first."))
    said = [say("Every crop has an answer."), voices_wanted(desk)]
    doubtful = len(cases(desk.session, desk.project))
    if doubtful:
        said.append(
            say_many(
                "Review %(num)s case, or upload more photos.", "Review %(num)s cases, or upload more photos.", doubtful
            )
        )
        return told(NOTHING_LEFT, " ".join(filter(None, said)), cases=doubtful)
    return told(NOTHING_LEFT, " ".join(filter(None, [*said, say("Upload more photos.")])))


def voices_wanted(desk: Desk) -> str:
    """What other people are asked about, in a sentence of its own; empty where nothing is."""
    wanted = select(func.count()).where(Box.project_id == desk.project.id, Box.waits_for == VOICE)
    count = desk.session.scalar(wanted) or 0
    if not count:
        return ""
    return say_many(
        "%(num)s crop waits for the voice of another person.",
        "%(num)s crops wait for the voice of another person.",
        count,
    )


def told(state: str, words: str, **offers: Any) -> dict[str, Any]:
    """One answer of this file."""
    return {
        "state": state,
        "words": words,
        "skipped": 0,
        "skipped_box_id": None,
        "may_start": False,
        "cases": 0,
    } | offers


def newest_job(desk: Desk, kind: str) -> Job | None:
    """The job of this kind that was asked for last."""
    wanted = select(Job).where(Job.project_id == desk.project.id, Job.kind == kind)
    return desk.session.scalar(wanted.order_by(Job.asked_at.desc()).limit(1))


def choosing(desk: Desk, learn: Job) -> dict[str, Any]:
    """The worker chooses, or should."""
    beat = next(iter(workers(desk.session)), None)
    if beat is None or not beat.is_alive:
        return told(SILENT, silence(beat))
    left = about(seconds_left(desk, learn))
    is_first = not Round.last_number(desk.session, desk.project.id)
    said = [
        say("The first crops are being chosen, %(left)s.", left=left)
        if is_first
        else say("The next round is being chosen, %(left)s.", left=left)
    ]
    skipped = skipped_boxes(desk)
    if skipped:
        said.append(
            say_many("Meanwhile: %(num)s crop you skipped.", "Meanwhile: %(num)s crops you skipped.", len(skipped))
        )
    return told(
        CHOOSING, " ".join(said),
        skipped=len(skipped), skipped_box_id=skipped[0] if skipped else None,
    )  # fmt: skip


def silence(beat: WorkerBeat | None) -> str:
    """Nobody works."""
    if beat is None:
        return say("No worker is running. The next round is chosen when one is.")
    minutes = max(1, round((utc_now() - beat.beat_at).total_seconds() / 60))
    return say_many(
        "The worker has been silent for %(num)s minute. The next round is chosen when it is back.",
        "The worker has been silent for %(num)s minutes. The next round is chosen when it is back.",
        minutes,
    )


def seconds_left(desk: Desk, learn: Job) -> float | None:
    """An honest guess from how long the last one took."""
    wanted = select(Job.started_at, Job.ended_at).where(
        Job.project_id == desk.project.id, Job.kind == "learn", Job.state == DONE, Job.started_at.is_not(None)
    )
    last = desk.session.execute(wanted.order_by(Job.asked_at.desc()).limit(1)).first()
    if last is None or last.ended_at is None:
        return None
    took: dt.timedelta = last.ended_at - last.started_at
    since = utc_now() - learn.started_at if learn.started_at else dt.timedelta()
    return (took - since).total_seconds()


def about(seconds: float | None) -> str:
    """A few seconds / about 4 seconds."""
    if seconds is None or seconds < 2:
        return say("a few seconds")
    return say("about %(count)s seconds", count=round(seconds))


def others_with_picks(desk: Desk) -> list[tuple[str, int]]:
    """(name, how many) of those who have open picks of unfinished rounds on their desk."""
    wanted = (
        select(User.name, func.count())
        .select_from(Lease)
        .join(Pick, Pick.id == Lease.pick_id)
        .join(Round, Round.id == Pick.round_id)
        .join(User, User.id == Lease.user_id)
        .where(
            Round.project_id == desk.project.id, Round.state != FULL, Pick.state == OPEN,
            Lease.user_id != desk.user_id, Lease.expires_at > utc_now(),
        )
        .group_by(User.name)
        .order_by(User.name)
    )  # fmt: skip
    return [(row[0], row[1]) for row in desk.session.execute(wanted)]


def held(desk: Desk, holders: list[tuple[str, int]]) -> dict[str, Any]:
    """Others have the rest on their desks."""
    names = [name for name, _count in holders]
    who = listed(names)
    count = sum(count for _name, count in holders)
    may_start = somebody_unasked(desk)
    said = say_many(
        "%(names)s has the last %(count)s of this round.", "%(names)s have the last %(count)s of this round.", len(names),
        names=who, count=count,
    )  # fmt: skip
    return told(HELD, f"{said} {say('Start the next one?')}" if may_start else said, may_start=may_start)


def somebody_unasked(desk: Desk) -> bool:
    """Whether a next round would find a crop."""
    asked = select(Pick.id).join(Round, Round.id == Pick.round_id).where(Pick.box_id == Box.id, Round.state != FULL)
    unnamed = (
        func.coalesce(Box.settled_species_id, 0) == 0
    )  # not by that index: most unnamed boxes are too faint to ask
    wanted = select(Box.id).where(
        askable(desk.project), unnamed, Box.waits_for.is_(None), ~exists(asked.correlate(Box))
    )
    return desk.session.scalar(wanted.limit(1)) is not None


def skipped_boxes(desk: Desk) -> list[int]:
    """Crops that this person skipped to the end, and that nobody has named."""
    skips = select(Act.answer).where(
        Act.project_id == desk.project.id, Act.user_id == desk.user_id, Act.kind == SKIP, ~Act.taken_back
    )
    box_ids = {answer["box_id"] for answer in desk.session.scalars(skips.order_by(Act.id.desc()).limit(SKIPS_SEEN))}
    wanted = (
        select(Box.id)
        .join(Pick, Pick.box_id == Box.id)
        .where(Box.id.in_(box_ids), Box.settled_species_id.is_(None), Box.deleted_at.is_(None), Pick.state == SKIPPED)
        .order_by(Box.id)
    )
    return list(dict.fromkeys(desk.session.scalars(wanted)))
