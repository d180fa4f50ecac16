"""The dry run in words: what will happen, line by line, and what a verdict means."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy.orm import Session

from app.imports.queries import rows
from models.imported import (
    ASIDE,
    ASKS,
    BAD,
    CHECKED,
    FAILED,
    GOOD,
    KNOWN,
    LACKING,
    LATER,
    READING,
    STOPPED,
    TAKEN,
    TAKING,
    UNDOING,
    UNDONE,
    Import,
)
from models.words import mark_many, say, say_many, translated


class Badge(NamedTuple):
    """A state in words and the colour of its badge."""

    words: str
    kind: str


BADGES = {
    READING: Badge("Broke off", "bad"), ASKS: Badge("Waits for you", "warn"), CHECKED: Badge("Dry run", "warn"),
    TAKING: Badge("Being taken", "on"), STOPPED: Badge("Stopped", "bad"), TAKEN: Badge("Taken", ""),
    UNDOING: Badge("Being taken back", "on"), UNDONE: Badge("Taken back", ""), FAILED: Badge("Not readable", "bad"),
}  # fmt: skip
# verdict -> (heading of its rows, what it means)
VERDICTS = {
    BAD: ("Bad rows", "They are wrong and are not taken. The others do not wait for them."),
    LACKING: ("Photos that the project lacks", "Nothing is done for them."),
    LATER: ("Rows that wait", "They can be taken once their photos were looked through."),
    ASIDE: ("Kept aside", "They are right, and no photo or crop can have them as its own."),
    KNOWN: ("Here already", "Taking them changes nothing."),
    GOOD: ("Good rows", "They are taken when you say so."),
}
# figure -> the sentence for it
FIGURES = (
    ("photos_here", *mark_many("%(num)s photo of the project is named", "%(num)s photos of the project are named")),
    (
        "photos_given",
        *mark_many(
            "%(num)s photo that waits gets its boxes from the file, and no detector looks at it",
            "%(num)s photos that wait get their boxes from the file, and no detector looks at them",
        ),
    ),
    (
        "photos_absent",
        *mark_many(
            "%(num)s photo is written down without its file", "%(num)s photos are written down without their files"
        ),
    ),
    ("boxes_new", *mark_many("%(num)s new box", "%(num)s new boxes")),
    ("boxes_known", *mark_many("%(num)s box is here already", "%(num)s boxes are here already")),
    ("names", *mark_many("%(num)s crop gets a name that a person gave", "%(num)s crops get names that people gave")),
    (
        "counts",
        *mark_many(
            "%(num)s count of a photo without boxes, or with too few",
            "%(num)s counts of photos without boxes, or with too few",
        ),
    ),
    (
        "names_machine",
        *mark_many(
            "%(num)s box or photo has a machine’s name; it is kept as that, never as an answer",
            "%(num)s boxes or photos have a machine’s name; they are kept as that, never as answers",
        ),
    ),
    (
        "names_beside",
        *mark_many(
            "%(num)s name is kept beside, since no crop can take it",
            "%(num)s names are kept beside, since no crop can take them",
        ),
    ),
    (
        "looks",
        *mark_many("%(num)s crop is flagged: somebody has to look", "%(num)s crops are flagged: somebody has to look"),
    ),
    ("species_new", *mark_many("%(num)s new species", "%(num)s new species")),
    ("deployments_new", *mark_many("%(num)s new deployment", "%(num)s new deployments")),
    (
        "deployments_filled",
        *mark_many(
            "%(num)s deployment learns facts that nobody has given",
            "%(num)s deployments learn facts that nobody has given",
        ),
    ),
    ("sites_new", *mark_many("%(num)s new site", "%(num)s new sites")),
    (
        "photos_moved",
        *mark_many(
            "%(num)s photo goes to the deployment that the file names",
            "%(num)s photos go to the deployments that the file names",
        ),
    ),
)


def badge(import_: Import) -> Badge:
    """Where it stands."""
    found = BADGES[import_.state]
    return Badge(translated(found.words), found.kind)


def what_happens(import_: Import) -> list[str]:
    """The figures of the dry run that are not 0, as sentences."""
    counts = import_.counts
    return [say_many(one, many, counts[name]) for name, one, many in FIGURES if counts.get(name)]


def summary(import_: Import) -> str:
    """One line for the list and the terminal."""
    by_verdict = import_.counts.get("rows", {})
    if import_.state == FAILED:
        return import_.error
    return say(
        "%(good)s good rows, %(known)s here already, %(bad)s bad, %(other)s not for us",
        good=f"{by_verdict.get(GOOD, 0):,}", known=f"{by_verdict.get(KNOWN, 0):,}", bad=f"{by_verdict.get(BAD, 0):,}",
        other=f"{by_verdict.get(ASIDE, 0) + by_verdict.get(LACKING, 0) + by_verdict.get(LATER, 0):,}",
    )  # fmt: skip


def first_rows(session: Session, import_id: int, verdict: str) -> list[tuple[str, str, str]]:
    """(place, field, reason) of the first rows of a verdict, for the terminal."""
    return [(row.place, row.field, row.reason) for row in rows(session, import_id, verdict, 0)[:20]]


def verdicts(import_: Import) -> list[tuple[str, str, str, int]]:
    """(verdict, heading, meaning, how many) of those that came up, the good rows last."""
    by_verdict = import_.counts.get("rows", {})
    return [
        (verdict, translated(heading), translated(meaning), by_verdict[verdict])
        for verdict, (heading, meaning) in VERDICTS.items()
        if by_verdict.get(verdict)
    ]
