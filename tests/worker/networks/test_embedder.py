"""The starter embedder: length 1, the same twice, and weights that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worker.device import find_device
from worker.networks.embedder import CROP_PX, DIM, Crops, EmbeddingNetwork, LiteEmbedder, card_of, load_embedder, stack
from worker.networks.weights import STARTER_DIR, WeightsError, write_weights


@pytest.fixture(scope="module")
def starter() -> LiteEmbedder:
    return load_embedder("starter", find_device("cpu"))


@pytest.fixture(scope="module")
def crops() -> Crops:
    return np.random.default_rng(5).integers(0, 256, (5, CROP_PX, CROP_PX, 3), dtype=np.uint8)


def test_vectors_have_length_one_and_are_the_same_twice(starter: LiteEmbedder, crops: Crops) -> None:
    vectors = starter.embed(crops)
    assert vectors.shape == (5, DIM) == (5, starter.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors, starter.embed(crops))


def test_a_crop_has_the_same_vector_in_any_company(starter: LiteEmbedder, crops: Crops) -> None:
    together, alone = starter.embed(crops), starter.embed(crops[2:3])
    assert float(together[2] @ alone[0]) > 0.999


def test_no_crops_give_no_vectors(starter: LiteEmbedder) -> None:
    assert starter.embed(stack([])).shape == (0, DIM)


def test_crops_of_another_kind_are_refused(starter: LiteEmbedder) -> None:
    with pytest.raises(ValueError, match="uint8"):
        starter.embed(np.zeros((2, 3, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        starter.embed(np.zeros((2, 8, 8, 3), np.float32))  # type: ignore[arg-type]


def test_a_mirrored_crop_is_nearer_than_another_picture(starter: LiteEmbedder) -> None:
    y, x = np.mgrid[0:CROP_PX, 0:CROP_PX]
    rings = (127 + 120 * np.sin(np.hypot(x - 90, y - 120) / 6)).astype(np.uint8)[..., None].repeat(3, 2)
    stripes = (127 + 120 * np.sign(np.sin(x / 9))).astype(np.uint8)[..., None].repeat(3, 2)
    first, mirrored, other = starter.embed(stack([rings, rings[:, ::-1], stripes]))
    assert first @ mirrored > first @ other


def test_the_starter_is_small_enough_to_ship() -> None:
    assert (STARTER_DIR / "embedder.safetensors").stat().st_size <= 10_000_000


def test_weights_that_are_missing_foreign_or_misshapen_are_weights_errors(tmp_path: Path) -> None:
    device, path = find_device("cpu"), tmp_path / "x.safetensors"
    with pytest.raises(WeightsError, match="no weights file"):
        load_embedder(path, device)
    with pytest.raises(WeightsError, match="wanted 'embedder'"):
        load_embedder(STARTER_DIR / "detector.safetensors", device)
    write_weights(path, {"project.weight": torch.zeros(1)}, card_of("x"))
    with pytest.raises(WeightsError, match="does not fit"):
        load_embedder(path, device)
    write_weights(path, EmbeddingNetwork().state_dict(), card_of("x") | {"architecture": "resnet50"})
    with pytest.raises(WeightsError, match="architecture 'resnet50'"):
        load_embedder(path, device)
