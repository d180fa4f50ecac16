"""Rows of imports as rows of observations.csv again, with the ids, events, times, tags and comments that they came with."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

import numpy as np
from sqlalchemy import select

from app.cells import guard
from app.exports.clocks import zone_named
from app.exports.imported import OF_EVENTS, Imported, Kept
from app.exports.study import Station, Study
from models.image import COUNTING, Image
from models.import_records import ANIMAL, BLANK, HUMAN, PERSON, UNCLASSIFIED, UNKNOWN, VEHICLE, SightingRecord
from models.imported import SIGHTING, ImportRow

TYPES = {
    ANIMAL: "animal", PERSON: "human", VEHICLE: "vehicle", BLANK: "blank", UNKNOWN: "unknown", UNCLASSIFIED: "unclassified",
}  # fmt: skip
# Cells that stand in a file as they are, by their names there.
WORDS = ("eventID", "individualID", "observationTags", "observationComments", "cameraSetupType")
FIGURES = ("individualPositionRadius", "individualPositionAngle", "individualSpeed", "classificationProbability")
Period = tuple[dt.datetime, dt.datetime]


class Ids:
    """Ids that must be unique in a table: one of an import stays where it comes once, and ours keep out of the way of theirs."""

    def __init__(self, kept: Iterable[str]) -> None:
        """kept: every id that an import gave. Memory: 8 bytes each."""
        self._kept = np.sort(np.fromiter((hash(each) for each in kept), np.int64))

    def of(self, kept: object, own: str) -> str:
        """The imported one, else ours."""
        if not self._kept.size:
            return own
        if isinstance(kept, str) and kept and self._times(kept) == 1:
            return kept
        while self._times(own):
            own = f"w{own}"
        return own

    def _times(self, id_: str) -> int:
        return int(np.searchsorted(self._kept, hash(id_), "right") - np.searchsorted(self._kept, hash(id_), "left"))


def medium_ids(study: Study, imported: Imported) -> Ids:
    """Of media.csv."""
    if not imported.ids:
        return Ids(())
    rows = study.session.execute(
        select(Image.details["mediaID"].as_string())
        .where(Image.project_id == study.project.id, Image.state.in_(COUNTING))
        .execution_options(yield_per=10_000)
    )
    return Ids(id_ for (id_,) in rows if id_)


def observation_ids(study: Study, imported: Imported) -> Ids:
    """Of observations.csv, with those of its events."""
    if not imported.ids:
        return Ids(())
    said = ImportRow.record["details"]
    rows = study.session.execute(
        # the same row of a file that was brought twice goes out once
        select(said["observationID"].as_string(), said["deploymentID"].as_string(), ImportRow.photo, ImportRow.place)
        .where(ImportRow.import_id.in_(imported.ids), ImportRow.kind == SIGHTING)
        .distinct()
        .execution_options(yield_per=10_000)
    )
    return Ids(row[0] for row in rows if row[0])


def kept_cells(record: SightingRecord, scientific: str) -> dict[str, str]:
    """What a row says, without its id and times. scientific: what it is called here; an animal without a name is unclassified."""
    kept = record.details
    by_machine = record.said_by not in ("", HUMAN)
    cells = {name: guard(kept.get(name, "")) for name in WORDS} | {name: number(kept.get(name)) for name in FIGURES}
    if by_machine and record.guesses:
        cells["classificationProbability"] = number(record.guesses[0][1])
    if record.score is not None and not cells["observationTags"]:
        cells["observationTags"] = f"detectorScore:{record.score:.4f}"
    is_named = record.kind != ANIMAL or bool(scientific)
    return cells | {
        "observationType": TYPES[record.kind if is_named else UNCLASSIFIED], "count": number(record.count),
        "lifeStage": record.life_stage, "sex": record.sex, "scientificName": guard(scientific),
        "behavior": guard(record.behaviour), "classificationMethod": kept.get("classificationMethod", record.said_by),
        "classifiedBy": guard(record.who), "classificationTimestamp": kept.get("classificationTimestamp", ""),
    }  # fmt: skip


def number(value: Any) -> str:
    """As short as it can be told apart."""
    return "" if value is None else repr(value) if isinstance(value, float) else str(value)


def times_of(kept: dict[str, Any], zone: str) -> Period | None:
    """eventStart and eventEnd by the clock of the camera's zone; None where the row has none that can be read."""
    try:
        start, end = (dt.datetime.fromisoformat(kept[name]) for name in ("eventStart", "eventEnd"))
    except (KeyError, TypeError, ValueError):
        return None
    return wall(start, zone), wall(end, zone)


def wall(moment: dt.datetime, zone: str) -> dt.datetime:
    """Without a zone, as the camera's clock shows it."""
    at = moment.astimezone(zone_named(zone)) if moment.tzinfo else moment
    return at.replace(tzinfo=None)


class KeptEvents:
    """The event rows of imports, which go out where no photo of them says otherwise by now."""

    def __init__(self, imported: Imported, stations: dict[str, Station]) -> None:
        """stations: those in the package, by name."""
        self._imported, self._stations = imported, stations
        self._own: dict[str, list[dt.datetime]] = {
            name: [] for name in imported.places_of_events()
        }  # photos that are ours by now

    def saw(self, deployment: str, moment: dt.datetime, *, as_imported: bool) -> None:
        """A photo of the package; to be told of each before the rows are asked for."""
        if deployment in self._own and not as_imported:
            insort(self._own[deployment], moment)

    def cover(self, deployment: str, first_at: dt.datetime, last_at: dt.datetime) -> bool:
        """Whether a visit that we would make of the photos is told by event rows of an import already."""
        moments = self._own.get(deployment)
        if moments is None:
            return False
        at = bisect_left(moments, first_at)
        has_own = at < len(moments) and moments[at] <= last_at
        return not has_own and any(start <= last_at and first_at <= end for start, end in self._periods[deployment])

    @cached_property
    def _periods(self) -> dict[str, list[Period]]:
        found: dict[str, list[Period]] = defaultdict(list)
        for _row, _kept, station, period in self.rows():
            found[station.name].append(period)
        return found

    def rows(self) -> Iterator[tuple[ImportRow, Kept, Station, Period]]:
        """Those that stand, in the order of the files."""
        told: set[tuple[str, str]] = set()
        for row in self._imported.aside(*OF_EVENTS) if self._own else ():
            record = SightingRecord.of(row.record)
            station = self._stations.get(record.details.get("deploymentID", ""))
            period = times_of(record.details, station.zone) if station else None
            if station is None or period is None or record.details.get("observationLevel") != "event":
                continue
            key = (station.name, record.details.get("observationID", ""))
            if key not in told and self._stands(station, period):  # of a file that was brought twice once
                told.add(key)
                yield row, Kept(row.id, 0, record, self._imported.means(record), True), station, period

    def _stands(self, station: Station, period: Period) -> bool:
        assert station.starts_at is not None and station.ends_at is not None
        moments = self._own[station.name]
        at = bisect_left(moments, period[0])
        is_free = at == len(moments) or moments[at] > period[1]
        return is_free and station.starts_at <= period[0] and period[1] <= station.ends_at
