"""Fit the starter embedder: the trunk as ImageNet left it, and a head that keeps what tells crops apart.

Decisions: no labels and no gradient, a partial whitening of the 1280 pooled numbers to 256 (PCA, each direction divided
by its deviation to the power WHITENING): it takes minutes on a laptop and 5-NN loses nothing. Fine-tuning on labels
is another file. Jégou & Chum 2012 (PCA and whitening of image vectors).
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from worker.device import Device
from worker.networks.backbone import POOLED_DIM, from_imagenet
from worker.networks.embedder import DIM, Crops, EmbeddingNetwork, card_of, normalised
from worker.networks.weights import imagenet_tensors, write_weights

WHITENING = 0.25  # 0 keeps the lengths of PCA, 1 makes all directions equally long; measured in starter/CARD.md
Pooled = NDArray[np.float32]  # (n, 1280)


def train_embedder(
    crops: Crops,
    out: Path,
    device: Device,
    report: Callable[[int, int], None] | None = None,
    name: str = "embedder",
) -> str:
    """Fit the head on these crops, (n, 256, 256, 3) uint8, and write a checkpoint to `out`; returns its sha256.

    report: called with (crops done, crops in all). Raises ValueError with fewer crops than the head has directions.
    """
    network = EmbeddingNetwork()
    network.trunk = from_imagenet(imagenet_tensors())
    weight, bias = fit_projection(pooled_features(network, crops, device, report))
    with torch.no_grad():
        network.project.weight.copy_(torch.from_numpy(weight))
        network.project.bias.copy_(torch.from_numpy(bias))
    return write_weights(out, network.state_dict(), card_of(name) | {"fitted_on_crops": len(crops)})


@torch.inference_mode()
def pooled_features(
    network: EmbeddingNetwork, crops: Crops, device: Device, report: Callable[[int, int], None] | None = None
) -> Pooled:
    """crops: (n, 256, 256, 3) uint8 -> (n, 1280) float32, the trunk's numbers before the head."""
    network = network.eval().to(device.torch_device).to(memory_format=torch.channels_last)
    pooled = np.empty((len(crops), POOLED_DIM), np.float32)
    for start in range(0, len(crops), device.crops):
        chunk = np.require(crops[start : start + device.crops], requirements=("C", "W"))
        pixels = torch.from_numpy(chunk).to(device.torch_device)
        with torch.autocast(device.torch_device.type, torch.bfloat16, enabled=device.fast_bf16):
            pooled[start : start + len(pixels)] = network.trunk.pooled(normalised(pixels)).float().cpu().numpy()
        if report is not None:
            report(start + len(pixels), len(crops))
    return pooled


def fit_projection(pooled: Pooled, dim: int = DIM, whitening: float = WHITENING) -> tuple[Pooled, NDArray[np.float32]]:
    """(n, 1280) -> weight (dim, 1280) and bias (dim,) of the head: project(x) = weight @ x + bias.

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
