"""The embedder: crops in, 256-d vectors of length 1 out. The starter is EfficientNet-Lite0, `resnet50` the paper's.

Decisions: 256 numbers a crop, so that a million crops are 1 GB and the strategies stay quick (Norouzzadeh et al. 2019
sec. 3.2); crops are 256 x 256, bilinear, aspect ratio not kept (sec. 3.1), and shrunk further where the card says so;
vectors are L2-normalised, so that Euclidean distance and cosine rank alike; the head is a projection that was fitted,
not trained, until fine-tuning moves trunk and head together.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from worker.device import Device
from worker.networks.embedding import ARCHITECTURES, DIM, EmbeddingNetwork, Lite0Embedding, blank_network
from worker.networks.weights import STARTER_DIR, WeightsError, fill, read_weights

CROP_PX = 256
KIND = "embedder"

Crops = NDArray[np.uint8]  # (n, 256, 256, 3) RGB
Vectors = NDArray[np.float32]  # (n, 256), rows of length 1


class Embedder(Protocol):
    """What the ingest job asks of any embedder."""

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


def load_embedder(source: str | Path, device: Device) -> "CropEmbedder":
    """`starter` is the shipped file; a path is any other checkpoint; its card says which architecture it is.

    Raises WeightsError if the file is missing, damaged, or not an embedder of an architecture that is known here.
    """
    path = STARTER_DIR / "embedder.safetensors" if source == "starter" else Path(source)
    tensors, card = read_weights(path, KIND)
    architecture, crop_px = card.get("architecture"), card.get("crop_px", CROP_PX)
    if architecture not in ARCHITECTURES:
        raise WeightsError(f"{path.name} has architecture {architecture!r}, wanted {' or '.join(ARCHITECTURES)}")
    if not isinstance(crop_px, int) or not 32 <= crop_px <= CROP_PX:
        raise WeightsError(f"{path.name} wants crops of {crop_px!r} px, possible are 32 to {CROP_PX}")
    network = blank_network(architecture)
    fill(network, tensors, path.name)
    return CropEmbedder(str(card.get("name", path.stem)), network, device, crop_px)


def card_of(name: str, architecture: str = Lite0Embedding.architecture, crop_px: int = CROP_PX) -> dict[str, Any]:
    """What load_embedder() must find in the header of a checkpoint."""
    return {"kind": KIND, "name": name, "architecture": architecture, "dim": DIM, "crop_px": crop_px}


class CropEmbedder:
    """An architecture with some weights on a device. Several threads may use it at once."""

    dim = DIM

    def __init__(self, name: str, network: EmbeddingNetwork, device: Device, crop_px: int = CROP_PX) -> None:
        self.name = name
        self.device = device
        self.crop_px = crop_px
        self.network = network.eval().to(device.torch_device).to(memory_format=torch.channels_last)

    def preprocess(self, crops: Crops) -> Tensor:
        """(n, h, w, 3) uint8 -> (n, 3, crop_px, crop_px) float32 on the device, normalised, channels last.

        Larger crops are shrunk, each target pixel a weighted mean of what it covers; smaller ones stay as they are.
        """
        pixels = torch.from_numpy(np.require(crops, requirements=("C", "W"))).to(self.device.torch_device)
        return self.network.normalised(shrunk(pixels, self.crop_px))

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


def shrunk(pixels: Tensor, side_px: int) -> Tensor:
    """(n, h, w, 3) uint8 -> (n, side, side, 3) float32, 0..255; what is no larger than side x side stays."""
    if max(pixels.shape[1:3]) <= side_px:
        return pixels
    channels_first = pixels.permute(0, 3, 1, 2).float()
    small = F.interpolate(channels_first, (side_px, side_px), mode="bilinear", antialias=True, align_corners=False)
    return small.permute(0, 2, 3, 1)


def stack(crops: Sequence[NDArray[np.uint8]]) -> Crops:
    """A list of (256, 256, 3) crops -> (n, 256, 256, 3); an empty list too."""
    return np.stack(crops) if len(crops) else np.empty((0, CROP_PX, CROP_PX, 3), np.uint8)
