"""What is wrong with a file, in two or three words, and what it means for the work (ui/UI.md, Batches)."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from app.pages import decimals, duration
from app.uploads.queries import BatchRow
from models.base import utc_now
from models.batch import QUARANTINED, REFUSED
from models.job import RUNNING, Job
from models.words import mark, retold, say, translated


class Trouble(NamedTuple):
    """badge: what is wrong. kind: the badge's colour, empty for grey. meaning: what it means, what to do."""

    badge: str
    kind: str
    meaning: str


# The first row whose words stand in the reason counts; %(reason)s is the reason as a sentence.
TROUBLES: tuple[tuple[str, str, Trouble], ...] = (
    (
        REFUSED,
        "file is empty",
        Trouble(mark("Empty file"), "bad", mark("Nothing to save. The camera opened it and never wrote.")),
    ),
    (REFUSED, "larger than", Trouble(mark("Too large"), "bad", mark("%(reason)s Save it smaller."))),
    (REFUSED, "megapixels", Trouble(mark("Too large"), "bad", mark("More than 100 megapixels. Save it smaller."))),
    (REFUSED, "video", Trouble(mark("A video"), "", mark("%(reason)s Left out."))),
    (REFUSED, "link to another place", Trouble(mark("A link"), "", "%(reason)s")),
    (
        REFUSED,
        "cannot be read",
        Trouble(mark("Cannot be read"), "bad", mark("%(reason)s Copy it from the card again if you can.")),
    ),
    (REFUSED, "path: ", Trouble(mark("Odd name"), "", mark("%(reason)s Rename it and choose the folder again."))),
    (REFUSED, "unpacks to a huge size", Trouble(mark("Not safe"), "bad", mark("%(reason)s Left out."))),
    (REFUSED, "", Trouble(mark("Not a photo"), "", mark("%(reason)s Left out."))),
    (
        QUARANTINED,
        "ends too early",
        Trouble(mark("Cut off"), "bad", mark("The picture ends early. Copy it from the card again if you can.")),
    ),
    (
        QUARANTINED,
        "",
        Trouble(
            mark("Damaged"), "bad", mark("%(reason)s It is kept as it came. Copy it from the card again if you can.")
        ),
    ),
)

FRESH = dt.timedelta(seconds=90)  # a batch whose last photo is younger is still coming in


class Badge(NamedTuple):
    """A state in words and the colour of its badge."""

    words: str
    kind: str


def standing(row: BatchRow, user_id: int) -> Badge:
    """Where a batch stands, for the list."""
    if row.batch.finished_at is None:
        if is_coming_in(row):
            return Badge(say("Coming in"), "on")
        return Badge(
            say("Waits for you") if row.batch.by_id == user_id else say("Waits for %(name)s", name=row.by), "warn"
        )
    if row.job is not None and row.job.state == RUNNING:
        return Badge(say("Finding animals, %(share)s", share=share(row.looked, row.photos)), "on")
    if row.job is not None:
        return Badge(say("Waits for the worker"), "on")
    if row.waits:
        return Badge(say("Stopped, %(share)s", share=share(row.looked, row.photos)), "bad")
    return Badge(say("Done"), "")


def is_coming_in(row: BatchRow) -> bool:
    """Whether the last photo of an unfinished batch came a moment ago."""
    return row.last_at is not None and utc_now() - row.last_at < FRESH


def share(part: int, whole: int) -> str:
    """Whole percent, never 100% before the last one."""
    return f"{100 * part // whole}%" if whole else "0%"


def trouble(state: str, reason: str) -> Trouble:
    """The row of the table that fits, with the reason put in."""
    found = next(each for of, words, each in TROUBLES if of == state and words in reason)
    return Trouble(
        translated(found.badge), found.kind, translated(found.meaning) % {"reason": sentence(retold(plain(reason)))}
    )


def sentence(reason: str) -> str:
    """A reason as a sentence: "this is an AVI video" -> "This is an AVI video."."""
    return reason[:1].upper() + reason[1:].rstrip(".") + "." if reason else ""


def plain(reason: str) -> str:
    """Without the field's name in front."""
    return re.sub(r"^path: ", "", reason)


def pace(job: Job) -> str:
    """6.2 a second, about 4 minutes left; for the line beside the progress of a job."""
    if job.state != RUNNING:
        return say("It waits for the worker.")
    speed = say("%(rate)s a second", rate=decimals(job.rate_per_s, 1)) if job.rate_per_s else ""
    return ", ".join(part for part in (speed, duration(job.seconds_left)) if part)
