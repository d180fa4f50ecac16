"""Places and neighbours as rows, after a learn job."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from models.likeness import Likeness
from models.project import Project
from models.species import Species
from tests.worker.jobs.pasture import graze, learn, name
from tests.worker.jobs.scenes import NAMES, Scene
from worker.jobs import likeness


def rows(scene: Scene) -> dict[int, Likeness]:
    wanted = select(Likeness).where(Likeness.project_id == scene.project_id).order_by(Likeness.place)
    return {row.box_id: row for row in scene.all(wanted)}


def stretches(scene: Scene, first: int) -> int:
    """How many stretches of one species lie along the line; graze() makes the species in turn."""
    kinds = [(box_id - first) % len(NAMES) for box_id in rows(scene)]
    return 1 + sum(one != other for one, other in itertools.pairwise(kinds))


def near(scene: Scene, box_id: int) -> str | None:
    with scene.database.reading() as session:
        row = session.get_one(Likeness, box_id)
        return session.get_one(Species, row.near_species_id).name if row.near_species_id else None


def test_the_first_learn_job_already_places_every_crop(scene: Scene) -> None:
    ids = graze(scene, 60)
    learn(scene)
    assert sorted(rows(scene)) == ids
    assert stretches(scene, ids[0]) == len(NAMES)
    assert {row.near_species_id for row in rows(scene).values()} == {None}


def test_crops_that_come_later_get_a_place_and_the_others_keep_theirs(sqlite_scene: Scene) -> None:
    ids = graze(sqlite_scene, 40)
    learn(sqlite_scene)
    before = {box_id: row.place for box_id, row in rows(sqlite_scene).items()}
    graze(sqlite_scene, 24, start=40)
    learn(sqlite_scene, "again")
    assert len(rows(sqlite_scene)) == 64 and stretches(sqlite_scene, ids[0]) == len(NAMES)
    assert before == {box_id: row.place for box_id, row in rows(sqlite_scene).items() if box_id in before}


def test_twice_as_many_crops_get_a_new_line(sqlite_scene: Scene) -> None:
    graze(sqlite_scene, 20)
    learn(sqlite_scene)
    graze(sqlite_scene, 40, start=20)
    learn(sqlite_scene, "again")
    assert max(row.place for row in rows(sqlite_scene).values()) > 20  # a cell a crop, while there are few


def test_neighbours_contradict_a_wrong_name_until_it_is_mended(scene: Scene) -> None:
    ids = graze(scene, 60)
    name(scene, ids[:40])
    name(scene, ids[8:9], names=(NAMES[1],))  # it shows the first species
    learn(scene)
    assert near(scene, ids[8]) == NAMES[0]
    assert near(scene, ids[9]) == NAMES[1]
    asked = {box_id for box_id, row in rows(scene).items() if row.near_species_id}
    assert asked >= set(ids[:40])


def test_crops_of_a_round_that_waits_hear_their_neighbours(sqlite_scene: Scene) -> None:
    ids = graze(sqlite_scene, 60)
    name(sqlite_scene, ids[:40])
    learn(sqlite_scene)
    learn(sqlite_scene, "again")  # the first one chose the round in its switch, so both know it
    picked = sqlite_scene.picks(1)
    assert picked and all(near(sqlite_scene, box_id) == sqlite_scene_name(ids, box_id) for box_id in picked)


def sqlite_scene_name(ids: list[int], box_id: int) -> str:
    return NAMES[ids.index(box_id) % len(NAMES)]


def test_the_rest_is_left_to_the_next_learn_job_when_it_waits(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    graze(sqlite_scene, 30)
    monkeypatch.setattr(likeness, "CHUNK_ROWS", 10)
    waits = iter([False, True])
    monkeypatch.setattr(likeness, "learns_again", lambda _bench, _project_id: next(waits))
    learn(sqlite_scene)
    assert len(rows(sqlite_scene)) == 10
    monkeypatch.undo()
    learn(sqlite_scene, "again")
    assert len(rows(sqlite_scene)) == 30


def test_nothing_is_written_for_an_embedder_that_was_put_aside(
    sqlite_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    graze(sqlite_scene, 30)
    plain = likeness.write

    def after_a_switch(bench, project_id, *rest):  # type: ignore[no-untyped-def]
        with bench.database.writing() as session:
            session.get_one(Project, project_id).embedder_id = None
        return plain(bench, project_id, *rest)

    monkeypatch.setattr(likeness, "write", after_a_switch)
    learn(sqlite_scene)
    assert rows(sqlite_scene) == {}


def test_a_lost_line_is_learnt_again(sqlite_scene: Scene) -> None:
    ids = graze(sqlite_scene, 30)
    learn(sqlite_scene)
    embedder_id = sqlite_scene.project().embedder_id or 0
    sqlite_scene.store.line(embedder_id, sqlite_scene.project_id).write_bytes(b"damaged")
    learn(sqlite_scene, "again")
    assert sorted(rows(sqlite_scene)) == ids and stretches(sqlite_scene, ids[0]) == len(NAMES)
