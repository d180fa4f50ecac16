"""A project that was worked on, played through again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.errors import Invalid
from tests.fakes import ColourEmbedder
from tests.worker.jobs.pasture import coloured, graze, name
from tests.worker.jobs.scenes import NAMES, Scene
from worker.jobs.finished import finished_study
from worker.simulation.course import Protocol
from worker.simulation.harness import Wishes, simulate
from worker.simulation.studies import Draw


def test_what_people_named_can_be_asked_again(sqlite_scene: Scene, tmp_path: Path) -> None:
    scene = sqlite_scene
    ids = graze(scene, 30)
    name(scene, ids[:24])
    before = {path: path.stat().st_mtime_ns for path in scene.store.root.rglob("*") if path.is_file()}
    study = finished_study(scene.database, scene.store, scene.project_id, Draw(test_share=0.34))
    assert (len(study), study.pool) == (24, 16)
    assert set(study.species) == set(NAMES)
    assert not set(study.deployment[:16]) & set(study.deployment[16:])
    assert study.vectors is not None and "24 named crops" in study.said[0]
    place = {each: number for number, each in enumerate(NAMES)}
    for row, vector in enumerate(study.vectors):
        near = [np.abs(ColourEmbedder().embed(coloured(n)[None]) - vector).max() for n in range(24)]
        assert min(near) < 1e-6
        assert int(np.argmin(near)) % len(NAMES) == place[study.species[study.labels[row]]]
    protocol = Protocol(initial=4, round=4, budget=12)
    [course] = simulate(study, Wishes(("margin",), 1, protocol), tmp_path / "out", 1, lambda *_: None)
    assert [line.labels for line in course.lines] == [4, 8, 12]
    assert before == {path: path.stat().st_mtime_ns for path in scene.store.root.rglob("*") if path.is_file()}


def test_a_project_of_one_species_is_refused(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    name(scene, graze(scene, 6), NAMES[:1])
    with pytest.raises(Invalid, match="fewer than two species"):
        finished_study(scene.database, scene.store, scene.project_id, Draw())
