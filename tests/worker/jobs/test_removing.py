"""Deleting a batch, a project and a photo: hidden at once, back while there is time, and then nothing of it is left (H14)."""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from sqlalchemy import func, select

import models.removal
from models.base import Base, utc_now
from models.batch import Batch, BatchFile
from models.box import Box
from models.deletion import (
    PHOTO,
    REMOVE,
    DeletedPhoto,
    Deletion,
    ask_due,
    ask_remove,
    begin,
    due,
    go_now,
    mark_batch,
    mark_project,
    take_back,
)
from models.errors import Conflict, Invalid
from models.image import ERASED, READY, REMOVED, Image
from models.invariants import examine
from models.job import Job
from models.label import Label
from models.project import Project
from models.removal import hide
from models.round import Pick, Round
from models.vectors import read_vectors
from tests import fakes
from tests.worker.jobs.scenes import LEFT, RIGHT, Scene, meadow
from worker.jobs.running import run_job
from worker.main import Sweeper

pytestmark = pytest.mark.usefixtures("small_shards")


@pytest.fixture(autouse=True)
def strays_are_seen_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.invariants.STRAY_AFTER", dt.timedelta(seconds=-60))
    monkeypatch.setattr(models.removal, "CHUNK", 3)


def findings(scene: Scene) -> list[str]:
    return [f"{each.invariant}: {each.what}" for each in examine(scene.database, scene.store, deep=True)]


def batch_id_of(scene: Scene, job_id: str) -> int:
    with scene.database.reading() as session:
        return int(session.get_one(Job, job_id).arguments["batch_id"])


def delete(scene: Scene, batch_id: int, *, days: float = 7) -> int:
    with scene.database.writing() as session:
        batch = session.get_one(Batch, batch_id)
        return mark_batch(session, batch, None, batch.name, days).id


def now(scene: Scene, deletion_id: int) -> None:
    with scene.database.writing() as session:
        go_now(session, session.get_one(Deletion, deletion_id), None)


def state_of(scene: Scene) -> dict[str, int]:
    with scene.database.reading() as session:
        return dict(session.execute(select(Image.state, func.count()).group_by(Image.state)).all())


def lived_in(scene: Scene) -> tuple[int, int]:
    """Two batches, a round that was answered in part; their ids."""
    scene.change(first_round=6, round_size=4, fine_tune_every=0)
    first = batch_id_of(scene, scene.bring(meadow(40)))
    scene.run_all()
    second = batch_id_of(scene, scene.bring(meadow(20, start=100, camera="B")))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    scene.answer_round(2, share=0.5)
    scene.run_all()
    return first, second


def test_a_deleted_batch_is_hidden_and_comes_back_as_it_was(scene: Scene) -> None:
    first, _second = lived_in(scene)
    named = scene.all(select(Box.id).where(Box.settled_species_id.is_not(None)).order_by(Box.id))
    boxes = scene.count(Box, Box.deleted_at.is_(None))
    deletion = delete(scene, first)
    scene.run_all()
    assert state_of(scene) == {REMOVED: 40, READY: 20}
    left = scene.all(select(Box.id).where(Box.settled_species_id.is_not(None)).order_by(Box.id))
    assert len(left) < len(named)
    open_picks = select(Pick.box_id).join(Box, Box.id == Pick.box_id).where(Pick.state == "open")
    assert scene.all(open_picks.where(Box.deleted_at.is_not(None))) == []
    assert findings(scene) == []
    with scene.database.writing() as session:
        take_back(session, session.get_one(Deletion, deletion), None)
    scene.run_all()
    assert state_of(scene) == {READY: 60}
    assert scene.all(select(Box.id).where(Box.settled_species_id.is_not(None)).order_by(Box.id)) == named
    assert scene.count(Box, Box.deleted_at.is_(None)) == boxes
    assert findings(scene) == []


