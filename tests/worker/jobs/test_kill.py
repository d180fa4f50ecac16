"""A worker that is killed at any moment loses nothing and does nothing twice, on both databases."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from models.box import Box
from models.checkpoint import CLASSIFIER, Checkpoint
from models.image import Image
from models.invariants import examine
from models.job import UNFINISHED, Job
from models.label import Label
from models.round import Round
from tests.worker.conftest import Workers, until
from tests.worker.jobs.scenes import Scene, meadow, squares_in

pytestmark = pytest.mark.usefixtures("small_shards")
KILLED = -9
# Where an ingest of 16 photos in 4 shards dies, one start after the other. A shard has about 15 cheap writes, 1 durable one and
# 1 commit; every start has two commits of its own (a heartbeat, the job begins).
INGEST_DEATHS = [
    ("after commit", 2), ("after cheap write", 5), ("after write", 1), ("before commit", 3), ("after cheap write", 12),
    ("after commit", 3), ("before write", 2), ("before commit", 4),
]  # fmt: skip
# Learning writes the classifier and its predictions, then switches in the third commit of a start.
LEARN_DEATHS = [
    ("after commit", 2), ("before write", 1), ("after write", 1), ("before write", 2), ("after write", 2), ("before commit", 3),
    ("after commit", 3), ("before commit", 3), ("after commit", 3),
]  # fmt: skip


def finished(scene: Scene) -> bool:
    return scene.count(Job, Job.state.in_(UNFINISHED)) == 0


def nothing_doubled_or_lost(scene: Scene, photos: int) -> None:
    assert scene.count(Image, Image.state == "ready") == scene.count(Image) == photos
    assert scene.count(Box) == scene.count(Box, Box.vector_file.is_not(None)) == squares_in(photos)
    with scene.database.reading() as session:
        per_image = session.execute(select(Image.path, func.count(Box.id)).outerjoin(Box).group_by(Image.path)).all()
    assert sorted(map(tuple, per_image)) == [
        (path, squares_in(1, start=number)) for number, path in enumerate(meadow(photos))
    ]
    used = set(scene.all(select(Box.vector_file)))
    assert {path.name for path in (scene.store.root / "vectors").rglob("*.vectors")} == used
    assert examine(scene.database, scene.store, deep=True) == []


def test_killed_at_every_kind_of_moment_of_an_ingest(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    job_id = scene.bring(meadow(16))
    for die in INGEST_DEATHS:
        assert workers.wait(workers.start(tmp_path, scene.database.url, die=die)) == KILLED
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    nothing_doubled_or_lost(scene, 16)
    (job,) = scene.all(select(Job).where(Job.id == job_id))
    assert (job.state, job.done, job.total) == ("done", 16, 16)
    assert [round_.number for round_ in scene.rounds()] == [1]


def test_killed_at_random_while_photos_come_in(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    scene.bring(meadow(24))
    chance = random.Random(7)
    for _ in range(3):
        pid = workers.start(tmp_path, scene.database.url, delay_s=0.05)
        until(lambda: scene.count(Job, Job.state == "running") == 1)
        time.sleep(chance.uniform(0.2, 1.0))
        assert workers.kill(pid) == KILLED
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    nothing_doubled_or_lost(scene, 24)


def test_killed_at_every_kind_of_moment_of_learning(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    scene.change(first_round=5, round_size=5)
    scene.run(scene.bring(meadow(40)))
    scene.run_all()
    answers = scene.answer_round(1)
    for die in LEARN_DEATHS:
        assert workers.wait(workers.start(tmp_path, scene.database.url, die=die)) == KILLED
    workers.start(tmp_path, scene.database.url)
    until(lambda: finished(scene))
    learn_jobs = scene.all(select(Job.id).where(Job.kind == "learn", Job.key.like("%full-1")))
    made = scene.all(select(Checkpoint).where(Checkpoint.kind == CLASSIFIER))
    assert [checkpoint.job_id for checkpoint in made] == learn_jobs
    taught = answers - scene.rounds()[0].drawn  # the audit teaches nothing
    assert scene.project().classifier_id == made[0].id and made[0].label_count == taught
    assert [(each.number, each.state, each.size) for each in scene.all(select(Round).order_by(Round.number))] == [
        (1, "full", answers), (2, "chosen", 5),
    ]  # fmt: skip
    assert scene.count(Label) == answers
    assert scene.count(Box, Box.guess_species_id.is_(None)) == 0
    assert examine(scene.database, scene.store, deep=True) == []
