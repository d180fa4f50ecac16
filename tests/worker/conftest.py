"""Real worker processes with fake networks, for tests that kill them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Workers:
    """Starts workers through tests/worker/dying_worker.py, whose imports are paid once."""

    def __init__(self) -> None:
        self._program = subprocess.Popen(
            [sys.executable, "-m", "tests.worker.dying_worker"], cwd=ROOT, text=True, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        self._living: set[int] = set()

    def start(self, home: Path, url: str, **order: Any) -> int:
        """A worker's process id."""
        pid = int(self._ask({"home": str(home), "url": url, "log": str(home / "worker.log"), **order})["pid"])
        self._living.add(pid)
        return pid

    def wait(self, pid: int, timeout_s: float = 60.0) -> int:
        """Its exit status, negative for a signal."""
        deadline = time.monotonic() + timeout_s
        while (status := self._ask({"wait": pid})["status"]) is None:
            assert time.monotonic() < deadline, f"worker {pid} lives on"
            time.sleep(0.02)
        self._living.discard(pid)
        return int(status)

    def kill(self, pid: int, number: int = signal.SIGKILL) -> int:
        """End it, and how it ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        return self.wait(pid)

    def kill_all(self) -> None:
        """Nothing outlives a test."""
        for pid in list(self._living):
            self.kill(pid)

    def close(self) -> None:
        """End the program."""
        self._program.kill()
        self._program.wait()

    def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        assert self._program.stdin is not None and self._program.stdout is not None
        self._program.stdin.write(json.dumps(order) + "\n")
        self._program.stdin.flush()
        answer: dict[str, Any] = json.loads(self._program.stdout.readline())
        return answer


@pytest.fixture(scope="session")
def worker_program() -> Iterator[Workers]:
    """One for all tests."""
    made = Workers()
    yield made
    made.close()


@pytest.fixture
def workers(worker_program: Workers) -> Iterator[Workers]:
    """Workers that end with the test."""
    yield worker_program
    worker_program.kill_all()


def until(is_so: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for something; fails after timeout_s."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