def test_for_good_nothing_is_left_but_the_tombstone(scene: Scene) -> None:
    first, second = lived_in(scene)
    hashes = set(scene.all(select(Image.sha256).where(Image.batch_id == first)))
    labels = scene.count(Label)
    deletion = delete(scene, first)
    now(scene, deletion)
    scene.run_all()
    assert state_of(scene) == {READY: 20}
    assert scene.all(select(Batch.id)) == [second]
    assert 0 < scene.count(Label) < labels
    assert set(scene.all(select(DeletedPhoto.sha256))) == hashes
    for sha256 in hashes:
        assert not scene.store.original(sha256).exists() and not scene.store.thumbnail(sha256).exists()
        assert not scene.store.preview(sha256).exists() and not scene.store.crops(sha256).exists()
    with scene.database.reading() as session:
        row = session.get_one(Deletion, deletion)
        assert (row.photos, row.done_at is not None, row.waits) == (40, True, False)
        with pytest.raises(Conflict):
            take_back(session, row, None)
    assert findings(scene) == []
    scene.run(scene.bring(meadow(40)))  # the same photos may come again
    scene.run_all()
    assert state_of(scene) == {READY: 60} and findings(scene) == []


def test_the_name_must_be_typed_and_nobody_deletes_twice(scene: Scene) -> None:
    batch_id = batch_id_of(scene, scene.bring(meadow(3)))
    with scene.database.writing() as session, pytest.raises(Invalid, match="type"):
        mark_batch(session, session.get_one(Batch, batch_id), None, "another", 7)
    delete(scene, batch_id)
    with pytest.raises(Conflict):
        delete(scene, batch_id)


def test_a_photo_that_another_batch_brought_too_stays(scene: Scene) -> None:
    photos = meadow(10)
    first = batch_id_of(scene, scene.bring(photos))
    scene.run_all()
    second = batch_id_of(scene, bring_again(scene, photos, 4))
    now(scene, delete(scene, first))
    scene.run_all()
    assert state_of(scene) == {READY: 4}
    assert scene.all(select(Image.batch_id).distinct()) == [second]
    assert scene.count(BatchFile, BatchFile.state == "here") == 4
    assert findings(scene) == []


def bring_again(scene: Scene, photos: dict[str, bytes], count: int) -> str:
    """Some photos in another batch, which then has nothing to look through; the id of a job that names the batch."""
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        batch = Batch.start(session, project.id, "again", None)
        for path, content in list(photos.items())[:count]:
            batch.receive(session, path, scene.store.receive([content]))
        batch.finish(session, project)
        session.flush()
        job = session.scalars(select(Job).where(Job.kind == "ingest")).first()
        assert job is not None
        job.arguments = job.arguments | {"batch_id": batch.id}
        return job.id


@pytest.mark.parametrize("moment", range(12))
def test_a_batch_deleted_at_any_step_of_its_ingest_leaves_nothing(scene: Scene, moment: int) -> None:
    """H14: before and after each durable step and in the middle of a shard; then rows and files are those of no batch."""
    other = batch_id_of(scene, scene.bring(meadow(5, camera="B", start=50)))
    scene.run_all()
    job_id = scene.bring(meadow(12))
    batch_id = batch_id_of(scene, job_id)
    count, deletion = 0, 0

    def step(_name: str, do: Callable[[], int]) -> int:
        nonlocal count, deletion
        for turn in (lambda: 0, do):
            if count == moment:
                deletion = delete(scene, batch_id)
            count += 1
            given = turn()
        return given

    scene.run(job_id, step)
    deletion = deletion or delete(scene, batch_id)
    scene.run_all()
    now(scene, deletion)
    scene.run_all()
    assert scene.all(select(Batch.id)) == [other]
    assert state_of(scene) == {READY: 5}
    assert findings(scene) == []


@pytest.mark.parametrize("for_good", [False, True])
def test_a_batch_deleted_while_a_shard_is_looked_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, for_good: bool
) -> None:
    """H14: the commit of the shard asks again, in its own transaction."""
    job_id = scene.bring(meadow(8))
    batch_id = batch_id_of(scene, job_id)
    network = scene.bench.networks
    looked = 0
    deletion = 0
    before = type(scene.bench).patiently

    def patiently(bench, do):  # type: ignore[no-untyped-def]
        nonlocal looked, deletion
        if do.__qualname__.startswith("Ingest._write."):
            looked += 1
            if looked == 2:
                deletion = delete(scene, batch_id)
        return before(bench, do)

    monkeypatch.setattr(type(scene.bench), "patiently", patiently)
    job = scene.run(job_id)
    assert looked >= 2 and network is scene.bench.networks
    assert job.state == "cancelled" and not job.error
    assert 0 < scene.count(Image, Image.state == READY) < 8  # what was committed before waits to be hidden
    scene.run_all()
    assert state_of(scene) == {REMOVED: 8}
    if for_good:
        now(scene, deletion)
    else:
        with scene.database.writing() as session:
            take_back(session, session.get_one(Deletion, deletion), None)
    scene.run_all()
    assert state_of(scene) == ({} if for_good else {READY: 8})
    assert findings(scene) == []


