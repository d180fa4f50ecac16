"""The audit stream of the live loop: drawn by chance, unseen by the strategy, taught to nobody."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.exports.rows import species_rows
from models.box import Box
from models.box_edit import Replaced
from models.checkpoint import CLASSIFIER, Checkpoint
from models.job import DONE, Job
from models.project import Project
from models.queue import ask
from models.round import Pick, Round
from models.species import Species
from tests.worker.jobs.pasture import graze, learn, name
from tests.worker.jobs.scenes import Scene
from worker.jobs.auditing import Drawn, chances, served
from worker.jobs.choosing import Choice, choose, field_of
from worker.jobs.finetune import read_labels
from worker.jobs.matrix import MatrixCache
from worker.jobs.scene import read_scene
from worker.stopping.draw import chance_after, unaudited


def begin(scene: Scene, crops: int = 240, **columns: object) -> list[int]:
    """A project with a first round; its boxes."""
    scene.change(**({"first_round": 15, "round_size": 15, "classify_above": 0.5} | columns))
    ids = graze(scene, crops)
    learn(scene)
    return ids


def drawn(scene: Scene, number: int | None = None) -> list[Pick]:
    """The picks of the audit, of all rounds or of one, by box."""
    wanted = select(Pick).join(Round, Round.id == Pick.round_id).where(Pick.chance.is_not(None)).order_by(Pick.box_id)
    return scene.all(wanted if number is None else wanted.where(Round.number == number))


def next_choice(scene: Scene, seed: int) -> Choice:
    """What a learn job with this seed would choose now; nothing is stored."""
    with scene.database.reading() as session:
        found = read_scene(session, scene.project_id, 0, None)
    assert found is not None
    matrix = MatrixCache(scene.bench, scene.project_id, found.project.embedder_id or 0).matrix()
    choice = choose(found, matrix, scene.bench.store.coverage(scene.project_id), None, None, seed)
    assert choice is not None
    return choice


def test_one_crop_in_fifteen_is_drawn_and_its_chance_is_kept(scene: Scene) -> None:
    begin(scene)
    scene.answer_round(1)
    scene.run_all()
    first, second = scene.rounds()
    assert (first.size, first.drawn, first.drawn_of) == (15, 1, 240 - 14)
    assert (second.size, second.drawn, second.drawn_of) == (15, 1, 240 - 15 - 14)
    assert [pick.chance for pick in drawn(scene, 1)] == [pytest.approx(1 / 226)]
    assert [pick.chance for pick in drawn(scene, 2)] == [pytest.approx(1 - (225 / 226) * (210 / 211))]


def test_the_draw_is_uniform_over_what_nobody_was_asked_whatever_the_strategy_picks(sqlite_scene: Scene) -> None:
    ids = begin(sqlite_scene, strategy="k_center")
    sqlite_scene.answer_round(1)  # nothing is learnt from it: the next round would be chosen now
    choices = [next_choice(sqlite_scene, seed) for seed in range(600)]
    assert {choice.strategy for choice in choices} == {"k_center"}
    picked = {tuple(box for box in choice.box_ids if box not in choice.drawing.chances) for choice in choices}
    assert len(picked) == 1  # the strategy has no chance in it and does not know who is drawn
    unseen = set(ids) - set(sqlite_scene.picks(1)) - set(picked.pop())
    counts = Counter(box for choice in choices for box in choice.drawing.chances)
    assert set(counts) <= unseen
    share = 1 / len(unseen)
    times = np.array([counts[box] for box in sorted(unseen)])
    assert sum(times) == len(choices)
    assert abs(times - 600 * share).max() < 5 * (600 * share) ** 0.5
    places = Counter(
        choice.box_ids.index(box) for choice in choices for box in choice.drawing.chances
    )  # and a person cannot tell by the place
    assert set(places) == set(range(15))


def test_a_crop_of_the_audit_is_drawn_once_and_asked_again_when_it_is_all_that_is_left(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    begin(scene, strategy="random")
    scene.answer_round(1)
    [pick] = drawn(scene, 1)
    with scene.database.reading() as session:
        found = read_scene(session, scene.project_id, 0, None)
    assert found is not None
    matrix = MatrixCache(scene.bench, scene.project_id, found.project.embedder_id or 0).matrix()
    mine = found.boxes.ids == pick.box_id
    taken_back = replace(found, boxes=replace(found.boxes, settled=np.zeros(len(mine), bool)))
    field = field_of(taken_back, matrix)
    assert not field.unseen[mine].any() and field.audited[mine].all()  # else it would be in the audit twice
    skipped = replace(found, skipped={pick.box_id}, boxes=replace(found.boxes, settled=~mine))
    choice = choose(skipped, matrix, scene.bench.store.coverage(scene.project_id), None, None, 1)
    assert choice is not None and choice.box_ids == [pick.box_id] and choice.drawing.chances == {}


def test_while_crops_are_cut_only_those_that_were_all_there_are_drawn(scene: Scene) -> None:
    begin(scene)
    scene.answer_round(1)
    with scene.database.writing() as session:
        boxes = session.scalars(select(Box).where(Box.project_id == scene.project_id).order_by(Box.id)).all()
        for box in boxes[::2]:
            box.score = 0.55
        late = boxes[0]
        late.embedder_id, late.score = None, 0.6  # its crop is still to be cut
        job_id = ask(session, "crop", scene.project_id, {"classify_above": 0.5}).id
    choice = next_choice(scene, 1)
    assert 0.6 < choice.drawing.above < 0.6001
    assert choice.drawing.of <= 120 - 7
    sure = {box.id for box in boxes[1::2]}
    assert set(choice.drawing.chances) <= sure and not set(choice.box_ids) <= sure  # the strategy may pick any
    with scene.database.writing() as session:
        session.get_one(Job, job_id).state = DONE
    assert next_choice(scene, 1).drawing.above == 0.5


def test_a_crop_of_the_audit_stays_open_to_the_strategy_and_leaves_when_it_would_be_picked(scene: Scene) -> None:
    ids = begin(scene, strategy="k_center")
    scene.answer_round(1)
    choice = next_choice(scene, 1)
    favourite = next(box for box in choice.box_ids if box not in choice.drawing.chances)
    with scene.database.writing() as session:  # as if it had been drawn and named in the first round
        first = session.scalars(select(Round)).one()
        session.add(Pick(round_id=first.id, box_id=favourite, position=99, chance=0.25, state="answered"))
        first.size += 1
    name(scene, [favourite])
    scene.run_all()
    assert favourite not in scene.picks(2)
    assert scene.all(select(Pick.passed_in).where(Pick.box_id == favourite)) == [2]
    assert len(set(scene.picks(2))) == 15
    scene.answer_round(2)
    scene.run_all()
    assert favourite not in scene.picks(3) and set(scene.picks(3)) <= set(ids)
    assert scene.all(select(Pick.passed_in).where(Pick.box_id == favourite)) == [2]


def test_what_is_said_of_the_audit_teaches_neither_classifier_nor_embedder_and_is_exported(scene: Scene) -> None:
    begin(scene, first_round=24, round_size=60)
    with scene.database.writing() as session:
        Species.add(session, scene.project_id, "heron")
    for number in (1, 2):
        with scene.database.writing() as session:
            open_round = session.scalars(select(Round).where(Round.number == number)).one()
            picks = session.scalars(select(Pick).where(Pick.round_id == open_round.id)).all()
            audited = {pick.box_id for pick in picks if pick.chance is not None}
        name_round(scene, number, audited)
        scene.run_all()
    audited_ids = {pick.box_id for pick in drawn(scene) if pick.state == "answered"}
    assert audited_ids
    with scene.database.reading() as session:
        newest = session.scalars(select(Checkpoint).where(Checkpoint.kind == CLASSIFIER).order_by(Checkpoint.id)).all()[
            -1
        ]
        project = session.get_one(Project, scene.project_id)
        heron = Species.named(session, scene.project_id, "heron")
        _newest, labels = read_labels(session, scene.project_id)
        assert heron is not None
        assert heron.id not in newest.classes and newest.label_count == 84 - len(audited_ids)
        assert set(labels.box_ids.tolist()) == set(scene.picks(1) + scene.picks(2)) - audited_ids
        exported = [row for row in species_rows(session, scene.store, project) if row.species == "heron"]
    assert len(exported) == len(audited_ids)


def name_round(scene: Scene, number: int, audited: set[int]) -> None:
    """Crops of the audit are herons, all others what they are."""
    sound = scene.colour
    scene.colour = lambda box: "heron" if box.id in audited else sound(box)  # type: ignore[method-assign]
    try:
        scene.answer_round(number)
    finally:
        scene.colour = sound  # type: ignore[method-assign]


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 30), data=st.data())
def test_asking_again_walks_down_the_ranking(n: int, data: st.DataObject) -> None:
    ranking = data.draw(st.permutations(range(n)))
    audited = data.draw(st.sets(st.integers(0, n - 1)))
    k = data.draw(st.integers(0, n - len(audited)))

    def choose_next(gone: list[int], wanted: int) -> list[int]:
        left = [row for row in ranking if row not in gone]
        assert len(left) >= wanted
        return left[:wanted]

    picks, passed = served(choose_next, audited, k)
    assert (picks, sorted(passed)) == (unaudited(ranking, audited, k)[0], sorted(unaudited(ranking, audited, k)[1]))


def test_chances_from_the_rounds_are_those_of_every_crop_followed_one_by_one() -> None:
    rng = np.random.default_rng(3)
    n, arrival = 60, np.repeat([0, 2, 3], 20)
    chance, audited, gone, rounds = np.zeros(n), np.empty(0, np.int64), np.zeros(n, bool), []
    for number in range(6):
        there = np.flatnonzero(arrival <= number)
        unseen = np.setdiff1d(there[~gone[there]], audited)
        chance = chance_after(chance, unseen, audited, 3)
        rounds.append(Drawn(number, True, 3 / len(unseen), int(there[-1]), 0.5))
        new = rng.choice(unseen, 3, replace=False)
        np.testing.assert_allclose(chances(new, np.full(3, 0.9), rounds, {}), chance[new])
        assert not chances(new, np.full(3, 0.4), rounds, {}).any()  # below the threshold it could not be drawn
        gone[rng.choice(np.setdiff1d(unseen, new), 2, replace=False)] = True
        audited = np.concatenate([audited, new])


def test_a_moved_box_has_the_chances_of_what_it_was_in_each_round() -> None:
    rounds = [Drawn(1, True, 0.5, 10, 0.3), Drawn(2, True, 0.5, 20, 0.3)]
    ids, scores = np.array([7, 8, 30, 31, 32, 33]), np.array([0.9, 0.2, 1.0, 1.0, 1.0, 1.0])
    before = {
        30: [Replaced(5, 0.9, False, 30)],
        31: [Replaced(6, 0.2, False, 31)],  # too doubtful until somebody moved it, after the draws
        32: [Replaced(9, 0.2, False, 32), Replaced(15, 1.0, True, 32)],  # moved between them, and once more
        8: [Replaced(16, 1.0, True, 8)],  # the move was taken back
    }
    np.testing.assert_allclose(chances(ids, scores, rounds, before), [0.75, 0.5, 0.75, 0, 0.5, 0])
