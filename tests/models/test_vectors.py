"""Vectors and predictions on disk: what was written is read back, and damage is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.predictions import Predictions, write_part
from models.storage import Store
from models.vectors import DamagedFile, read_vectors, write_vectors


def some_vectors(rows: int) -> np.ndarray:
    return np.random.default_rng(3).normal(size=(rows, 256)).astype(np.float32)


@pytest.mark.parametrize("rows", [0, 1, 33])
def test_vectors_come_back_as_they_were_written(store: Store, rows: int) -> None:
    path = store.vectors(1, "a.vectors")
    write_vectors(store, path, some_vectors(rows))
    assert np.array_equal(read_vectors(path, check=True), some_vectors(rows))


def test_a_cut_vectors_file_is_named(store: Store) -> None:
    path = store.vectors(1, "a.vectors")
    write_vectors(store, path, some_vectors(5))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DamagedFile, match=r"a\.vectors"):
        read_vectors(path)


def test_a_flipped_bit_is_found_by_the_deep_check_only(store: Store) -> None:
    path = store.vectors(1, "a.vectors")
    write_vectors(store, path, some_vectors(5))
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    read_vectors(path)
    with pytest.raises(DamagedFile, match="changed"):
        read_vectors(path, check=True)


@pytest.mark.parametrize(
    "content", [b"", b"{}\n", b"[1]\n", b"\xff\xd8\xff", b'{"magic": "other", "rows": 0, "dim": 0}\n']
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.vectors"
    path.write_bytes(content)
    with pytest.raises(DamagedFile):
        read_vectors(path)


def test_predictions_of_later_photos_are_found_in_their_own_part(store: Store) -> None:
    folder = store.predictions("job")
    write_part(store, folder, "main", np.array([7, 3], np.int64), np.array([[0.25, 0.75], [1, 0]]), [11, 12])
    write_part(store, folder, "later", np.array([9], np.int64), np.array([[0.5, 0.5]]), [11, 12])
    said = Predictions(folder)
    assert said.top(7) == [(12, 0.75), (11, 0.25)]
    assert said.top(3, 1) == [(11, 1.0)]
    assert said.top(9) == [(11, 0.5), (12, 0.5)]  # a tie goes to the earlier class
    assert said.top(8) == []
    assert said.firsts([3, 8, 9]) == {3: (11, 1.0), 9: (11, 0.5)}


def test_no_folder_means_no_predictions(store: Store) -> None:
    assert Predictions(store.predictions("never")).top(1) == []
