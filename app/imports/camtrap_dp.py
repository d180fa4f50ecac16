"""Camtrap DP 1.0: datapackage.json, deployments.csv, media.csv, observations.csv, as a zip or chosen together (FORMATS 2).

A medium whose file lies elsewhere (a web address) is known by its deployment and file name; nothing is ever fetched. Event rows
are about no single photo: they are kept aside and go out again with the package. A box of a machine has no score of its own in
this format; it stands as published, so it counts, unless a tag says detectorScore. Videos and audio are kept aside. A package
that Waterhole wrote says more: zones, problems, and every voice (own_package.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from app.formats.camtrap_dp import own_path
from app.imports.checks import Column, cells_of, moment, one_of, real, text, truth, whole
from app.imports.files import Files
from app.imports.jsons import parsed, words
from app.imports.lines import How, Line, Reading, aside, bad, corners, path_of, shown
from app.imports.own_package import Own, zone_of
from app.imports.tables import Row, table
from models.errors import Invalid
from models.import_records import (
    ANIMAL,
    BLANK,
    HUMAN,
    MACHINE,
    PERSON,
    UNCLASSIFIED,
    UNKNOWN,
    VEHICLE,
    DeploymentRecord,
    PhotoRecord,
    SightingRecord,
)
from models.imported import DEPLOYMENT, PHOTO
from models.species import RANKS

VERSION = re.compile(r"\b1\.0(\.[0-9]+)?\b")
FEATURES = (
    "roadPaved", "roadDirt", "trailHiking", "trailGame", "roadUnderpass", "roadOverpass", "roadBridge", "culvert", "burrow",
    "nestSite", "carcass", "waterSource", "fruitingTree",
)  # fmt: skip
KINDS = {
    "animal": ANIMAL, "human": PERSON, "vehicle": VEHICLE, "blank": BLANK, "unknown": UNKNOWN, "unclassified": UNCLASSIFIED,
}  # fmt: skip
MOST_TAXA, MOST_WORDS = 5_000, 500
BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
# Fields of a sighting for which we have no column of our own; they are kept as they are, these as they are written:
AS_WRITTEN = ("eventStart", "eventEnd", "classificationTimestamp")
REST = (
    "observationID", "eventID", "individualID", "individualPositionRadius", "individualPositionAngle", "individualSpeed",
    "observationTags", "observationComments", "cameraSetupType", "classificationMethod",
)  # fmt: skip


def deployment_columns(zone: str) -> dict[str, Column]:
    """deployments.csv."""
    return {
        "deploymentID": Column(text, needed=True), "locationID": Column(text), "locationName": Column(text),
        "latitude": Column(real(-90, 90), needed=True), "longitude": Column(real(-180, 180), needed=True),
        "coordinateUncertainty": Column(whole(1)), "deploymentStart": Column(moment(zone), needed=True),
        "deploymentEnd": Column(moment(zone), needed=True), "setupBy": Column(text), "cameraID": Column(text),
        "cameraModel": Column(text), "cameraDelay": Column(whole(0)), "cameraHeight": Column(real(0)),
        "cameraDepth": Column(real(0)), "cameraTilt": Column(whole(-90, 90)), "cameraHeading": Column(whole(0, 360)),
        "detectionDistance": Column(real(0)),
        "timestampIssues": Column(truth), "baitUse": Column(truth), "featureType": Column(one_of(*FEATURES)),
        "habitat": Column(text),
        "deploymentGroups": Column(text), "deploymentTags": Column(text), "deploymentComments": Column(text),
    }  # fmt: skip


def media_columns(zone: str) -> dict[str, Column]:
    """media.csv."""
    return {
        "mediaID": Column(text, needed=True), "deploymentID": Column(text, needed=True),
        "captureMethod": Column(one_of("activityDetection", "timeLapse")), "timestamp": Column(moment(zone), needed=True),
        "filePath": Column(text, needed=True), "filePublic": Column(truth, needed=True), "fileName": Column(text),
        "fileMediatype": Column(text, needed=True), "exifData": Column(text), "favorite": Column(truth),
        "mediaComments": Column(text),
    }  # fmt: skip


def observation_columns(zone: str) -> dict[str, Column]:
    """observations.csv."""
    return {
        "observationID": Column(text, needed=True), "deploymentID": Column(text, needed=True), "mediaID": Column(text),
        "eventID": Column(text), "eventStart": Column(moment(zone), needed=True), "eventEnd": Column(moment(zone), needed=True),
        "observationLevel": Column(one_of("media", "event"), needed=True), "observationType": Column(one_of(*KINDS), needed=True),
        "cameraSetupType": Column(one_of("setup", "calibration")), "scientificName": Column(text), "count": Column(whole(1)),
        "lifeStage": Column(one_of("adult", "subadult", "juvenile")), "sex": Column(one_of("female", "male")),
        "behavior": Column(text), "individualID": Column(text), "individualPositionRadius": Column(real(0)),
        "individualPositionAngle": Column(real(-90, 90)), "individualSpeed": Column(real(0)), "bboxX": Column(real(0, 1)),
        "bboxY": Column(real(0, 1)), "bboxWidth": Column(real(1e-15, 1)), "bboxHeight": Column(real(1e-15, 1)),
        "classificationMethod": Column(one_of("human", "machine")), "classifiedBy": Column(text),
        "classificationTimestamp": Column(moment("UTC")), "classificationProbability": Column(real(0, 1)),
        "observationTags": Column(text), "observationComments": Column(text),
    }  # fmt: skip


def read(files: Files, how: How) -> Reading:
    """Raises Invalid where the package lacks a table, or is of a version that we do not know."""
    package = parsed(files.content("datapackage.json")) if files.has("datapackage.json") else {}
    said = str(package.get("profile", "1.0.2"))
    if not VERSION.search(said):
        raise Invalid(f"datapackage.json profile: {shown(said)} is not version 1.0 of Camtrap DP")
    for name in ("deployments.csv", "media.csv", "observations.csv"):
        if not files.has(name):
            raise Invalid(f"files: {name} is missing; choose all tables of the package together, or its zip")
    names = common_names(package)
    own = Own.of(files, package)
    known = {"ranks": ranks(package) | own.ranks(), "names": names, "taxa": taxa(package)}
    return Reading({"title": words(package.get("title"), 300)} | known, Package(files, how, names, own).lines())


def ranks(package: dict[str, Any]) -> dict[str, str]:
    """Scientific name -> its rank, where it is one of ours and above the species."""
    listed = package.get("taxonomic")
    taxa = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    return {
        words(each.get("scientificName")): each["taxonRank"]
        for each in taxa
        if each.get("taxonRank") in RANKS and words(each.get("scientificName"))
    }


def taxa(package: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Scientific name -> what the package says of it, in words."""
    listed = package.get("taxonomic")
    found: dict[str, dict[str, Any]] = {}
    for each in listed[:MOST_TAXA] if isinstance(listed, list) else []:
        if isinstance(each, dict) and (name := words(each.get("scientificName"))):
            said = {
                field: value for field, value in each.items() if isinstance(value, str) and len(value) <= MOST_WORDS
            }
            names = each.get("vernacularNames")
            both = (
                {lang: word for lang, word in names.items() if isinstance(word, str)} if isinstance(names, dict) else {}
            )
            found[name] = said | ({"vernacularNames": both} if both else {})
    return found


