"""Which device computes, what it is called on the worker page, whether bf16 is fast on it, and how much fits at once.

Decisions: photos go through the networks in lanes, threads that each take a batch from its pixels to its vectors. On a CPU a
lane is one core: threads of one product wait for each other, lanes never do, and where one photo has many animals the others
go on. On a GPU the second lane resizes and cuts while the first one's batch is computed. Lanes and decoders yield to
everything else, so that a person's answer is learnt from while photos come in.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

GIB = 2**30
DETECTOR_BYTES_A_PHOTO = GIB // 4  # activations of the starter detector at 384 x 704 in float32, rounded up
EMBEDDER_BYTES_A_CROP = GIB // 16  # the starter embedder at 256 x 256, rounded up
# Measured on 2 shared cores: past these nothing is gained on a CPU, and one shard would wait long for its first photo.
CPU_PHOTOS, CPU_CROPS = 2, 32
GPU_PHOTOS, GPU_CROPS = 64, 1024
MOST_LANES = 8  # each holds the pixels of a batch
GPU_LANES = 2
NICENESS = 5


@dataclass(frozen=True)
class Device:
    """One place to compute.

    photos, crops: how many go through the starter networks in one forward pass. lanes: batches on their way at once, each with
    lane_threads threads.
    """

    torch_name: str
    line: str
    fast_bf16: bool
    photos: int
    crops: int
    lanes: int = 1
    lane_threads: int = 1

    @property
    def torch_device(self) -> torch.device:
        return torch.device(self.torch_name)

    @property
    def is_gpu(self) -> bool:
        return self.torch_device.type != "cpu"

    def teaches_in_bf16(self, network: nn.Module) -> bool:
        """Whether a training step of this network is faster in bf16: always on a GPU that is fast in it.

        On a processor not where a convolution is in groups: backwards it is done by slow general code (EfficientNet-Lite0:
        three times float32's time, docs/lab-log.md).
        """
        grouped = any(getattr(part, "groups", 1) > 1 for part in network.modules())  # nn.Conv2d, and our FrozenConv
        return self.fast_bf16 and (self.is_gpu or not grouped)

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
    cores = usable_cores()
    lanes = min(cores, MOST_LANES)
    line = f"CPU, {cores} core{'' if cores == 1 else 's'}"
    return Device("cpu", line, cpu_has_fast_bf16(), CPU_PHOTOS, CPU_CROPS, lanes, cores // lanes)


def _gpu(name: str) -> Device:
    properties = torch.cuda.get_device_properties(name)
    free_bytes, _ = torch.cuda.mem_get_info(name)
    share = free_bytes // 2 // GPU_LANES  # for the detector or the embedder of one lane
    return Device(
        torch_name=name,
        line=f"GPU {properties.name}, {properties.total_memory / GIB:.0f} GiB",
        fast_bf16=properties.major >= 8,  # Ampere and later multiply bf16 in hardware
        photos=max(1, min(GPU_PHOTOS, share // DETECTOR_BYTES_A_PHOTO)),
        crops=max(1, min(GPU_CROPS, share // EMBEDDER_BYTES_A_CROP)),
        lanes=GPU_LANES,
    )


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def enter_lane(threads: int) -> None:
    """At the start of a thread that is a lane: compute with so many threads, and yield to everything else."""
    others = torch.get_num_threads()
    torch.set_num_threads(threads)
    # torch keeps one number for each thread that computes already, and one for those yet to come: set that one back
    reset = threading.Thread(target=torch.set_num_threads, args=(others,))
    reset.start()
    reset.join()
    yield_to_others()


def yield_to_others() -> None:
    """Let this thread wait where others of this machine want the core. Only Linux knows threads here."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def cpu_has_fast_bf16() -> bool:
    """Does this processor multiply bf16 itself (avx512_bf16 or amx)? Without that, bf16 is slower than float32.

    WATERHOLE_BF16=0 or =1 overrules what the processor says.
    """
    forced = os.environ.get("WATERHOLE_BF16")
    if forced in ("0", "1"):
        return forced == "1"
    capabilities = torch.cpu.get_capabilities()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "bf16"))
