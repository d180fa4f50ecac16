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
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from app.cells import guard, line
from app.exports.camtrap_cells import boxed, deployment_cells, file_path, tags
from app.exports.camtrap_kept import KeptEvents, kept_cells, medium_ids, observation_ids, times_of
from app.exports.camtrap_visits import TYPES, Visits
from app.exports.clocks import utc, zoned
from app.exports.enclosing import enclose
from app.exports.imported import Brought, Figure, Guess, Imported, Kept
from app.exports.label_rows import LABELS, label_lines
from app.exports.naming import HUMAN, NOT_ANIMAL, UNCLASSIFIED, Said
from app.exports.publication import described, package
from app.exports.queries import CountedBox, Photo
from app.exports.sinks import Archive, ByteSink, Later
from app.exports.study import PERSON, Study
from app.formats.camtrap_dp import DEPLOYMENTS, MEDIA, OBSERVATIONS
from models.import_records import ANIMAL, BLANK, SightingRecord
from models.species import TAXON

MACHINE = "machine"
KIND_OF = {PERSON: "person", "vehicle": "vehicle"}  # what is seen -> which box a detector draws round it, else animal


def write(study: Study, sink: ByteSink) -> None:
    """The package as a zip. Raises Invalid where the publication lacks what the standard requires."""
    about = described(study.project)
    out = Package(study)
    with Archive(sink) as archive:
        with archive.text("deployments.csv") as file:
            file.write(line(DEPLOYMENTS))
            for station in out.stations.values():
                file.write(line(deployment_cells(station)))
            file.rows = len(out.stations)
        observations, count = Later(), 0
        observations.write(line(OBSERVATIONS))
        with archive.text("media.csv") as file:
            file.write(line(MEDIA))
            for photo, said, brought in out.imported.photos(people=True):
                if out.takes(photo):
                    file.write(line(out.medium(photo, said, brought)))
                    file.rows += 1
                    for cells in out.seen(photo, said, brought):
                        observations.write(line(cells))
                        count += 1
        for cells in out.events():
            observations.write(line(cells))
            count += 1
        archive.taken("observations.csv", observations, count)
        with archive.text("waterhole_labels.csv") as file:
            file.write(line(column for column, _kind in LABELS))
            for cells in label_lines(study, out.imported, out.has_place):
                file.write(line(cells))
                file.rows += 1
        made = package(study, about, list(out.stations.values()), out.taxa, out.others())
        archive.whole("datapackage.json", (json.dumps(made, indent=2, ensure_ascii=False) + "\n").encode())
        enclose(archive, study, "camtrap-dp")


