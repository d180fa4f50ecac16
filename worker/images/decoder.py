"""A pool of decoder processes: what strangers' photos can break is a child, never the worker (RELIABILITY rule 13,
H18).

    with DecoderPool(2) as pool:
        for result in pool.decode(paths, ahead=4):
            with result:
                if result.verdict == "accept":
                    boxes = detect(result.pixels)

Decisions. Children are new interpreters (subprocess, never fork, no `__main__` guard needed in the caller), live long,
and are replaced after `restart_after` photos, a crash, or a photo that takes longer than `timeout_s`. One thread per
child waits for it, so children work on while the caller computes. Pixels come through anonymous shared memory that
child and parent map; nothing is pickled, and the memory has no name that could be left behind. A photo whose decoder
died is tried once more in a fresh child (the child may have been killed by somebody else); the second death quarantines
the photo.
"""

import json
import mmap
import os
import queue
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np

from worker.images.child import READY, SIZES
from worker.images.decode import Kind, Pixels
from worker.images.exif import CameraFacts

START_TIMEOUT_S = 60.0
ATTEMPTS = 2
SOURCE_ROOT = Path(__file__).resolve().parents[2]

Verdict = Literal["accept", "refuse", "quarantine"]


class DecoderUnavailable(RuntimeError):
    """A decoder process does not start at all: the installation is broken, not a photo."""


class ChildDied(Exception):
    """The decoder process ended before its answer. returncode: as subprocess gives it, -11 for a segmentation fault."""

    def __init__(self, returncode: int | None) -> None:
        super().__init__(returncode)
        self.returncode = returncode


