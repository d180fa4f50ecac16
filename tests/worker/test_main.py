"""The worker as a process: it beats, stops when told, stays alone under its name, and takes up what others dropped."""

from __future__ import annotations

import datetime as dt
import signal
import sqlite3
import time
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import select, update

from models.base import utc_now
from models.box import Box
from models.database import Database
from models.errors import Invalid, SchemaMismatch
from models.image import Image
from models.invariants import examine
from models.job import EVENTS, UNFINISHED, Job, WorkerBeat
from models.label import newest_label_id
from models.queue import ask
from models.schema import migrate
from models.settings import Settings
from models.storage import Store
from tests.worker.conftest import Workers, until
from tests.worker.jobs import scenes
from tests.worker.jobs.scenes import Scene, meadow, squares_in
from worker.jobs.bench import Bench
from worker.jobs.networks import Networks, threads_beside
from worker.main import run_worker


def scene_on(database: Database, store: Store) -> Scene:
    """A project whose jobs nobody runs here."""
    return scenes.scene(database, Bench("nobody", database, store, Networks(store)), first_round=10, round_size=10)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """4 photos a shard."""
    monkeypatch.setattr("models.batch.SHARD_PHOTOS", 4)


@pytest.fixture
def scene(database: Database, store: Store) -> Scene:
    """Once on each kind of database."""
    return scene_on(database, store)


@pytest.fixture
def sqlite_scene(sqlite_database: Database, store: Store) -> Scene:
    """Where the kind of database does not matter."""
    return scene_on(sqlite_database, store)


def finished(scene: Scene) -> bool:
    return scene.count(Job, Job.state.in_(UNFINISHED)) == 0


def first_shard_done(scene: Scene) -> bool:
    return scene.count(Image, Image.state == "ready") > 0


def test_a_worker_beats_and_does_what_is_asked(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    scene.bring(meadow(8))
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene) and scene.count(Job, Job.kind != EVENTS) == 2)
    (beat,) = scene.all(select(WorkerBeat))
    assert beat.name == "worker-1" and beat.is_alive and beat.device.startswith(("CPU", "GPU"))
    assert scene.count(Box) == squares_in(8) and len(scene.rounds()) == 1


def test_a_worker_that_is_told_to_stop_leaves_in_time_without_a_traceback(
    sqlite_scene: Scene, workers: Workers, tmp_path: Path
) -> None:
    sqlite_scene.bring(meadow(24))
    pid = workers.start(tmp_path, sqlite_scene.database.url, delay_s=0.2)
    until(lambda: first_shard_done(sqlite_scene))
    told = time.monotonic()
    assert workers.kill(pid, signal.SIGTERM) == 0
    assert time.monotonic() - told < 10
    assert "Traceback" not in (tmp_path / "worker.log").read_text()
    assert sqlite_scene.count(Job, Job.state == "running") == 1
    workers.start(tmp_path, sqlite_scene.database.url)
    until(lambda: finished(sqlite_scene))
    assert sqlite_scene.count(Box) == squares_in(24)