def test_a_removal_that_is_cut_goes_on_where_it_was(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second = lived_in(scene)
    deletion = delete(scene, first)
    with scene.database.writing() as session:
        row = session.get_one(Deletion, deletion)
        row.due_at = utc_now()
        assert [each.id for each in due(session)] == [deletion]
        job_id = ask_due(session, row).id
        assert due(session) == []
    after = 0
    breathe = type(scene.bench).breathe

    def cut(bench) -> None:  # type: ignore[no-untyped-def]
        nonlocal after
        after += 1
        if after % 7 == 0:
            raise KeyboardInterrupt
        breathe(bench)

    monkeypatch.setattr(type(scene.bench), "breathe", cut)
    for _attempt in range(60):
        try:
            scene.run(job_id)
            break
        except KeyboardInterrupt:
            continue
    monkeypatch.setattr(type(scene.bench), "breathe", breathe)
    scene.run_all()
    assert state_of(scene) == {READY: 20}
    assert findings(scene) == []


def test_a_deleted_project_takes_everything_that_is_its_own(scene: Scene) -> None:
    lived_in(scene)
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        deletion = mark_project(session, project, None, project.name, 7)
        assert (deletion.photos, deletion.answers > 0) == (60, True)
        deletion_id = deletion.id
    assert scene.run_all() == []  # nothing goes on
    now(scene, deletion_id)
    for job_id in scene.all(select(Job.id).where(Job.kind == REMOVE, Job.state == "asked")):
        run_job(scene.bench, job_id, lambda _name, do: do())
    kept = {"user_account", "user_session", "deletion", "deleted_photo", "audit_entry", "checkpoint", "alembic_version"}
    with scene.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name not in kept:
                assert session.scalar(select(func.count()).select_from(table)) == 0, table.name
        assert session.get_one(Deletion, deletion_id).done_at is not None
    files = [path for path in scene.store.root.rglob("*") if path.is_file() and "checkpoints" not in path.parts]
    assert files == []
    assert findings(scene) == []


def test_an_archived_project_learns_nothing_and_goes_on_when_it_is_back(scene: Scene) -> None:
    job_id = scene.bring(meadow(6))
    scene.change(archived_at=utc_now())
    assert scene.run(job_id).state == "cancelled"
    assert state_of(scene) == {"waiting": 6}


def test_an_erased_photo_leaves_no_pixel_and_no_vector(scene: Scene) -> None:
    photos = {"A/one.jpg": fakes.photo([("fox", LEFT), ("hare", RIGHT)]), **meadow(20, start=20)}
    scene.change(first_round=4, fine_tune_every=0)
    scene.run(scene.bring(photos))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    (packed,) = (scene.store.root / "cache" / "matrix").glob("*/*.vectors")
    zeros = (np.fromfile(packed, "<f4").reshape(-1, fakes.DIM) == 0).all(axis=1).sum()
    with scene.database.writing() as session:
        image = session.scalars(select(Image).where(Image.path == "A/one.jpg")).one()
        box = session.scalars(select(Box).where(Box.image_id == image.id)).first()
        assert box is not None and box.embedder_id and box.vector_file and box.vector_row is not None
        place, row, sha256 = scene.store.vectors(box.embedder_id, box.vector_file), box.vector_row, image.sha256
        deletion = begin(session, PHOTO, scene.project_id, image.id, image.path, None, 0)
        deletion.asked_at = utc_now()
        hide(session, session.get_one(Project, scene.project_id), [image.id], ERASED, deletion.marked_at)
        ask_remove(session, deletion, "Erasing")
        image_id = image.id
    scene.run_all()
    assert (np.fromfile(packed, "<f4").reshape(-1, fakes.DIM) == 0).all(axis=1).sum() == zeros + 2
    assert not read_vectors(place, check=True)[row].any()
    others = scene.all(select(Box).where(Box.vector_row.is_not(None), Box.id != box.id))
    assert all(np.any(read_vectors(scene.store.vectors(x.embedder_id, x.vector_file))[x.vector_row]) for x in others)
    assert not scene.store.original(sha256).exists() and not scene.store.crops(sha256).exists()
    with scene.database.reading() as session:
        assert session.get_one(Image, image_id).state == ERASED
    assert scene.count(Round, Round.size > 0) == scene.count(Round)
    assert findings(scene) == []


def test_a_batch_deleted_before_any_transaction_of_its_ingest_leaves_nothing(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H14: one ingest after the other, each deleted for good before another of its transactions."""
    scene = sqlite_scene
    before = type(scene.bench).patiently
    count = deletion = batch_id = moment = 0

    def patiently(bench, do):  # type: ignore[no-untyped-def]
        nonlocal count, deletion
        count += 1
        if count == moment and not deletion:
            deletion = delete(scene, batch_id)
            now(scene, deletion)
        return before(bench, do)

    monkeypatch.setattr(type(scene.bench), "patiently", patiently)
    for moment in range(1, 18):
        job_id = scene.bring(meadow(7, start=100 * moment))
        batch_id, count, deletion = batch_id_of(scene, job_id), 0, 0
        scene.run(job_id)
        if not deletion:
            deletion = delete(scene, batch_id)
            now(scene, deletion)
        scene.run_all()
        assert state_of(scene) == {} and findings(scene) == [], moment


def test_batches_deleted_at_chance_moments_by_another_thread_leave_nothing(scene: Scene) -> None:
    """H14, with two who really act at once."""
    chance = random.Random(14)
    for turn in range(6):
        job_id = scene.bring(meadow(9, start=100 * turn))
        batch_id = batch_id_of(scene, job_id)
        worker = threading.Thread(target=scene.run, args=(job_id,))
        worker.start()
        time.sleep(chance.uniform(0, 0.5))
        now(scene, delete(scene, batch_id))
        worker.join()
        scene.run_all()
        assert state_of(scene) == {} and findings(scene) == [], turn
    assert [job.error for job in scene.all(select(Job)) if job.error] == []


def test_photos_of_another_batch_that_a_deleted_one_had_in_hand_are_looked_at(scene: Scene) -> None:
    photos = meadow(8)
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        first, second = (Batch.start(session, project.id, name, None) for name in ("first", "second"))
        for path, content in photos.items():
            first.receive(session, path, scene.store.receive([content]))  # never finished
            second.receive(session, path, scene.store.receive([content]))
        job = second.finish(session, project)
        assert job is not None
        job_id, second_id = job.id, second.id
        first.finished_at = utc_now()
    deletion = 0

    def step(name: str, do: Callable[[], int]) -> int:
        nonlocal deletion
        if name == "shard-1":
            deletion = delete(scene, second_id)
        return do()

    scene.run(job_id, step)
    now(scene, deletion)
    scene.run_all()
    assert state_of(scene) == {READY: 8}
    assert findings(scene) == []


def test_a_worker_asks_when_the_day_has_come(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.run(scene.bring(meadow(3)))
    batch_id = scene.all(select(Batch.id))[0]
    kept, soon = delete(scene, batch_id), 0
    sweeper = Sweeper(scene.bench, None)  # type: ignore[arg-type]  # nothing is started here
    sweeper.ask_due()
    assert scene.count(Deletion, Deletion.asked_at.is_not(None)) == 0
    with scene.database.writing() as session:
        session.get_one(Deletion, kept).due_at = utc_now()
        lost = Deletion(kind="project", project_id=99, target_id=99, name="came never", due_at=utc_now())
        session.add(lost)
        session.flush()
        soon = lost.id
    sweeper.ask_due()
    sweeper.ask_due()
    scene.run_all()
    with scene.database.reading() as session:
        assert session.get_one(Deletion, kept).done_at is not None
        assert session.get_one(Deletion, soon).done_at is not None  # of a project that never came whole
    assert scene.count(Job, Job.kind == REMOVE) == 2 and scene.count(Batch) == 0
