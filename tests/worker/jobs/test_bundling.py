"""A project goes from one server to another: exports byte for byte, the history of answers row for row, and a healthy house."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.exports.files import write_all
from models.act import Act
from models.batch import Batch
from models.box import Box
from models.bundling import bundle
from models.database import Database
from models.deletion import Deletion, ask_due, due, go_now, mark_batch, mark_project
from models.errors import Conflict, Invalid
from models.image import Image
from models.invariants import examine
from models.job import Job
from models.label import Label
from models.membership import Membership
from models.pack import unpacking
from models.project import Project
from models.queue import waiting
from models.species import Species
from models.storage import Store
from models.user import User
from tests.fakes import FakeShelf
from tests.worker.jobs.conftest import TestBench
from tests.worker.jobs.scenes import Scene, meadow
from worker.images.decoder import DecoderPool
from worker.jobs.networks import Networks
from worker.jobs.running import run_job
from worker.jobs.unbundling import unbundle

pytestmark = pytest.mark.usefixtures("small_shards")


def quietly(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def lived_in(scene: Scene) -> None:
    """Photos, two rounds of answers of two people, one taken over by another name, a classifier."""
    scene.change(first_round=6, round_size=4, fine_tune_every=0)
    scene.run(scene.bring(meadow(40)))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    scene.answer_round(2, share=0.5)
    scene.run_all()


def exports(database: Database, store: Store, project_id: int, folder: Path) -> dict[str, bytes]:
    """What the CSVs say, and not when they were written."""
    folder.mkdir()
    write_all(database, store, project_id, folder)
    return {name: (folder / name).read_bytes() for name in ("species.csv", "counts.csv")}


def history(session: Session, project_id: int) -> list[tuple[object, ...]]:
    """Who said what about which box when, in order."""
    rows = session.execute(
        select(
            Image.path, Box.ordinal, User.email, Species.name, Label.kind, Label.certain, Label.created_at, Label.role,
            Box.settled_label_id == Label.id,
        )
        .join(Box, Box.id == Label.box_id).join(Image, Image.id == Box.image_id).join(User, User.id == Label.user_id)
        .outerjoin(Species, Species.id == Label.species_id)
        .where(Label.project_id == project_id).order_by(Label.id)
    )  # fmt: skip
    return [tuple(row) for row in rows]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path, migrated_file: Path) -> Iterator[Database]:
    """Another, empty server, once of each kind."""
    if request.param == "postgres":
        url = request.getfixturevalue("migrated_postgres_url")
    else:
        shutil.copyfile(migrated_file, tmp_path / "elsewhere.sqlite")
        url = f"sqlite:///{tmp_path / 'elsewhere.sqlite'}"
    made = Database(url)
    yield made
    made.dispose()


def run_everything(database: Database, store: Store, pool: DecoderPool) -> list[str]:
    """Every job that waits there; their kinds."""
    bench = TestBench("elsewhere", database, store, Networks(store, FakeShelf()), pool=pool)
    kinds = []
    while True:
        with database.reading() as session:
            jobs = waiting(session)
        if not jobs:
            return kinds
        kinds.append(jobs[0].kind)
        run_job(bench, jobs[0].id, lambda _name, do: do())


def test_there_and_back_exports_and_history_are_the_same(
    sqlite_scene: Scene, elsewhere: Database, tmp_path: Path, pool: DecoderPool
) -> None:
    scene = sqlite_scene
    lived_in(scene)
    with scene.database.reading() as session:
        said = history(session, scene.project_id)
    before = exports(scene.database, scene.store, scene.project_id, tmp_path / "before")
    out = tmp_path / "project.tar"
    assert bundle(scene.database, scene.store, scene.project_id, out, report=quietly) > 80
    store = Store(tmp_path / "elsewhere")
    project_id = unbundle(elsewhere, store, out, name=None, report=quietly)
    assert exports(elsewhere, store, project_id, tmp_path / "after") == before
    with elsewhere.reading() as session:
        assert history(session, project_id) == said and len(said) >= 6
        assert [each.id for each in session.scalars(select(Project))] == [project_id]
        person = session.scalars(select(User)).one()
        assert person.disabled_at is not None and person.password_hash is None
        assert len(list(session.scalars(select(Membership)))) == 1
        assert set(session.scalars(select(Act.kind))) == {"bundled"}
        assert due(session) == []
    assert [f"{each.invariant}: {each.what}" for each in examine(elsewhere, store, deep=True)] == []
    run_everything(elsewhere, store, pool)  # nothing that a worker finds there fails
    with elsewhere.reading() as session:
        assert [job.error for job in session.scalars(select(Job).where(Job.state == "failed"))] == []
    assert [f"{each.invariant}: {each.what}" for each in examine(elsewhere, store, deep=True)] == []


@pytest.mark.postgres
def test_from_postgresql_to_sqlite(scene: Scene, migrated_file: Path, tmp_path: Path) -> None:
    lived_in(scene)
    before = exports(scene.database, scene.store, scene.project_id, tmp_path / "before")
    bundle(scene.database, scene.store, scene.project_id, tmp_path / "project.tar", report=quietly)
    shutil.copyfile(migrated_file, tmp_path / "elsewhere.sqlite")
    there = Database(f"sqlite:///{tmp_path / 'elsewhere.sqlite'}")
    store = Store(tmp_path / "elsewhere")
    project_id = unbundle(there, store, tmp_path / "project.tar", name="Another name", report=quietly)
    assert exports(there, store, project_id, tmp_path / "after") == before
    there.dispose()


def test_on_the_same_server_it_is_a_second_project_that_can_be_deleted_alone(
    sqlite_scene: Scene, tmp_path: Path
) -> None:
    scene = sqlite_scene
    lived_in(scene)
    before = exports(scene.database, scene.store, scene.project_id, tmp_path / "before")
    out = tmp_path / "project.tar"
    bundle(scene.database, scene.store, scene.project_id, out, report=quietly)
    with pytest.raises(Invalid, match="there is already a project"):
        unbundle(scene.database, scene.store, out, name=None, report=quietly)
    copy = unbundle(scene.database, scene.store, out, name="Copy", report=quietly)
    assert copy != scene.project_id
    with scene.database.reading() as session:
        assert history(session, copy) == history(session, scene.project_id)
        assert session.scalars(select(User)).one().disabled_at is None  # found by address
    with scene.database.writing() as session:
        go_now(session, mark_project(session, session.get_one(Project, copy), None, "Copy", 7), None)
    with scene.database.reading() as session:
        job_id = waiting(session)[-1].id
    run_job(scene.bench, job_id, lambda _name, do: do())
    assert exports(scene.database, scene.store, scene.project_id, tmp_path / "after") == before
    assert examine(scene.database, scene.store, deep=True) == []


def test_without_what_can_be_made_again_it_is_made_again(
    sqlite_scene: Scene, elsewhere: Database, tmp_path: Path, pool: DecoderPool
) -> None:
    scene = sqlite_scene
    lived_in(scene)
    out = tmp_path / "project.tar"
    bundle(scene.database, scene.store, scene.project_id, out, derived=False, report=quietly)
    assert {member.name.partition("/")[0] for member in unpacking(out)} == {
        "manifest.json", "people.jsonl", "shared.jsonl", "rows", "originals", "weights", "end.json",
    }  # fmt: skip
    store = Store(tmp_path / "elsewhere")
    project_id = unbundle(elsewhere, store, out, name=None, report=quietly)
    assert "rebuild" in run_everything(elsewhere, store, pool)
    assert [f"{each.invariant}: {each.what}" for each in examine(elsewhere, store, deep=True)] == []
    with scene.database.reading() as one, elsewhere.reading() as other:
        assert history(one, scene.project_id) == history(other, project_id)


def test_a_damaged_or_newer_bundle_is_refused_whole(sqlite_scene: Scene, elsewhere: Database, tmp_path: Path) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(meadow(4)))
    out, bad = tmp_path / "project.tar", tmp_path / "bad.tar"
    bundle(scene.database, scene.store, scene.project_id, out, report=quietly)
    good = out.read_bytes()
    store = Store(tmp_path / "elsewhere")
    at = good.index(b"\xff\xd8\xff")
    for damaged in (
        good[: len(good) // 2], good[:at] + b"\0" + good[at + 1 :], good[: -20 * 512], b"", b"nonsense" * 1000,
        good.replace(b'"schema": "0', b'"schema": "9'), good.replace(b"waterhole-bundle-1", b"waterhole-bundle-9"),
    ):  # fmt: skip
        bad.write_bytes(damaged)
        with pytest.raises(Invalid):
            unbundle(elsewhere, store, bad, name=None, report=quietly)
    with elsewhere.reading() as session:
        assert session.scalar(select(Project.id)) is None and session.scalar(select(Deletion.id)) is None
    assert [path for path in store.root.rglob("*") if path.is_file()] == []


def test_an_import_that_is_cut_shows_nothing_and_can_be_done_again(
    sqlite_scene: Scene, elsewhere: Database, tmp_path: Path, pool: DecoderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = sqlite_scene
    lived_in(scene)
    before = exports(scene.database, scene.store, scene.project_id, tmp_path / "before")
    out = tmp_path / "project.tar"
    bundle(scene.database, scene.store, scene.project_id, out, report=quietly)
    store = Store(tmp_path / "elsewhere")
    taken = 0

    def receive(chunks):  # type: ignore[no-untyped-def]
        nonlocal taken
        taken += 1
        if taken == 20:
            raise KeyboardInterrupt
        return Store.receive(store, chunks)

    monkeypatch.setattr(store, "receive", receive)
    with pytest.raises(KeyboardInterrupt):
        unbundle(elsewhere, store, out, name=None, report=quietly)
    with elsewhere.reading() as session:
        assert session.scalars(select(Project)).one().deletion_id is not None
        assert list(session.scalars(select(Membership))) == []
    project_id = unbundle(elsewhere, store, out, name=None, report=quietly)
    assert taken == 41  # the first 19 were here already
    with elsewhere.writing() as session:
        (left,) = due(session)
        ask_due(session, left)
    run_everything(elsewhere, store, pool)
    with elsewhere.reading() as session:
        assert [each.id for each in session.scalars(select(Project))] == [project_id]
    assert [f"{each.invariant}: {each.what}" for each in examine(elsewhere, store, deep=True)] == []
    assert exports(elsewhere, store, project_id, tmp_path / "after")["counts.csv"].count(b"\n") == before[
        "counts.csv"
    ].count(b"\n")


def test_what_is_marked_for_deletion_is_not_bundled(sqlite_scene: Scene, tmp_path: Path) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(meadow(2)))
    with scene.database.writing() as session:
        batch = session.scalars(select(Batch)).one()
        mark_batch(session, batch, None, batch.name, 7)
    with pytest.raises(Conflict, match="deleted and not gone"):
        bundle(scene.database, scene.store, scene.project_id, tmp_path / "out.tar", report=quietly)
    assert not (tmp_path / "out.tar").exists()
