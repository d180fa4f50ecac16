"""Where exports are written: text as UTF-8 bytes, and archives that are the same bytes for the same content."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Protocol, cast

from app.exports.cells import TextSink
from app.exports.files import BLOCK, HashedFile, Written

as_json = json.JSONEncoder(ensure_ascii=False).encode  # of one object, in one line
FIXED = (1980, 1, 1, 0, 0, 0)  # the time of every member: equal states, equal bytes


class ByteSink(Protocol):
    """Anything that takes bytes: a file, a response on its way."""

    def write(self, piece: bytes, /) -> object:
        """Take the next piece."""


class HashedBytes:
    """A stream of bytes that knows its size and hash."""

    def __init__(self, sink: ByteSink | None = None) -> None:
        """sink: where the bytes go; None: nowhere, only the hash is wanted."""
        self._sink, self._hash, self.size = sink, hashlib.sha256(), 0

    def write(self, piece: bytes, /) -> None:
        """Take the next piece."""
        if self._sink is not None:
            self._sink.write(piece)
        self._hash.update(piece)
        self.size += len(piece)

    def written(self, name: str, rows: int) -> Written:
        """What a manifest says of it."""
        return Written(name, rows, self.size, self._hash.hexdigest())


class Utf8:
    """Text into a stream of bytes, a block at a time; flush() puts down the last one."""

    def __init__(self, sink: ByteSink) -> None:
        """sink: is not closed."""
        self._sink = sink
        self._waiting: list[str] = []
        self._letters = 0

    def write(self, text: str, /) -> None:
        """Take the next piece."""
        self._waiting.append(text)
        self._letters += len(text)
        if self._letters >= BLOCK:
            self.flush()

    def flush(self) -> None:
        """Put down what waits."""
        self._sink.write("".join(self._waiting).encode())
        self._waiting.clear()
        self._letters = 0


class Forward:
    """What zipfile needs of a stream that only goes forward."""

    def __init__(self, sink: ByteSink) -> None:
        """sink: is not closed."""
        self._sink = sink

    def write(self, piece: bytes, /) -> int:
        """Take the next piece."""
        self._sink.write(piece)
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""


class Archive:
    """A zip that is written from front to back, of any size. Use it as a context; `written` says what is in it."""

    def __init__(self, sink: ByteSink) -> None:
        """sink: takes the bytes of the archive."""
        self._zip = zipfile.ZipFile(cast(IO[bytes], Forward(sink)), "w", zipfile.ZIP_DEFLATED)
        self.written: list[Written] = []

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, failed: object, *_rest: object) -> None:
        if failed is None:
            self._zip.close()

    @contextmanager
    def text(self, name: str) -> Iterator[HashedFile]:
        """A member that takes text."""
        with self.member(name) as file:
            hashed = HashedFile(cast(BinaryIO, file))
            yield hashed
            hashed.flush()
        self.written.append(Written(name, hashed.rows, hashed.size, hashed.sha256))

    def picture(self, name: str, content: bytes) -> None:
        """A JPEG, which would not get smaller. It stands in an index, not in `written`: there may be a million."""
        self._zip.writestr(info(name, zipfile.ZIP_STORED), content, compress_type=zipfile.ZIP_STORED)

    def whole(self, name: str, content: bytes) -> None:
        """A member at once."""
        self._zip.writestr(info(name, zipfile.ZIP_DEFLATED), content, compress_type=zipfile.ZIP_DEFLATED)
        self.written.append(Written(name, 0, len(content), hashlib.sha256(content).hexdigest()))

    def taken(self, name: str, later: Later, rows: int = 0) -> None:
        """A member from what was kept for later; how many rows it has."""
        with self.text(name) as sink:
            later.copy(sink)
            sink.rows = rows

    @contextmanager
    def member(self, name: str) -> Iterator[IO[bytes]]:
        """A member that takes bytes; one at a time."""
        with self._zip.open(info(name, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as file:
            yield file


class Later:
    """Text that is made now and goes into an archive later, in a file without a name."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 - as long as the export
        self.write = self._file.write

    def copy(self, sink: TextSink) -> None:
        """All of it, once."""
        self._file.seek(0)
        shutil.copyfileobj(self._file, sink, 1 << 20)
        self._file.close()


def info(name: str, method: int) -> zipfile.ZipInfo:
    """A member without a time or a machine of its own."""
    made = zipfile.ZipInfo(name, FIXED)
    made.compress_type = method
    made.external_attr = 0o644 << 16
    return made
