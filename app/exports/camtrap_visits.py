"""Independent visits as events of Camtrap DP, and to which of them a photo belongs."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict

from app.exports.camtrap_cells import is_within
from app.exports.camtrap_kept import Ids
from app.exports.queries import Photo
from app.exports.study import PERSON, Station, Study
from models.image import READY
from models.records import EventLine, event_lines
from models.species import TAXON

TYPES = {
    TAXON: "animal",
    PERSON: "human",
    "vehicle": "vehicle",
    "cannot_tell": "unknown",
    "unclassified": "unclassified",
}
TIME_LAPSE = "timeLapse"


class Visits:
    """The events that go out, by which photos name theirs. Memory: some hundred bytes an event."""

    def __init__(self, study: Study, stations: dict[str, Station], ids: Ids) -> None:
        """stations: those in the package. ids: of observations.csv, in which events are rows too.

        Of photos without a file, those events go out that their import brought (KeptEvents).
        """
        by_id = {each.deployment.id: each for each in stations.values()}
        self.every: list[tuple[EventLine, Station, str]] = []
        self._of: dict[tuple[str, int], list[tuple[dt.datetime, dt.datetime, str]]] = defaultdict(list)
        for each in event_lines(study.session, study.store, study.project, (READY,)):
            station = by_id.get(each.deployment_id)
            if (
                station is None
                or each.species_id in study.extreme
                or study.taxa[each.species_id].species.kind not in TYPES
            ):
                continue
            if is_within(station, each.first_at) and is_within(station, each.last_at):
                event = ids.of(None, f"e{each.first_image_id}-{each.species_id}")
                self.every.append((each, station, event))
                self._of[station.name, each.species_id].append((each.first_at, each.last_at, event))

    def of(self, photo: Photo, species_id: int | None) -> str:
        """The id of the event of this species in which the photo lies; empty where it lies in none."""
        events = self._of.get((photo.deployment, species_id or 0), [])
        if not events or photo.state != READY or photo.row.setup or photo.row.capture_method == TIME_LAPSE:
            return ""
        assert photo.taken_at is not None
        at = photo.taken_at.replace(microsecond=0)
        place = bisect_right(events, at, key=lambda each: each[0]) - 1
        return events[place][2] if place >= 0 and at <= events[place][1] else ""
