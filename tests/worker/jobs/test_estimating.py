"""What the audit says after each round of a project that is played through, beside the truth that only the test knows."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from sqlalchemy import select
from sqlalchemy.orm import undefer

from models.checkpoint import CLASSIFIER, Checkpoint
from models.drawing import Drawing, draw
from models.estimate import ENOUGH, Estimate
from models.predictions import Predictions
from models.project import Project
from models.queue import ask
from models.round import FULL, Pick, Round, ask_learn
from models.species import Species
from models.taking_back import undo
from tests.worker.jobs.pasture import graze, learn
from tests.worker.jobs.scenes import NAMES, Scene
from tests.worker.jobs.test_drawn import act
from worker.jobs.estimating import course_of
from worker.stopping.accuracy import LEAST, Share


class Valley:
    """A project whose photos are told by their colour, but for every fourth crop that only the person can tell."""

    def __init__(self, scene: Scene, crops: int) -> None:
        self.scene = scene
        self.ids = graze(scene, crops)
        rng = np.random.default_rng(7)
        odd = rng.random(crops) < 0.25
        kinds = np.where(odd, (np.arange(crops) + rng.integers(1, 4, crops)) % 4, np.arange(crops) % 4)
        self.truth = {box_id: NAMES[kind] for box_id, kind in zip(self.ids, kinds.tolist(), strict=True)}

    def answer(self, number: int) -> None:
        """The person names a round, and the worker does what follows."""
        seen = self.scene.colour
        self.scene.colour = lambda box: self.truth[box.id]  # type: ignore[method-assign]
        self.scene.answer_round(number)
        self.scene.colour = seen  # type: ignore[method-assign]
        self.scene.run_all()

    def right(self, look: Estimate) -> float:
        """The share of what nobody has looked at that this look's classifier names right."""
        with self.scene.database.reading() as session:
            asked = select(Pick.box_id).join(Round).where(Round.number <= look.round_number)
            rest = set(self.ids) - set(session.scalars(asked))
            names = dict(session.execute(select(Species.id, Species.name)).all())
            folder = session.get_one(Checkpoint, look.classifier_id).predictions
        firsts = Predictions(self.scene.store.root / folder).firsts(rest)
        assert look.rest == len(rest) == len(firsts)
        return float(np.mean([names[species] == self.truth[box_id] for box_id, (species, _p) in firsts.items()]))


def looks(scene: Scene) -> list[Estimate]:
    """The estimates so far."""
    return scene.all(select(Estimate).order_by(Estimate.round_number).options(undefer(Estimate.stop_set)))


def test_every_round_gives_one_look_and_the_truth_lies_in_the_intervals(scene: Scene) -> None:
    scene.change(first_round=60, round_size=60, strategy="margin", classify_above=0.5, label_budget=360)
    valley = Valley(scene, 600)
    learn(scene)
    for number in range(1, 7):
        valley.answer(number)
    found = looks(scene)
    assert [each.round_number for each in found] == [each.look for each in found] == list(range(1, 7))
    assert {each.planned for each in found} == {6}
    truths = [valley.right(each) for each in found]
    assert max(truths) < 0.9
    assert all(each.always_low <= truth <= each.always_high for each, truth in zip(found, truths, strict=True))
    assert sum(each.low <= truth <= each.high for each, truth in zip(found, truths, strict=True)) >= 5
    last = found[-1]
    assert last.always_low < last.low < last.estimate < last.high < last.always_high
    with scene.database.reading() as session:
        drawn = session.scalars(select(Pick).join(Round).where(Pick.chance.is_not(None), Round.state == FULL)).all()
        labels = session.get_one(Checkpoint, last.classifier_id).label_count
    assert last.audited == sum(pick.passed_in is None or pick.passed_in > 6 for pick in drawn)
    assert last.labels == labels == 360 - len(drawn)
    assert found[0].kappa is None and all(each.kappa is not None for each in found[1:])
    assert last.kappa_of_three == pytest.approx(np.mean([each.kappa for each in found[-3:]]))
    assert [len(each.stop_set) for each in found] == [0] * 5 + [600]
    assert last.more is not None


