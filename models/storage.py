"""Where a file lies, and how it gets there without ever being seen half-written.

Every file: staging -> fsync -> rename -> fsync of the folder -> then the row (RELIABILITY rule 1). Originals lie under their
SHA-256 and are never changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from models.errors import Invalid, NoSpace, TooLarge
from models.strangers import HEAD_BYTES, not_a_photo
from models.words import say, written

CHUNK = 1 << 20
STAGED_S = 24 * 3600  # no file takes longer to come in


@dataclass(frozen=True)
class Received:
    """A file that is safely in the store."""

    sha256: str
    size: int


class NotAPhoto(Invalid):
    """By its first bytes the file is neither JPEG nor PNG (../shared rule 2: by content, never by name)."""

    def __init__(self, reason: str, size: int) -> None:
        """reason: for people; size: bytes seen so far."""
        super().__init__(reason)
        self.size = size


class Store:
    """The folder of all files. Paths given out are absolute; paths kept in rows are relative to it."""

    def __init__(self, root: Path, *, free_floor_bytes: int = 0, max_photo_bytes: int = 1 << 40) -> None:
        """root: made when missing. free_floor_bytes: below it nothing new is taken in."""
        self.root = root
        self.free_floor_bytes = free_floor_bytes
        self.max_photo_bytes = max_photo_bytes
        for folder in (
            "staging",
            "originals",
            "thumbnails",
            "previews",
            "crops",
            "vectors",
            "predictions",
            "checkpoints",
            "tuning",
            "imports",
        ):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def original(self, sha256: str) -> Path:
        """The photo as it came."""
        return self.root / "originals" / sha256[:2] / sha256

    def has(self, sha256: str) -> bool:
        """Whether the photo lies here."""
        return self.original(sha256).is_file()

    def thumbnail(self, sha256: str) -> Path:
        """At most 320 px, without metadata."""
        return self.root / "thumbnails" / sha256[:2] / f"{sha256}.jpg"

    def preview(self, sha256: str) -> Path:
        """At most 1,600 px, without metadata."""
        return self.root / "previews" / sha256[:2] / f"{sha256}.jpg"

    def crop(self, sha256: str, box_id: int) -> Path:
        """The 256x256 crop of a box."""
        return self.crops(sha256) / f"{box_id}.jpg"

    def crops(self, sha256: str) -> Path:
        """The folder of a photo's crops, of every project that has it."""
        return self.root / "crops" / sha256[:2] / sha256

    def vectors(self, embedder_id: int, name: str) -> Path:
        """One shard's vectors under one embedder."""
        return self.root / "vectors" / str(embedder_id) / name

    def vector_parts(self, embedder_id: int, project_id: int) -> Path:
        """The folder of the vectors that crops of one project got from this embedder later than their first ones."""
        return self.root / "vectors" / str(embedder_id) / f"of-{project_id}"

    def matrix(self, embedder_id: int, project_id: int) -> Path:
        """The folder of all vectors of one project under one embedder, packed: a cache."""
        return self.root / "cache" / "matrix" / f"{embedder_id}-{project_id}"

    def blurred(self, project_id: int, sha256: str, mark: str) -> Path:
        """The folder of a photo's pictures with the people of one project blurred, as their boxes were at this mark: a cache."""
        return self.blurred_ones(project_id, sha256) / mark

    def blurred_ones(self, project_id: int, sha256: str) -> Path:
        """The folder of all such folders of a photo."""
        return self.root / "cache" / "blurred" / str(project_id) / sha256[:2] / sha256

    def coverage(self, project_id: int) -> Path:
        """What k-center knew of a project's crops after the last round: a cache."""
        return self.root / "cache" / "coverage" / str(project_id)

    def line(self, embedder_id: int, project_id: int) -> Path:
        """Along which the crops of a project lie by likeness: a cache."""
        return self.root / "cache" / "lines" / f"{embedder_id}-{project_id}.safetensors"

    def kept(self, sha256: str) -> Path:
        """A file that somebody imported."""
        return self.root / "imports" / sha256[:2] / sha256

    def tuning(self, job_id: str) -> Path:
        """The folder of what one fine-tune has made so far."""
        return self.root / "tuning" / job_id

    def predictions(self, classifier_id: int | str) -> Path:
        """The folder of one classifier's predictions."""
        return self.root / "predictions" / str(classifier_id)

    def checkpoint(self, name: str) -> Path:
        """A network's weights."""
        return self.root / "checkpoints" / name

    def relative(self, path: Path) -> str:
        """What a row keeps of a path."""
        return path.relative_to(self.root).as_posix()

    def check_space(self, needed_bytes: int = 0) -> None:
        """Raises NoSpace when the disk would fall below the floor, so that labels always fit (rule 14)."""
        free = shutil.disk_usage(self.root).free
        if free - needed_bytes < self.free_floor_bytes:
            raise NoSpace(
                say(
                    "The disk is nearly full: %(free)s free, %(needed_bytes)s needed and %(free_floor_bytes)s "
                    "kept for answers. Free some space, then go on.",
                    free=gigabytes(free),
                    needed_bytes=gigabytes(needed_bytes),
                    free_floor_bytes=gigabytes(self.free_floor_bytes),
                )
            )

    def receive(self, chunks: Iterable[bytes]) -> Received:
        """Take in a photo: hash while writing, then make it durable under its hash.

        Raises NotAPhoto after the first bytes, TooLarge, NoSpace. Nothing partial stays visible.
        """
        with self.receiving() as incoming:
            for chunk in chunks:
                incoming.write(chunk)
            return incoming.keep()

    @contextlib.contextmanager
    def receiving(self) -> Iterator[Incoming]:
        """The same, for a caller that gets its chunks from elsewhere (an async request)."""
        self.check_space()
        staged = self.root / "staging" / uuid.uuid4().hex
        file = staged.open("xb")
        try:
            yield Incoming(self, staged, file)
        finally:
            with contextlib.suppress(OSError):  # on a full disk closing fails as writing did, which was already said
                file.close()
            staged.unlink(missing_ok=True)

    def keep(self, chunks: Iterable[bytes], most_bytes: int) -> Received:
        """Keep a foreign file (an import) under its hash, durably. Raises NoSpace, and TooLarge past most_bytes."""
        self.check_space()
        staged = self.root / "staging" / uuid.uuid4().hex
        digest, size = hashlib.sha256(), 0
        try:
            with staged.open("xb") as file:
                for chunk in chunks:
                    size += len(chunk)
                    if size > most_bytes:
                        raise TooLarge(f"the file is larger than {most_bytes >> 20:,} MB")
                    digest.update(chunk)
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
            move(staged, self.kept(digest.hexdigest()))
        except OSError as error:
            raise NoSpace(f"the file could not be written: {error.strerror}") from error
        finally:
            staged.unlink(missing_ok=True)
        return Received(digest.hexdigest(), size)

    def sweep_staging(self) -> int:
        """Remove what a killed process left half-written; how many files. Younger files may still be on their way."""
        oldest = time.time() - STAGED_S
        left = [path for path in (self.root / "staging").iterdir() if path.stat().st_mtime < oldest]
        for path in left:
            path.unlink(missing_ok=True)
        return len(left)

    def write(self, path: Path, content: bytes) -> None:
        """Write a file of our own, durably, replacing an older one in one move."""
        staged = self.root / "staging" / uuid.uuid4().hex
        try:
            with staged.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            move(staged, path)
        finally:
            staged.unlink(missing_ok=True)

    def write_cheaply(self, path: Path, content: bytes) -> None:
        """The same without fsync, for what can be made again from the original (thumbnails, previews, crops)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        staged = self.root / "staging" / uuid.uuid4().hex
        staged.write_bytes(content)
        staged.replace(path)


class Incoming:
    """A photo on its way in."""

    def __init__(self, store: Store, staged: Path, file: BinaryIO) -> None:
        """store: where it will lie; staged: where it lies now; file: open for writing."""
        self._store, self._staged, self._file = store, staged, file
        self._hash = hashlib.sha256()
        self._head = b""
        self.size = 0

    @property
    def sha256(self) -> str:
        """The hash of what came so far, for a sender who knows what it should be."""
        return self._hash.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Take the next bytes. Raises NotAPhoto as soon as the first ones say so, TooLarge past the limit."""
        self.size += len(chunk)
        if self.size > self._store.max_photo_bytes:
            raise TooLarge(
                written(
                    "the file is larger than %(max_photo_bytes)s MB", max_photo_bytes=self._store.max_photo_bytes >> 20
                )
            )
        if len(self._head) < HEAD_BYTES:
            self._head += chunk[: HEAD_BYTES - len(self._head)]
            if len(self._head) == HEAD_BYTES:
                self._check_head()
        self._hash.update(chunk)
        try:
            self._file.write(chunk)
        except OSError as error:
            raise NoSpace(say("the file could not be written: %(strerror)s", strerror=error.strerror)) from error

    def keep(self) -> Received:
        """Make it durable. Raises NotAPhoto for an empty or foreign file, NoSpace when the disk is full."""
        self._check_head()
        received = Received(self._hash.hexdigest(), self.size)
        place = self._store.original(received.sha256)
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise NoSpace(say("the file could not be written: %(strerror)s", strerror=error.strerror)) from error
        move(self._staged, place)
        return received

    def _check_head(self) -> None:
        if reason := not_a_photo(self._head):
            raise NotAPhoto(reason, self.size)


def move(staged: Path, place: Path) -> None:
    """Rename into place and make the folder's entry durable."""
    new_folder = not place.parent.exists()
    place.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(place)
    sync_folder(place.parent)
    if new_folder:
        sync_folder(place.parent.parent)


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that a rename in it survives a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def file_chunks(path: Path) -> Iterator[bytes]:
    """A local file in pieces."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def gigabytes(count: int) -> str:
    """1,234,000,000 -> "1.2 GB"."""
    return f"{count / 1e9:.1f} GB"
