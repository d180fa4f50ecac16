"""Make an embedder from published ImageNet weights: the trunk as it is, and a head that keeps what tells crops apart.

Decisions: no labels and no gradient, a partial whitening of the pooled numbers to 256 (PCA, each direction divided
by its deviation to the power WHITENING): it takes minutes on a laptop and 5-NN loses nothing. Where no pictures are
given the head is a random rotation, which keeps distances nearly as they were (Johnson & Lindenstrauss 1984).
Fine-tuning on labels is another file. Jégou & Chum 2012 (PCA and whitening of image vectors).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from worker.device import Device
from worker.networks.backbone import from_imagenet
from worker.networks.embedder import Crops, card_of
from worker.networks.embedding import DIM, EmbeddingNetwork, Lite0Embedding, ResNet50Embedding, blank_network
from worker.networks.weights import fill, imagenet_tensors, write_weights

WHITENING = 0.25  # 0 keeps the lengths of PCA, 1 makes all directions equally long; measured in starter/CARD.md
ROTATION_SEED = 0
Pooled = NDArray[np.float32]  # (n, 1280) or (n, 2048)
Report = Callable[[int, int], None]  # crops done, crops in all


def train_embedder(
    crops: Crops, out: Path, device: Device, report: Report | None = None, name: str = "embedder"
) -> str:
    """Fit the starter's head on these crops, (n, 256, 256, 3) uint8, and write a checkpoint; returns its sha256.

    Raises ValueError with fewer crops than the head has directions.
    """
    network = Lite0Embedding()
    network.trunk = from_imagenet(imagenet_tensors())
    fit_head(network, crops, device, report)
    return write_weights(out, network.state_dict(), card_of(name) | {"fitted_on_crops": len(crops)})


def resnet50_checkpoint(
    published: Mapping[str, Tensor],
    out: Path,
    device: Device,
    crops: Crops | None = None,
    report: Report | None = None,
    name: str = "resnet50",
    origin: Mapping[str, Any] | None = None,
) -> str:
    """torchvision's ResNet-50 state dict as a checkpoint of ours, written to `out`; returns its sha256.

    crops: pictures to fit the head on, more than 256; without them it is a random rotation of 2048 numbers to 256, the
    same every time. origin: what else the card shall say. Raises WeightsError where a tensor is missing or misshapen.
    """
    network = blank_network(ResNet50Embedding.architecture)
    assert isinstance(network, ResNet50Embedding)
    trunk = {
        # how many batches a batch norm has seen: means nothing here, and is too large a number for fp16
        key: torch.zeros_like(tensor) if key.endswith("num_batches_tracked") else tensor
        for key, tensor in published.items()
        if not key.startswith("fc.")
    }
    fill(network.trunk, trunk, "torchvision's ResNet-50")
    if crops is None:
        turn_head(network)
    else:
        fit_head(network, crops, device, report)
    card = card_of(name, ResNet50Embedding.architecture) | {"fitted_on_crops": 0 if crops is None else len(crops)}
    return write_weights(out, network.state_dict(), card | dict(origin or {}))


@torch.no_grad()
def fit_head(network: EmbeddingNetwork, crops: Crops, device: Device, report: Report | None = None) -> None:
    """Set the head by what these crops look like to the trunk."""
    weight, bias = fit_projection(pooled_features(network, crops, device, report))
    network.project.weight.copy_(torch.from_numpy(weight))
    network.project.bias.copy_(torch.from_numpy(bias))


@torch.no_grad()
def turn_head(network: EmbeddingNetwork) -> None:
    """Set the head to 256 random directions, each of length 1 and at right angles to the others."""
    noise = np.random.default_rng(ROTATION_SEED).normal(size=(network.project.in_features, DIM))
    directions, triangle = np.linalg.qr(noise)
    directions = directions * np.sign(np.diag(triangle))  # qr leaves the sign open
    network.project.weight.copy_(torch.from_numpy(directions.T.astype(np.float32)))
    network.project.bias.zero_()


@torch.inference_mode()
def pooled_features(network: EmbeddingNetwork, crops: Crops, device: Device, report: Report | None = None) -> Pooled:
    """crops: (n, 256, 256, 3) uint8 -> (n, 1280 or 2048) float32, the trunk's numbers before the head."""
    network = network.eval().to(device.torch_device).to(memory_format=torch.channels_last)
    pooled = np.empty((len(crops), network.project.in_features), np.float32)
    for start in range(0, len(crops), device.crops):
        chunk = np.require(crops[start : start + device.crops], requirements=("C", "W"))
        pixels = torch.from_numpy(chunk).to(device.torch_device)
        with torch.autocast(device.torch_device.type, torch.bfloat16, enabled=device.fast_bf16):
            pooled[start : start + len(pixels)] = network.pooled(network.normalised(pixels)).float().cpu().numpy()
        if report is not None:
            report(start + len(pixels), len(crops))
    return pooled


def fit_projection(pooled: Pooled, dim: int = DIM, whitening: float = WHITENING) -> tuple[Pooled, NDArray[np.float32]]:
    """(n, d) -> weight (dim, d) and bias (dim,) of the head: project(x) = weight @ x + bias.

    The head is scaled so that the fitted vectors have a mean length of 1: fp16 on disk keeps its precision.
    """
    if len(pooled) <= dim:
        raise ValueError(f"{len(pooled)} crops cannot fit {dim} directions; give at least {dim + 1}")
    centre = pooled.mean(axis=0, dtype=np.float64)
    _, deviations, directions = np.linalg.svd(pooled - centre, full_matrices=False)
    spread = np.maximum(deviations[:dim] / np.sqrt(len(pooled)), 1e-6)
    weight = directions[:dim] / (spread**whitening)[:, None]
    projected = (pooled - centre) @ weight.T
    weight /= np.linalg.norm(projected, axis=1).mean()
    return weight.astype(np.float32), (-weight @ centre).astype(np.float32)
