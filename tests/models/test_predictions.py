"""Many boxes asked at once get what each would get alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.predictions import Part, Predictions, write_part
from models.storage import Store


@given(
    parts=st.lists(st.lists(st.integers(1, 40), unique=True, max_size=12), max_size=4),
    asked=st.lists(st.integers(1, 45), max_size=30),
    seed=st.integers(0, 2**16),
)
def test_asking_for_many_boxes_at_once_is_asking_for_each(
    tmp_path_factory: object, parts: list[list[int]], asked: list[int], seed: int
) -> None:
    folder = tmp_path_factory.mktemp("store")  # type: ignore[attr-defined]
    store = Store(Path(folder))
    random = np.random.default_rng(seed)
    said = Predictions(store.predictions(1))
    for number, ids in enumerate(parts):
        probabilities = random.integers(0, 3, (len(ids), 4)) / 4  # many ties
        path = write_part(
            store, store.predictions(1), f"part-{number}", np.array(ids, np.int64), probabilities, [7, 3, 9, 5]
        )
        said.parts.append(Part(path))
    alone = {box_id: first[0] for box_id in asked if (first := said.top(box_id, 1))}
    assert said.firsts(asked) == alone


def test_many_small_parts_keep_no_file_open(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for number in range(100):
        write_part(store, store.predictions(1), f"part-{number:03}", np.array([number], np.int64), np.eye(1), [7])
    said = Predictions(store.predictions(1))
    assert said.top(99) == [(7, 1.0)]
    assert len(list(Path("/proc/self/fd").iterdir())) < before + 10


def test_a_large_part_is_mapped_and_says_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    path = write_part(store, store.predictions(1), "part", np.array([3, 9], np.int64), np.eye(2), [7, 8])
    small = Part(path)
    monkeypatch.setattr("models.predictions.MAPPED_FROM", 1)
    large = Part(path)
    assert np.array_equal(small.box_ids, large.box_ids)
    assert np.array_equal(small.probabilities, large.probabilities)