def test_a_second_worker_of_the_same_name_is_refused_in_words(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    workers.start(tmp_path, scene.database.url)
    until(lambda: scene.count(WorkerBeat) == 1)
    other_home = tmp_path / "other machine"
    other_home.mkdir()
    home = tmp_path if scene.database.is_sqlite else other_home  # PostgreSQL: whatever the machine
    assert workers.wait(workers.start(home, scene.database.url)) == 1
    said = (home / "worker.log").read_text()
    assert "already running" in said and "WATERHOLE_WORKER_NAME" in said and "Traceback" not in said


def test_a_killed_worker_does_not_keep_its_name(sqlite_scene: Scene, workers: Workers, tmp_path: Path) -> None:
    pid = workers.start(tmp_path, sqlite_scene.database.url)
    until(lambda: sqlite_scene.count(WorkerBeat) == 1)
    workers.kill(pid)
    sqlite_scene.bring(meadow(4))
    workers.start(tmp_path, sqlite_scene.database.url)
    until(lambda: finished(sqlite_scene))


def test_learning_does_not_wait_behind_a_long_ingest(sqlite_scene: Scene, workers: Workers, tmp_path: Path) -> None:
    scene = sqlite_scene
    scene.bring(meadow(40))
    workers.start(tmp_path, scene.database.url, delay_s=0.15)
    until(lambda: first_shard_done(scene))
    with scene.database.writing() as session:
        given = {"label_max_id": newest_label_id(session, scene.project_id), "seed": 1, "parent_id": None}
        learn_id = ask(session, "learn", scene.project_id, given).id
    until(lambda: scene.count(Job, Job.id == learn_id, Job.state == "done") == 1)
    assert scene.count(Job, Job.kind == "ingest", Job.state == "running") == 1
    assert scene.count(Image, Image.state == "waiting") > 0


@pytest.mark.postgres
def test_another_worker_takes_over_the_job_of_a_dead_one(
    postgres_url: str, store: Store, workers: Workers, tmp_path: Path
) -> None:
    database = Database(postgres_url)
    migrate(database)
    scene = scene_on(database, store)
    job_id = scene.bring(meadow(16))
    pid = workers.start(tmp_path, scene.database.url, name="first", delay_s=0.1)
    until(lambda: first_shard_done(scene))
    workers.kill(pid)
    with scene.database.writing() as session:
        session.execute(update(WorkerBeat).values(beat_at=utc_now() - dt.timedelta(minutes=2)))
    workers.start(tmp_path, scene.database.url, name="second")
    until(lambda: finished(scene))
    (job,) = scene.all(select(Job).where(Job.id == job_id))
    assert (job.state, job.done, job.worker) == ("done", 16, "second")
    assert scene.count(Box) == squares_in(16) and examine(scene.database, scene.store, deep=True) == []
    database.dispose()


def test_a_queue_that_was_lost_is_filled_again_from_the_rows(
    sqlite_scene: Scene, workers: Workers, tmp_path: Path
) -> None:
    scene = sqlite_scene
    job_id = scene.bring(meadow(16))
    pid = workers.start(tmp_path, scene.database.url, delay_s=0.1)
    until(lambda: first_shard_done(scene))
    workers.kill(pid)
    for path in tmp_path.glob("jobs.sqlite*"):
        path.unlink()
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    assert scene.all(select(Job.done).where(Job.id == job_id)) == [16] and scene.count(Box) == squares_in(16)


def test_a_job_that_only_the_queue_thinks_done_is_done_again(
    sqlite_scene: Scene, workers: Workers, tmp_path: Path
) -> None:
    scene = sqlite_scene
    job_id = scene.bring(meadow(8))
    pid = workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    workers.kill(pid)
    with scene.database.writing() as session:  # the database came from a backup of before
        session.execute(sa.text("delete from job_shard"))
        session.execute(sa.text("delete from pick"))
        session.execute(sa.text("delete from round"))
        session.execute(sa.text("delete from box"))
        session.execute(update(Image).values(state="waiting", sequence_id=None))
        session.execute(update(Job).where(Job.id == job_id).values(state="running", done=0, ended_at=None))
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    assert scene.count(Box) == squares_in(8) and scene.all(select(Job.done).where(Job.id == job_id)) == [8]


def settings_of(tmp_path: Path, **given: object) -> Settings:
    return Settings(home=tmp_path, _env_file=None, **given)


def test_a_missing_database_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"no database .* yet\. Run `waterhole migrate`"):
        run_worker(settings_of(tmp_path))
    assert not (tmp_path / "waterhole.sqlite").exists()


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    database = Database(settings_of(tmp_path).url)
    migrate(database)
    database.dispose()
    with sqlite3.connect(tmp_path / "waterhole.sqlite") as connection:
        connection.execute("update alembic_version set version_num = 'from the future'")
    with pytest.raises(SchemaMismatch, match="newer"):
        run_worker(settings_of(tmp_path))


def test_the_networks_leave_cores_to_the_decoders() -> None:
    assert threads_beside(10_000) == 1 and threads_beside(0) >= 1
