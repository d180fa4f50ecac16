"""What each counted box is called, and who says so: a person's settled name, else the classifier's first, else the detector's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from app.exports.queries import CountedBox, Photo, checkpoints_of, species_of
from models.checkpoint import Checkpoint
from models.meaning import meanings
from models.observed import NOTHING, Observed
from models.predictions import Predictions
from models.project import Project
from models.species import TAXON
from models.storage import Store

HUMAN, PREDICTED = "human", "predicted"
NOT_ANIMAL, UNCLASSIFIED = "not_animal", "unclassified"
# What an answer that is no taxon is called in a table (PRACTICE 1.3: somebody looked and could not tell = unknown).
WORDS = {"person": "person", "vehicle": "vehicle", "cannot_tell": "unknown", NOT_ANIMAL: NOT_ANIMAL}
NO_ANIMALS = ("person", "vehicle", NOT_ANIMAL)


class Said(NamedTuple):
    """One box's name. kind: a kind of species, or `unclassified`."""

    kind: str
    word: str
    species_id: int | None
    scientific_name: str = ""
    source: str = PREDICTED
    probability: float | None = None
    who: str = ""
    when: dt.datetime | None = None
    certain: bool | None = None
    observed: Observed = NOTHING

    @property
    def is_animal(self) -> bool:
        """Whether it counts as an animal."""
        return self.kind not in NO_ANIMALS


class Naming:
    """The names of one project at one moment. It pins the classifier: a switch meanwhile changes nothing here."""

    def __init__(self, session: Session, store: Store, project: Project) -> None:
        """Raises DamagedFile when a predictions file is not whole."""
        self._species = species_of(session, project)
        self._checkpoints = checkpoints_of(session, project)
        self._of_kind = {kind: species_id for species_id, (kind, _, _) in self._species.items() if kind != TAXON}
        self.classifier_id = project.classifier_id
        said = predictions_of(store, self._checkpoints.get(project.classifier_id or 0))
        self._predictions = said.meaning(meanings(session, project.id)) if said else None

    def name(self, photos: Iterable[Photo]) -> list[tuple[Photo, list[Said]]]:
        """The photos with a name for each of their boxes."""
        listed = list(photos)
        open_ids = [box.id for photo in listed for box in photo.boxes if box.species_id is None]
        firsts = self._predictions.firsts(open_ids) if self._predictions else {}
        return [(photo, [self._said(box, firsts.get(box.id)) for box in photo.boxes]) for photo in listed]

    def called(self, species_id: int) -> Said:
        """What people said without a box."""
        return self._called(species_id, HUMAN, None)

    def guesses(self, box_ids: Iterable[int], most: int) -> dict[int, list[tuple[int, float]]]:
        """Box id -> its likeliest species with their probabilities, the first one first; without those never classified."""
        found: dict[int, list[tuple[int, float]]] = {}
        for ids, classes, rows in self._predictions.rows_of(box_ids) if self._predictions else ():
            best = np.argsort(-rows.astype(np.float32), axis=1, kind="stable")[:, :most]
            shares = np.take_along_axis(rows, best, axis=1).astype(float).tolist()
            for box_id, columns, ps in zip(ids, best.tolist(), shares, strict=True):
                found[box_id] = [(classes[column], p) for column, p in zip(columns, ps, strict=True)]
        return found

    def checkpoint(self, checkpoint_id: int | None) -> str:
        """How a row names a network: classifier 7: 1,000 labels."""
        found = self._checkpoints.get(checkpoint_id or 0)
        return f"{found.kind} {found.id}: {found.name}" if found else ""

    def network(self, checkpoint_id: int | None) -> str:
        """The name alone, as a file gave it."""
        found = self.known(checkpoint_id)
        return found.name if found else ""

    def known(self, checkpoint_id: int | None) -> Checkpoint | None:
        """The row of a network."""
        return self._checkpoints.get(checkpoint_id or 0)

    def _said(self, box: CountedBox, first: tuple[int, float] | None) -> Said:
        if box.species_id is not None:
            said = self._called(box.species_id, HUMAN, None, box.who, box.when)
            return said._replace(certain=box.certain, observed=box.observed)
        if first is not None and first[0] in self._species:
            return self._called(first[0], PREDICTED, first[1])
        if box.kind in self._of_kind:  # the detector itself knows people and vehicles
            return self._called(self._of_kind[box.kind], PREDICTED, None)
        return Said(UNCLASSIFIED, UNCLASSIFIED, None)

    def _called(
        self, species_id: int, source: str, probability: float | None, who: str = "", when: dt.datetime | None = None
    ) -> Said:
        kind, name, scientific = self._species[species_id]
        return Said(kind, WORDS.get(kind, name), species_id, scientific, source, probability, who, when)


def predictions_of(store: Store, classifier: Checkpoint | None) -> Predictions | None:
    """What the active classifier says; None before the first."""
    if classifier is None:
        return None
    return Predictions(
        store.root / classifier.predictions if classifier.predictions else store.predictions(classifier.id)
    )
