"""FORMATS: everything that a project can be written as. Page, command and API read this one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.exports import (
    camtrap_dp,
    coco,
    crops,
    detection_history,
    effort,
    megadetector,
    publication,
    record_table,
    timelapse,
    wildlife_insights,
)
from app.exports.cells import Column, TextSink, write_csv
from app.exports.columns import COLUMNS, SUMMARY
from app.exports.files import Written, manifest
from app.exports.lost import lost_lines
from app.exports.rows import ROWS
from app.exports.sinks import ByteSink, HashedBytes, Utf8
from app.exports.study import Options, Study
from models.project import Project
from models.storage import Store
from models.words import mark

CSV, JSON, ZIP = "text/csv; charset=utf-8", "application/json", "application/zip"
# options that a format reads
PEOPLE, OCCASION_DAYS, FORWARD_SLASHES = "people", "occasion_days", "forward_slashes"


def nothing_lacking(_study: Study) -> list[str]:
    """For a format that asks for nothing."""
    return []


@dataclass(frozen=True)
class Format:
    """One of them. file: under which name a browser keeps it. about: (column or file, what it says). lacking: in words, what the
    format asks for and the project does not say."""

    name: str
    title: str
    summary: str
    file: str
    media_type: str
    write: Callable[[Study, ByteSink], object]
    about: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ()
    columns: tuple[Column[Any], ...] = ()  # of our own tables, whose first row the page shows
    lacking: Callable[[Study], list[str]] = nothing_lacking


def as_text(write: Callable[[Study, TextSink], object]) -> Callable[[Study, ByteSink], object]:
    """A writer of text as one of bytes."""

    def write_bytes(study: Study, sink: ByteSink) -> object:
        text = Utf8(sink)
        told = write(study, text)
        text.flush()
        return told

    return write_bytes


def own(name: str) -> Format:
    """One of our own tables."""
    columns = COLUMNS[name]
    about = tuple((column.name, column.meaning) for column in columns)
    return Format(name, name, SUMMARY[name], name, CSV, as_text(partial(write_own, name)), about, columns=columns)


def write_own(name: str, study: Study, sink: TextSink) -> int:
    """How many rows."""
    return write_csv(ROWS[name](study.session, study.store, study.project), COLUMNS[name], sink)


MANIFEST = ("manifest.json", mark("The state that it shows, the networks, and the hash of every file"))
FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        own("species.csv"),
        own("counts.csv"),
        Format(
            "effort.csv", "effort.csv", mark("how long each camera worked"), "effort.csv", CSV, as_text(effort.write),
            tuple(effort.MEANINGS.items()),
        ),
        Format(
            "records.csv", "records.csv", mark("independent records, for camtrapR"), "records.csv", CSV,
            as_text(record_table.write), tuple(record_table.MEANINGS.items()), (PEOPLE,),
        ),
        Format(
            "detections", mark("Detection histories"), mark("sites by occasions, for occupancy models"), "detections.zip", ZIP,
            detection_history.write,
            (
                ("detections_*.csv", mark("One a species: 1 recorded, 0 not recorded, NA no camera worked")),
                ("effort.csv", mark("Active days of each site in each occasion")),
                ("camera_operation.csv", mark("Working cameras of each site on each day")),
                MANIFEST,
            ),
            (OCCASION_DAYS,),
        ),
        Format(
            "camtrap-dp", "Camtrap DP 1.0.2", mark("the standard for publishing, as a package"), "camtrap-dp.zip", ZIP,
            camtrap_dp.write,
            (
                ("datapackage.json", mark("The study, its people and licences, places, times and taxa")),
                ("deployments.csv", mark("Cameras with place and period")),
                ("media.csv", mark("Photos by the path they were uploaded under; those of people are marked as not public")),
                ("observations.csv", mark("A row a box, human or machine, and a row a visit, whose counts can be summed")),
                ("waterhole_labels.csv", mark("Every voice that was ever given, oldest first")),
                ("what-was-lost.txt", mark("What the format could not take")),
                MANIFEST,
            ),
            lacking=lambda study: publication.lacking(study.project),
        ),
        Format(
            "coco", "COCO Camera Traps", mark("boxes and categories, for training"), "coco-camera-traps.json", JSON,
            as_text(coco.write),
            (
                ("images", mark("Photos with size, time, burst and place")),
                ("annotations", mark("A box in pixels each; an empty photo has one of category 0")),
                ("categories", mark("The species list; 0 is empty")),
            ),
            (PEOPLE,),
        ),
        Format(
            "megadetector", "MegaDetector 1.6", mark("every box that was kept, with its score"), "megadetector.json", JSON,
            as_text(megadetector.write),
            (
                ("images", mark("Photos with their boxes, also those below the thresholds; broken ones with the reason")),
                ("classifications", mark("The settled name with 1.0, else the classifier’s likeliest five")),
            ),
            (PEOPLE,),
        ),
        Format(
            "timelapse", "Timelapse", mark("a table for Timelapse, matched by folder and file"), "timelapse.zip", ZIP,
            timelapse.write,
            (
                ("timelapse.csv", mark("A row a photo and species; every data column must be a field of your template")),
                ("duplicate-first.csv", mark("Photos of several species: duplicate them in Timelapse before you import")),
                ("what-was-lost.txt", mark("What the format could not take")),
                MANIFEST,
            ),
            (PEOPLE, FORWARD_SLASHES),
        ),
        Format(
            "wildlife-insights", "Wildlife Insights", mark("the four tables of a batch upload"), "wildlife-insights.zip", ZIP,
            wildlife_insights.write,
            (
                ("images.csv", mark("A row a photo and species; an empty photo is Blank")),
                ("deployments.csv", mark("Cameras with place and period")),
                ("cameras.csv", mark("Each camera once")),
                ("projects.csv", mark("The study; what only the platform asks for is filled in there")),
                ("what-was-lost.txt", mark("What the format could not take")),
                MANIFEST,
            ),
            (PEOPLE,), lacking=wildlife_insights.lacking,
        ),
        Format(
            "crops", mark("Crops by species"), mark("pictures of 256 by 256 in folders, for training elsewhere"), "crops.zip",
            ZIP, crops.write,
            (
                ("Jaguar/*.jpg", mark("A folder a name, people’s names and the classifier’s")),
                ("crops.csv", mark("Each crop with its photo, its name, who or which network says so, and how sure it is")),
                ("what-was-lost.txt", mark("What the format could not take")),
                MANIFEST,
            ),
            (PEOPLE,),
        ),
    )
}  # fmt: skip


def write_export(
    session: Session, store: Store, project: Project, name: str, sink: ByteSink, options: Options | None = None
) -> int:
    """One format of one snapshot into a stream; how many rows it has, 0 for archives. session: as Database.reading() gives.
    Raises KeyError for a format that there is not, Invalid where the project lacks what the format asks for."""
    rows = FORMATS[name].write(Study(session, store, project, options or Options()), sink)
    return rows if isinstance(rows, int) else 0


def write_manifest(
    session: Session, store: Store, project: Project, name: str, sink: ByteSink, options: Options | None = None
) -> None:
    """What an export of this snapshot is: the state, the networks, rows, size and hash, and what was lost. It is written to
    nowhere for it, so it takes as long. Raises as write_export does."""
    hashed = HashedBytes()
    rows = write_export(session, store, project, name, hashed, options)
    sink.write(manifest_of(session, store, project, name, hashed.written(FORMATS[name].file, rows), options))


def manifest_of(
    session: Session, store: Store, project: Project, name: str, written: Written, options: Options | None = None
) -> bytes:
    """The manifest of one file, as JSON."""
    study = Study(session, store, project, options or Options())
    made = manifest(session, project, [written]) | {"lost": lost_lines(name, study)}
    return (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode()
