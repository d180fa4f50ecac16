"""Which weights a project may be given, read from headers alone."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from models.checkpoint import DETECTOR, EMBEDDER
from models.errors import Invalid
from models.offered import card_of, choose, offers, place_of
from models.project import Project
from tests.weights_files import weights_file

STARTERS = Path(__file__).resolve().parents[2] / "worker" / "networks" / "starter"


def test_the_shipped_one_comes_first_and_only_checkpoints_of_the_kind_follow(tmp_path: Path) -> None:
    weights_file(tmp_path, "resnet50", "embedder", about="wants a GPU")
    weights_file(tmp_path, "large", "detector")
    weights_file(tmp_path, "another", "detector")
    (tmp_path / "cut.safetensors").write_bytes(b"\x10\0\0")
    (tmp_path / "notes.txt").write_text("x")
    assert [offer.source for offer in offers(tmp_path, DETECTOR)] == ["starter", "another", "large"]
    assert [(offer.source, offer.about) for offer in offers(tmp_path, EMBEDDER)][1:] == [("resnet50", "wants a GPU")]
    assert [offer.source for offer in offers(tmp_path / "not there", DETECTOR)] == ["starter"]


def test_the_card_of_a_real_checkpoint_is_read_without_its_tensors() -> None:
    assert card_of(STARTERS / "detector.safetensors")["classes"] == ["animal"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\x02", struct.pack("<Q", 2) + b"{}", struct.pack("<Q", 1 << 62) + b"{}", struct.pack("<Q", 4) + b"null",
        struct.pack("<Q", 30) + b'{"__metadata__":{"card":"[]"}} ', struct.pack("<Q", 3) + b"\xff\xfe\xfd",
        struct.pack("<Q", 60_000) + b"[" * 60_000,
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(Invalid, match=r"x\.safetensors is not a safetensors file with a card of ours"):
        card_of(tmp_path / "x.safetensors")


def test_a_page_chooses_by_name_and_a_command_line_by_path_too(tmp_path: Path) -> None:
    project, elsewhere = Project(name="P"), weights_file(tmp_path / "elsewhere", "mine", "detector")
    weights_file(tmp_path / "weights", "large", "detector")
    choose(project, tmp_path / "weights", DETECTOR, "large")
    assert project.detector == "large"
    assert place_of(tmp_path / "weights", "large") == tmp_path / "weights" / "large.safetensors"
    with pytest.raises(Invalid, match=r"detector: .* is not among the weights"):
        choose(project, tmp_path / "weights", DETECTOR, str(elsewhere))
    choose(project, tmp_path / "weights", DETECTOR, str(elsewhere), by_path=True)
    assert project.detector == str(elsewhere) and place_of(tmp_path / "weights", project.detector) == elsewhere


@pytest.mark.parametrize("source", ["../elsewhere/mine", ".mine", "/etc/passwd", "a\0b", "", "..", "mine"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, source: str) -> None:
    weights_file(tmp_path / "elsewhere", "mine", "detector")
    with pytest.raises(Invalid, match="is not among the weights"):
        choose(Project(name="P"), tmp_path / "weights", DETECTOR, source)
    assert place_of(tmp_path / "weights", source) == Path(source)


def test_a_path_must_hold_weights_of_the_kind(tmp_path: Path) -> None:
    path = weights_file(tmp_path, "mine", "embedder")
    with pytest.raises(Invalid, match="holds weights of kind 'embedder'"):
        choose(Project(name="P"), tmp_path / "weights", DETECTOR, str(path), by_path=True)
    with pytest.raises(Invalid, match="is not a file"):
        choose(Project(name="P"), tmp_path / "weights", DETECTOR, str(tmp_path / "lost"), by_path=True)


def test_networks_are_chosen_before_the_first_photo(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="P has one already"):
        choose(Project(name="P", embedder_id=7), tmp_path, EMBEDDER, "starter")
