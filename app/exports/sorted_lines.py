"""Sorting more lines than a process should hold."""

from __future__ import annotations

import heapq
import json
import tempfile
from collections.abc import Iterator
from typing import IO


class Sorted:
    """Lines by their keys, in the memory of one run: a full run is sorted into a file without a name, and all are merged."""

    def __init__(self, run: int = 20_000) -> None:
        """run: lines that are held at once."""
        self._run, self._held = run, list[list[str]]()
        self._files: list[IO[str]] = []

    def add(self, *key_and_line: str) -> None:
        """A line after its key; lines of one key are sorted too."""
        self._held.append(list(key_and_line))
        if len(self._held) >= self._run:
            self._spill()

    def lines(self) -> Iterator[list[str]]:
        """Each as it was given, in order."""
        self._held.sort()
        yield from heapq.merge(self._held, *(map(json.loads, file) for file in self._files))

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            file.close()

    def _spill(self) -> None:
        file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="\n")  # noqa: SIM115 - until close()
        self._held.sort()
        file.writelines(json.dumps(each) + "\n" for each in self._held)
        file.seek(0)
        self._held.clear()
        self._files.append(file)