def test_a_job_without_a_new_full_round_is_no_look(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.change(first_round=20, round_size=20, classify_above=0.5)
    valley = Valley(scene, 200)
    learn(scene)
    assert looks(scene) == []
    valley.answer(1)
    (first,) = looks(scene)
    assert first.audited < ENOUGH and not first.reaches(0.5) and not first.seems_to_reach(0.5)
    learn(scene, "again")
    scene.answer_round(2, share=0.8)
    scene.run_all()
    assert [each.id for each in looks(scene)] == [first.id]


def test_the_look_waits_for_the_job_that_knows_the_whole_round(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.change(first_round=20, round_size=20, classify_above=0.5)
    Valley(scene, 200)
    learn(scene)
    scene.answer_round(1, share=0.9)
    with scene.database.writing() as session:
        early = ask_learn(session, session.get_one(Project, scene.project_id), "early").id
    scene.answer_round(1)  # its own job is asked for, and comes after the early one
    assert scene.run(early).error == "" and looks(scene) == []
    scene.run_all()
    (look,) = looks(scene)
    with scene.database.reading() as session:
        assert session.get_one(Checkpoint, look.classifier_id).label_count == look.labels == 20 - look.audited


def test_crops_that_came_after_the_draws_may_be_right_or_wrong(scene: Scene) -> None:
    scene.change(first_round=60, round_size=20, classify_above=0.5)
    valley = Valley(scene, 600)
    learn(scene)
    graze(scene, 600, start=1000)
    valley.answer(1)
    (look,) = looks(scene)
    assert (look.rest, look.unreached) == (1200 - 60, 600)
    assert look.audited == 4 and look.effective < 4
    assert look.low < 0.4 and look.high == 1


def test_an_audited_crop_that_nobody_can_tell_counts_neither_way(sqlite_scene: Scene) -> None:
    scene = sqlite_scene
    scene.change(first_round=60, round_size=20, classify_above=0.5)
    valley = Valley(scene, 600)
    learn(scene)
    drawn = scene.all(select(Pick.box_id).where(Pick.chance.is_not(None)))
    valley.truth[drawn[0]] = "Cannot tell"
    valley.answer(1)
    assert looks(scene)[0].audited == len(drawn) - 1


@pytest.mark.parametrize("back", [False, True], ids=["moved twice", "and taken back"])
def test_a_moved_crop_of_the_audit_counts_with_the_chance_that_it_was_drawn_with(scene: Scene, *, back: bool) -> None:
    scene.change(first_round=60, round_size=20, classify_above=0.5)
    valley = Valley(scene, 600)
    learn(scene)
    drawn = scene.all(select(Pick.box_id).where(Pick.chance.is_not(None)))
    old = now = drawn[0]
    for left in (0.05, 0.06):
        now = act(scene, draw, now, Drawing(moved={now: (left, 0.1, 0.5, 0.6)})).answer["box_id"]
        valley.truth[now] = valley.truth[old]
    scene.run_all()
    for _move in range(2 if back else 0):
        act(scene, undo)
    assert scene.all(select(Pick.box_id).where(Pick.chance.is_not(None)).order_by(Pick.box_id)) == sorted(
        [*drawn[1:], old if back else now]
    )
    valley.answer(1)
    (look,) = looks(scene)
    assert (look.audited, look.unreached) == (len(drawn), 0)
    assert look.effective == pytest.approx(look.audited * look.rest / (look.audited + look.rest), abs=1)


def test_the_curve_is_drawn_for_the_newest_look_only(scene: Scene) -> None:
    with scene.database.writing() as session:
        made = Checkpoint(project_id=scene.project_id, kind=CLASSIFIER, name="fake", sha256="0" * 64)
        session.add(made)
        session.flush()
        for number, audited in ((1, 12), (2, 40), (3, 50)):
            Estimate.keep(
                session, scene.project_id, round_number=number, look=number, planned=9, classifier_id=made.id,
                labels=100 * number, audited=audited, rest=900, estimate=0.8, low=0.7, high=0.9, always_low=0.6,
                always_high=0.95, target=0.95, more=inf,
            )  # fmt: skip
    for target in (0.95, 0.9):
        scene.change(target=target)
        with scene.database.writing() as session:
            job_id = ask(session, "curve", scene.project_id, {}).id
        assert scene.run(job_id).error == ""
        first, second, third = scene.all(select(Estimate.charts).order_by(Estimate.round_number))
        assert (first, second) == ({}, {})
        assert sorted(third) == ["narrow", "wide"] and f"your target, {target:.0%}" in third["narrow"]
        assert "about" not in third["wide"]


def test_what_was_found_through_another_embedder_forecasts_nothing() -> None:
    looks = [
        Estimate(labels=100 * number, estimate=value, audited=40, effective=40, kappa=0.5 + number / 10)
        for number, value in enumerate([0.6, 0.62, 0.8], 1)
    ]
    now = Share(0.82, 0.7, 0.9, 50, 50, 1000)
    course = course_of(looks, [False, False, True], now, 400, 0.9, 41)
    np.testing.assert_array_equal(course.accuracy, [np.nan, np.nan, 0.8, 0.82])
    assert course.labels.tolist() == [100, 200, 300, 400] and len(course.audited) == 4  # each was a look all the same
    assert course.kappas == [0.8, 0.9]


def test_what_is_enough_is_the_same_on_both_sides() -> None:
    assert ENOUGH == LEAST
