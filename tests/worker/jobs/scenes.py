"""Scenes for jobs: photos with coloured squares in a batch, people who know the colours, and jobs run without a queue."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.act import Act
from models.batch import Batch
from models.box import Box
from models.checkpoint import Checkpoint
from models.database import Database
from models.image import Image
from models.job import Job
from models.membership import Role
from models.predictions import Predictions
from models.project import Project
from models.queue import waiting
from models.round import ANSWERED, CHOSEN, OPEN, Pick, Round
from models.species import Species
from models.storage import Store
from models.user import User
from tests import fakes, make
from worker.jobs.bench import Bench
from worker.jobs.running import run_job

keys = itertools.count(1)
NAMES = tuple(fakes.COLOURS)
LEFT, RIGHT = (10, 20, 50, 60), (90, 30, 130, 70)


@dataclass
class Scene:
    """One project on one database."""

    database: Database
    store: Store
    bench: Bench
    project_id: int
    user_id: int

    def bring(self, photos: Mapping[str, bytes], *, boxes_file: bytes | None = None) -> str:
        """A batch of these photos by path; the id of its ingest job."""
        with self.database.writing() as session:
            project = session.get_one(Project, self.project_id)
            batch = make.batch(session, project)
            if boxes_file is not None:
                path = self.store.root / "boxes.json"
                path.write_bytes(boxes_file)
                batch.boxes_file = self.store.relative(path)
            for path_in_batch, content in photos.items():
                batch.receive(session, path_in_batch, self.store.receive([content]))
            job = batch.finish(session, project)
            assert job is not None
            return job.id

    def run(self, job_id: str, step: Callable[[str, Callable[[], int]], int] | None = None) -> Job:
        """Do one job in this thread."""
        run_job(self.bench, job_id, step or (lambda _name, do: do()))
        with self.database.reading() as session:
            return session.get_one(Job, job_id)

    def run_all(self) -> list[str]:
        """Do every job that is asked, until none is; their kinds."""
        kinds = []
        while True:
            with self.database.reading() as session:
                jobs = waiting(session)
            if not jobs:
                return kinds
            kinds.append(jobs[0].kind)
            job = self.run(jobs[0].id)
            assert not job.error, job.error

    def project(self) -> Project:
        """As it is now."""
        with self.database.reading() as session:
            return session.get_one(Project, self.project_id)

    def change(self, **columns: Any) -> None:
        """Set columns of the project."""
        with self.database.writing() as session:
            project = session.get_one(Project, self.project_id)
            for name, value in columns.items():
                setattr(project, name, value)

    def all(self, statement: Any) -> list[Any]:
        """Rows."""
        with self.database.reading() as session:
            return list(session.scalars(statement))

    def count(self, table: Any, *where: Any) -> int:
        """How many rows."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table).where(*where)) or 0

    def rounds(self) -> list[Round]:
        """All, the oldest first."""
        return self.all(select(Round).where(Round.project_id == self.project_id).order_by(Round.number))

    def picks(self, number: int) -> list[int]:
        """Box ids of a round in order."""
        wanted = select(Pick.box_id).join(Round, Round.id == Pick.round_id).where(Round.number == number)
        return self.all(wanted.where(Round.project_id == self.project_id).order_by(Pick.position))

    def answer_round(self, number: int, *, share: float = 1.0, rename: Mapping[str, str] | None = None) -> int:
        """A person names the first crops of a round by their colour; how many."""
        with self.database.writing() as session:
            project = session.get_one(Project, self.project_id)
            asked = session.scalars(
                select(Round).where(Round.project_id == self.project_id, Round.number == number)
            ).one()
            if asked.state == CHOSEN:
                asked.state = OPEN
            picks = session.scalars(
                select(Pick).where(Pick.round_id == asked.id, Pick.state == OPEN).order_by(Pick.position)
            ).all()
            wanted = round(share * asked.size) - (asked.size - len(picks))
            for pick in picks[:wanted]:
                box = session.get_one(Box, pick.box_id)
                name = self.colour(box)
                say(session, self, box, (rename or {}).get(name, name))
                pick.state = ANSWERED
                session.flush()
                asked.after_answer(session, project)
            return max(wanted, 0)

    def colour(self, box: Box) -> str:
        """The true name of a box, by its crop."""
        with self.database.reading() as session:
            sha256 = session.scalars(select(Image.sha256).where(Image.id == box.image_id)).one()
        return colour_of(self.store.crop(sha256, box.id).read_bytes())

    def guess(self, box_id: int) -> str:
        """What the active classifier's file says about a box."""
        with self.database.reading() as session:
            project = session.get_one(Project, self.project_id)
            checkpoint = session.get_one(Checkpoint, project.classifier_id)
            first = Predictions(self.store.root / checkpoint.predictions).firsts([box_id])
            return session.get_one(Species, first[box_id][0]).name if first else ""


def scene(database: Database, bench: Bench, **columns: Any) -> Scene:
    """A project with one expert and the four species."""
    with database.writing() as session:
        user = make.user(session)
        project = make.project(session, (user, Role.expert), **columns)
        make.species(session, project, *NAMES)
        return Scene(database, bench.store, bench, project.id, user.id)


def say(session: Session, scene: Scene, box: Box, name: str) -> None:
    """One answer."""
    act, _fresh = Act.once(
        session, scene.user_id, f"key-{next(keys):08}", "answer", {"box": box.id, "name": name}, scene.project_id
    )
    species = Species.named(session, scene.project_id, name)
    assert species is not None, name
    box.answer(session, species, by=scene.user_id, role=Role.expert, act=act)


def colour_of(jpeg: bytes) -> str:
    """The species whose colour a crop has."""
    pixels = fakes.opened(jpeg)
    mean = np.median(pixels.reshape(-1, 3), axis=0)
    return min(fakes.COLOURS, key=lambda name: float(np.abs(mean - np.array(fakes.COLOURS[name])).sum()))


def meadow(count: int, *, start: int = 0, names: tuple[str, ...] = NAMES, camera: str = "A") -> dict[str, bytes]:
    """Photos with one square each on the left, every second one more on the right, every fifth none."""
    photos = {}
    for number in range(start, start + count):
        squares = [(names[number % len(names)], LEFT)]
        if number % 2:
            squares.append((names[number // 2 % len(names)], RIGHT))
        if number % 5 == 4:
            squares = []
        taken = f"2026:03:01 {6 + number // 60 % 12:02}:{number % 60:02}:00"
        photos[f"{camera}/IMG_{number:04}.JPG"] = fakes.photo(squares, noise=number, taken=taken)
    return photos


def squares_in(count: int, *, start: int = 0) -> int:
    """How many boxes a meadow holds."""
    return sum(0 if number % 5 == 4 else 1 + number % 2 for number in range(start, start + count))


def user_of(session: Session, scene: Scene) -> User:
    """The expert."""
    return session.get_one(User, scene.user_id)


def batch_of(session: Session, job_id: str) -> Batch:
    """The batch of an ingest job."""
    return session.get_one(Batch, session.get_one(Job, job_id).arguments["batch_id"])
