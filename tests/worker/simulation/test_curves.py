"""Curves, intervals and what a simulation's files say, by hand."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.worker.simulation.known_studies import clouds
from worker.simulation.course import Line
from worker.simulation.curves import area, band, labels_to, mean_and_half, paired
from worker.simulation.harness import Played
from worker.simulation.report import write_report
from worker.simulation.results import saved, saved95, write_results

SETTINGS = {
    "study": "<clouds>", "pool": 240, "test": 80, "seeds": 2, "embedder": "starter",
    "protocol": {"initial": 100, "round": 100, "budget": 300, "finetune_every": 0, "loss": "triplet", "first": "random"},
}  # fmt: skip


def course(strategy: str, seed: int, accuracies: list[float], calibration: float | None = None) -> Played:
    lines = [
        Line(number, [number], [], 100 * number, accuracy, accuracy / 2, 1.0, calibration=calibration)
        for number, accuracy in enumerate(accuracies, 1)
    ]
    return Played(strategy, seed, lines)


def test_a_band_is_the_mean_and_student_s_interval() -> None:
    found = band([{100: 0.5, 200: 0.6}, {100: 0.7, 200: 0.6}])
    assert found.labels == [100, 200]
    assert found.mean == pytest.approx([0.6, 0.6])
    half = 12.7062047 * math.sqrt(0.02) / math.sqrt(2)
    assert found.low95 == pytest.approx([0.6 - half, 0.6])
    assert all(math.isnan(value) for value in band([{100: 0.5}]).low95)


def test_differences_are_taken_seed_by_seed() -> None:
    found = paired([{100: 0.6}, {100: 0.8}], [{100: 0.5}, {100: 0.7}])
    assert found.mean == pytest.approx([0.1])
    assert found.high95[0] - found.low95[0] == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="zip"):
        paired([{100: 0.6}], [{100: 0.5}, {100: 0.7}])


def test_labels_are_read_off_the_line_between_two_rounds() -> None:
    assert labels_to([100, 200, 300], [0.5, 0.7, 0.9], 0.8) == 250
    assert labels_to([100, 200, 300], [0.5, 0.7, 0.9], 0.5) == 100
    assert labels_to([100, 200, 300], [0.5, 0.7, 0.9], 0.95) is None
    assert labels_to([100, 200], [0.5, 0.8], 0.6) == 134  # 133 would not be enough
    assert area({100: 0.5, 200: 0.7, 400: 0.7}) == pytest.approx((0.6 * 100 + 0.7 * 200) / 300)


def test_the_files_say_what_the_courses_came_to(tmp_path: Path) -> None:
    played = [
        course("random", 1, [0.5, 0.6, 0.7]), course("random", 2, [0.5, 0.6, 0.7]),
        course("margin", 1, [0.5, 0.7, 0.9]), course("margin", 2, [0.5, 0.7, 0.88]),
    ]  # fmt: skip
    found = write_results(played, clouds(), SETTINGS, tmp_path)
    assert json.loads((tmp_path / "results.json").read_text()) == found
    assert found["settings"] == SETTINGS
    assert found["curves"]["margin"]["labels"] == [100, 200, 300]
    assert found["curves"]["margin"]["mean"] == [0.5, 0.7, 0.89]
    assert found["recall"]["random"]["mean"] == [0.25, 0.3, 0.35]
    assert found["labels_to"]["margin"] == {"0.80": 253, "0.85": 279, "0.90": None, "0.95": None}
    assert found["labels_to"]["random"]["0.80"] is None
    assert found["against_random"]["margin"]["mean"] == [0.0, 0.1, 0.19]
    assert (
        found["gain"]["margin"]["mean"] == 0.0975
    )  # (0 + 0.1) / 2 over the first hundred, (0.1 + 0.19) / 2 over the second
    assert found["saved"] == {"margin": 0.3333}  # 0.7 at 200 instead of 300
    low, high = found["saved95"]["margin"]
    assert low is not None and low <= 0.3333 <= high
    rows = list(csv.DictReader((tmp_path / "results.csv").open()))
    assert len(rows) == 12
    assert rows[-1] == {
        "strategy": "margin", "seed": "2", "round": "3", "labels": "300", "accuracy": "0.8800", "recall": "0.4400",
        "seconds": "1.00", "fine_tune_helped": "", "calibration_error": "",
    }  # fmt: skip
    picks = list(csv.DictReader((tmp_path / "picks.csv").open()))
    assert len(picks) == 12
    assert picks[0]["species"] in "abcd"
    page = write_report(found, ["1 left out: <script>"], tmp_path).read_text()
    assert "<script" not in page
    assert "&lt;clouds&gt;" in page
    assert page.count("<svg") == 2
    assert page.index("<td>margin</td>") < page.index("<td>random</td>")
    assert "http" not in (tmp_path / "curves.svg").read_text().replace("http://www.w3.org/", "")


def test_another_way_to_teach_is_compared_with_the_plain_one_seed_by_seed(tmp_path: Path) -> None:
    played = [
        course("margin", 1, [0.5, 0.7], 0.1), course("margin", 2, [0.5, 0.8], 0.2),
        course("margin+ceal", 1, [0.5, 0.8], 0.15), course("margin+ceal", 2, [0.5, 0.9], 0.25),
        course("random+ceal", 1, [0.5, 0.6], 0.1), course("random+ceal", 2, [0.5, 0.6], 0.1),
    ]  # fmt: skip
    found = write_results(played, clouds(), SETTINGS, tmp_path)
    assert list(found["against_plain"]) == ["margin+ceal"]  # random was not played plainly
    difference = found["against_plain"]["margin+ceal"]
    assert difference["accuracy"] == {
        "labels": [100, 200], "mean": [0.0, 0.1], "low95": [0.0, 0.1], "high95": [0.0, 0.1]
    }  # fmt: skip
    assert difference["recall"]["mean"] == [0.0, 0.05] and difference["calibration"]["mean"] == [0.05, 0.05]
    assert difference["area"] == {"mean": 0.05, "low95": 0.05, "high95": 0.05}
    assert found["calibration"]["margin"]["mean"] == [0.15, 0.15]
    assert "margin+ceal</td><td>5.0" in write_report(found, [], tmp_path).read_text()


def test_one_seed_and_no_baseline_are_fine(tmp_path: Path) -> None:
    found = write_results([course("margin", 1, [0.5, 0.7])], clouds(), SETTINGS, tmp_path)
    assert found["curves"]["margin"]["low95"] == [None, None]
    assert (found["against_random"], found["saved"]) == ({}, {})
    assert "margin" in write_report(found, [], tmp_path).read_text()


def test_a_noisy_curve_saves_nothing_against_itself() -> None:
    rng = np.random.default_rng(1)
    labels = range(1000, 4001, 100)

    def noisy() -> dict[int, float]:
        return {at: 0.7 - 50 / at + 0.01 * rng.standard_normal() for at in labels}

    told = []
    for _ in range(100):
        curves, others = ([noisy() for _ in range(5)] for _ in range(2))
        assert saved(others, others) == 0
        told.append(saved(curves, others))
    reached = [share for share in told if share is not None]
    assert abs(np.mean(reached)) < 0.08
    low, high = saved95(curves, others)
    assert (low is None or low < 0) and high > 0


def test_an_interval_knows_how_many_seeds_there_are() -> None:
    for seeds, factor in ((5, 2.776), (11, 2.228), (20, 2.093)):  # Student's t, 97.5%
        values = list(np.linspace(0.4, 0.6, seeds))
        assert mean_and_half(values)[1] == pytest.approx(factor * np.std(values, ddof=1) / seeds**0.5, rel=1e-3)
