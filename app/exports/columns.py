"""COLUMNS: every column of our own tables with its meaning and where its text comes from. Page, file and reader use this."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from typing import Any

from app.exports.cells import Column
from app.exports.rows import CountRow, SpeciesRow
from models.words import mark


def wall_clock(moment: dt.datetime | None) -> str:
    """The camera's clock as shot; it has no zone."""
    return "" if moment is None else moment.replace(microsecond=0).isoformat()


def utc(moment: dt.datetime | None) -> str:
    """A moment of the server, with Z."""
    return "" if moment is None else f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def yes_no(value: bool | None) -> str:
    """Blank where nobody said."""
    return "" if value is None else "yes" if value else "no"


def number(value: int | None) -> str:
    """Empty where there is none: an empty cell is not a zero."""
    return "" if value is None else str(value)


def probability(value: float | None) -> str:
    """Three digits: a prediction is kept in half precision."""
    return "" if value is None else f"{value:.3f}"


def tally(words: Iterable[str]) -> str:
    """What was said of the boxes: female; of several that differ each with how many, female: 1; male: 2."""
    said = [word for word in words if word]
    if not said:
        return ""
    counts = Counter(said)
    if len(counts) < 2:
        return "".join(counts)
    return "; ".join(f"{word}: {count}" for word, count in sorted(counts.items()))


SPECIES: tuple[Column[SpeciesRow], ...] = (
    Column("file", mark("Path of the photo as it was uploaded"), lambda row: row.photo.path, is_text=True),
    Column("deployment", mark("Camera at a site for a period: its folder"), lambda row: row.photo.deployment, is_text=True),
    Column(
        "time", mark("The camera’s clock, corrected where it was wrong, without a zone"),
        lambda row: wall_clock(row.photo.taken_at),
    ),
    Column(
        "species",
        mark("Name of the species; person, vehicle or unknown; empty, unclassified, failed or not_yet_processed"),
        lambda row: row.species,
        is_text=True,
    ),
    Column("scientific_name", mark("As in the species list"), lambda row: row.scientific_name, is_text=True),
    Column("count", mark("Its boxes in this photo; a person’s own count where there is one"), lambda row: number(row.count)),
    Column("source", mark("human or predicted; a person’s name wins"), lambda row: row.source),
    Column(
        "probability", mark("The classifier’s, for predicted rows; the lowest of the boxes"),
        lambda row: probability(row.probability),
    ),
    Column("who", mark("Whose answer settled it; of several the newest"), lambda row: row.who, is_text=True),
    Column("when", mark("When that was said, UTC"), lambda row: utc(row.when)),
    Column("certain", mark("no: somebody was not certain; blank when no person said it"), lambda row: yes_no(row.certain)),
    Column(
        "checkpoint", mark("Which network predicted; for the others, which one found the boxes"),
        lambda row: row.checkpoint, is_text=True,
    ),
    Column("image", mark("Number of the photo, the id in counts.csv"), lambda row: str(row.photo.id)),
    Column("sex", mark("female, male; where they differ with how many boxes"), lambda row: tally(o.sex for o in row.observed)),
    Column(
        "life_stage", mark("adult, subadult, juvenile; where they differ with how many boxes"),
        lambda row: tally(o.life_stage for o in row.observed),
    ),
    Column(
        "behaviour", mark("From the project’s list; where they differ with how many boxes"),
        lambda row: tally(o.behaviour for o in row.observed), is_text=True,
    ),
)  # fmt: skip

COUNTS: tuple[Column[CountRow], ...] = (
    Column(
        "level",
        mark("image: one photo; sequence: one burst; event: one independent visit of a species"),
        lambda row: row.level,
    ),
    Column(
        "id",
        mark("Number of the photo or of the burst, of an event photo and species; unique within its level"),
        lambda row: str(row.id),
    ),
    Column("file", mark("Path of the photo; of a burst or an event its first one"), lambda row: row.file, is_text=True),
    Column("deployment", mark("Camera at a site for a period: its folder"), lambda row: row.deployment, is_text=True),
    Column("sequence", mark("Number of the burst that it belongs to"), lambda row: number(row.sequence_id)),
    Column("first", mark("The camera’s clock at its first photo"), lambda row: wall_clock(row.first_at)),
    Column("last", mark("The camera’s clock at its last photo"), lambda row: wall_clock(row.last_at)),
    Column("photos", mark("How many photos it has"), lambda row: str(row.photos)),
    Column(
        "count",
        mark("Animals by boxes; of a burst or an event the most in any one photo"),
        lambda row: number(row.count),
    ),
    Column(
        "corrected", mark("Animals that a person counted; blank when nobody did"), lambda row: number(row.corrected)
    ),
    Column("bin", mark("0, 1 to 10, 11-50 or 51+, of the corrected count where there is one"), lambda row: row.bin),
    Column("state", mark("named, empty, unclassified, failed or not_yet_processed"), lambda row: row.state),
    Column(
        "species",
        mark("Of an event; photos and bursts count animals of any kind"),
        lambda row: row.species,
        is_text=True,
    ),
)

COLUMNS: dict[str, tuple[Column[Any], ...]] = {"species.csv": SPECIES, "counts.csv": COUNTS}
SUMMARY = {
    "species.csv": mark("one row a photo and species"),
    "counts.csv": mark("photos, bursts and events, with bins"),
}
