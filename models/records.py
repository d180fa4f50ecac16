"""What the cameras of a place recorded: which species counts in which photo, and how many, as exports say it.

A box is called by its settled name, else by the classifier's first, else, for people and vehicles, by the detector. "Not an
animal" is no record, and neither is a box that nobody named. Photos without a time, of setting up or calibrating, and of a
time-lapse make none (PRACTICE 1.1). Where a person counted a species in a photo, that figure stands for the boxes. A photo in
which no box counts is called as it is as a whole: by people's figures, else by a machine whose results were imported.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, String, select, type_coerce
from sqlalchemy.orm import Session

from models.box import Box, counted
from models.checkpoint import Checkpoint
from models.deployment import Deployment
from models.event import EventCount
from models.image import COUNTING, CountCorrection, Image
from models.imported import Import, ImportedName
from models.predictions import predictions_of
from models.project import Project
from models.species import TAXON, Species
from models.storage import Store
from models.visits import Ids, Records, Shares, Visits, visits

LINES = 5_000  # visits that are made into lines at a time
ROWS = 20_000  # boxes that are read at a time
KINDS = ("person", "vehicle")  # what a detector itself knows beside animals
RECORD_FIELDS = tuple(Records.__dataclass_fields__)
NOBODY = np.zeros(0, np.int64)
NO_RECORDS = Records(NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, np.zeros(0, bool), np.zeros(0, np.float32))
EPOCH = dt.datetime(1970, 1, 1)
BLANK = "not_animal"


@dataclass(frozen=True)
class Place:
    """Deployments that share their timers: one alone, or those of a site. They are sorted by name, as exports are."""

    deployment_ids: tuple[int, ...]
    name: str  # of the first


@dataclass(frozen=True)
class EventLine:
    """One visit, whole. max_count: MaxN; count: a person's figure in its place; unseen: more that were on no photo."""

    deployment_id: int
    species_id: int
    first_image_id: int
    first_at: dt.datetime
    last_at: dt.datetime
    photos: int
    named: int  # photos in which a person says so
    max_count: int
    delta_s: int  # since the last record, or the last independent one, by the project's rule; 0 for the first
    probability: float | None = None  # the classifier's highest for one of its boxes
    count: int | None = None
    unseen: int = 0

    @property
    def individuals(self) -> int:
        """How many were there, as far as anybody knows."""
        return (self.max_count if self.count is None else self.count) + self.unseen


