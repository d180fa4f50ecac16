"""One course: the order of the live loop, cut and resumed."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.worker.learning.small_games import shorten
from tests.worker.simulation.known_studies import clouds, squares
from worker.device import find_device
from worker.learning.classifier import fit
from worker.networks.embedder import CROP_PX
from worker.selection.pool import Pool
from worker.selection.strategies import STRATEGIES
from worker.simulation.course import LINES, Course, Line, Protocol, Table
from worker.simulation.embedding import embedded, start_weights
from worker.simulation.studies import Draw, Study, read_study

SMALL = Protocol(initial=30, round=10, budget=70)


def table_of(study: Study, folder: Path) -> Table:
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "vectors.npy", study.vectors)
    return Table(replace(study, vectors=None), folder / "vectors.npy", None)


def played(course: Course) -> list[Line]:
    list(course.run())
    return [replace(line, seconds=0) for line in course.lines]


def test_the_first_round_is_the_same_for_all_strategies_and_none_is_asked_twice(tmp_path: Path) -> None:
    table = table_of(clouds(), tmp_path)
    courses = {
        name: played(Course(table, name, 1, SMALL, tmp_path / name)) for name in ("random", "margin", "k_center")
    }
    assert len({tuple(lines[0].picks) for lines in courses.values()}) == 1
    assert len({tuple(lines[1].picks) for lines in courses.values()}) == 3
    for lines in courses.values():
        asked = [row for line in lines for row in line.picks]
        assert len(asked) == len(set(asked)) == 70
        assert max(asked) < table.study.pool
        assert [line.labels for line in lines] == [30, 40, 50, 60, 70]
        assert lines[-1].next == []
    other = played(Course(table, "random", 2, SMALL, tmp_path / "other"))
    assert other[0].picks != courses["random"][0].picks


def test_the_next_round_is_chosen_from_the_first_eight_tenths(tmp_path: Path) -> None:
    """By hand: fit on 24 answers, choose with the other 6 out of reach."""
    study = clouds()
    assert study.vectors is not None
    first, second = played(Course(table_of(study, tmp_path), "margin", 3, SMALL, tmp_path / "course"))[:2]
    said = np.array(first.picks[:24])
    classes = np.unique(study.labels[said])
    classifier = fit(study.vectors[said], study.labels[said], classes=classes.tolist(), seed=3)
    pool = Pool(
        vectors=study.vectors[: study.pool], labelled=said, labels=np.searchsorted(classes, study.labels[said]),
        fit=lambda: classifier.probabilities(study.vectors[: study.pool]), sequence=study.sequence[: study.pool],
        deployment=study.deployment[: study.pool], taken=np.array(first.picks[24:]),
    )  # fmt: skip
    assert second.picks == STRATEGIES["margin"](pool, 10, np.random.default_rng([3, 2]))


@pytest.mark.parametrize("strategy", ["margin", "k_center"])
@pytest.mark.parametrize("rounds", [1, 3])
def test_a_course_that_was_cut_goes_on_as_if_it_had_not_been(tmp_path: Path, strategy: str, rounds: int) -> None:
    table = table_of(clouds(), tmp_path)
    whole = played(Course(table, strategy, 1, SMALL, tmp_path / "whole"))
    list(islice(Course(table, strategy, 1, SMALL, tmp_path / "cut").run(), rounds))
    with (tmp_path / "cut" / LINES).open("a") as file:
        file.write('{"number": 9, "pic')  # the line that was being written when the power went
    assert played(Course(table, strategy, 1, SMALL, tmp_path / "cut")) == whole
    assert len((tmp_path / "cut" / LINES).read_text().splitlines()) == len(whole)


def test_accuracy_and_recall_are_of_the_rows_to_measure_on(tmp_path: Path) -> None:
    study = clouds()
    assert study.vectors is not None
    course = Course(table_of(study, tmp_path), "random", 1, replace(SMALL, budget=30), tmp_path / "course")
    [line] = played(course)
    rows = np.array(line.picks)
    classes = np.unique(study.labels[rows]).tolist()
    classifier = fit(study.vectors[rows], study.labels[rows], classes=classes, seed=1)
    named = np.array(classes)[classifier.probabilities(study.vectors[240:]).argmax(axis=1)]
    right = named == study.labels[240:]
    assert line.accuracy == pytest.approx(right.mean())
    kinds = np.unique(study.labels[240:])
    assert line.recall == pytest.approx(np.mean([right[study.labels[240:] == kind].mean() for kind in kinds]))


@pytest.mark.parametrize("way", ["ceal", "propagation", "unweighted"])
def test_another_way_to_teach_asks_the_same_first_and_is_cut_and_goes_on(tmp_path: Path, way: str) -> None:
    """Guessed names teach and are not counted: labels are what the person said."""
    table = table_of(clouds(), tmp_path)
    plain = played(Course(table, "margin", 1, SMALL, tmp_path / "plain"))
    other = played(Course(table, f"margin+{way}", 1, SMALL, tmp_path / "other"))
    assert other[0].picks == plain[0].picks
    assert [line.labels for line in other] == [30, 40, 50, 60, 70]
    kept = [load_file(next((tmp_path / name).glob("classifier-5.*"))) for name in ("plain", "other")]
    assert int(kept[1]["n_labels"][0]) == 70
    assert not np.array_equal(kept[0]["hidden"], kept[1]["hidden"])
    list(islice(Course(table, f"margin+{way}", 1, SMALL, tmp_path / "cut").run(), 2))
    assert played(Course(table, f"margin+{way}", 1, SMALL, tmp_path / "cut")) == other


def test_a_temperature_leaves_random_picks_and_accuracy_and_changes_how_sure_it_is(tmp_path: Path) -> None:
    table, protocol = table_of(clouds(pool=400), tmp_path), Protocol(initial=200, round=20, budget=240)
    with_it, without = (
        played(Course(table, name, 1, protocol, tmp_path / name)) for name in ("random", "random+uncalibrated")
    )
    assert [replace(line, calibration=0) for line in with_it] == [replace(line, calibration=0) for line in without]
    assert all(mine.calibration != other.calibration for mine, other in zip(with_it, without, strict=True))


def test_the_first_round_may_lie_wide_apart_and_all_strategies_begin_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorten(monkeypatch)
    study = replace(clouds(pool=60, test=20), crops=None)
    pixels = np.random.default_rng(1).integers(0, 255, (60, 64, 64, 3), dtype=np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    table = replace(table_of(study, tmp_path), pixels=tmp_path / "pixels.npy")
    protocol = Protocol(initial=12, round=4, budget=16, first="kcenter")
    lines = {name: played(Course(table, name, 1, protocol, tmp_path / name)) for name in ("random", "margin")}
    nobody = np.empty(0, np.int64)
    pool = Pool(
        vectors=np.zeros((60, 8), np.float32), labelled=nobody, labels=nobody, fit=lambda: np.empty((60, 0), np.float32),
        sequence=study.sequence[:60], deployment=study.deployment[:60], crops=pixels,
    )  # fmt: skip
    expected = STRATEGIES["latent_k_center"](pool, 12, np.random.default_rng([1, 1]))
    assert lines["random"][0].picks == lines["margin"][0].picks == expected


def test_a_small_pool_ends_the_course(tmp_path: Path) -> None:
    lines = played(Course(table_of(clouds(pool=44), tmp_path), "margin", 1, SMALL, tmp_path / "course"))
    assert [line.labels for line in lines] == [30, 40, 44]


def test_a_fine_tune_changes_the_vectors_from_the_next_choice_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.learning.finetuning.is_better", lambda *_shares: True)
    study = read_study(squares(tmp_path / "set", each=20), tmp_path / "unpacked", Draw(test_share=0.4), lambda *_: None)
    weights = start_weights("starter", 32, tmp_path)
    assert study.crops is not None and study.crops[np.array([0])].shape == (1, CROP_PX, CROP_PX, 3)
    vectors = embedded(study.crops, "x", weights, tmp_path, find_device("cpu"), lambda *_: None)
    protocol = Protocol(initial=22, round=4, budget=30, finetune_every=24, steps=1)
    table = Table(study, vectors, weights)
    lines = played(Course(table, "margin", 1, protocol, tmp_path / "whole"))
    tuned = [line.number for line in lines if line.tuned]
    assert tuned == [2]
    assert lines[1].tuned is not None and lines[1].tuned["helped"] and lines[1].tuned["steps"] == 1
    course = Course(table, "margin", 1, protocol, tmp_path / "cut")
    list(islice(course.run(), 2))
    assert not np.array_equal(course._vectors, np.load(vectors))
    assert played(Course(table, "margin", 1, protocol, tmp_path / "cut")) == lines
