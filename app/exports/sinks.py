"""Where exports are written: text as UTF-8 bytes, and archives that are the same bytes for the same content."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, Protocol, cast

from app.exports.cells import TextSink
from app.exports.files import HashedFile, Written

FIXED = (1980, 1, 1, 0, 0, 0)  # the time of every member: equal states, equal bytes


class ByteSink(Protocol):
    """Anything that takes bytes: a file, a response on its way."""

    def write(self, piece: bytes, /) -> object:
        """Take the next piece."""


class Utf8:
    """Text into a stream of bytes."""

    def __init__(self, sink: ByteSink) -> None:
        """sink: is not closed."""
        self._sink = sink

    def write(self, text: str, /) -> None:
        """Take the next piece."""
        self._sink.write(text.encode())


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
        self.written.append(Written(name, 0, hashed.size, hashed.sha256))

    def whole(self, name: str, content: bytes, *, is_packed: bool = False) -> None:
        """A member at once. is_packed: it would not get smaller (JPEG)."""
        method = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        self._zip.writestr(info(name, method), content, compress_type=method)

    def taken(self, name: str, later: Later) -> None:
        """A member from what was kept for later."""
        with self.text(name) as sink:
            later.copy(sink)

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
