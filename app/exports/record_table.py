"""records.csv: camtrapR's record table (recordTable, FORMATS 7): one row an independent record of a species at a station.

delta.time.* is the time since what the project's rule looks back to, 0 for the first record of a species there; seconds are
whole, the others have one decimal, each from the one before. A row is the first photo of its visit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from app.cells import guard, line
from app.exports.cells import TextSink
from app.exports.columns import probability
from app.exports.queries import CHUNK, paths_of
from app.exports.study import PERSON, Station, Study
from models.records import EventLine, event_lines
from models.species import TAXON
from models.words import mark

COLUMNS = (
    "Station", "Camera", "Species", "DateTimeOriginal", "Date", "Time", "delta.time.secs", "delta.time.mins", "delta.time.hours",
    "delta.time.days", "Directory", "FileName", "n_images", "count_max", "count", "unseen", "named_by", "common_name", "last",
    "probability", "checkpoint",
)  # fmt: skip

MEANINGS = {
    "Station, Camera": mark("The site and the camera; the deployment’s name where they have none"),
    "Species": mark("Scientific name, else the name of the list"),
    "DateTimeOriginal, Date, Time": mark("The camera’s clock, corrected, of the first photo of the visit"),
    "delta.time.*": mark("Since the record that the project’s rule looks back to, 0 for the first"),
    "Directory, FileName": mark("The first photo of the visit"),
    "n_images, count_max": mark("Photos of the visit, and the most of the species in one of them"),
    "count, unseen": mark("A person’s figure in its place, and more that no photo shows"),
    "named_by": mark("human: a person named one of its photos; else predicted"),
    "probability, checkpoint": mark(
        "The classifier’s highest in the visit, and which classifier; the detector’s names have none"
    ),
}


def write(study: Study, sink: TextSink) -> int:
    """Every record, station by station and by time; how many."""
    sink.write(line(COLUMNS))
    stations = {each.deployment.id: each for each in study.stations.values()}
    count = 0
    for chunk in batched(wanted(study)):
        paths = paths_of(study.session, {each.first_image_id for each in chunk})
        for each in chunk:
            count += 1
            sink.write(line(cells(study, stations[each.deployment_id], each, paths[each.first_image_id])))
    return count


def wanted(study: Study) -> Iterator[EventLine]:
    """The visits of animals and vehicles, and of people where they may go out; what nobody could tell is no species."""
    kinds = {TAXON, "vehicle"} | ({PERSON} if study.options.people else set())
    for each in event_lines(study.session, study.store, study.project):
        if study.taxa[each.species_id].species.kind in kinds and each.species_id not in study.extreme:
            yield each


def batched(lines: Iterator[EventLine]) -> Iterator[tuple[EventLine, ...]]:
    """So many at a time."""
    while chunk := tuple(itertools.islice(lines, CHUNK)):
        yield chunk


def cells(study: Study, station: Station, each: EventLine, path: str) -> Iterator[str]:
    """One row."""
    at, species = each.first_at, study.taxa[each.species_id].species
    folder, _slash, name = path.rpartition("/")
    yield guard(station.site_name)
    yield guard(station.deployment.camera or station.name)
    yield guard(study.scientific(each.species_id))
    yield f"{at:%Y-%m-%d %H:%M:%S}"
    yield f"{at:%Y-%m-%d}"
    yield f"{at:%H:%M:%S}"
    yield from deltas(each.delta_s)
    yield guard(folder)
    yield guard(name)
    yield str(each.photos)
    yield str(each.max_count)
    yield str(each.max_count if each.count is None else each.count)
    yield str(each.unseen)
    yield "human" if each.named else "predicted"
    yield guard(species.name)
    yield f"{each.last_at:%Y-%m-%d %H:%M:%S}"
    yield probability(each.probability)
    yield "" if each.probability is None else guard(study.naming.checkpoint(study.naming.classifier_id))


def deltas(seconds: int) -> Iterator[str]:
    """Seconds, minutes, hours, days, each rounded from the one before."""
    minutes = round(seconds / 60, 1)
    hours = round(minutes / 60, 1)
    days = round(hours / 24, 1)
    yield str(seconds)
    for value in (minutes, hours, days):
        yield f"{value:.1f}".removesuffix(".0")
