"""Independent visits as events of Camtrap DP, and to which of them a photo belongs."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from app.exports.camtrap_kept import Ids
from app.exports.queries import Photo
from app.exports.study import PERSON, Station, Study
from models.image import READY
from models.records import EPOCH, EventLine, event_lines
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
    """The events that go out, by which photos name theirs. Memory: about 50 bytes an event."""

    def __init__(self, study: Study, stations: dict[str, Station], ids: Ids) -> None:
        """stations: those in the package. ids: of observations.csv, in which events are rows too.

        Of photos without a file, those events go out that their import brought (KeptEvents).
        """
        self._study, self._ids = study, ids
        self._by_id = {each.deployment.id: each for each in stations.values()}
        found: dict[tuple[str, int], array[int]] = defaultdict(lambda: array("q"))
        for each, station, _event in self.every():
            found[station.name, each.species_id].extend(
                (seconds_of(each.first_at), seconds_of(each.last_at), each.first_image_id)
            )
        self._of = {key: np.array(flat, np.int64).reshape(-1, 3) for key, flat in found.items()}

    def every(self) -> Iterator[tuple[EventLine, Station, str]]:
        """Each with its station and its id, made anew from the rows of this snapshot."""
        study = self._study
        for each in event_lines(study.session, study.store, study.project, (READY,)):
            station = self._by_id.get(each.deployment_id)
            kind = study.taxa[each.species_id].species.kind
            if station is None or each.species_id in study.extreme or kind not in TYPES:
                continue
            if station.is_within(each.first_at) and station.is_within(each.last_at):
                yield each, station, self._id(each.first_image_id, each.species_id)

    def of(self, photo: Photo, species_id: int | None) -> str:
        """The id of the event of this species in which the photo lies; empty where it lies in none."""
        events = self._of.get((photo.deployment, species_id or 0))
        if events is None or photo.state != READY or photo.row.setup or photo.row.capture_method == TIME_LAPSE:
            return ""
        assert photo.taken_at is not None
        at = seconds_of(photo.taken_at)
        place = int(np.searchsorted(events[:, 0], at, "right")) - 1
        if place < 0 or at > events[place, 1]:
            return ""
        return self._id(int(events[place, 2]), species_id or 0)

    def _id(self, first_image_id: int, species_id: int) -> str:
        return self._ids.of(None, f"e{first_image_id}-{species_id}")


def seconds_of(moment: dt.datetime) -> int:
    """Since 1970, of a camera's clock."""
    return int((moment.replace(microsecond=0) - EPOCH).total_seconds())
