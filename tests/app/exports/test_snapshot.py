"""One export, one state: the same bytes for the same state, whatever is said meanwhile and however it is cut into chunks."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import random
from pathlib import Path

import pytest

from app.exports import queries
from app.exports.cells import write_csv
from app.exports.columns import COLUMNS
from app.exports.files import export_folder, write_all
from app.exports.rows import ROWS
from models.box import Box
from models.database import Database
from models.project import Project
from models.sequence import regroup
from models.species import Species
from models.storage import Store
from models.user import User
from tests.app.exports.scene import say, scene, snapshot_text

TABLES = tuple(COLUMNS)


def study(database: Database, store: Store) -> int:
    """Photos of three cameras with times that tie, times that lack, and every state; returns the project."""
    draw = random.Random(7)
    with database.writing() as session:
        here = scene(session, store)
        boxes = {}
        for number in range(60):
            time = None if number % 7 == 0 else dt.datetime(2026, 3, 1, 12, 0, draw.randrange(0, 30))
            state = "ready" if number % 11 else "waiting"
            photo = here.photo(
                f"Cam {number % 3}/{draw.randrange(1000):03}-{number}.jpg", captured_at=time, state=state
            )
            for _box in range(draw.randrange(3) if state == "ready" else 0):
                box = here.box(photo, draw.choice([None, here.jaguar, here.ocelot, here.kind("not_animal")]))
                boxes[box.id] = {here.jaguar: draw.random(), here.ocelot: draw.random()}
        here.classifier_says(boxes)
        for deployment_id, _name in queries.deployments(session, here.project):
            regroup(session, deployment_id, 2)
        return here.project.id


def answer_one(database: Database, project_id: int) -> None:
    """Somebody names a box."""
    with database.writing() as session:
        box = session.query(Box).filter_by(project_id=project_id, settled_species_id=None).first()
        assert box is not None
        say(session, project_id, box, Species.of_kind(session, project_id, "person"), session.query(User).first())


@pytest.mark.parametrize("table", TABLES)
def test_the_same_state_gives_the_same_bytes(database: Database, store: Store, table: str) -> None:
    project_id = study(database, store)
    text = snapshot_text(database, store, project_id, table)
    assert text == snapshot_text(database, store, project_id, table)
    answer_one(database, project_id)
    if table == "species.csv":
        assert text != snapshot_text(database, store, project_id, table)


@pytest.mark.parametrize("table", TABLES)
def test_what_is_said_during_an_export_is_not_in_it(database: Database, store: Store, table: str, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(queries, "CHUNK", 2)
    project_id = study(database, store)
    before = snapshot_text(database, store, project_id, table)
    stream = io.StringIO()
    with database.reading() as session:
        rows = ROWS[table](session, store, session.get_one(Project, project_id))
        first = next(rows)
        answer_one(database, project_id)

        def all_rows():  # type: ignore[no-untyped-def]
            yield first
            for number, row in enumerate(rows):
                if number % 5 == 0 and number < 50:
                    answer_one(database, project_id)
                yield row

        write_csv(all_rows(), COLUMNS[table], stream)
    assert stream.getvalue() == before


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("size", [1, 7])
def test_chunks_neither_lose_nor_double_a_row(
    database: Database, store: Store, table: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    project_id = study(database, store)
    whole = snapshot_text(database, store, project_id, table)
    monkeypatch.setattr(queries, "CHUNK", size)
    assert snapshot_text(database, store, project_id, table) == whole


def test_the_manifest_says_what_the_files_are(database: Database, store: Store, tmp_path: Path) -> None:
    project_id = study(database, store)
    for name in ("first", "second"):
        with database.reading() as session:
            export_folder(session, store, session.get_one(Project, project_id), tmp_path / name)
    first = sorted((tmp_path / "first").iterdir())
    assert [path.name for path in first] == ["counts.csv", "manifest.json", "species.csv"]
    assert all(path.read_bytes() == (tmp_path / "second" / path.name).read_bytes() for path in first)
    said = json.loads((tmp_path / "first" / "manifest.json").read_text())
    for file in said["files"]:
        content = (tmp_path / "first" / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert (file["bytes"], file["rows"]) == (len(content), content.count(b"\n") - 1)
    assert said["checkpoints"]["classifier"]["name"] == "learn-1"
    assert said["snapshot"]["newest_label"] > 0
    rows = write_all(database, store, project_id, tmp_path / "third")
    assert {path.name: count for path, count in rows.items()} == {file["name"]: file["rows"] for file in said["files"]}
