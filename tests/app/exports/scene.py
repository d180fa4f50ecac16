"""A project whose photos, answers and predictions a test writes down in a line each."""

from __future__ import annotations

import csv
import io
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session

from app.exports.cells import write_csv
from app.exports.columns import COLUMNS
from app.exports.rows import ROWS
from models.act import Act
from models.batch import Batch
from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.database import Database
from models.image import Image
from models.label import Label
from models.membership import Role
from models.predictions import write_part
from models.project import Project
from models.species import Species
from models.storage import Store
from models.user import User
from tests import make

keys = itertools.count(1)


@dataclass
class Scene:
    """A project with one member, one batch and two species, in an open session."""

    session: Session
    store: Store
    user: User
    project: Project
    batch: Batch
    jaguar: Species
    ocelot: Species

    def photo(self, path: str = "", **columns: Any) -> Image:
        """A photo that was looked through."""
        return make.image(self.session, self.batch, path, **columns)

    def box(self, photo: Image, said: Species | None = None, **columns: Any) -> Box:
        """A counted box, named when `said` is given."""
        made = make.box(self.session, photo, **columns)
        if said is not None:
            self.say(made, said)
        return made

    def say(self, box: Box, species: Species, by: User | None = None) -> Label:
        """A person's answer."""
        return say(self.session, self.project.id, box, species, by or self.user)

    def kind(self, kind: str) -> Species:
        """One of the four answers that are no taxa."""
        return Species.of_kind(self.session, self.project.id, kind)

    def classifier_says(self, said: dict[int, dict[Species, float]]) -> Checkpoint:
        """Make a classifier with these predictions (box id -> species -> p) and switch to it."""
        made = Checkpoint(kind=CLASSIFIER, name="learn-1", sha256="c" * 64, project_id=self.project.id)
        self.session.add(made)
        self.session.flush()
        classes = sorted({species.id for row in said.values() for species in row})
        rows = np.zeros((len(said), len(classes)))
        for number, row in enumerate(said.values()):
            for species, p in row.items():
                rows[number, classes.index(species.id)] = p
        write_part(self.store, self.store.predictions(made.id), "learn", np.array(list(said), np.int64), rows, classes)
        self.project.classifier_id = made.id
        self.session.flush()
        return made

    def table(self, name: str = "species.csv") -> list[dict[str, str]]:
        """The table as a reader sees it."""
        self.session.flush()
        return list(csv.DictReader(io.StringIO(text_of(self.session, self.store, self.project, name), newline="")))


def scene(session: Session, store: Store, **columns: Any) -> Scene:
    """An empty one."""
    user = make.user(session, f"Maria Quispe {next(keys)}")
    project = make.project(session, (user, Role.annotator), **columns)
    jaguar, ocelot = make.species(session, project, "Jaguar", "Ocelot")
    jaguar.scientific_name = "Panthera onca"
    return Scene(session, store, user, project, make.batch(session, project), jaguar, ocelot)


def say(session: Session, project_id: int, box: Box, species: Species, by: User) -> Label:
    """A person's answer about a box."""
    act, _fresh = Act.once(session, by.id, f"test-key-{next(keys)}", "answer", {}, project_id)
    return box.answer(session, species, by=by.id, role=Role.annotator, act=act)


def text_of(session: Session, store: Store, project: Project, name: str) -> str:
    """The whole file."""
    stream = io.StringIO()
    write_csv(ROWS[name](session, store, project), COLUMNS[name], stream)
    return stream.getvalue()


def snapshot_text(database: Database, store: Store, project_id: int, name: str) -> str:
    """The whole file of the state of this moment."""
    with database.reading() as session:
        return text_of(session, store, session.get_one(Project, project_id), name)