@dataclass
class Decoded:
    """What became of one path. Use as a context manager, or call release(): it gives the shared memory back.

    verdict: accept, refuse or quarantine; reason: plain English, empty for accept. width, height: px, upright; 0 unless
    accepted. format: JPEG or PNG. thumbnail, preview: JPEG bytes (320 and 1600 px). pixels: (h, w, 3) uint8 RGB,
    read-only view of shared memory; an array taken from it stays valid after release() and keeps the memory alive until
    it goes.
    """

    path: Path
    verdict: Verdict
    reason: str = ""
    format: Kind | None = None
    width: int = 0
    height: int = 0
    facts: CameraFacts = field(default_factory=CameraFacts)
    thumbnail: bytes = b""
    preview: bytes = b""
    shared: Pixels | None = field(default=None, repr=False)

    @property
    def pixels(self) -> Pixels:
        """The upright RGB pixels. Raises ValueError where there are none: not accepted, or released."""
        if self.shared is None:
            raise ValueError(f"no pixels: {self.reason or 'already released'}")
        return self.shared

    def release(self) -> None:
        self.shared = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class DecoderPool:
    """`processes` decoder children. A context manager; close() kills them. Used by one thread at a time.

    timeout_s: seconds for one photo. memory_mb: address space of one child (RLIMIT_AS); 3072 fits a 100-megapixel photo
    of any kind. restart_after: photos until a child is replaced, against slow leaks.
    """

    def __init__(
        self, processes: int, *, timeout_s: float = 30.0, memory_mb: int = 3072, restart_after: int = 2000
    ) -> None:
        self.processes = processes
        self._timeout_s = timeout_s
        self._memory_mb = memory_mb
        self._restart_after = restart_after
        self._closed = False
        self._idle: queue.SimpleQueue[Child | None] = queue.SimpleQueue()
        self._living: set[Child] = set()
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="decoder")
        for _ in range(processes):
            self._idle.put(None)  # started when first needed

    def decode(self, paths: Iterable[Path], *, ahead: int = 4) -> Iterator[Decoded]:
        """Yield one Decoded per path, in the order of paths; never raises for a photo.

        ahead: photos being decoded or waiting for the caller beside the one yielded last; memory stays below
        (ahead + 1) * 3 bytes a pixel. Raises DecoderUnavailable where no child starts.
        """
        remaining = iter(paths)
        waiting: deque[Future[Decoded]] = deque()
        try:
            for path in islice(remaining, max(1, ahead)):
                waiting.append(self._threads.submit(self._decode_one, path))
            while waiting:
                result = waiting.popleft().result()
                for path in islice(remaining, 1):
                    waiting.append(self._threads.submit(self._decode_one, path))
                yield result
        finally:
            for future in waiting:
                future.cancel()

    def close(self) -> None:
        """Kill the children and wait for their threads. Safe to call twice; a photo in work becomes no result."""
        self._closed = True
        for child in list(self._living):
            child.kill()
        self._threads.shutdown(wait=True, cancel_futures=True)
        for child in list(self._living):
            self._end(child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def command(self) -> list[str]:
        """The program of a child; its socket's number and its memory limit are appended."""
        return [sys.executable, "-m", "worker.images.child"]

    def _decode_one(self, path: Path) -> Decoded:
        for attempt in range(1, ATTEMPTS + 1):
            child = self._idle.get()
            try:
                if child is None:
                    child = self._start()
                result = child.decode(path, self._timeout_s)
            except TimeoutError:
                self._end(child)
                child = None
                return Decoded(path, "quarantine", f"took longer than {self._timeout_s:g} s to open")
            except ChildDied as death:
                self._end(child)
                child = None
                if attempt == ATTEMPTS or self._closed:
                    return Decoded(path, "quarantine", f"the decoder broke down on it twice ({_cause(death)})")
            except Exception:  # an answer that makes no sense: a child that we cannot trust again
                self._end(child)
                child = None
                raise
            else:
                child = self._rested(child)
                return result
            finally:
                self._idle.put(child)
        raise AssertionError("unreachable")

    def _start(self) -> "Child":
        if self._closed:
            raise DecoderUnavailable("the pool is closed")
        child = Child(self.command(), self._memory_mb)
        self._living.add(child)
        if self._closed:  # close() came while it started
            child.kill()
        return child

    def _rested(self, child: "Child") -> "Child | None":
        if child.answered < self._restart_after:
            return child
        self._end(child)
        return None

    def _end(self, child: "Child | None") -> None:
        if child is not None:
            child.end()
            self._living.discard(child)


class Child:
    """One decoder process and our end of its socket."""

    def __init__(self, command: list[str], memory_mb: int) -> None:
        self.answered = 0
        self._socket, theirs = socket.socketpair()
        environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(filter(None, [str(SOURCE_ROOT), os.environ.get("PYTHONPATH")])),
            "OPENBLAS_NUM_THREADS": "1",  # each thread of NumPy's algebra would reserve address space
            "OMP_NUM_THREADS": "1",
        }
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(memory_mb)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                env=environment,
            )
        self._wait_until_ready()

    @property
    def pid(self) -> int:
        return self._process.pid

    def decode(self, path: Path, timeout_s: float) -> Decoded:
        """Ask for one photo. Raises TimeoutError after timeout_s, ChildDied where the process ended."""
        deadline = time.monotonic() + timeout_s
        descriptors: list[int] = []
        try:
            self._socket.settimeout(timeout_s)
            self._socket.sendall(json.dumps({"path": str(path)}).encode() + b"\n")
            header, descriptors = self._header(deadline)
            described, small, large = (self._exactly(length, deadline) for length in SIZES.unpack(header))
            self.answered += 1
            return _decoded(path, json.loads(described), small, large, descriptors)
        except TimeoutError:
            raise
        except OSError as error:  # broken pipe, connection reset
            raise ChildDied(self._process.poll()) from error
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """Kill the process, wait for it and close our socket."""
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _wait_until_ready(self) -> None:
        try:
            said = self._exactly(len(READY), time.monotonic() + START_TIMEOUT_S)
        except (ChildDied, OSError) as error:
            self.end()
            raise DecoderUnavailable(f"a decoder process does not start (exit {self._process.returncode})") from error
        if said != READY:
            self.end()
            raise DecoderUnavailable("a decoder process does not speak our protocol")

    def _header(self, deadline: float) -> tuple[bytes, list[int]]:
        """SIZES and the descriptor that travels with its first byte."""
        self._socket.settimeout(_left(deadline))
        start, descriptors, _, _ = socket.recv_fds(self._socket, SIZES.size, 1)
        if not start:
            raise ChildDied(self._process.wait())
        return start + self._exactly(SIZES.size - len(start), deadline), list(descriptors)

    def _exactly(self, length: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            self._socket.settimeout(_left(deadline))
            part = self._socket.recv(min(length - len(parts), 1 << 20))
            if not part:
                raise ChildDied(self._process.wait())
            parts += part
        return bytes(parts)


def _left(deadline: float) -> float:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s


def _decoded(path: Path, said: dict[str, Any], small: bytes, large: bytes, descriptors: list[int]) -> Decoded:
    if said["verdict"] != "accept":
        return Decoded(path, said["verdict"], said["reason"])
    width, height = said["width"], said["height"]
    memory = mmap.mmap(descriptors[0], width * height * 3, access=mmap.ACCESS_READ)
    pixels = np.frombuffer(memory, np.uint8).reshape(height, width, 3)
    return Decoded(path, "accept", "", said["format"], width, height, _facts(said["facts"]), small, large, pixels)


def _facts(said: dict[str, Any]) -> CameraFacts:
    moment = said["captured_at"]
    return CameraFacts(**said | {"captured_at": moment and datetime.fromisoformat(moment)})


def _cause(death: ChildDied) -> str:
    code = death.returncode or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"
