"""Fetching published weights from a server on this machine: what arrives is the pinned file or nothing at all."""

from __future__ import annotations

import errno
import hashlib
import io
import pickle
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from worker.networks import fetching
from worker.networks.fetching import fetch, published
from worker.networks.offers import PUBLISHED, Published
from worker.networks.weights import WeightsError

TENSORS = {"fc.weight": torch.arange(600_000, dtype=torch.float32), "fc.bias": torch.ones(3)}


def saved(content: Any) -> bytes:
    target = io.BytesIO()
    torch.save(content, target)
    return target.getvalue()


GOOD = saved(TENSORS)


class Shop(BaseHTTPRequestHandler):
    """/good.pth gives the file, /short.pth breaks off, /long.pth goes on, /other.pth is changed; all else is 404."""

    def do_GET(self) -> None:
        other = GOOD[:-1] + bytes([GOOD[-1] ^ 1])
        given = {"/good.pth": GOOD, "/short.pth": GOOD[:-1000], "/long.pth": GOOD + b"more", "/other.pth": other}
        content = given.get(self.path)
        self.send_response(200 if content else 404)
        self.send_header("Content-Length", str(max(len(GOOD), len(content or b""))))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def offer(url: str, content: bytes = GOOD) -> Published:
    sha256 = hashlib.sha256(content).hexdigest()
    return replace(PUBLISHED["resnet50"], url=url, sha256=sha256, size_bytes=len(content))


def silent(_done: int, _total: int) -> None:
    pass


def test_the_file_arrives_whole_and_says_how_far_it_is(shop: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    tensors = fetch(offer(f"{shop}/good.pth"), tmp_path, lambda done, total: seen.append((done, total)))
    assert tensors.keys() == TENSORS.keys() and torch.equal(tensors["fc.weight"], TENSORS["fc.weight"])
    assert len(seen) > 2 and seen == sorted(seen) and seen[-1] == (len(GOOD), len(GOOD))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("short.pth", "broke off after"),
        ("long.pth", "larger than the"),
        ("other.pth", "has sha256 .* not used"),
        ("missing.pth", "the server answers 404"),
    ],
)
def test_anything_but_the_pinned_file_is_refused_and_leaves_nothing(
    shop: str, tmp_path: Path, file: str, said: str
) -> None:
    with pytest.raises(WeightsError, match=said):
        fetch(offer(f"{shop}/{file}"), tmp_path, silent)
    assert list(tmp_path.iterdir()) == []


def test_without_a_network_the_error_says_how_to_carry_the_file_over(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"cannot be fetched: .*fetch-weights resnet50 --from resnet50-1.pth"):
        fetch(offer("http://127.0.0.1:9/resnet50-1.pth"), tmp_path, silent)


def test_a_server_that_falls_silent_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SILENCE_S", 0.2)
    with ThreadingHTTPServer(("127.0.0.1", 0), Shop) as deaf, pytest.raises(WeightsError, match="was silent"):
        fetch(offer(f"http://127.0.0.1:{deaf.server_port}/good.pth"), tmp_path, silent)  # it listens and never answers


def test_a_disk_without_room_is_said_before_anything_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no room in"):
        fetch(replace(offer("http://127.0.0.1:9/x.pth"), size_bytes=1 << 60), tmp_path, silent)


def test_a_disk_that_fills_up_on_the_way_is_said_as_such(
    shop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _chunk: Any) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetching.tempfile, "TemporaryFile", lambda **_place: Full())
    with pytest.raises(WeightsError, match="cannot be written: No space left"):
        fetch(offer(f"{shop}/good.pth"), tmp_path, silent)


def test_a_file_carried_over_by_hand_is_checked_the_same(tmp_path: Path) -> None:
    wanted, carried = offer("http://127.0.0.1:9/x.pth"), tmp_path / "on a stick.pth"
    carried.write_bytes(GOOD)
    assert fetch(wanted, tmp_path / "weights", silent, carried=carried).keys() == TENSORS.keys()
    carried.write_bytes(GOOD[:-7])
    with pytest.raises(WeightsError, match=r"on a stick\.pth broke off"):
        fetch(wanted, tmp_path / "weights", silent, carried=carried)
    with pytest.raises(WeightsError, match="cannot be read: No such file"):
        fetch(wanted, tmp_path / "weights", silent, carried=tmp_path / "lost.pth")


class Evil:
    """What a pickle can do."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return print, ("ran code of a stranger",)


@pytest.mark.parametrize(
    "content", [saved({"a": Evil()}), saved([torch.ones(1)]), pickle.dumps({"a": 1}, 2), b"nothing"]
)
def test_even_a_pinned_file_gives_nothing_but_tensors(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    carried = tmp_path / "x.pth"
    carried.write_bytes(content)
    with pytest.raises(WeightsError, match="resnet50"):
        fetch(offer("http://127.0.0.1:9/x.pth", content), tmp_path, silent, carried=carried)
    assert "stranger" not in capsys.readouterr().out


def test_the_pins_begin_with_the_digits_in_the_publishers_file_names() -> None:
    for each in PUBLISHED.values():
        assert each.url.startswith("https://") and len(each.sha256) == 64
        assert each.file.removesuffix(".pth").rsplit("-", 1)[1] == each.sha256[:8]
        assert each.licence and published(each.name) is each


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WeightsError, match="known are fasterrcnn_resnet50_fpn_v2, resnet50"):
        published("yolo")