class Package:
    """The rows of one package."""

    def __init__(self, study: Study) -> None:
        """Its deployments are those with a period and a place."""
        self._study = study
        self.stations = {name: each for name, each in study.stations.items() if each.is_whole}
        self._periods = {
            name: (each.starts_at, each.ends_at)
            for name, each in self.stations.items()
            if each.starts_at and each.ends_at
        }
        self.taxa: set[int] = set()  # those that a row names
        self.names: set[str] = set()  # scientific names of files that are none of the project's species
        self.imported = Imported(study)
        self._media, self._observations = medium_ids(study, self.imported), observation_ids(study, self.imported)
        self._visits = Visits(study, self.stations, self._observations)
        self._kept_events = KeptEvents(self.imported, self.stations)
        self._clock = 0, ""  # the photo asked for last, and its time

    def others(self) -> dict[str, dict[str, Any]]:
        """What imported packages say of the taxa that rows name, and the names of files that are no species here."""
        known = self.imported.taxa()
        named = self.names | {self._study.scientific(species_id) for species_id in self.taxa}
        return {name: known.get(name, {"scientificName": name}) for name in named}

    def takes(self, photo: Photo) -> bool:
        """Whether the photo has a place in the package."""
        return self.has_place(photo.deployment, photo.taken_at)

    def has_place(self, deployment: str, taken_at: dt.datetime | None) -> bool:
        """Whether photos of this camera and time have one."""
        period = self._periods.get(deployment)
        return period is not None and taken_at is not None and period[0] <= taken_at.replace(microsecond=0) <= period[1]

    def medium(self, photo: Photo, said: list[Said], brought: Brought) -> Iterator[str]:
        """One row of media.csv."""
        row, kept = photo.row, photo.row.details or {}
        name = photo.path.rsplit("/", 1)[-1]
        of_boxes = not brought.is_as_imported and any(each.kind == PERSON for each in said)
        public = not (of_boxes or self.imported.shows_person(brought))
        yield self._medium_id(photo)
        yield guard(photo.deployment)
        yield row.capture_method
        yield self._at(photo)
        yield guard(file_path(photo))
        yield "true" if public and kept.get("filePublic", True) else "false"
        yield guard(kept.get("fileName") or name)
        yield kept.get("fileMediatype") or media_type(name.rpartition(".")[2])
        yield kept.get("exifData", "")
        yield "true" if row.favorite else "false"
        yield guard(kept.get("mediaComments", ""))

    def seen(self, photo: Photo, said: list[Said], brought: Brought) -> Iterator[list[str]]:
        """The media rows of observations.csv about one photo."""
        assert photo.taken_at is not None  # takes() said so
        self._kept_events.saw(photo.deployment, photo.taken_at, as_imported=brought.is_as_imported)
        at = self._at(photo)
        counting = [
            (each, box) for each, box in zip(said, photo.boxes, strict=True) if each.kind != NOT_ANIMAL
        ]  # fmt: skip
        if brought.is_as_imported:
            yield from self._as_imported(photo, at, brought)
            return
        for each, box in counting:
            yield self._boxed(photo, at, each, box, brought)
        figures = [] if photo.boxes else brought.figures
        counted = [each for each in figures if each.count]
        for number, figure in enumerate(counted, 1):
            yield self._counted(photo, at, figure, number)
        if not counting and not counted:
            yield self._blank(photo, at, said, figures)

    def events(self) -> Iterator[list[str]]:
        """The event rows: one a visit, made of what was recorded there, and those of imports that nothing here contradicts."""
        study = self._study
        classifier = guard(study.naming.checkpoint(study.naming.classifier_id))
        for each, station, event in self._visits.every():
            if self._kept_events.cover(station.name, each.first_at, each.last_at):
                continue
            count, kind = each.individuals, study.taxa[each.species_id].species.kind
            sure = None if each.named else each.probability
            yield self._row(
                observationID=event, deploymentID=guard(station.name), eventID=event,
                eventStart=zoned(each.first_at, station.zone), eventEnd=zoned(each.last_at, station.zone),
                observationLevel="event", observationType=TYPES[kind], scientificName=self._scientific(kind, each.species_id),
                count=str(max(count, 1)), classificationMethod=HUMAN if each.named else MACHINE,
                classifiedBy="" if sure is None else classifier,
                classificationProbability="" if sure is None else f"{sure:.4f}",
                observationTags=tags({"unseen": each.unseen or None}),
            )  # fmt: skip
        for row, kept, station, period in self._kept_events.rows():
            if kept.species_id in study.extreme:
                continue
            yield self._row(
                **kept_cells(kept.record, self._called(kept)), deploymentID=guard(station.name), observationLevel="event",
                observationID=self._observations.of(kept.record.details.get("observationID"), f"i{row.id}"),
                eventStart=zoned(period[0], station.zone), eventEnd=zoned(period[1], station.zone),
            )  # fmt: skip

    def _as_imported(self, photo: Photo, at: str, brought: Brought) -> Iterator[list[str]]:
        """Its rows as they came; where there is none nobody has looked."""
        rows = [each for each in brought.rows if not each.is_aside and self._counts(each.record)]
        for kept in rows:
            yield self._row(
                **(self._of(photo, at, self._id_of(kept)) | kept_cells(kept.record, self._called(kept)))
                | self._when(photo, at, kept) | (boxed(kept.record.box) if kept.record.box else {}),
            )  # fmt: skip
        if not rows:
            looked = photo.detector_id is not None or bool(brought.rows)
            none = self._row(**self._of(photo, at, self._own(f"n{photo.id}")), observationType="unclassified")
            yield self._blank(photo, at, [], []) if looked else none

    def _counts(self, record: SightingRecord) -> bool:
        """A box that only a detector saw counts from the project's threshold on; one that is no animal does not."""
        is_sure = record.score is None or record.score >= self._study.project.count_above
        is_seen = record.box is None or is_sure or record.said_by == HUMAN
        return is_seen and not (record.kind == BLANK and record.box)

    def _when(self, photo: Photo, at: str, kept: Kept) -> dict[str, str]:
        """Start and end as the file gives them, while the photo lies between them."""
        station = self.stations[photo.deployment]
        period = times_of(kept.record.details, station.zone)
        if period is None or not period[0] <= photo.taken_at.replace(microsecond=0) <= period[1]:  # type: ignore[union-attr]
            return {"eventStart": at, "eventEnd": at}
        return {"eventStart": zoned(period[0], station.zone), "eventEnd": zoned(period[1], station.zone)}

    def _own(self, id_: str) -> str:
        return self._observations.of(None, id_)

    def _id_of(self, kept: Kept) -> str:
        return self._observations.of(kept.record.details.get("observationID"), f"i{kept.row_id}-{kept.number}")

    def _called(self, kept: Kept) -> str:
        """The scientific name of an animal of an import."""
        if kept.species_id is not None:
            return self._scientific(TAXON, kept.species_id)
        is_animal = kept.record.kind == ANIMAL
        said: str = kept.latin if is_animal else kept.record.details.get("scientificName", "")
        self.names |= {said} if said else set()
        return said

    def _boxed(self, photo: Photo, at: str, each: Said, box: CountedBox, brought: Brought) -> list[str]:
        kind, human = each.kind, each.source == HUMAN
        is_animal, named = kind == TAXON, kind != UNCLASSIFIED
        kept = brought.voices.get(box.label_id or 0)
        cells = self._of(photo, at, self._own(f"b{box.id}")) | boxed(box.corners) | {
            "observationType": TYPES[kind], "scientificName": self._scientific(kind, each.species_id),
            "count": "1" if named else "", "lifeStage": each.observed.life_stage if is_animal else "",
            "sex": each.observed.sex if is_animal else "", "behavior": guard(each.observed.behaviour) if is_animal else "",
            "classificationMethod": (HUMAN if human else MACHINE) if named else "",
            "classifiedBy": guard(each.who if human else self._network(photo, each)) if named else "",
            "classificationTimestamp": utc(each.when) if human and each.when else "",
            "classificationProbability": "" if each.probability is None else f"{each.probability:.4f}",
            "observationTags": tags({
                "detectorScore": None if box.is_drawn else f"{box.score:.4f}",
                "detectedAs": box.kind if box.kind != KIND_OF.get(kind, "animal") else None,
                "certain": "no" if each.certain is False else None,
            }),
            "eventID": self._visits.of(photo, each.species_id),
        }  # fmt: skip
        if kept is not None:  # an import's word stands: whose it was, and when
            theirs = kept_cells(kept.record, "")
            cells |= {name: theirs[name] for name in ("classifiedBy", "classificationTimestamp") if theirs[name]}
        elif guess := brought.guesses.get(box.id) if kind == UNCLASSIFIED else None:
            cells |= self._guessed(guess[0])
        return self._row(**cells)

    def _guessed(self, guess: Guess) -> dict[str, str]:
        """A machine's name of an import, for a box that nobody here and no classifier of ours named."""
        if guess.species_id is not None and guess.species_id not in self._study.extreme:
            kind = self._study.taxa[guess.species_id].species.kind
            named = {
                "observationType": TYPES.get(kind, "blank"),
                "scientificName": self._scientific(kind, guess.species_id),
            }
        else:
            self.names.add(guess.name)
            named = {"observationType": "animal", "scientificName": guard(guess.name)}
        return named | {
            "count": "1", "classificationMethod": MACHINE, "classifiedBy": guard(guess.who),
            "classificationProbability": "" if guess.p is None else f"{guess.p:.4f}",
        }  # fmt: skip

    def _counted(self, photo: Photo, at: str, figure: Figure, number: int) -> list[str]:
        """What a person counted in a photo without boxes; of animals of any kind it says only that somebody has to name them."""
        kind = UNCLASSIFIED if figure.species_id is None else self._study.taxa[figure.species_id].species.kind
        return self._row(
            **self._of(photo, at, self._own(f"p{photo.id}-{number}")), observationType=TYPES.get(kind, "blank"),
            scientificName=self._scientific(kind, figure.species_id), count=str(figure.count) if kind in TYPES else "",
            classificationMethod=HUMAN, classifiedBy=guard(figure.who), classificationTimestamp=utc(figure.when),
        )  # fmt: skip

    def _blank(self, photo: Photo, at: str, said: list[Said], figures: list[Figure]) -> list[str]:
        by_people = bool(said) and not photo.has_unnamed_crop and all(each.source == HUMAN for each in said)
        spoken = [(each.when, each.who) for each in said if by_people] + [(each.when, each.who) for each in figures]
        when, who = max(spoken, key=lambda each: str(each[0])) if spoken else (None, "")
        return self._row(
            **self._of(photo, at, self._own(f"n{photo.id}")), observationType="blank",
            classificationMethod=HUMAN if spoken else MACHINE,
            classifiedBy=guard(who if spoken else self._study.naming.checkpoint(photo.detector_id)),
            classificationTimestamp=utc(when) if when else "",
        )  # fmt: skip

    def _of(self, photo: Photo, at: str, observation: str) -> dict[str, str]:
        """What every row about a photo says."""
        return {
            "observationID": observation, "deploymentID": guard(photo.deployment), "mediaID": self._medium_id(photo),
            "eventStart": at, "eventEnd": at, "observationLevel": "media", "cameraSetupType": photo.row.setup,
        }  # fmt: skip

    def _row(self, **cells: str) -> list[str]:
        return [cells.get(column, "") for column in OBSERVATIONS]

    def _at(self, photo: Photo) -> str:
        assert photo.taken_at is not None  # takes() said so
        if self._clock[0] != photo.id:
            self._clock = photo.id, zoned(photo.taken_at, self.stations[photo.deployment].zone)
        return self._clock[1]

    def _medium_id(self, photo: Photo) -> str:
        """As it was called where it came from, else its number."""
        return self._media.of((photo.row.details or {}).get("mediaID"), str(photo.id))

    def _scientific(self, kind: str, species_id: int | None) -> str:
        if kind != TAXON or species_id is None:
            return ""
        self.taxa.add(species_id)
        return guard(self._study.scientific(species_id))

    def _network(self, photo: Photo, each: Said) -> str:
        naming = self._study.naming
        return naming.checkpoint(naming.classifier_id if each.probability is not None else photo.detector_id)


@lru_cache(maxsize=64)
def media_type(ending: str) -> str:
    """Of a file's name; a photo where nobody knows the ending."""
    return mimetypes.guess_type(f"x.{ending}")[0] or "image/jpeg"
