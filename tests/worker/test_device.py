"""The device line and the bf16 switch."""

import pytest
import torch

from worker.device import cpu_has_fast_bf16, find_device


def test_the_cpu_says_how_many_threads_it_uses() -> None:
    device = find_device("cpu")
    assert device.line.startswith(f"CPU, {torch.get_num_threads()} thread")
    assert device.photos >= 1
    assert device.crops >= 1


def test_a_gpu_that_is_not_there_is_an_error_when_asked_for_by_name() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RuntimeError, match="no GPU"):
        find_device("cuda")


@pytest.mark.parametrize(("forced", "fast"), [("0", False), ("1", True)])
def test_the_environment_overrules_the_processor(monkeypatch: pytest.MonkeyPatch, forced: str, fast: bool) -> None:
    monkeypatch.setenv("WATERHOLE_BF16", forced)
    assert cpu_has_fast_bf16() is fast
