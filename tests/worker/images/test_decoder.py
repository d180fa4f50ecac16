"""The pool is real here: its children are new interpreters, and one of them is made to misbehave."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.images import decoder
from worker.images.decode import Quarantined, Refused, decode
from worker.images.decoder import DecoderPool, DecoderUnavailable
from worker.images.thumbnails import thumbnail_and_preview

# A child that obeys the names of its files. It lives in the tests: the shipped program has no such door.
NAUGHTY = """
import os, signal, sys, time
from pathlib import Path
from worker.images import child
real = child.decode
def decode(path, **how):
    if "spin" in path.name:
        while True: pass
    if "crash" in path.name:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "once" in path.name and not Path(path.parent / "seen").exists():
        (path.parent / "seen").touch(); os.abort()
    if "slow" in path.name:
        time.sleep(0.4)
    if "modules" in path.name:
        Path(path.parent / "modules.txt").write_text(chr(10).join(sys.modules))
    return real(path, **how)
child.decode = decode
child.main(int(sys.argv[1]), int(sys.argv[2]))
"""


class NaughtyPool(DecoderPool):
    def command(self) -> list[str]:
        return [sys.executable, "-c", NAUGHTY]


@pytest.fixture
def photos(tmp_path):
    """photos("a", "b"): JPEG files of different sizes by those names, in a folder of their own."""

    def make(*names: str) -> list[Path]:
        folder = tmp_path / "photos"
        folder.mkdir(exist_ok=True)
        random = np.random.default_rng(0)
        paths = []
        for row, name in enumerate(names):
            path = folder / f"{name}.jpg"
            pixels = random.integers(0, 256, (30 + row, 50, 3), dtype=np.uint8)
            exif = Image.Exif()
            exif[0x010F] = name
            Image.fromarray(pixels).save(path, exif=exif)
            paths.append(path)
        return paths

    return make


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def mapped_photos() -> int:
    return Path("/proc/self/maps").read_text().count("memfd:photo")


def test_a_child_gives_the_same_photo_as_a_decode_in_this_process(photos):
    paths = photos("a", "b", "c")
    with DecoderPool(1) as pool:
        for path, result in zip(paths, pool.decode(paths), strict=True):
            alone = decode(path)
            assert np.array_equal(result.pixels, alone.pixels)
            assert (result.thumbnail, result.preview) == thumbnail_and_preview(alone.pixels)
            assert (result.format, result.width, result.height, result.facts) == (
                alone.format,
                alone.width,
                alone.height,
                alone.facts,
            )


def test_results_come_in_the_order_of_the_paths(photos):
    paths = photos("slow 1", "b", "c", "slow 2", "e", "f", "g")
    with NaughtyPool(2) as pool:
        assert [result.path for result in pool.decode(paths, ahead=5)] == paths


def test_the_look_ahead_is_bounded(photos):
    paths = photos(*"abcdefghij")
    taken = []

    def watched():
        for path in paths:
            taken.append(path)
            yield path

    with DecoderPool(2) as pool:
        for done, _ in enumerate(pool.decode(watched(), ahead=3), start=1):
            assert len(taken) <= done + 3
    assert taken == paths


def test_what_is_not_a_photo_comes_back_with_its_reason(tmp_path, photos):
    (good,) = photos("good")
    empty, cut = tmp_path / "empty.jpg", tmp_path / "cut.jpg"
    empty.touch()
    cut.write_bytes(good.read_bytes()[:-100])
    with DecoderPool(1) as pool:
        results = list(pool.decode([empty, cut, tmp_path / "gone.jpg", good]))
    assert [result.verdict for result in results] == ["refuse", "quarantine", "quarantine", "accept"]
    assert results[0].reason == "the file is empty"
    assert "ends too early" in results[1].reason
    assert "No such file" in results[2].reason
    with pytest.raises(ValueError, match="ends too early"):
        _ = results[1].pixels


def test_a_spinning_decoder_is_stopped_and_the_batch_goes_on(photos):
    paths = photos("a", "spin", "c")
    begin = time.monotonic()
    with NaughtyPool(1, timeout_s=1) as pool:
        results = list(pool.decode(paths))
    assert [result.verdict for result in results] == ["accept", "quarantine", "accept"]
    assert results[1].reason == "took longer than 1 s to open"
    assert time.monotonic() - begin < 15


def test_a_photo_that_kills_two_decoders_is_quarantined_and_the_batch_goes_on(photos):
    paths = photos("a", "crash", "c", "d")
    with NaughtyPool(2) as pool:
        results = list(pool.decode(paths))
    assert [result.verdict for result in results] == ["accept", "quarantine", "accept", "accept"]
    assert results[1].reason == "the decoder broke down on it twice (signal 11)"


def test_a_photo_whose_decoder_was_killed_by_somebody_else_is_tried_again(photos):
    paths = photos("a", "once", "c")
    with NaughtyPool(1) as pool:
        assert [result.verdict for result in pool.decode(paths)] == ["accept"] * 3


def test_children_killed_between_photos_cost_nothing(photos):
    paths = photos(*"abcdef")
    with DecoderPool(2) as pool:
        verdicts = []
        for result in pool.decode(paths, ahead=2):
            verdicts.append(result.verdict)
            for child in list(pool._living):
                os.kill(child.pid, signal.SIGKILL)
    # every photo had at most two deaths; those that had two are quarantined, all others accepted, none is missing
    assert len(verdicts) == 6 and set(verdicts) <= {"accept", "quarantine"} and "accept" in verdicts


def test_a_photo_that_needs_more_memory_than_a_child_may_use_is_quarantined(tmp_path, photos):
    (small,) = photos("small")
    large = tmp_path / "large.png"
    Image.new("RGB", (9000, 9000)).save(large, compress_level=1)
    with DecoderPool(1, memory_mb=400) as pool:
        results = list(pool.decode([small, large, small]))
    assert [result.verdict for result in results] == ["accept", "quarantine", "accept"]
    assert results[1].reason == "needs more memory than a decoder may use"


def test_a_child_never_imports_torch(photos):
    (path,) = photos("modules")
    with NaughtyPool(1) as pool:
        (result,) = pool.decode([path])
    assert result.verdict == "accept"
    loaded = {name.partition(".")[0] for name in (path.parent / "modules.txt").read_text().split("\n")}
    assert "numpy" in loaded
    assert not loaded & {"torch", "torchvision", "sqlalchemy", "models", "app"}


def test_children_are_replaced_after_so_many_photos(photos):
    started = []

    class Counting(DecoderPool):
        def command(self) -> list[str]:
            started.append(1)
            return super().command()

    with Counting(1, restart_after=2) as pool:
        assert [result.verdict for result in pool.decode(photos(*"abcde"))] == ["accept"] * 5
    assert len(started) == 3


def test_pixels_are_shared_and_given_back(photos):
    paths = photos(*"abcdefgh")
    files, maps = open_files(), mapped_photos()
    with DecoderPool(2) as pool:
        for result in pool.decode(paths, ahead=2):
            with result:
                assert mapped_photos() > maps
                kept = result.pixels[:1, :1].copy()
            with pytest.raises(ValueError, match="released"):
                _ = result.pixels
            del result, kept
        assert mapped_photos() == maps
    assert open_files() == files


def test_a_view_outlives_its_release(photos):
    with DecoderPool(1) as pool:
        (result,) = pool.decode(photos("a"))
        view = result.pixels
        result.release()
    assert view.sum() == decode(result.path).pixels.sum()
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 0


def test_leaving_early_ends_every_child_and_leaks_nothing(photos):
    paths = photos(*["slow"] * 1, *"bcdefgh")
    files, maps = open_files(), mapped_photos()
    with NaughtyPool(2) as pool:
        iterator = pool.decode(paths)
        next(iterator).release()
        pids = [child.pid for child in pool._living]
    iterator.close()
    assert pids and not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert (open_files(), mapped_photos()) == (files, maps)


def test_an_abandoned_round_does_not_disturb_the_next(photos):
    paths = photos(*"abcdef")
    with DecoderPool(2) as pool:
        for result in pool.decode(paths):
            result.release()
            break
        assert [result.path for result in pool.decode(paths[::-1])] == paths[::-1]


def test_a_program_that_does_not_start_is_an_error_and_not_a_bad_photo(photos):
    class Hopeless(DecoderPool):
        def command(self) -> list[str]:
            return [sys.executable, "-c", "raise SystemExit(3)"]

    with Hopeless(1) as pool, pytest.raises(DecoderUnavailable, match="exit 3"):
        list(pool.decode(photos("a")))


SCRIPT = """
import json, signal, sys, time
from pathlib import Path
from worker.images.decoder import DecoderPool
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell started us with Ctrl-C ignored
with DecoderPool(2) as pool:
    for result in pool.decode([Path(p) for p in sys.argv[1:]]):
        print(json.dumps([child.pid for child in pool._living]), flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_kill_leave_no_child_behind_and_no_guard_is_needed(ending, photos):
    """SCRIPT has no __main__ guard: the caller is any program."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *map(str, photos(*"abc"))],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=decoder.SOURCE_ROOT,
    )
    assert process.stdout is not None
    with process.stdout:
        pids = json.loads(process.stdout.readline())
        process.send_signal(ending)
        process.wait(timeout=20)
    deadline = time.monotonic() + 10
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pids and not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # gone, or going
        return False


@pytest.mark.photos
def test_the_pool_survives_all_bad_files_and_agrees_with_the_decoder(bad_files):
    paths = sorted(path for path in bad_files.iterdir() if path.name != "expected.csv")
    with DecoderPool(2) as pool:
        for result in pool.decode(paths, ahead=4):
            with result:
                try:
                    alone = decode(result.path)
                except Refused as refused:
                    assert (result.verdict, result.reason) == ("refuse", refused.reason)
                except Quarantined as quarantined:
                    assert (result.verdict, result.reason) == ("quarantine", quarantined.reason)
                else:
                    assert result.verdict == "accept", (result.path, result.reason)
                    assert np.array_equal(result.pixels, alone.pixels), result.path
