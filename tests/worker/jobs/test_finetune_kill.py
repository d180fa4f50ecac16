"""A worker that is killed in the middle of a fine-tune: labels, the old embedder and the picks stay right, and it goes on."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from sqlalchemy import select

from models import queue
from models.audit import AuditEntry
from models.box import Box
from models.checkpoint import CLASSIFIER, EMBEDDER, Checkpoint
from models.invariants import examine
from models.job import UNFINISHED, Job
from models.label import Label
from models.parts import VectorPart
from tests.worker.conftest import Workers, until
from tests.worker.jobs.pasture import asked, graze, in_use, learn, name, verdict
from tests.worker.jobs.scenes import Scene

KILLED = -signal.SIGKILL
CROPS, NAMED, SHARD = 24, 16, 8
# While it trains (twice), while it embeds (the file is written, its row is not; both are), and on either side of the switch.
DEATHS = [
    ("after step", 3), ("before step", 2), ("before part", 2), ("after part", 1), ("before switch", 1), ("after switch", 1),
]  # fmt: skip


def ready(scene: Scene) -> str:
    """Named crops, a round that was chosen, a fine-tune that waits; its job's id."""
    scene.change(first_round=4, round_size=4)
    name(scene, graze(scene, CROPS)[:NAMED])
    learn(scene)
    return asked(scene)


def finished(scene: Scene) -> bool:
    return scene.count(Job, Job.state.in_(UNFINISHED)) == 0


def steps(scene: Scene) -> list[str]:
    """What was trained in all starts together: step, number of labels, their sum."""
    return (scene.store.root / "tuning" / "steps.log").read_text().splitlines()


def test_killed_while_it_trains_embeds_and_switches(scene: Scene, workers: Workers, tmp_path: Path) -> None:
    job_id = ready(scene)
    old, old_classifier = in_use(scene)
    picks, labels = scene.picks(1), scene.all(select(Label.id).order_by(Label.id))
    assert old_classifier is not None
    for die in DEATHS:
        given = {"die": die, "shard_crops": SHARD}
        assert workers.wait(workers.start(tmp_path, scene.database.url, **given)) == KILLED, die
        now, classifier = in_use(scene)
        switched = die == ("after switch", 1)
        assert (now.id != old.id) == switched and classifier is not None and classifier.parent_id == now.id
        assert scene.picks(1) == picks and scene.all(select(Label.id).order_by(Label.id)) == labels
        assert all(scene.guess(box.id) == scene.colour(box) for box in scene.all(select(Box)))
    workers.start(tmp_path, scene.database.url, shard_crops=SHARD)
    until(lambda: finished(scene))
    new, classifier = in_use(scene)
    row = verdict(scene, job_id)
    assert row is not None and (row.embedder_id, row.label_count) == (new.id, NAMED) and new.parent_id == old.id
    lines = steps(scene)
    assert [line.split()[0] for line in lines] == ["1", "2", "3", "4", "5", "6"]  # each once: it went on where it was
    assert len({line.split(" ", 1)[1] for line in lines}) == 1  # on the same labels
    assert scene.all(select(VectorPart.rows)) == [SHARD] * (CROPS // SHARD)
    made = scene.all(select(Checkpoint).where(Checkpoint.job_id == job_id).order_by(Checkpoint.id))
    assert [each.kind for each in made] == [EMBEDDER, CLASSIFIER]
    assert scene.count(AuditEntry, AuditEntry.act == "embedder.tuned") == 1
    assert scene.picks(1) == picks and examine(scene.database, scene.store, deep=True) == []


def test_paused_and_stopped_in_a_real_worker_while_rounds_go_on(
    sqlite_scene: Scene, workers: Workers, tmp_path: Path
) -> None:
    scene = sqlite_scene
    job_id = ready(scene)
    old, _classifier = in_use(scene)
    pid = workers.start(tmp_path, scene.database.url, step_s=0.3)

    def state() -> str:
        (found,) = scene.all(select(Job.state).where(Job.id == job_id))
        return str(found)

    until(lambda: scene.count(Job, Job.id == job_id, Job.done > 0) == 1)
    scene.answer_round(1)  # a learn job goes on beside it
    until(lambda: scene.count(Job, Job.kind == "learn", Job.state == "done") == 2)
    assert state() == "running" and len(scene.rounds()) == 2
    for turn in range(2):  # paused and let go on at once, so that both happen while the worker is at it
        with scene.database.writing() as session:
            (queue.pause if turn == 0 else queue.go_on)(session, job_id)
    with scene.database.writing() as session:
        queue.pause(session, job_id)
    until(lambda: state() == "paused")
    trained = len(steps(scene))
    with scene.database.writing() as session:
        queue.go_on(session, job_id)
    until(lambda: len(steps(scene)) > trained)
    assert [line.split()[0] for line in steps(scene)] == [str(number + 1) for number in range(len(steps(scene)))]
    with scene.database.writing() as session:
        queue.cancel(session, job_id)
    until(lambda: state() == "cancelled")
    assert in_use(scene)[0].id == old.id and not scene.store.tuning(job_id).exists()
    os.kill(pid, 0)  # the worker lives on
    assert examine(scene.database, scene.store, deep=True) == []
