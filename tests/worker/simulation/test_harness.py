"""Courses in processes of their own, refused wishes, another folder's settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.worker.simulation.known_studies import clouds
from worker.simulation.course import LINES, Protocol
from worker.simulation.harness import SimulationError, Wishes, simulate

WISHES = Wishes(("margin", "random"), 2, Protocol(initial=30, round=10, budget=50))


def test_processes_find_what_one_finds_and_the_same_command_goes_on(tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    several = simulate(clouds(), WISHES, tmp_path / "two", 2, lambda *words: told.append(words))
    assert [(each.strategy, each.seed) for each in several] == [
        ("margin", 1),
        ("margin", 2),
        ("random", 1),
        ("random", 2),
    ]
    assert told[-1] == ("Rounds", 12, 12)
    written = {file: file.stat().st_mtime_ns for file in tmp_path.glob(f"two/courses/*/{LINES}")}
    assert simulate(clouds(), WISHES, tmp_path / "two", 1, lambda *_: None) == several
    assert written == {file: file.stat().st_mtime_ns for file in written}  # nothing was done again
    one = simulate(clouds(), WISHES, tmp_path / "one", 1, lambda *words: told.append(words))
    assert told[-1] == ("Rounds", 12, 12)
    assert [[line.picks for line in each.lines] for each in one] == [
        [line.picks for line in each.lines] for each in several
    ]


def test_wishes_that_cannot_be_are_named(tmp_path: Path) -> None:
    protocol = WISHES.protocol
    for wishes, words in [
        (replace(WISHES, strategies=("margins",)), "no strategy is called 'margins'; there are random"),
        (replace(WISHES, strategies=("margin+magic",)), "no classifier is called 'magic'; there are plain"),
        (replace(WISHES, strategies=("vaal+ceal",)), "vaal needs crops"),
        (replace(WISHES, seeds=0), "at least one"),
        (
            replace(WISHES, protocol=replace(protocol, first="far")),
            "no first round is called 'far'; there are random, kcenter",
        ),
        (replace(WISHES, protocol=replace(protocol, first="kcenter")), "latent_k_center needs crops"),
        (replace(WISHES, protocol=replace(protocol, initial=60)), "first round of 60 does not fit a budget of 50"),
        (replace(WISHES, protocol=replace(protocol, finetune_every=40)), "a fine-tune needs crops"),
    ]:
        with pytest.raises(SimulationError, match=words):
            simulate(clouds(), wishes, tmp_path, 1, lambda *_: None)


def test_a_folder_of_other_settings_is_refused(tmp_path: Path) -> None:
    one = replace(WISHES, strategies=("random",), seeds=1)
    simulate(clouds(), one, tmp_path, 1, lambda *_: None)
    with pytest.raises(SimulationError, match="holds a simulation with other settings"):
        simulate(clouds(), replace(one, seeds=2), tmp_path, 1, lambda *_: None)


def test_a_course_that_fails_is_named(tmp_path: Path) -> None:
    one = replace(WISHES, strategies=("random",), seeds=1)
    file = tmp_path / "courses/random-1" / LINES
    file.parent.mkdir(parents=True)
    file.write_text('{"number": "nonsense"}\n')
    with pytest.raises(SimulationError, match="random, seed 1: TypeError"):
        simulate(clouds(), one, tmp_path, 1, lambda *_: None)
