"""The embedder: crops in, 256-d vectors of length 1 out. The starter is EfficientNet-Lite0 with a linear head.

Decisions: 256 numbers a crop, so that a million crops are 1 GB and the strategies stay quick (Norouzzadeh et al. 2019
sec. 3.2); crops are 256 x 256, bilinear, aspect ratio not kept (sec. 3.1); vectors are L2-normalised, so that Euclidean
distance and cosine rank alike; the head of the starter is a projection that was fitted, not trained, and fine-tuning
moves trunk and head together.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from worker.device import Device
from worker.networks.backbone import MEAN, POOLED_DIM, STD, EfficientNetLite0
from worker.networks.weights import STARTER_DIR, WeightsError, fill, read_weights

CROP_PX = 256
DIM = 256
KIND = "embedder"
ARCHITECTURE = "linear256-efficientnet-lite0"

Crops = NDArray[np.uint8]  # (n, 256, 256, 3) RGB
Vectors = NDArray[np.float32]  # (n, 256), rows of length 1


class Embedder(Protocol):
    """What the ingest and fine-tune jobs ask of any embedder."""

    @property
    def name(self) -> str: ...

    @property
    def dim(self) -> int: ...

    def preprocess(self, crops: Crops) -> Tensor:
        """crops: (n, 256, 256, 3) uint8 RGB -> what the network takes."""
        ...

    def embed(self, crops: Crops) -> Vectors:
        """crops: (n, 256, 256, 3) uint8 RGB -> (n, dim) float32, rows of length 1. No crops give (0, dim)."""
        ...


class EmbeddingNetwork(nn.Module):
    """The trunk, the mean over all places, and a linear head to DIM numbers; rows come out with length 1."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = EfficientNetLite0()
        self.project = nn.Linear(POOLED_DIM, DIM)

    def forward(self, x: Tensor) -> Tensor:
        """x: (n, 3, h, w), normalised by MEAN and STD -> (n, 256) float32."""
        pooled = self.trunk.pooled(x).float()
        with torch.autocast(x.device.type, enabled=False):  # bf16 here would cost neighbours and save nothing
            return F.normalize(self.project(pooled), dim=1)


def load_embedder(source: str | Path, device: Device) -> "LiteEmbedder":
    """`starter` is the shipped file; a path is another checkpoint of the same architecture (a fine-tuned one).

    Raises WeightsError if the file is missing, damaged, or not an embedder of this architecture.
    """
    path = STARTER_DIR / "embedder.safetensors" if source == "starter" else Path(source)
    tensors, card = read_weights(path, KIND)
    if card.get("architecture") != ARCHITECTURE:
        raise WeightsError(f"{path.name} has architecture {card.get('architecture')!r}, wanted {ARCHITECTURE!r}")
    network = EmbeddingNetwork()
    fill(network, tensors, path.name)
    return LiteEmbedder(str(card.get("name", path.stem)), network, device)


def card_of(name: str) -> dict[str, Any]:
    """What load_embedder() must find in the header of a checkpoint."""
    return {"kind": KIND, "name": name, "architecture": ARCHITECTURE, "dim": DIM, "crop_px": CROP_PX}


class LiteEmbedder:
    """The starter's architecture with some weights. Not safe for two threads at once."""

    dim = DIM

    def __init__(self, name: str, network: EmbeddingNetwork, device: Device) -> None:
        self.name = name
        self.device = device
        self.network = network.eval().to(device.torch_device).to(memory_format=torch.channels_last)

    def preprocess(self, crops: Crops) -> Tensor:
        """(n, 256, 256, 3) uint8 -> (n, 3, 256, 256) float32 on the device, normalised, channels last."""
        pixels = torch.from_numpy(np.require(crops, requirements=("C", "W"))).to(self.device.torch_device)
        return normalised(pixels)

    @torch.inference_mode()
    def embed(self, crops: Crops) -> Vectors:
        """Any number of crops, in forward passes of device.crops."""
        if crops.ndim != 4 or crops.shape[3] != 3 or crops.dtype != np.uint8:
            raise ValueError(f"crops must be (n, {CROP_PX}, {CROP_PX}, 3) uint8, not {crops.shape} {crops.dtype}")
        vectors = np.empty((len(crops), DIM), np.float32)
        for start in range(0, len(crops), self.device.crops):
            chunk = self.preprocess(crops[start : start + self.device.crops])
            with torch.autocast(self.device.torch_device.type, torch.bfloat16, enabled=self.device.fast_bf16):
                vectors[start : start + len(chunk)] = self.network(chunk).float().cpu().numpy()
        return vectors


def normalised(pixels: Tensor) -> Tensor:
    """(n, h, w, 3) uint8 -> (n, 3, h, w) float32 as the trunk wants it; the memory stays channels last."""
    return ((pixels.float() / 255 - MEAN) / STD).permute(0, 3, 1, 2)


def stack(crops: Sequence[NDArray[np.uint8]]) -> Crops:
    """A list of (256, 256, 3) crops -> (n, 256, 256, 3); an empty list too."""
    return np.stack(crops) if len(crops) else np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)
