"""How a file of published weights is fetched and checked.

Decisions: a file is read only when all of its bytes have the pinned sha256 (its first eight digits are also in the name that
its publisher gave it); it is held under no name until then, so nothing is left behind, whatever stops us; where there is no
network somebody carries the file over, and it is checked the same way. Nothing is ever fetched unless a person asks.
"""

from __future__ import annotations

import hashlib
import http.client
import shutil
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path
from typing import IO

from torch import Tensor

from worker.networks.offers import PUBLISHED, Published
from worker.networks.weights import WeightsError, read_published

CHUNK = 1 << 20
SILENCE_S = 30.0  # a server that says nothing for so long is gone
Report = Callable[[int, int], None]  # bytes so far, bytes in all


def published(name: str) -> Published:
    """The one of this name. Raises WeightsError with the names there are."""
    if name not in PUBLISHED:
        raise WeightsError(f"there are no published weights called {name!r}; known are {', '.join(PUBLISHED)}")
    return PUBLISHED[name]


def fetch(wanted: Published, folder: Path, report: Report, *, carried: Path | None = None) -> dict[str, Tensor]:
    """The tensors of a published file, downloaded or carried over by hand, once they are known to be the pinned ones.

    folder: where the download may lie meanwhile. Raises WeightsError in words for people.
    """
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, wanted.size_bytes if carried else 2 * wanted.size_bytes)
    if carried is not None:
        with opened(carried) as file:
            check(wanted, sha256_of(file), carried.stat().st_size, str(carried))
            return read_published(file, wanted.name)
    with tempfile.TemporaryFile(dir=folder) as file:  # without a name, so that not even kill -9 leaves it behind
        sha256, size_bytes = download(wanted, file, report)
        check(wanted, sha256, size_bytes, wanted.url)
        file.seek(0)
        return read_published(file, wanted.name)


def download(wanted: Published, file: IO[bytes], report: Report) -> tuple[str, int]:
    """Write what the address gives; its sha256 and size. Stops as soon as there is more than there should be."""
    digest, size_bytes = hashlib.sha256(), 0
    try:
        with urllib.request.urlopen(wanted.url, timeout=SILENCE_S) as answer:
            while chunk := answer.read(CHUNK):
                size_bytes += len(chunk)
                if size_bytes > wanted.size_bytes:
                    break
                digest.update(chunk)
                write(file, chunk)
                report(size_bytes, wanted.size_bytes)
    except http.client.IncompleteRead:
        pass  # the size says so
    except (urllib.error.URLError, http.client.HTTPException, ssl.SSLError, OSError) as error:
        raise WeightsError(
            f"{wanted.url} cannot be fetched: {reason(error)}. On a machine that reaches it, save the file, carry it here and "
            f"run `waterhole fetch-weights {wanted.name} --from {wanted.file}`"
        ) from error
    return digest.hexdigest(), size_bytes


def write(file: IO[bytes], chunk: bytes) -> None:
    """Raises WeightsError when the disk is full, so that it is not taken for the network's fault."""
    try:
        file.write(chunk)
    except OSError as error:
        raise WeightsError(f"the download cannot be written: {error.strerror}") from error


def check(wanted: Published, sha256: str, size_bytes: int, place: str) -> None:
    """Raises WeightsError unless this is the pinned file."""
    if size_bytes < wanted.size_bytes:
        raise WeightsError(f"{place} broke off after {size_bytes:,} of {wanted.size_bytes:,} bytes; try again")
    if size_bytes > wanted.size_bytes:
        raise WeightsError(
            f"{place} is larger than the {wanted.size_bytes:,} bytes of {wanted.file}: not the file we know"
        )
    if sha256 != wanted.sha256:
        raise WeightsError(
            f"{place} has sha256 {sha256[:16]}..., but {wanted.file} has {wanted.sha256[:16]}...: not used"
        )


def require_room(folder: Path, needed_bytes: int) -> None:
    """Raises WeightsError unless the disk has so much left."""
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < needed_bytes:
        raise WeightsError(
            f"no room in {folder}: {free_bytes / 1e6:,.0f} MB free, {needed_bytes / 1e6:,.0f} MB needed while it is fetched"
        )


def opened(path: Path) -> BufferedReader:
    """Raises WeightsError when the file cannot be read."""
    try:
        return path.open("rb")
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}") from error


def sha256_of(file: BufferedReader) -> str:
    """Of all its bytes; the file then stands at its beginning again."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def reason(error: Exception) -> str:
    """What went wrong, in a few words."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    why = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(why, TimeoutError):
        return f"the server was silent for {SILENCE_S:.0f} seconds"
    return (why.strerror if isinstance(why, OSError) and why.strerror else str(why)) or type(error).__name__
