"""Published weights: what is known of each before it is there, and how its file is fetched and checked.

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
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO

from torch import Tensor

from worker.networks.weights import WeightsError, read_published

CHUNK = 1 << 20
SILENCE_S = 30.0  # a server that says nothing for so long is gone
Report = Callable[[int, int], None]  # bytes so far, bytes in all


@dataclass(frozen=True)
class Published:
    """One file of weights as its publisher offers it."""

    name: str
    kind: str
    url: str
    sha256: str
    size_bytes: int
    learnt_from: str
    licence: str
    about: str

    @property
    def file(self) -> str:
        """Its name at the publisher's."""
        return self.url.rsplit("/", 1)[1]


TORCHVISION = "BSD-3-Clause as part of torchvision; the terms of the pictures they learnt from may apply to them too: "
PUBLISHED = {
    each.name: each
    for each in (
        Published(
            name="fasterrcnn_resnet50_fpn_v2",
            kind="detector",
            url="https://download.pytorch.org/models/fasterrcnn_resnet50_fpn_v2_coco-dd69338a.pth",
            sha256="dd69338a24b8d7381807e247652bdc356325bcbaf1cd3e092e00e0a1a58706bf",
            size_bytes=175_221_657,
            learnt_from="COCO 2017 (torchvision FasterRCNN_ResNet50_FPN_V2_Weights.COCO_V1)",
            licence=TORCHVISION + "COCO's annotations are CC BY 4.0, its photos keep their Flickr licences",
            about="animals, people and vehicles; wants a GPU",
        ),
        Published(
            name="resnet50",
            kind="embedder",
            url="https://download.pytorch.org/models/resnet50-11ad3fa6.pth",
            sha256="11ad3fa62ca79e40addfd354a8ec4b7c75143b3038b8d2a807fbc68deab379ca",
            size_bytes=102_540_417,
            learnt_from="ImageNet-1k (torchvision ResNet50_Weights.IMAGENET1K_V2)",
            licence=TORCHVISION + "ImageNet's pictures are given for research that is not commercial",
            about="the trunk that the paper uses; wants a GPU",
        ),
    )
}


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
