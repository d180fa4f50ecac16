"""One archive that is checked whole before anything is done with it: a tar whose members carry their SHA-256.

Written and read as a stream, so that 100 GB need the memory of one chunk. The first member says what it is; the last one how many
there are and a hash over all of theirs in order, so that nothing can be missing, altered or added without being noticed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from models.errors import Invalid
from models.storage import CHUNK, sync_folder
from models.words import say

MANIFEST, END = "manifest.json", "end.json"
HASH = "WATERHOLE.sha256"


class Packer:
    """Writes members one after the other."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar, self._digest, self.members = tar, hashlib.sha256(), 0

    def text(self, name: str, content: dict[str, Any]) -> None:
        """A small member."""
        self.content(name, json.dumps(content, indent=1).encode())

    def content(self, name: str, content: bytes) -> None:
        """A member that is in memory."""
        self._add(name, io.BytesIO(content), len(content), hashlib.sha256(content).hexdigest())

    def file(self, name: str, path: Path, sha256: str | None = None) -> None:
        """A file. sha256: where it is known, so that it need not be read twice."""
        with path.open("rb") as file:
            digest = sha256 or hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            self._add(name, file, os.fstat(file.fileno()).st_size, digest)

    def end(self) -> None:
        """The last member."""
        said = {"members": self.members, "sha256": self._digest.hexdigest()}
        self.text(END, said)

    def _add(self, name: str, file: IO[bytes], size: int, sha256: str) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.pax_headers = size, 0o644, {HASH: sha256}
        watched = Hashing(file)
        self._tar.addfile(member, watched)
        if watched.sha256 != sha256:
            raise Invalid(say("%(name)s is damaged here already; see waterhole doctor --deep", name=name))
        self._tar.members.clear()  # type: ignore[attr-defined]  # else it would remember every member
        self._digest.update(f"{name}\0{sha256}\n".encode())
        self.members += 1


class Hashing:
    """A file whose bytes are hashed as they are read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        content = self._file.read(size)
        self._digest.update(content)
        return content

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()


@contextlib.contextmanager
def packing(path: Path) -> Iterator[Packer]:
    """The archive lies under its name once it is whole and durable; nothing lies there before."""
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT, bufsize=CHUNK) as tar:
                packer = Packer(tar)
                yield packer
                packer.end()
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.absolute().parent)
    finally:
        partial.unlink(missing_ok=True)


@dataclass(frozen=True)
class Member:
    """One member while it is read. file: its bytes, once."""

    name: str
    size: int
    sha256: str
    file: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """Its bytes in pieces. Raises Invalid where the archive ends before they do."""
        try:
            while chunk := self.file.read(CHUNK):
                yield chunk
        except (tarfile.TarError, EOFError) as error:
            raise Invalid(say("%(name)s is cut: the bundle is damaged", name=self.name)) from error


def unpacking(path: Path) -> Iterator[Member]:
    """Every member in order. Raises Invalid where the archive is cut or is none."""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:", bufsize=CHUNK) as tar:
            while (found := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]
                content = tar.extractfile(found) if found.isreg() else None
                if content is None:
                    raise Invalid(say("%(path)s: %(name)s is no plain file", path=path, name=found.name[:80]))
                yield Member(found.name, found.size, found.pax_headers.get(HASH, ""), content)
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise Invalid(say("%(path)s is no bundle, or it is damaged: %(error)s", path=path, error=error)) from error


def check(path: Path) -> dict[str, Any]:
    """Read all of it; what its manifest says. Raises Invalid, naming the first member that is not as it was written."""
    manifest: dict[str, Any] | None = None
    digest = hashlib.sha256()
    for count, member in enumerate(unpacking(path)):
        found, head = hashlib.sha256(), b""
        for chunk in member.chunks():
            found.update(chunk)
            head = head or chunk
        if found.hexdigest() != member.sha256:
            raise Invalid(say("%(path)s is damaged: the bytes of %(name)s changed", path=path, name=member.name))
        if member.name == END:
            said = small_json(path, head)
            if said != {"members": count, "sha256": digest.hexdigest()} or manifest is None:
                raise Invalid(say("%(path)s is damaged: members are missing or changed", path=path))
            return manifest
        if manifest is None:
            if member.name != MANIFEST:
                raise Invalid(say("%(path)s is no bundle of Waterhole", path=path))
            manifest = small_json(path, head)
        digest.update(f"{member.name}\0{member.sha256}\n".encode())
    raise Invalid(say("%(path)s is damaged: it ends too early", path=path))


def small_json(path: Path, content: bytes) -> dict[str, Any]:
    """Raises Invalid."""
    try:
        said = json.loads(content)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise Invalid(say("%(path)s is no bundle of Waterhole", path=path))
    return said
