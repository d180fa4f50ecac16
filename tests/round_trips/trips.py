"""Out of a project and into another one by the doors that people use: the writer, the dry run, the take job."""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from app.exports.formats import write_export
from app.exports.study import Options
from app.imports.staging import bring
from models.database import Database
from models.imported import CHECKED, TAKEN, Import, ImportRow
from models.membership import Role
from models.predictions import write_part
from models.project import Project
from models.storage import Store
from tests import make
from tests.fakes import FakeShelf
from worker.jobs.bench import Bench
from worker.jobs.networks import Networks
from worker.jobs.running import run_job

PUBLICATION = {"design": "opportunistic", "contributors": [{"title": "Ann", "role": "contact"}]}


@dataclass
class Place:
    """A database with its store, in which projects are made."""

    database: Database
    store: Store

    def project(self, **columns: Any) -> tuple[int, int]:
        """(project, its one member)."""
        with self.database.writing() as session:
            user = make.user(session)
            made = make.project(session, (user, Role.admin), publication=PUBLICATION, **columns)
            return made.id, user.id

    def written(self, project_id: int, name: str, **options: Any) -> bytes:
        """One format of one project."""
        out = io.BytesIO()
        with self.database.reading() as session:
            project = session.get_one(Project, project_id)
            write_export(session, self.store, project, name, out, Options(**options))
        return out.getvalue()

    def taken(self, project_id: int, by: int, content: dict[str, bytes], **options: Any) -> Import:
        """Read, judged and taken in."""
        files = {name: io.BytesIO(each) for name, each in content.items()}
        import_id = bring(self.database, self.store, project_id, by, files, options={"absent": True} | options)
        with self.database.writing() as session:
            import_ = Import.of(session, project_id, import_id)
            assert import_.state == CHECKED, (import_.state, import_.error, import_.source)
            job_id = import_.take(session).id
        bench = Bench("worker-test", self.database, self.store, Networks(self.store, FakeShelf()))
        run_job(bench, job_id, lambda _name, do: do())
        with self.database.reading() as session:
            import_ = session.get_one(Import, import_id)
            assert import_.state == TAKEN, import_.error
            return import_

    def taken_back(self, project_id: int, import_id: int) -> None:
        """All of it goes."""
        with self.database.writing() as session:
            job_id = Import.of(session, project_id, import_id).take_back(session).id
        bench = Bench("worker-test", self.database, self.store, Networks(self.store, FakeShelf()))
        run_job(bench, job_id, lambda _name, do: do())

    def bad_rows(self, import_id: int) -> list[tuple[str, str, str]]:
        """(place, field, reason) of the rows that were not taken."""
        with self.database.reading() as session:
            rows = session.scalars(
                select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.verdict.in_(("bad", "lacking")))
            )
            return [(row.place, row.field, row.reason) for row in rows]

    def predicts(self, project_id: int, said: dict[int, dict[int, float]], classifier_id: int) -> None:
        """A classifier's file: box id -> species id -> probability."""
        classes = sorted({species_id for row in said.values() for species_id in row})
        rows = np.zeros((len(said), len(classes)))
        for number, row in enumerate(said.values()):
            for species_id, p in row.items():
                rows[number, classes.index(species_id)] = p
        folder = self.store.predictions(classifier_id)
        write_part(self.store, folder, "learn", np.array(list(said), np.int64), rows, classes)


def members(content: bytes) -> dict[str, bytes]:
    """The files of a zip."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rows_of(content: bytes) -> list[dict[str, str]]:
    """A table."""
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
