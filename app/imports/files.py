"""The files of one import: what was uploaded, or the members of a zip. Members are read by name and never written anywhere."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from models.errors import Invalid, TooLarge

MOST_BYTES = 2 << 30  # of a table, unpacked
MOST_JSON = 512 << 20  # of a JSON file, which is read whole: it takes about six times as much memory
MOST_MEMBERS = 200_000  # a package may bring its photos along; they are not touched
ZIP = b"PK\x03\x04"


@dataclass(frozen=True)
class Member:
    """One file. inside: its name in the zip at `path`, empty where the file itself lies there."""

    path: Path
    size: int
    inside: str = ""


@dataclass(frozen=True)
class Files:
    """By base name. A package's tables lie side by side, so names further down are passed over where one lies higher up."""

    members: Mapping[str, Member] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Mapping[str, Path]) -> Files:
        """Uploaded files by their names; a zip gives its members. Raises Invalid for a zip that is none or holds too much."""
        members: dict[str, Member] = {}
        for name, path in paths.items():
            with path.open("rb") as file:
                is_zip = file.read(4) == ZIP
            members |= unpacked(path, name) if is_zip else {base(name): Member(path, path.stat().st_size)}
        return cls(members)

    def one(self, *ends: str) -> str:
        """The name of the only file with such an ending. Raises Invalid where there is none, or several."""
        found = [name for name in self.members if name.lower().endswith(ends)]
        if len(found) != 1:
            raise Invalid(f"files: one file that ends in {' or '.join(ends)} is needed; here are {len(found)}")
        return found[0]

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return name in self.members

    def open(self, name: str) -> BinaryIO:
        """The bytes of a file, no more than it said that it has. Raises Invalid."""
        member = self.members.get(name)
        if member is None:
            raise Invalid(f"files: {name} is missing")
        if member.size > MOST_BYTES:
            raise TooLarge(f"{name} is larger than {MOST_BYTES >> 30} GB")
        if not member.inside:
            return member.path.open("rb")
        return io.BufferedReader(Limited(zipfile.ZipFile(member.path).open(member.inside), member.size, name))

    def content(self, name: str) -> bytes:
        """A JSON file as a whole. Raises Invalid, TooLarge."""
        member = self.members.get(name)
        if member is not None and member.size > MOST_JSON:
            raise TooLarge(f"{name} is larger than {MOST_JSON >> 20} MB; split it, for instance by camera")
        with self.open(name) as file:
            return file.read()


class Limited(io.RawIOBase):
    """A member of a zip that may not give more than its entry says: what a bomb says of itself is not believed."""

    def __init__(self, file: IO[bytes], most: int, name: str) -> None:
        """file: open for reading. most: bytes."""
        self._file, self._left, self._name = file, most, name

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes. Raises Invalid past the limit, and where the member is damaged."""
        view = memoryview(buffer)
        try:
            piece = self._file.read(len(view))
        except (zipfile.BadZipFile, OSError, EOFError) as error:
            raise Invalid(f"files: {self._name} in the zip is damaged") from error
        self._left -= len(piece)
        if self._left < 0:
            raise Invalid(f"files: {self._name} unpacks to more than the zip says")
        view[: len(piece)] = piece
        return len(piece)


def unpacked(path: Path, name: str) -> dict[str, Member]:
    """The members of a zip by base name, those that lie highest. Raises Invalid."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise Invalid(f"files: {name} is a zip that cannot be read") from error
    if len(entries) > MOST_MEMBERS:
        raise Invalid(f"files: {name} holds more than {MOST_MEMBERS:,} files")
    found: dict[str, Member] = {}
    for entry in sorted(entries, key=lambda each: each.filename.count("/")):
        if not entry.is_dir() and not entry.flag_bits & 0x1:
            found.setdefault(base(entry.filename), Member(path, entry.file_size, entry.filename))
    return found


def base(name: str) -> str:
    """The last part of a path."""
    return name.replace("\\", "/").rpartition("/")[2]
