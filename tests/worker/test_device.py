"""The device line, the bf16 switch, and what a lane is."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch
from torch import nn

from worker.device import MOST_LANES, NICENESS, Device, cpu_has_fast_bf16, enter_lane, find_device, usable_cores
from worker.networks.backbone import EfficientNetLite0


def test_the_cpu_says_how_many_cores_it_uses() -> None:
    device = find_device("cpu")
    assert device.line.startswith(f"CPU, {usable_cores()} core")
    assert device.photos >= 1
    assert device.crops >= 1


@pytest.mark.parametrize(("cores", "lanes", "threads"), [(1, 1, 1), (2, 2, 1), (8, 8, 1), (64, 8, 8)])
def test_lanes_use_every_core_once(monkeypatch: pytest.MonkeyPatch, cores: int, lanes: int, threads: int) -> None:
    monkeypatch.setattr("worker.device.usable_cores", lambda: cores)
    device = find_device("cpu")
    assert (device.lanes, device.lane_threads) == (lanes, threads) and lanes <= MOST_LANES


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads are Linux's")
def test_a_lane_yields_and_leaves_the_threads_of_others_alone() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        with ThreadPoolExecutor(1, initializer=enter_lane, initargs=(1,)) as lane:
            own = lane.submit(
                lambda: (torch.get_num_threads(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
            )
            assert own.result() == (1, NICENESS)
        with ThreadPoolExecutor(1) as later:
            assert later.submit(torch.get_num_threads).result() == 3
        assert torch.get_num_threads() == 3
        assert os.getpriority(os.PRIO_PROCESS, 0) < NICENESS
    finally:
        torch.set_num_threads(before)


def test_pixels_stay_where_they_are_on_a_cpu() -> None:
    pixels = torch.zeros(3)
    assert find_device("cpu").put(pixels) is pixels


def test_a_gpu_that_is_not_there_is_an_error_when_asked_for_by_name() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RuntimeError, match="no GPU"):
        find_device("cuda")


@pytest.mark.parametrize(("forced", "fast"), [("0", False), ("1", True)])
def test_the_environment_overrules_the_processor(monkeypatch: pytest.MonkeyPatch, forced: str, fast: bool) -> None:
    monkeypatch.setenv("WATERHOLE_BF16", forced)
    assert cpu_has_fast_bf16() is fast


@pytest.mark.parametrize(("name", "groups", "taught"), [("cpu", 1, True), ("cpu", 4, False), ("cuda", 4, True)])
def test_grouped_convolutions_are_taught_in_float32_on_a_processor(name: str, groups: int, taught: bool) -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 3, groups=groups))
    device = Device(name, name, fast_bf16=True, photos=1, crops=1)
    assert device.teaches_in_bf16(network) is taught
    assert not replace(device, fast_bf16=False).teaches_in_bf16(network)
    ours = EfficientNetLite0()  # its convolutions are no nn.Conv2d
    assert device.teaches_in_bf16(ours) is (name == "cuda")
