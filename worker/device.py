"""Which device computes, what it is called on the worker page, whether bf16 is fast on it, and how much fits at once."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import torch
from torch import Tensor

GIB = 2**30
DETECTOR_BYTES_A_PHOTO = GIB // 4  # activations of the starter detector at 384 x 704 in float32, rounded up
EMBEDDER_BYTES_A_CROP = GIB // 16  # the starter embedder at 256 x 256, rounded up
# Measured on 2 shared cores: past these nothing is gained on a CPU, and one shard would wait long for its first photo.
CPU_PHOTOS, CPU_CROPS = 4, 32
GPU_PHOTOS, GPU_CROPS = 64, 1024


@dataclass(frozen=True)
class Device:
    """One place to compute. photos, crops: how many go through the starter networks in one forward pass."""

    torch_name: str
    line: str
    fast_bf16: bool
    photos: int
    crops: int

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.torch_name)

    @property
    def is_gpu(self) -> bool:
        return self.torch_device.type != "cpu"

    def for_weight(self, weight: int) -> Device:
        """The same for a network whose photos take `weight` times the starter's memory."""
        return replace(self, photos=max(1, self.photos // weight))

    def put(self, pixels: Tensor) -> Tensor:
        """On the device; on a GPU by way of pinned memory, so that the copy goes on beside what is computed there."""
        return pixels.pin_memory().to(self.torch_device, non_blocking=True) if self.is_gpu else pixels


def find_device(wanted: str = "auto") -> Device:
    """The GPU if there is one, else the CPU. wanted: auto, cpu, cuda or cuda:<number>.

    Raises RuntimeError if a GPU is asked for by name and there is none.
    """
    if wanted == "cpu" or (wanted == "auto" and not torch.cuda.is_available()):
        return _cpu()
    if not torch.cuda.is_available():
        raise RuntimeError(f"device {wanted!r} was asked for and this machine shows no GPU")
    return _gpu("cuda:0" if wanted in ("auto", "cuda") else wanted)


def _cpu() -> Device:
    threads = torch.get_num_threads()
    line = f"CPU, {threads} thread{'' if threads == 1 else 's'}"
    return Device("cpu", line, cpu_has_fast_bf16(), CPU_PHOTOS, CPU_CROPS)


def _gpu(name: str) -> Device:
    properties = torch.cuda.get_device_properties(name)
    free_bytes, _ = torch.cuda.mem_get_info(name)
    return Device(
        torch_name=name,
        line=f"GPU {properties.name}, {properties.total_memory / GIB:.0f} GiB",
        fast_bf16=properties.major >= 8,  # Ampere and later multiply bf16 in hardware
        photos=max(1, min(GPU_PHOTOS, free_bytes // 2 // DETECTOR_BYTES_A_PHOTO)),
        crops=max(1, min(GPU_CROPS, free_bytes // 2 // EMBEDDER_BYTES_A_CROP)),
    )


def cpu_has_fast_bf16() -> bool:
    """Does this processor multiply bf16 itself (avx512_bf16 or amx)? Without that, bf16 is slower than float32.

    WATERHOLE_BF16=0 or =1 overrules what the processor says.
    """
    forced = os.environ.get("WATERHOLE_BF16")
    if forced in ("0", "1"):
        return forced == "1"
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))
