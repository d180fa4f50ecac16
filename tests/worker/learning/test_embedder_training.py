"""Fitting the starter embedder's head."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import resnet50

from worker.device import find_device
from worker.learning.embedder_training import fit_projection, resnet50_checkpoint, train_embedder
from worker.networks.embedder import CROP_PX, load_embedder
from worker.networks.embedding import ResNet50Embedding
from worker.networks.weights import WeightsError, sha256_of


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


def test_torchvisions_resnet50_becomes_a_checkpoint_with_a_fitted_or_a_turned_head(tmp_path: Path) -> None:
    published = resnet50(weights=None).state_dict()
    published["bn1.num_batches_tracked"] += 10**9  # as in the published file: too large for fp16
    device, small = find_device("cpu"), np.random.default_rng(3).integers(0, 256, (257, 16, 16, 3), dtype=np.uint8)
    sha256 = resnet50_checkpoint(published, tmp_path / "a", device)
    assert sha256 == sha256_of(tmp_path / "a") == resnet50_checkpoint(published, tmp_path / "b", device)
    turned = load_embedder(tmp_path / "a", device)
    assert isinstance(turned.network, ResNet50Embedding)
    weight = turned.network.project.weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(256), atol=2e-3, rtol=0)
    torch.testing.assert_close(turned.network.trunk.conv1.weight, published["conv1.weight"].half().float())
    resnet50_checkpoint(published, tmp_path / "fitted", device, small, name="paper")
    fitted = load_embedder(tmp_path / "fitted", device)
    assert fitted.name == "paper"
    mean = [np.linalg.norm(each.embed(small[:30]).mean(axis=0)) for each in (fitted, turned)]
    assert mean[0] < mean[1]  # the fitted head has taken off what all crops share
    with pytest.raises(WeightsError, match="does not fit"):
        resnet50_checkpoint({"conv1.weight": published["conv1.weight"]}, tmp_path / "c", device)
