"""The program of one decoder process: reads paths from a socket, answers verdicts, pictures and shared pixels.

Started by decoder.DecoderPool as `python -m worker.images.child FD MEMORY_MB`. It never imports torch, so that its
memory limit can be small and a broken photo can end it without loss. Ends when the other side closes the socket.

Protocol, both ways over one Unix stream socket. Request: one JSON line {"path": ...}. Answer: SIZES (lengths of what
follows), with the file descriptor of the pixels as ancillary data when the photo was accepted, then JSON, thumbnail
JPEG, preview JPEG. The descriptor is anonymous memory of height * width * 3 bytes: it has no name, so it cannot leak,
whoever dies first.
"""

import json
import mmap
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from worker.images.decode import Photo, Pixels, Quarantined, Refused, decode
from worker.images.thumbnails import thumbnail_and_preview

SIZES = struct.Struct("<III")
READY = b"ready\n"
NICENESS = 5
"""Decoding yields to people: to the web server, and to the job that learns from their answers (worker/device.py)."""


class SharedPixels:
    """Anonymous memory for one photo, made at the size that its header asks for."""

    def __init__(self) -> None:
        self.descriptor: int | None = None

    def allocate(self, shape: tuple[int, int, int]) -> Pixels:
        """(h, w, 3) uint8 zeros over the shared memory. Raises MemoryError where the limit does not allow it."""
        self.descriptor = _anonymous_file()
        length = int(np.prod(shape))
        try:
            os.ftruncate(self.descriptor, length)
            return np.frombuffer(mmap.mmap(self.descriptor, length), np.uint8).reshape(shape)
        except OSError as error:
            raise MemoryError from error

    def close(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


def main(descriptor: int, memory_mb: int) -> None:
    """Answer requests until the socket closes."""
    _limit(memory_mb)
    os.nice(NICENESS)
    with socket.socket(fileno=descriptor) as connection, connection.makefile("rb") as requests:
        connection.sendall(READY)
        for line in requests:
            _answer(connection, Path(json.loads(line)["path"]))


def _limit(memory_mb: int) -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole terminal group; the pool decides when we end
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(ValueError, OSError):  # the machine's own limit is lower already, or it has none to set (macOS)
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))


def _answer(connection: socket.socket, path: Path) -> None:
    shared = SharedPixels()
    with ExitStack() as ending:
        ending.callback(shared.close)
        facts, small, large = _look_at(path, shared)
        parts = [json.dumps(facts).encode(), small, large]
        given = [shared.descriptor] if facts["verdict"] == "accept" and shared.descriptor is not None else []
        socket.send_fds(connection, [SIZES.pack(*map(len, parts))], given)
        connection.sendall(b"".join(parts))


def _look_at(path: Path, shared: SharedPixels) -> tuple[dict[str, Any], bytes, bytes]:
    try:
        photo = decode(path, allocate=shared.allocate)
        small, large = thumbnail_and_preview(photo.pixels)
    except Refused as refused:
        return {"verdict": "refuse", "reason": refused.reason}, b"", b""
    except Quarantined as quarantined:
        return {"verdict": "quarantine", "reason": quarantined.reason}, b"", b""
    except MemoryError:
        return {"verdict": "quarantine", "reason": "needs more memory than a decoder may use"}, b"", b""
    except OSError as error:
        reason = f"could not be read from the disk ({error.strerror or error})"
        return {"verdict": "quarantine", "reason": reason}, b"", b""
    return _described(photo), small, large


def _described(photo: Photo) -> dict[str, Any]:
    moment = photo.facts.captured_at
    facts = asdict(photo.facts) | {"captured_at": moment and moment.isoformat()}
    size = {"format": photo.format, "width": photo.width, "height": photo.height}
    return {"verdict": "accept", **size, "facts": facts}


def _anonymous_file() -> int:
    if sys.platform == "linux":
        return os.memfd_create("photo", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
