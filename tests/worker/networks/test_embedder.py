"""The starter embedder: length 1, the same twice, and weights that do not fit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from worker.device import find_device
from worker.networks.embedder import CROP_PX, CropEmbedder, Crops, card_of, load_embedder, shrunk, stack
from worker.networks.embedding import DIM, Lite0Embedding, ResNet50Embedding
from worker.networks.weights import STARTER_DIR, WeightsError, write_weights


@pytest.fixture(scope="module")
def starter() -> CropEmbedder:
    return load_embedder("starter", find_device("cpu"))


@pytest.fixture(scope="module")
def crops() -> Crops:
    return np.random.default_rng(5).integers(0, 256, (5, CROP_PX, CROP_PX, 3), dtype=np.uint8)


def test_vectors_have_length_one_and_are_the_same_twice(starter: CropEmbedder, crops: Crops) -> None:
    vectors = starter.embed(crops)
    assert vectors.shape == (5, DIM) == (5, starter.dim)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors, starter.embed(crops))


def test_a_crop_has_the_same_vector_in_any_company(starter: CropEmbedder, crops: Crops) -> None:
    together, alone = starter.embed(crops), starter.embed(crops[2:3])
    assert float(together[2] @ alone[0]) > 0.999


def test_no_crops_give_no_vectors(starter: CropEmbedder) -> None:
    assert starter.embed(stack([])).shape == (0, DIM)


def test_crops_of_another_kind_are_refused(starter: CropEmbedder) -> None:
    with pytest.raises(ValueError, match="uint8"):
        starter.embed(np.zeros((2, 3, 8, 8), np.uint8))
    with pytest.raises(ValueError, match="uint8"):
        starter.embed(np.zeros((2, 8, 8, 3), np.float32))  # type: ignore[arg-type]


def test_a_mirrored_crop_is_nearer_than_another_picture(starter: CropEmbedder) -> None:
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
    write_weights(path, Lite0Embedding().state_dict(), card_of("x") | {"architecture": "resnet18"})
    with pytest.raises(WeightsError, match="architecture 'resnet18'"):
        load_embedder(path, device)
    write_weights(path, Lite0Embedding().state_dict(), card_of("x", crop_px=8))
    with pytest.raises(WeightsError, match="crops of 8 px"):
        load_embedder(path, device)


def test_the_card_says_to_which_side_crops_are_shrunk(crops: Crops, tmp_path: Path) -> None:
    path, device = tmp_path / "small", find_device("cpu")
    write_weights(path, Lite0Embedding().state_dict(), card_of("small", crop_px=64))
    small = load_embedder(path, device)
    assert small.preprocess(crops).shape == (5, 3, 64, 64)
    assert small.preprocess(crops[:, :40, :40]).shape == (5, 3, 40, 40)  # never enlarged
    assert small.embed(crops[:2]).shape == (2, DIM)


def test_shrinking_averages_what_a_pixel_covers() -> None:
    checkers = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)[None, ..., None].repeat(3, 3)
    small = shrunk(torch.from_numpy(checkers), 64)[0, 2:-2, 2:-2]  # skipping pixels would give black or white
    assert float((small - 127.5).abs().max()) < 2


def test_stages_in_two_halves_give_what_the_network_gives() -> None:
    for network in (Lite0Embedding().eval(), ResNet50Embedding().eval()):
        x = network.normalised(torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8))
        with torch.inference_mode():
            halves = network.head(network.features(network.features(x, last=5), first=5))
            torch.testing.assert_close(halves, network(x))
            torch.testing.assert_close(network.pooled(x), network.features(x).mean(dim=(2, 3)))


def test_a_resnet50_is_told_by_its_card(tmp_path: Path, crops: Crops) -> None:
    path = tmp_path / "resnet50.safetensors"
    write_weights(path, ResNet50Embedding().state_dict(), card_of("mine", ResNet50Embedding.architecture, 64))
    embedder = load_embedder(path, find_device("cpu"))
    vectors = embedder.embed(crops[:2])
    assert isinstance(embedder.network, ResNet50Embedding)
    assert (embedder.name, embedder.dim, vectors.shape) == ("mine", DIM, (2, DIM))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_training_never_moves_the_batch_norm_of_a_resnet50() -> None:
    network = ResNet50Embedding().train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items() if ".bn" in name}
    network(torch.randn(4, 3, 32, 32)).sum().backward()
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items() if name in before)
    assert not any(weight.requires_grad for name, weight in network.named_parameters() if ".bn" in name)