def common_names(package: dict[str, Any]) -> dict[str, str]:
    """Scientific name -> English name."""
    listed = package.get("taxonomic")
    found: dict[str, str] = {}
    for each in listed if isinstance(listed, list) else []:
        names = each.get("vernacularNames") if isinstance(each, dict) else None
        if isinstance(names, dict) and words(names.get("eng") or names.get("en")):
            found[words(each.get("scientificName"))] = words(names.get("eng") or names.get("en"))
    return found


class Package:
    """The three tables, read one after the other: what is wrong with a row also keeps out the rows that hang on it."""

    def __init__(self, files: Files, how: How, names: dict[str, str], own: Own) -> None:
        """names: scientific -> common."""
        self._files, self._how, self._names, self._own = files, how, names, own
        self._deployments: set[str] = set()
        self._media: dict[str, tuple[str, str]] = {}  # good ones: id -> (path, deployment)
        self._bad_media: set[str] = set()
        self._paths: set[str] = set()
        self._seen: set[str] = set()

    def lines(self) -> Iterator[Line]:
        """Deployments first, then media, then observations."""
        for row, values in self._rows("deployments.csv", deployment_columns(self._how.zone)):
            yield from self._deployment(row, values)
        for row, values in self._rows("media.csv", media_columns(self._how.zone)):
            yield from self._medium(row, values)
        for row, values in self._rows("observations.csv", observation_columns(self._how.zone)):
            yield from self._observation(row, values)
        yield from self._own.voices(self._files, self._how)

    def _rows(
        self, name: str, columns: dict[str, Column]
    ) -> Iterator[tuple[Row, tuple[dict[str, Any], list[tuple[str, str]]]]]:
        found = table(self._files, name, self._how)
        lacking = [column for column, each in columns.items() if each.needed and column not in found.header]
        if lacking:
            raise Invalid(f"{name} line 1: the column {lacking[0]} is missing")
        for row in found.rows:
            read = self._own.row(row)
            yield read, cells_of(read, columns)

    def _deployment(self, row: Row, checked: tuple[dict[str, Any], list[tuple[str, str]]]) -> Iterator[Line]:
        place = f"deployments.csv line {row.line}"
        values, wrong = checked
        if not wrong and values["deploymentStart"] > values["deploymentEnd"]:
            wrong = [("deploymentEnd", "it is before deploymentStart")]
        if not wrong and values["deploymentID"] in self._deployments:
            wrong = [("deploymentID", "it comes twice")]
        if wrong:
            yield from (bad(place, field, reason, kind=DEPLOYMENT) for field, reason in wrong)
            return
        self._deployments.add(values["deploymentID"])
        known = {
            "deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty", "deploymentStart",
            "deploymentEnd", "cameraID", "cameraModel", "deploymentComments",
        }  # fmt: skip
        beside = self._own.deployment(values["deploymentID"])
        record = DeploymentRecord(
            name=values["deploymentID"][:255], site=values.get("locationID", values.get("locationName", ""))[:255],
            site_title=values.get("locationName", "")[:255], latitude=values["latitude"], longitude=values["longitude"],
            uncertainty_m=values.get("coordinateUncertainty"), starts_at=values["deploymentStart"],
            ends_at=values["deploymentEnd"], camera=values.get("cameraID", "")[:100],
            camera_model=values.get("cameraModel", "")[:200],
            comments=beside.get("comments", values.get("deploymentComments", ""))[:2000],
            details={name: value for name, value in values.items() if name not in known},
            zone=beside.get("zone") or zone_of(row.get("deploymentStart"), row.get("deploymentEnd"), self._how.zone),
            problems=beside.get("problems", []),
        )  # fmt: skip
        yield Line(place, DEPLOYMENT, "", record)

    def _medium(self, row: Row, checked: tuple[dict[str, Any], list[tuple[str, str]]]) -> Iterator[Line]:
        place = f"media.csv line {row.line}"
        values, wrong = checked
        medium = values.get("mediaID", "")
        if not wrong and values["deploymentID"] not in self._deployments:
            wrong = [("deploymentID", f"{shown(values['deploymentID'])} is no good row of deployments.csv")]
        if not wrong and medium in self._media:
            wrong = [("mediaID", "it comes twice")]
        path = ""
        if not wrong:
            try:
                path = self._path(values)
            except Invalid as error:
                wrong = [("filePath", str(error))]
        if wrong:
            self._bad_media.add(medium)
            yield from (bad(place, field, reason, kind=PHOTO) for field, reason in wrong)
            return
        if not values["fileMediatype"].startswith("image/"):
            self._bad_media.add(medium)
            yield aside(place, f"{values['fileMediatype'][:60]}: only photos are taken", kind=PHOTO)
            return
        self._media[medium] = (path, values["deploymentID"])
        if "exifData" in values and not is_json(values["exifData"]):
            yield aside(place, "exifData is no JSON; it is kept as it stands, and the photo itself is fine", photo=path)
        rest = ("mediaID", "filePath", "filePublic", "fileMediatype", "exifData", "mediaComments")
        record = PhotoRecord(
            deployment=values["deploymentID"][:255], taken_at=values["timestamp"],
            capture_method=values.get("captureMethod", ""), favorite=values.get("favorite", False),
            details={name: values[name] for name in rest if name in values} | {"timestamp": row.get("timestamp")},
        )  # fmt: skip
        yield Line(place, PHOTO, path, record)

    def _path(self, values: dict[str, Any]) -> str:
        """As written; of a web address the file's name below its deployment. Raises Invalid."""
        written = values["filePath"]
        if self._own:
            return path_of(own_path(written), self._how, exact=True)
        is_address = "://" in written
        if not is_address and not re.match(r"^(?=^[^./~])(^((?!\.{2}).)*$).*$", written):
            raise Invalid(f"{shown(written)} is no relative path")
        name = f"{values['deploymentID']}/{values.get('fileName') or values['mediaID']}" if is_address else written
        path = path_of(name, self._how)
        if path in self._paths:
            path = path_of(f"{path}/{values['mediaID']}", self._how)
        self._paths.add(path)
        return path

    def _observation(self, row: Row, checked: tuple[dict[str, Any], list[tuple[str, str]]]) -> Iterator[Line]:
        place = f"observations.csv line {row.line}"
        values, wrong = checked
        wrong = wrong or list(self._contradictions(values))
        medium = values.get("mediaID", "")
        path = self._media.get(medium, ("", ""))[0]
        if wrong:
            yield from (bad(place, field, reason, photo=path) for field, reason in wrong)
            return
        self._seen.add(values["observationID"])
        record = self._sighting(row, values)
        if values["observationLevel"] == "event":
            yield aside(place, "an event is about no single photo", record=record)
        elif medium in self._bad_media:
            yield aside(place, "the row of its medium was not taken", record=record)
        else:
            yield Line(place, photo=path, record=record)

    def _contradictions(self, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if values["observationID"] in self._seen:
            yield "observationID", "it comes twice"
        if values["deploymentID"] not in self._deployments:
            yield "deploymentID", f"{shown(values['deploymentID'])} is no good row of deployments.csv"
        if values["eventStart"] > values["eventEnd"]:
            yield "eventEnd", "it is before eventStart"
        medium = values.get("mediaID", "")
        if values["observationLevel"] == "media" and medium not in self._media and medium not in self._bad_media:
            yield "mediaID", f"{shown(medium)} is no row of media.csv"
        if values["observationType"] == "animal" and not values.get("scientificName"):
            yield "scientificName", "an animal needs a name"
        sides = [values[side] for side in BOX if side in values]
        if sides and (len(sides) < 4 or corners(sides) is None):
            yield "bboxX", f"{shown(sides)} is no box within the photo"

    def _sighting(self, row: Row, values: dict[str, Any]) -> SightingRecord:
        sides = [values[side] for side in BOX if side in values]
        kind = KINDS[values["observationType"]]
        scientific = values.get("scientificName", "")[:200] if kind == ANIMAL else ""
        by_machine = values.get("classificationMethod") == "machine"
        probability = values.get("classificationProbability")
        name = self._names.get(scientific, "")[:200]
        name, scientific = self._own.called(scientific) or (name, scientific)
        said = MACHINE if by_machine else HUMAN
        tags = tags_of(values.get("observationTags", ""))
        return SightingRecord(
            kind=kind, box=corners(sides), score=score_of(tags), name=name, scientific_name=scientific,
            guesses=[[name or scientific or kind, probability]] if by_machine and kind != UNCLASSIFIED else [],
            said_by="" if kind == UNCLASSIFIED else said, who=values.get("classifiedBy", "")[:200], count=values.get("count"),
            sex=values.get("sex", ""), life_stage=values.get("lifeStage", ""), behaviour=values.get("behavior", "")[:60],
            details=kept_of(row, values, kind), unsure=tags.get("certain") == "no", box_kind=tags.get("detectedAs", ""),
        )  # fmt: skip


def kept_of(row: Row, values: dict[str, Any], kind: str) -> dict[str, Any]:
    """What a row says and our own columns do not, by Camtrap DP's names."""
    kept = {each: values[each] for each in REST if each in values} | {
        each: row.get(each) for each in AS_WRITTEN if each in values
    }
    if kind != ANIMAL and "scientificName" in values:
        kept["scientificName"] = values["scientificName"]
    if values.get("classificationMethod") != "machine" and "classificationProbability" in values:
        kept["classificationProbability"] = values["classificationProbability"]
    if values["observationLevel"] == "event":
        kept |= {"observationLevel": "event", "deploymentID": values["deploymentID"]}
    return kept


def tags_of(cell: str) -> dict[str, str]:
    """key:value | key:value."""
    parts = (part.partition(":") for part in cell.split("|"))
    return {key.strip(): value.strip() for key, _colon, value in parts}


def score_of(tags: dict[str, str]) -> float | None:
    """The detector's, which the format has no column for."""
    try:
        score = float(tags.get("detectorScore", ""))
    except ValueError:
        return None
    return score if 0 <= score <= 1 else None


def is_json(text_: str) -> bool:
    """Whether the cell holds JSON."""
    try:
        json.loads(text_)
    except (ValueError, RecursionError):
        return False
    return True
