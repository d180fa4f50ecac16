"""Camtrap DP 1.0.2 (FORMATS 2): datapackage.json, deployments.csv, media.csv, observations.csv and our own waterhole_labels.csv.

Media rows speak of boxes: one row a box with its outline and the count 1, `blank` where nothing counts, `unclassified` where
nobody and no classifier named it. Event rows are the independent visits, whose counts can be summed. A deployment without a
period or a place is left out with its photos, and so are photos without a time or outside of the period: the format has no
place for them.
"""

from __future__ import annotations

import datetime as dt
import json
import mimetypes
import re
from collections.abc import Iterator
from typing import Any

from app.cells import guard, line
from app.exports.clocks import utc, zoned
from app.exports.label_rows import LABELS, label_lines
from app.exports.lost import lost_lines
from app.exports.naming import HUMAN, NOT_ANIMAL, Said
from app.exports.publication import described, package
from app.exports.queries import CountedBox, Photo
from app.exports.sinks import Archive, ByteSink, Later
from app.exports.study import PERSON, Station, Study
from app.exports.whole_names import WholeName, whole_names
from models.records import event_lines
from models.species import TAXON

DEPLOYMENTS = (
    "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
    "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay", "cameraHeight", "cameraDepth", "cameraTilt",
    "cameraHeading", "detectionDistance", "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups",
    "deploymentTags", "deploymentComments",
)  # fmt: skip
MEDIA = (
    "mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName", "fileMediatype", "exifData",
    "favorite", "mediaComments",
)  # fmt: skip
OBSERVATIONS = (
    "observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd", "observationLevel", "observationType",
    "cameraSetupType", "scientificName", "count", "lifeStage", "sex", "behavior", "individualID", "individualPositionRadius",
    "individualPositionAngle", "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight", "classificationMethod",
    "classifiedBy", "classificationTimestamp", "classificationProbability", "observationTags", "observationComments",
)  # fmt: skip
TYPES = {
    TAXON: "animal",
    PERSON: "human",
    "vehicle": "vehicle",
    "cannot_tell": "unknown",
    "unclassified": "unclassified",
}
GOOD_PATH = re.compile(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$")
MACHINE = "machine"


def write(study: Study, sink: ByteSink) -> None:
    """The package as a zip. Raises Invalid where the publication lacks what the standard requires."""
    about = described(study.project)
    out = Package(study)
    with Archive(sink) as archive:
        with archive.text("deployments.csv") as file:
            file.write(line(DEPLOYMENTS))
            for station in out.stations.values():
                file.write(line(deployment_cells(station)))
        observations = Later()
        observations.write(line(OBSERVATIONS))
        with archive.text("media.csv") as file:
            file.write(line(MEDIA))
            for photo, said in study.photos(people=True):
                if out.takes(photo):
                    file.write(line(out.medium(photo, said)))
                    for cells in out.seen(photo, said):
                        observations.write(line(cells))
        for cells in out.events():
            observations.write(line(cells))
        archive.taken("observations.csv", observations)
        with archive.text("waterhole_labels.csv") as file:
            file.write(line(column for column, _kind in LABELS))
            for cells in label_lines(study):
                file.write(line(cells))
        made = package(study, about, list(out.stations.values()), out.taxa)
        archive.whole("datapackage.json", (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
        archive.whole("what-was-lost.txt", "".join(f"{each}\n" for each in lost_lines("camtrap-dp", study)).encode())


class Package:
    """The rows of one package."""

    def __init__(self, study: Study) -> None:
        """Its deployments are those with a period and a place."""
        self._study = study
        self.stations = {name: each for name, each in study.stations.items() if is_whole(each)}
        self.taxa: set[int] = set()  # those that a row names
        self._whole = whole_names(study)
        self._by_id = {each.deployment.id: each for each in self.stations.values()}

    def takes(self, photo: Photo) -> bool:
        """Whether the photo has a place in the package."""
        station = self.stations.get(photo.deployment)
        return station is not None and photo.taken_at is not None and is_within(station, photo.taken_at)

    def medium(self, photo: Photo, said: list[Said]) -> Iterator[str]:
        """One row of media.csv."""
        row, kept = photo.row, photo.row.details or {}
        name = photo.path.rsplit("/", 1)[-1]
        public = not any(each.kind == PERSON for each in said)
        yield medium_id(photo)
        yield guard(photo.deployment)
        yield row.capture_method or "activityDetection"
        yield self._at(photo)
        yield guard(file_path(photo))
        yield "true" if public and kept.get("filePublic", True) else "false"
        yield guard(kept.get("fileName") or name)
        yield kept.get("fileMediatype") or mimetypes.guess_type(name)[0] or "image/jpeg"
        yield kept.get("exifData", "")
        yield "true" if row.favorite else "false"
        yield guard(kept.get("mediaComments", ""))

    def seen(self, photo: Photo, said: list[Said]) -> Iterator[list[str]]:
        """The media rows of observations.csv about one photo."""
        at = self._at(photo)
        wholes = self._whole.get(photo.id, [])
        counting = [
            (each, box) for each, box in zip(said, photo.boxes, strict=True) if each.kind != NOT_ANIMAL
        ]  # fmt: skip
        for each, box in counting:
            yield self._boxed(photo, at, each, box)
        for number, whole in enumerate(wholes, 1):
            yield self._whole_row(photo, at, whole, number)
        if not counting and not wholes:
            yield self._blank(photo, at, said)

    def events(self) -> Iterator[list[str]]:
        """The event rows: one a visit, made of what was recorded there."""
        study = self._study
        for each in event_lines(study.session, study.store, study.project):
            station = self._by_id.get(each.deployment_id)
            kind = study.taxa[each.species_id].species.kind
            if station is None or each.species_id in study.extreme or kind not in TYPES:
                continue
            if not (is_within(station, each.first_at) and is_within(station, each.last_at)):
                continue
            event = f"e{each.first_image_id}-{each.species_id}"
            count = each.individuals
            yield self._row(
                observationID=event, deploymentID=guard(station.name), eventID=event,
                eventStart=zoned(each.first_at, station.zone), eventEnd=zoned(each.last_at, station.zone),
                observationLevel="event", observationType=TYPES[kind], scientificName=self._scientific(kind, each.species_id),
                count=str(max(count, 1)), classificationMethod=HUMAN if each.named else MACHINE,
                observationTags=tags({"unseen": each.unseen or None}),
            )  # fmt: skip

    def _boxed(self, photo: Photo, at: str, each: Said, box: CountedBox) -> list[str]:
        kind = each.kind
        is_animal = kind == TAXON
        x, y, width, height = outline(box.corners)
        human = each.source == HUMAN
        named = kind != "unclassified"
        return self._row(
            **self._of(photo, at, f"b{box.id}"), observationType=TYPES[kind],
            scientificName=self._scientific(kind, each.species_id), count="1" if named else "",
            lifeStage=each.observed.life_stage if is_animal else "", sex=each.observed.sex if is_animal else "",
            behavior=guard(each.observed.behaviour) if is_animal else "", bboxX=x, bboxY=y, bboxWidth=width, bboxHeight=height,
            classificationMethod=(HUMAN if human else MACHINE) if named else "",
            classifiedBy=guard(each.who if human else self._network(photo, each)) if named else "",
            classificationTimestamp=utc(each.when) if human and each.when else "",
            classificationProbability="" if each.probability is None else f"{each.probability:.4f}",
            observationTags=tags({
                "detectorScore": None if box.is_drawn else f"{box.score:.4f}",
                "certain": "no" if each.certain is False else None,
            }),
        )  # fmt: skip

    def _whole_row(self, photo: Photo, at: str, whole: WholeName, number: int) -> list[str]:
        return self._row(
            **self._of(photo, at, f"p{photo.id}-{number}"), observationType=TYPES.get(whole.kind, "blank"),
            scientificName=self._scientific(whole.kind, whole.species_id),
            count=str(whole.count) if whole.count and whole.kind in TYPES else "",
            classificationMethod=MACHINE if whole.by_machine else HUMAN, classifiedBy=guard(whole.who),
            classificationProbability="" if whole.p is None or not whole.by_machine else f"{whole.p:.4f}",
        )  # fmt: skip

    def _blank(self, photo: Photo, at: str, said: list[Said]) -> list[str]:
        by_people = bool(said) and not photo.has_unnamed_crop and all(each.source == HUMAN for each in said)
        newest = max(said, key=lambda each: str(each.when)) if by_people else None
        return self._row(
            **self._of(photo, at, f"n{photo.id}"), observationType="blank",
            classificationMethod=HUMAN if newest else MACHINE,
            classifiedBy=guard(newest.who if newest else self._study.naming.checkpoint(photo.detector_id)),
            classificationTimestamp=utc(newest.when) if newest and newest.when else "",
        )  # fmt: skip

    def _of(self, photo: Photo, at: str, observation: str) -> dict[str, str]:
        """What every row about a photo says."""
        return {
            "observationID": observation, "deploymentID": guard(photo.deployment), "mediaID": medium_id(photo),
            "eventID": f"s{photo.sequence_id}" if photo.sequence_id else "", "eventStart": at, "eventEnd": at,
            "observationLevel": "media", "cameraSetupType": photo.row.setup,
        }  # fmt: skip

    def _row(self, **cells: str) -> list[str]:
        return [cells.get(column, "") for column in OBSERVATIONS]

    def _at(self, photo: Photo) -> str:
        assert photo.taken_at is not None  # takes() said so
        return zoned(photo.taken_at, self.stations[photo.deployment].zone)

    def _scientific(self, kind: str, species_id: int | None) -> str:
        if kind != TAXON or species_id is None:
            return ""
        self.taxa.add(species_id)
        return guard(self._study.scientific(species_id))

    def _network(self, photo: Photo, each: Said) -> str:
        naming = self._study.naming
        return naming.checkpoint(naming.classifier_id if each.probability is not None else photo.detector_id)


def deployment_cells(station: Station) -> Iterator[str]:
    """One row of deployments.csv, of a station that has a period and a place."""
    row, site, kept = station.deployment, station.stay.site, station.deployment.details or {}
    assert station.point is not None and row.starts_at is not None and row.ends_at is not None
    known = {
        "deploymentID": guard(row.name), "locationID": guard(site.name) if site else "",
        "locationName": guard(site.title) if site else "", "latitude": degrees(station.point.latitude),
        "longitude": degrees(station.point.longitude),
        "coordinateUncertainty": "" if station.point.uncertainty_m is None else str(station.point.uncertainty_m),
        "deploymentStart": zoned(row.starts_at, station.zone), "deploymentEnd": zoned(row.ends_at, station.zone),
        "cameraID": guard(row.camera), "cameraModel": guard(row.camera_model), "deploymentComments": guard(comments(station)),
    }  # fmt: skip
    for column in DEPLOYMENTS:
        yield known[column] if column in known else plain(kept.get(column))


def comments(station: Station) -> str:
    """What people wrote, and when the camera did not work: the format has no column for it."""
    problems = [f"{each.kind} {each.from_at.isoformat()} to {each.to_at.isoformat()}" for each in station.problems]
    said = station.deployment.comments
    return f"{said} [{'; '.join(problems)}]".strip() if problems else said


def plain(value: Any) -> str:
    """A cell of a field that is only kept: true and false as the standard writes them."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else guard(value) if isinstance(value, str) else f"{value:g}"


def medium_id(photo: Photo) -> str:
    """As it was called where it came from, else its number."""
    return (photo.row.details or {}).get("mediaID") or str(photo.id)


def file_path(photo: Photo) -> str:
    """As it was uploaded; where the standard takes no such path, one by number."""
    given = (photo.row.details or {}).get("filePath")
    path: str = given or photo.path
    return path if GOOD_PATH.match(path) or "://" in path else f"media/{photo.id}.jpg"


def outline(corners: tuple[float, float, float, float]) -> tuple[str, str, str, str]:
    """bboxX, bboxY, bboxWidth, bboxHeight: left, top, width, height as shares, within the photo also after rounding."""
    x_min, y_min, x_max, y_max = (round(min(max(each, 0.0), 1.0), 6) for each in corners)
    return f"{x_min:.6f}", f"{y_min:.6f}", f"{max(x_max - x_min, 1e-6):.6f}", f"{max(y_max - y_min, 1e-6):.6f}"


def tags(said: dict[str, Any]) -> str:
    """key:value | key:value, without those that say nothing."""
    return " | ".join(f"{key}:{value}" for key, value in said.items() if value is not None)


def degrees(value: float) -> str:
    """At most 7 digits behind the point: a centimetre."""
    return f"{value:.7f}".rstrip("0").rstrip(".")


def is_whole(station: Station) -> bool:
    """Whether the standard has a place for it."""
    return station.point is not None and station.starts_at is not None and station.ends_at is not None


def is_within(station: Station, moment: dt.datetime) -> bool:
    """Whether the camera stood there then."""
    assert station.starts_at is not None and station.ends_at is not None
    return station.starts_at <= moment.replace(microsecond=0) <= station.ends_at
