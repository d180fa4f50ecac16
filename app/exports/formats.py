"""FORMATS: everything that a project can be written as. Page, command and API read this one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.exports import camtrap_dp, coco, detection_history, effort, megadetector, record_table
from app.exports.cells import Column, TextSink, write_csv
from app.exports.columns import COLUMNS, SUMMARY
from app.exports.rows import ROWS
from app.exports.sinks import ByteSink, Utf8
from app.exports.study import Options, Study
from models.project import Project
from models.storage import Store
from models.words import mark

CSV, JSON, ZIP = "text/csv; charset=utf-8", "application/json", "application/zip"
PEOPLE, OCCASION_DAYS = "people", "occasion_days"  # options that a format reads


@dataclass(frozen=True)
class Format:
    """One of them. file: under which name a browser keeps it. about: (column or file, what it says)."""

    name: str
    title: str
    summary: str
    file: str
    media_type: str
    write: Callable[[Study, ByteSink], object]
    about: tuple[tuple[str, str], ...]
    options: tuple[str, ...] = ()
    columns: tuple[Column[Any], ...] = ()  # of our own tables, whose first row the page shows


def as_text(write: Callable[[Study, TextSink], object]) -> Callable[[Study, ByteSink], object]:
    """A writer of text as one of bytes."""
    return lambda study, sink: write(study, Utf8(sink))


def own(name: str) -> Format:
    """One of our own tables."""
    columns = COLUMNS[name]
    about = tuple((column.name, column.meaning) for column in columns)
    return Format(name, name, SUMMARY[name], name, CSV, as_text(partial(write_own, name)), about, columns=columns)


def write_own(name: str, study: Study, sink: TextSink) -> int:
    """How many rows."""
    return write_csv(ROWS[name](study.session, study.store, study.project), COLUMNS[name], sink)


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
            ),
        ),
        Format(
            "coco", "COCO Camera Traps", mark("boxes and categories, for training"), "coco-camera-traps.json", JSON, coco.write,
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
    )
}  # fmt: skip


def write_export(
    session: Session, store: Store, project: Project, name: str, sink: ByteSink, options: Options | None = None
) -> None:
    """One format of one snapshot into a stream. session: as Database.reading() gives. Raises KeyError for a format that there is
    not, Invalid where the project lacks what the format asks for."""
    FORMATS[name].write(Study(session, store, project, options or Options()), sink)