class Recorder:
    """The records and visits of one project as it is now. It pins the classifier."""

    def __init__(self, session: Session, store: Store, project: Project, states: tuple[str, ...] = COUNTING) -> None:
        """states: of the photos that make records. Raises DamagedFile when a predictions file is not whole."""
        self._session, self._project, self._states = session, project, states
        rows = session.execute(
            select(Species.id, Species.kind, Species.merged_into_id).where(Species.project_id == project.id)
        )
        self._kinds = {row.id: (row.kind, row.merged_into_id) for row in rows}
        self._fixed = {kind: species_id for species_id, (kind, _into) in self._kinds.items() if kind != TAXON}
        self._means = np.zeros(max(self._kinds, default=0) + 1, np.int64)  # species id -> what it means; 0: no record
        for species_id in self._kinds:
            self._means[species_id] = self._meaning(species_id)
        classifier = session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
        self._predictions = predictions_of(folder_of(store, classifier)) if classifier else None

    def visits(self, place: Place) -> Visits:
        """By the project's rule."""
        return visits(self.records(place), self._project.event_gap_minutes * 60, self._project.event_rule)

    def lines(self, place: Place) -> Iterator[EventLine]:
        """The visits to a place by time, with what people counted."""
        found = self.visits(place)
        said = EventCount.newest(self._session, self._project.id, place.deployment_ids)
        columns = (
            found.deployment_ids, found.species_ids, found.first_image_ids, found.first_s, found.last_s, found.photos,
            found.named, found.max_counts, found.delta_s, found.shares,
        )  # fmt: skip
        order = np.lexsort((found.species_ids, found.first_s))
        for start in range(0, len(order), LINES):
            few = order[start : start + LINES]
            for deployment_id, species_id, image_id, first_s, last_s, photos, named, most, delta_s, share in zip(
                *(column[few].tolist() for column in columns), strict=True
            ):
                by = said.get((deployment_id, species_id, image_id))
                yield EventLine(
                    deployment_id, species_id, image_id, moment(first_s), moment(last_s), photos, named, most, delta_s,
                    None if np.isnan(share) else share, by.count if by else None, by.unseen if by else 0,
                )  # fmt: skip

    def records(self, place: Place) -> Records:
        """Photos in the order of export: by time, path and id; those without boxes follow the others of their second."""
        parts = [part for part in (self._of_boxes(place), self._of_wholes(place)) if len(part.image_ids)]
        if len(parts) < 2:
            return parts[0] if parts else NO_RECORDS
        both = {field: np.concatenate([getattr(part, field) for part in parts]) for field in RECORD_FIELDS}
        order = np.argsort(both["seconds"], kind="stable")
        return Records(*(both[field][order] for field in RECORD_FIELDS))

    def _of_boxes(self, place: Place) -> Records:
        images, deployment_ids, seconds, box_ids, human, kinds = self._boxes(place)
        if not len(images):
            return NO_RECORDS
        names, shares = self._names(box_ids, human, kinds)
        photo = np.cumsum(np.append(True, np.diff(images) != 0)) - 1  # its place in the order
        kept = names > 0
        wide = len(self._means)
        pairs, at, which, counts = np.unique(
            photo[kept] * wide + names[kept], return_index=True, return_inverse=True, return_counts=True
        )
        row = np.flatnonzero(kept)[at]
        by_people = np.zeros(len(pairs), bool)
        by_people[which[human[kept] > 0]] = True
        highest = np.full(len(pairs), np.nan, np.float32)
        np.fmax.at(highest, which, shares[kept])
        records = Records(
            images[row], deployment_ids[row], pairs % wide, seconds[row],
            self._counted(place, images[row], pairs % wide, counts), by_people, highest,
        )  # fmt: skip
        return only(records, records.counts > 0)  # without the species of which a person counted none in the photo

    def _of_wholes(self, place: Place) -> Records:
        """What is said of photos as a whole, where no box of them counts: people's figures, else a machine of another tool."""
        has_box = select(Box.id).where(Box.image_id == Image.id, counted(self._project)).correlate(Image).exists()
        here = (*self._recording(place), ~has_box)
        photo = (Image.id, Image.deployment_id, type_coerce(Image.taken_at, String))
        figures = (
            CountCorrection.standing(*here).join(Image, Image.id == CountCorrection.image_id).add_columns(*photo[1:])
        )
        newest: dict[tuple[int, int | None], tuple[Any, ...]] = {
            (image_id, species_id): (stay, at, count, True, np.nan)
            for image_id, species_id, count, stay, at in self._session.execute(figures)
        }
        said = {key: value for key, value in newest.items() if key[1] is not None}
        if self._has_imports:
            counted_by_people = {image_id for image_id, _species_id in newest}
            names = select(*photo, ImportedName.species_id, ImportedName.count, ImportedName.p).where(
                *here, ImportedName.image_id == Image.id, ImportedName.box_id.is_(None), ImportedName.by_machine,
                ImportedName.rank == 1, ImportedName.species_id.is_not(None),
            )  # fmt: skip
            for image_id, deployment_id, taken_at, species_id, count, p in self._session.execute(names):
                if image_id not in counted_by_people:
                    value = (deployment_id, taken_at, count or 1, False, np.nan if p is None else p)
                    said.setdefault((image_id, species_id), value)
        if not said:
            return NO_RECORDS
        images, species = zip(*said, strict=True)
        stays, moments, counts, by_people, shares = zip(*said.values(), strict=True)
        known = [int(self._means[each]) if each is not None and each in self._kinds else 0 for each in species]
        made = Records(
            np.array(images, np.int64), np.array(stays, np.int64), np.array(known, np.int64), seconds_of(moments),
            np.array(counts, np.int64), np.array(by_people, bool), np.array(shares, np.float32),
        )  # fmt: skip
        return only(made, (made.counts > 0) & (made.species_ids > 0))

    def _recording(self, place: Place) -> tuple[ColumnElement[bool], ...]:
        return (
            Image.deployment_id.in_(place.deployment_ids), Image.state.in_(self._states), Image.taken_at.is_not(None),
            Image.setup == "", Image.capture_method != "timeLapse",
        )  # fmt: skip

    @cached_property
    def _has_imports(self) -> bool:
        return self._session.scalar(select(Import.id).where(Import.project_id == self._project.id).limit(1)) is not None

    def _boxes(self, place: Place) -> tuple[Ids, Ids, Ids, Ids, Ids, Ids]:
        """(n,) each, in the order of export: photo, deployment, seconds, box, the name that people settled or 0, its kind.

        The kind is a place in KINDS, else -1. Rows become arrays some thousand at a time: 50 bytes a box.
        """
        wanted = (
            # as text, where the database has it so: a million moments are read ten times as fast
            select(
                Image.id,
                Image.deployment_id,
                type_coerce(Image.taken_at, String),
                Box.id,
                Box.settled_species_id,
                Box.kind,
            )
            .join(Box, Box.image_id == Image.id)
            .where(*self._recording(place), counted(self._project))
            .order_by(Image.taken_at, Image.path, Image.id)
        )
        parts = []
        for rows in self._session.execute(wanted.execution_options(yield_per=ROWS)).partitions():
            image_ids, deployment_ids, taken_at, box_ids, settled, kinds = zip(*rows, strict=True)
            parts.append((
                np.array(image_ids, np.int64), np.array(deployment_ids, np.int64), seconds_of(taken_at),
                np.array(box_ids, np.int64), np.array([each or 0 for each in settled], np.int64),
                np.array([KINDS.index(kind) if kind in KINDS else -1 for kind in kinds], np.int64),
            ))  # fmt: skip
        if not parts:
            return NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY
        images, stays, seconds, boxes, human, kinds_ = (np.concatenate(column) for column in zip(*parts, strict=True))
        return images, stays, seconds, boxes, human, kinds_

    def _names(self, box_ids: Ids, human: Ids, kinds: Ids) -> tuple[Ids, Shares]:
        """(n,) what each box is called, 0 where it is no record, and the probability of a classifier's name."""
        names, shares = human.copy(), np.full(len(human), np.nan, np.float32)
        if self._predictions is not None:
            open_ = np.flatnonzero(names == 0)
            names[open_], shares[open_] = self._predictions.best(box_ids[open_])
            names[(names >= len(self._means)) | (names < 0)] = 0
            names[~np.isin(names, list(self._kinds))] = 0
        for number, kind in enumerate(KINDS):  # the detector itself knows them
            names[(names == 0) & (kinds == number)] = self._fixed.get(kind, 0)
        return self._means[names], shares

    def _counted(self, place: Place, images: Ids, species: Ids, counts: Ids) -> Ids:
        """The counts with people's own figures put in."""
        said = CountCorrection.standing(
            CountCorrection.species_id.is_not(None), Image.deployment_id.in_(place.deployment_ids)
        )
        newest = {
            (image_id, int(self._means[species_id])): count
            for image_id, species_id, count in self._session.execute(
                said.join(Image, Image.id == CountCorrection.image_id)
            )
            if species_id is not None
        }
        if not newest:
            return counts
        given = np.isin(images, [image_id for image_id, _species in newest])
        corrected = counts.copy()
        for row in np.flatnonzero(given).tolist():
            corrected[row] = newest.get((int(images[row]), int(species[row])), corrected[row])
        return corrected

    def _meaning(self, species_id: int) -> int:
        """What a name means since it was merged into another one; 0 for "not an animal"."""
        seen: set[int] = set()
        while (into := self._kinds[species_id][1]) in self._kinds and species_id not in seen:
            seen.add(species_id)
            species_id = into
        return 0 if self._kinds[species_id][0] == BLANK else species_id


