"""After a merge the worker brings names and guesses to what they mean now, and the next classifier knows one species less."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from models.box import Box
from models.checkpoint import Checkpoint
from models.invariants import Scene as Doctor
from models.invariants import settled_names
from models.job import Job
from models.merging import merge, unmerge
from models.project import Project
from models.species import Species
from tests.worker.jobs.scenes import NAMES, Scene, meadow
from worker.jobs import settling


def species_ids(scene: Scene) -> dict[str, int]:
    """By name."""
    wanted = select(Species.name, Species.id).where(Species.project_id == scene.project_id)
    with scene.database.reading() as session:
        return dict(session.execute(wanted).all())


def columns(scene: Scene) -> list[tuple[int, int | None, int | None]]:
    """(box, settled, guessed)."""
    wanted = select(Box.id, Box.settled_species_id, Box.guess_species_id).where(Box.project_id == scene.project_id)
    with scene.database.reading() as session:
        return [tuple(row) for row in session.execute(wanted.order_by(Box.id))]


def settle_job(scene: Scene) -> str:
    """The newest that waits."""
    return str(scene.all(select(Job.id).where(Job.kind == "settle", Job.state == "asked"))[-1])


def test_names_and_guesses_follow_a_merge_and_come_back(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.merging.CHUNK_ROWS", 0)  # many: all is left to the worker
    monkeypatch.setattr(settling, "CHUNK_ROWS", 7)
    scene.change(first_round=12, round_size=6)
    scene.run(scene.bring(meadow(40)))
    scene.run_all()
    scene.answer_round(1)
    scene.run_all()
    ids, before = species_ids(scene), columns(scene)
    one, other = ids[NAMES[0]], ids[NAMES[1]]
    assert any(settled == one for _box, settled, _guess in before) and any(
        guess == one for _box, _settled, guess in before
    )
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        merge(session, project, session.get_one(Species, one), session.get_one(Species, other))
    assert columns(scene) == before
    job = scene.run(settle_job(scene))
    assert job.error == ""
    now = {one: other}
    assert columns(scene) == [(box, now.get(settled, settled), now.get(guess, guess)) for box, settled, guess in before]
    with scene.database.reading() as session:
        assert list(settled_names(Doctor(session, scene.store, deep=False))) == []
    scene.run_all()
    with scene.database.reading() as session:
        classifier = session.get_one(Checkpoint, session.get_one(Project, scene.project_id).classifier_id)
        assert one not in classifier.classes and other in classifier.classes
    with scene.database.writing() as session:
        project = session.get_one(Project, scene.project_id)
        unmerge(session, project, session.get_one(Species, one), other)
    scene.run_all()
    after = columns(scene)
    assert [row[:2] for row in after] == [row[:2] for row in before]
    assert any(guess == one for _box, _settled, guess in after)
