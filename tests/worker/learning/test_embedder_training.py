"""Fitting the starter embedder's head."""

from pathlib import Path

import numpy as np
import pytest

from worker.device import find_device
from worker.learning.embedder_training import fit_projection, train_embedder
from worker.networks.embedder import CROP_PX, load_embedder


def test_without_whitening_the_projection_is_plain_pca() -> None:
    rng = np.random.default_rng(0)
    pooled = (rng.normal(size=(300, 20)) @ rng.normal(size=(20, 20)) + 3).astype(np.float32)
    weight, bias = fit_projection(pooled, dim=5, whitening=0.0)
    projected = pooled @ weight.T + bias
    covariance = np.cov((pooled - pooled.mean(0)).T)
    largest = np.sort(np.linalg.eigvalsh(covariance))[::-1][:5]
    found = projected.var(axis=0, ddof=1)
    np.testing.assert_allclose(found / found.sum(), largest / largest.sum(), rtol=1e-3)
    assert np.linalg.norm(projected, axis=1).mean() == pytest.approx(1, rel=1e-3)


def test_full_whitening_makes_every_direction_equally_long() -> None:
    pooled = (np.random.default_rng(1).normal(size=(400, 12)) * np.arange(1, 13)).astype(np.float32)
    weight, bias = fit_projection(pooled, dim=6, whitening=1.0)
    spread = (pooled @ weight.T + bias).std(axis=0)
    np.testing.assert_allclose(spread, spread[0], rtol=1e-3)


def test_too_few_crops_are_refused() -> None:
    with pytest.raises(ValueError, match="give at least 257"):
        fit_projection(np.zeros((256, 1280), np.float32))


def test_a_fitted_embedder_loads_and_embeds(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    small = rng.integers(0, 256, (260, 32, 32, 3), dtype=np.uint8)  # the trunk takes any size; 32 px keeps this quick
    done: list[tuple[int, int]] = []
    train_embedder(small, tmp_path / "e", find_device("cpu"), lambda n, of: done.append((n, of)), name="mine")
    embedder = load_embedder(tmp_path / "e", find_device("cpu"))
    vectors = embedder.embed(rng.integers(0, 256, (2, CROP_PX, CROP_PX, 3), dtype=np.uint8))
    assert embedder.name == "mine"
    assert done[-1] == (260, 260)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