def places(session: Session, project: Project) -> list[Place]:
    """The stations of a project: each camera for itself, or the cameras of a site together."""
    rows = session.execute(
        select(Deployment.id, Deployment.name, Deployment.site_id).where(Deployment.project_id == project.id)
    )
    stations: dict[tuple[str, int], list[tuple[str, int]]] = {}
    for deployment_id, name, site_id in rows:
        shared = None if project.cameras_independent else site_id
        station = ("camera", deployment_id) if shared is None else ("site", shared)
        stations.setdefault(station, []).append((name, deployment_id))
    made = [Place(tuple(id_ for _name, id_ in sorted(cameras)), min(cameras)[0]) for cameras in stations.values()]
    return sorted(made, key=lambda place: (place.name, place.deployment_ids))


def event_lines(
    session: Session, store: Store, project: Project, states: tuple[str, ...] = COUNTING
) -> Iterator[EventLine]:
    """Every visit of a project as it is at this moment, place by place and by time: it needs no worker and no cache.

    states: of the photos that make records. Memory: the records of one place. Raises DamagedFile when a predictions file is not
    whole.
    """
    recorder = Recorder(session, store, project, states)
    for place in places(session, project):
        yield from recorder.lines(place)


def only(records: Records, which: NDArray[np.bool_]) -> Records:
    """Some of the records."""
    return Records(*(getattr(records, field)[which] for field in RECORD_FIELDS))


def seconds_of(taken_at: Sequence[str]) -> Ids:
    """(n,) since 1970, of moments as text."""
    return np.array(taken_at, "datetime64[us]").astype("datetime64[s]").astype(np.int64)


def folder_of(store: Store, classifier: Checkpoint) -> Path:
    """Where a classifier's predictions lie."""
    return store.root / classifier.predictions if classifier.predictions else store.predictions(classifier.id)


def moment(seconds: int) -> dt.datetime:
    """The camera's clock."""
    return EPOCH + dt.timedelta(seconds=seconds)
