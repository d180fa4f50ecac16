"""Wildlife Insights (FORMATS 6): the upload set and downloads (images_*.csv, sequences*.csv).

The photo is the file at `location`, or `filename`. A sequence project's rows are about no single photo and are kept aside. Where
is_blank and the name differ, the name counts and the row says so. A row that computer vision identified is a machine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from app.imports.checks import Column, cells_of, clock, real, text, truth, whole
from app.imports.files import Files
from app.imports.lines import How, Line, Reading, aside, bad, meant, path_of
from app.imports.tables import Row, table, unguarded
from models.errors import Invalid
from models.import_records import ANIMAL, BLANK, HUMAN, MACHINE, DeploymentRecord, PhotoRecord, SightingRecord
from models.imported import DEPLOYMENT, PHOTO


def term(cell: str) -> str:
    """Text, without the mark that our own tables put before what a spreadsheet would take for a formula."""
    return text(unguarded(cell))


DEPLOYMENTS = {
    "deployment_id": Column(term, needed=True), "placename": Column(term), "longitude": Column(real(-180, 180)),
    "latitude": Column(real(-90, 90)), "start_date": Column(clock, needed=True), "end_date": Column(clock, needed=True),
    "camera_id": Column(term), "feature_type": Column(term), "bait_type": Column(term), "quiet_period": Column(term),
    "camera_functioning": Column(term), "sensor_height": Column(term), "sensor_orientation": Column(term),
    "recorded_by": Column(term),
    "event_name": Column(term), "subproject_name": Column(term),
}  # fmt: skip
IMAGES = {
    "deployment_id": Column(term, needed=True), "image_id": Column(term), "location": Column(term), "filename": Column(term),
    "is_blank": Column(truth), "identified_by": Column(term), "wi_taxon_id": Column(term), "class": Column(term),
    "order": Column(term), "family": Column(term), "genus": Column(term), "species": Column(term), "common_name": Column(term),
    "uncertainty": Column(term), "timestamp": Column(clock), "number_of_objects": Column(whole(0, 100_000)),
    "group_size": Column(whole(0, 100_000)), "highlighted": Column(truth), "age": Column(term), "sex": Column(term),
    "behavior": Column(term), "cv_confidence": Column(term), "individual_id": Column(term), "markings": Column(term),
}  # fmt: skip
KEPT = ("placename", "feature_type", "bait_type", "quiet_period", "camera_functioning", "sensor_height", "sensor_orientation",
        "recorded_by", "event_name", "subproject_name")  # fmt: skip
REST = ("image_id", "wi_taxon_id", "individual_id", "markings", "cv_confidence")
MACHINES = ("computer vision", "cv")
STAGES = {"adult": "adult", "subadult": "subadult", "juvenile": "juvenile", "young": "juvenile"}
SEXES = {"male": "male", "female": "female"}


def read(files: Files, how: How) -> Reading:
    """Raises Invalid where there is no table of images."""
    images = sorted(name for name in files.members if re.fullmatch(r"images([_-].*)?\.csv", name.lower()))
    sequences = sorted(name for name in files.members if re.fullmatch(r"sequences([_-].*)?\.csv", name.lower()))
    if not images and not sequences:
        raise Invalid("files: images.csv or images_*.csv is missing")
    return Reading({"classifier": "Wildlife Insights computer vision"}, Reader(files, how).lines(images, sequences))


class Reader:
    """Deployments first, so that images of others are found out."""

    def __init__(self, files: Files, how: How) -> None:
        """Reads nothing yet."""
        self._files, self._how = files, how
        self._deployments: set[str] | None = None
        self._described: set[str] = set()

    def lines(self, images: list[str], sequences: list[str]) -> Iterator[Line]:
        """Every row of every table that is about deployments or photos."""
        if self._files.has("deployments.csv"):
            self._deployments = set()
            for row in table(self._files, "deployments.csv", self._how).rows:
                yield from self._deployment(row)
        for name in images:
            for row in table(self._files, name, self._how).rows:
                yield from self._image(f"{name} line {row.line}", row)
        for name in sequences:
            for row in table(self._files, name, self._how).rows:
                yield from self._sequence(f"{name} line {row.line}", row)

    def _deployment(self, row: Row) -> Iterator[Line]:
        place = f"deployments.csv line {row.line}"
        values, wrong = cells_of(row, DEPLOYMENTS)
        assert self._deployments is not None
        if not wrong and values["start_date"] > values["end_date"]:
            wrong = [("end_date", "it is before start_date")]
        if not wrong and values["deployment_id"] in self._deployments:
            wrong = [("deployment_id", "it comes twice")]
        if wrong:
            yield from (bad(place, field, reason, kind=DEPLOYMENT) for field, reason in wrong)
            return
        self._deployments.add(values["deployment_id"])
        record = DeploymentRecord(
            name=values["deployment_id"][:255], site=values.get("placename", "")[:255], latitude=values.get("latitude"),
            longitude=values.get("longitude"), starts_at=values["start_date"], ends_at=values["end_date"],
            camera=values.get("camera_id", "")[:100], details={name: values[name] for name in KEPT if name in values},
        )  # fmt: skip
        yield Line(place, DEPLOYMENT, "", record)

    def _image(self, place: str, row: Row) -> Iterator[Line]:
        values, wrong = cells_of(row, IMAGES)
        stay = values.get("deployment_id", "")
        if not wrong and self._deployments is not None and stay not in self._deployments:
            wrong = [("deployment_id", f"{stay[:60]!r} is no good row of deployments.csv")]
        path = ""
        if not wrong:
            try:
                path = path_of(photo_path(values), self._how)
            except Invalid as error:
                wrong = [("location", str(error))]
        if wrong:
            yield from (bad(place, field, reason, photo=path) for field, reason in wrong)
            return
        if path not in self._described:
            self._described.add(path)
            record = PhotoRecord(
                deployment=stay[:255], taken_at=values.get("timestamp", ""), favorite=values.get("highlighted", False),
                details={name: values[name] for name in ("image_id",) if name in values},
            )  # fmt: skip
            yield Line(place, PHOTO, path, record)
        said = sighting_of(values)
        if values.get("is_blank") is not None and values["is_blank"] != (said.kind == BLANK):
            yield aside(place, "is_blank and the name differ; the name counts", photo=path)
        if said.kind == ANIMAL and not said.called:
            yield aside(place, "it names nothing", photo=path)
        else:
            yield Line(place, photo=path, record=said)

    def _sequence(self, place: str, row: Row) -> Iterator[Line]:
        """What is true of a sequence as a whole, its group_size as the count: kept aside, no single photo shows all of it."""
        values, wrong = cells_of(row, IMAGES)
        if wrong:
            yield from (bad(place, field, reason) for field, reason in wrong)
            return
        said = sighting_of(values)
        differs = values.get("is_blank") is not None and values["is_blank"] != (said.kind == BLANK)
        also = "; is_blank and the name differ, the name counts" if differs else ""
        yield aside(place, f"a sequence is about no single photo{also}", record=said)


def photo_path(values: dict[str, Any]) -> str:
    """Below its deployment where only the file's name is said, or its address in the platform's own store."""
    name = str(values.get("location") or values.get("filename") or "")
    if "://" in name:
        name = str(values.get("filename") or name.rpartition("/")[2])
    return name if "/" in name or "\\" in name else f"{values['deployment_id']}/{name}"


def sighting_of(values: dict[str, Any]) -> SightingRecord:
    """What is seen. Blank by count only where nothing is named."""
    scientific = scientific_name(values)
    kind, name = meant(values.get("common_name", "") or scientific)
    count = values.get("number_of_objects", values.get("group_size"))
    if kind == ANIMAL and not name and (values.get("is_blank") or count == 0):
        kind = BLANK
    is_animal = kind == ANIMAL
    by_machine = values.get("identified_by", "").lower().partition(":")[0] in MACHINES
    called = name or scientific
    sure = share_of(values.get("cv_confidence") or values.get("uncertainty", "")) if by_machine else None
    return SightingRecord(
        kind=kind, name=name, scientific_name=scientific if is_animal else "", said_by=MACHINE if by_machine else HUMAN,
        who=values.get("identified_by", "")[:200], count=count or None,
        unsure=bool(values.get("uncertainty")) and not by_machine,
        guesses=[[called, sure]] if sure is not None and is_animal and called else [],
        sex=SEXES.get(values.get("sex", "").lower(), ""), life_stage=STAGES.get(values.get("age", "").lower(), ""),
        behaviour=values.get("behavior", "")[:60],
        details={each: values[each] for each in REST if each in values},
    )  # fmt: skip


def share_of(cell: str) -> float | None:
    """A probability; None for any other words."""
    try:
        share = float(cell)
    except ValueError:
        return None
    return share if 0 <= share <= 1 else None


def scientific_name(values: dict[str, Any]) -> str:
    """Genus and species, else the lowest rank that is named."""
    if values.get("genus") and values.get("species"):
        return f"{values['genus']} {values['species']}"[:200]
    return next((str(values[rank])[:200] for rank in ("genus", "family", "order", "class") if values.get(rank)), "")
