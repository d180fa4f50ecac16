"""The store: durable before it is visible, by content and never by name, nothing half-written, room left for answers."""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from models import storage
from models.errors import NoSpace, TooLarge
from models.storage import NotAPhoto, Store, file_chunks
from models.strangers import not_a_photo

ROOT = Path(__file__).resolve().parent.parent.parent
JPEG = b"\xff\xd8\xff\xe0" + b"pixels" * 100
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100


def files(store: Store) -> list[str]:
    return sorted(path.relative_to(store.root).as_posix() for path in store.root.rglob("*") if path.is_file())


def test_a_photo_lies_under_its_hash_byte_for_byte(store: Store) -> None:
    for content in (JPEG, PNG):
        received = store.receive([content[:5], content[5:]])
        assert received.sha256 == hashlib.sha256(content).hexdigest()
        assert received.size == len(content)
        assert store.original(received.sha256).read_bytes() == content


def test_the_same_photo_twice_lies_there_once(store: Store) -> None:
    assert store.receive([JPEG]) == store.receive([JPEG])
    assert len(files(store)) == 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\xff", "neither a JPEG nor a PNG"),
        (b"\xff\xd8", "neither a JPEG nor a PNG"),
        (b"GIF89a" + b"x" * 100, "a GIF picture"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "a WebP picture"),
        (b"RIFF\x10\x00\x00\x00AVI LIST" + b"x" * 100, "an AVI video"),
        (b"\x00\x00\x00\x20ftypisom" + b"x" * 100, "an MP4 or MOV video"),
        (b"\x00\x00\x00\x18ftypheic" + b"x" * 100, "a HEIC picture, as phones take"),
        (b"<svg onload=alert(1)>", "a web page or an SVG"),
        (b"xx" + JPEG, "neither a JPEG nor a PNG"),
        (b"\x89PNG\r\n\x1a" + b"x" * 100, "neither a JPEG nor a PNG"),
    ],
)
def test_what_is_no_photo_is_refused_by_its_first_bytes_and_leaves_nothing(
    store: Store, content: bytes, reason: str
) -> None:
    for chunks in ([content], [content[start : start + 1] for start in range(len(content))]):
        with pytest.raises(NotAPhoto, match=reason):
            store.receive(chunks)
    assert files(store) == []


def test_a_stranger_is_refused_before_the_rest_of_it_is_read(store: Store) -> None:
    def endless() -> object:
        yield b"RIFF\x00\x00\x00\x00AVI LIST"
        raise AssertionError("read on after the first bytes had said it all")

    with pytest.raises(NotAPhoto):
        store.receive(endless())  # type: ignore[arg-type]


def test_three_bytes_of_a_jpeg_are_a_jpeg_by_content() -> None:
    assert not_a_photo(b"\xff\xd8\xff") == ""


def test_a_file_over_the_limit_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", max_photo_bytes=1000)
    with pytest.raises(TooLarge):
        store.receive([JPEG, b"x" * 1000])
    assert files(store) == []


def test_below_the_floor_nothing_is_taken_in(tmp_path: Path) -> None:
    store = Store(tmp_path / "store", free_floor_bytes=1 << 60)
    with pytest.raises(NoSpace, match="The disk is nearly full"):
        store.receive([JPEG])
    with pytest.raises(NoSpace):
        Store(tmp_path / "store").check_space(1 << 60)
    assert files(store) == []


def test_bytes_that_break_off_leave_nothing(store: Store) -> None:
    def broken() -> object:
        yield JPEG
        raise ConnectionError

    with pytest.raises(ConnectionError):
        store.receive(broken())  # type: ignore[arg-type]
    assert files(store) == []


def test_a_file_is_synced_before_it_is_renamed_and_its_folder_after(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        done.append("sync " + ("folder" if Path(f"/proc/self/fd/{handle}").is_dir() else "file"))
        real_sync(handle)

    def replace(self: Path, target: Path) -> Path:
        done.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(storage.os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    store.receive([JPEG])
    assert done[:3] == ["sync file", "rename", "sync folder"]
    done.clear()
    store.write(store.root / "checkpoints" / "a", b"weights")
    assert done[:3] == ["sync file", "rename", "sync folder"]


def test_a_disk_that_fills_up_while_writing_says_no_space_and_leaves_nothing(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\nfrom pathlib import Path\n"
        "from models.errors import NoSpace\nfrom models.storage import Store\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "store = Store(Path(sys.argv[1]))\n"
        "for chunks in ([b'\\xff\\xd8\\xff', b'x' * (2 << 20)], [b'\\xff\\xd8\\xff'] + [b'x' * 1000] * 2000):\n"
        "    try:\n        store.receive(chunks)\n"
        "    except NoSpace as error:\n        print(error)\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.count("could not be written") == 2
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1 << 20


def test_what_a_killed_process_left_half_written_goes_after_a_day_and_nothing_younger(store: Store) -> None:
    old, young = store.root / "staging" / "old", store.root / "staging" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    kept = store.original(store.receive([JPEG]).sha256)
    os.utime(kept, (0, 0))
    assert store.sweep_staging() == 1
    assert young.exists()
    assert kept.exists()


def test_a_local_file_comes_in_pieces_that_add_up(store: Store, tmp_path: Path) -> None:
    content = JPEG + os.urandom(storage.CHUNK * 2 + 17)
    (tmp_path / "photo").write_bytes(content)
    assert [len(chunk) for chunk in file_chunks(tmp_path / "photo")][:2] == [storage.CHUNK, storage.CHUNK]
    assert store.receive(file_chunks(tmp_path / "photo")).sha256 == hashlib.sha256(content).hexdigest()
