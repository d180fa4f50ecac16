"""One photo's verdict and pixels. The only place that opens a photo.

The rule, in this order (../shared/data/README.md, "bad-files"): an empty file is refused; what does not begin as a JPEG
or PNG is refused, whatever its name; more than MAX_PIXELS by the header, or metadata that unpacks to a huge size, is
refused before decoding; an animated PNG is refused; what decodes to the end is accepted; everything else is
quarantined. Of an MPO (a JPEG with a second picture behind it) the first picture counts.

Run it in a decoder process (decoder.py) for photos that strangers sent: a decoder bug then ends a child, not the
worker.
"""

import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from worker.images.exif import CameraFacts, camera_facts

MAX_PIXELS = 100_000_000
"""Width times height; about four times the largest camera-trap sensor, and 300 MB of RGB."""

Kind = Literal["JPEG", "PNG"]
Pixels = NDArray[np.uint8]
Allocate = Callable[[tuple[int, int, int]], Pixels]

# Pillow's own limits are global. Its default is lower than ours and only warns up to twice its value.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
ImageFile.LOAD_TRUNCATED_IMAGES = False

SIGNATURES: tuple[tuple[bytes, Kind], ...] = ((b"\xff\xd8\xff", "JPEG"), (b"\x89PNG\r\n\x1a\n", "PNG"))

# What people find on a camera's card beside photos: the start of the file (offset, bytes) and its name in the reason.
STRANGERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", "a GIF"),
    (8, b"WEBP", "a WebP picture"),
    (8, b"AVI ", "an AVI video"),
    (8, b"WAVE", "a sound recording"),
    (4, b"ftypavi", "an AVIF picture"),
    (4, b"ftyphei", "a HEIC picture, as phones take"),
    (4, b"ftyphev", "a HEIC picture, as phones take"),
    (4, b"ftypmif1", "a HEIC picture, as phones take"),
    (4, b"ftypmsf1", "a HEIC picture, as phones take"),
    (4, b"ftypcrx", "a camera's raw file"),
    (4, b"ftyp", "an MP4 or MOV video"),
    (4, b"moov", "an MP4 or MOV video"),
    (4, b"jP  \r\n", "a JPEG 2000 picture"),
    (0, b"II*\0", "a TIFF picture or a camera's raw file"),
    (0, b"MM\0*", "a TIFF picture or a camera's raw file"),
    (0, b"BM", "a BMP picture"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"%PDF", "a PDF"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\0\x05\x16\x07", "a side file that a Mac left on the card"),
    (0, b"<", "a web page or an SVG"),
)

# Everything that Pillow is known to raise on hostile bytes (RELIABILITY rule 13), and what zlib and struct add.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    MemoryError,
    ValueError,
    NotImplementedError,
    OverflowError,
    EOFError,
    TypeError,
    IndexError,
    KeyError,
    AttributeError,
    struct.error,
    zlib.error,
)

TURNS: dict[int, Image.Transpose] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> the turn that makes the picture upright."""

STRIP_ROWS = 256


class NotAPhoto(Exception):
    """A file that gives no pixels. `reason` is a short phrase in plain English for the page and the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(NotAPhoto):
    """This is not a photo that we take; the file is not kept."""


class Quarantined(NotAPhoto):
    """This is a photo by its first bytes, but it is damaged: kept, listed with its reason, never shown to a network."""


@dataclass(frozen=True)
class Photo:
    """One accepted photo.

    pixels: (height, width, 3) uint8 RGB, upright. width, height: of the upright picture, in pixels.
    format: "JPEG" (an MPO is one) or "PNG", by content.
    """

    format: Kind
    width: int
    height: int
    facts: CameraFacts
    pixels: Pixels


def sniff(first_bytes: bytes) -> Kind | None:
    """The kind of a photo by its first 8 bytes; None where it is neither JPEG nor PNG."""
    return next((kind for magic, kind in SIGNATURES if first_bytes.startswith(magic)), None)


def decode(source: bytes | Path, *, allocate: Allocate | None = None) -> Photo:
    """Decode a whole photo to upright RGB.

    source: the file's bytes, or its path. allocate: makes the (h, w, 3) uint8 array to fill (the decoder processes give
    shared memory here); default numpy.empty. Raises Refused or Quarantined; OSError (with its errno) where the disk
    fails, not the photo.

    Colours: CMYK and palette become RGB; grey is repeated; 16-bit grey is divided by 257 (never clipped), 16-bit RGB
    loses its low byte; transparent pixels lie on white. Colour profiles are not applied: networks and pages see the
    stored numbers.
    """
    if isinstance(source, bytes):
        return _decode(BytesIO(source), allocate or _empty)
    with source.open("rb") as file:
        return _decode(file, allocate or _empty)


def _empty(shape: tuple[int, int, int]) -> Pixels:
    return np.empty(shape, np.uint8)


def _decode(file: BinaryIO, allocate: Allocate) -> Photo:
    kind = _kind(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of broken EXIF and odd MPO headers, which do not spoil a photo
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=["JPEG", "PNG"]) as image:
                _refuse_by_header(image)
                image.load()
                facts = camera_facts(image)
                pixels = _upright_rgb(image, facts.orientation, allocate)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
            raise Refused(_too_many_pixels()) from error
        except DECODER_ERRORS as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's error, not the photo's: Pillow's own OSErrors carry no number
            raise _verdict(error) from error
    return Photo(kind, pixels.shape[1], pixels.shape[0], facts, pixels)


def _kind(file: BinaryIO) -> Kind:
    first_bytes = file.read(64)
    file.seek(0)
    if not first_bytes:
        raise Refused("the file is empty")
    kind = sniff(first_bytes)
    if kind is None:
        raise Refused(_looks_like(first_bytes))
    return kind


def _looks_like(first_bytes: bytes) -> str:
    if not first_bytes.strip(b"\0"):
        return "not a photo (it begins with zeros: the card lost its content)"
    text = first_bytes.lstrip(b"\xef\xbb\xbf \t\r\n")
    for offset, magic, name in STRANGERS:
        if first_bytes[offset:].startswith(magic) or (offset == 0 and text.startswith(magic)):
            return f"not a JPEG or PNG photo (it begins like {name})"
    return "not a JPEG or PNG photo"


def _refuse_by_header(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise Refused(_too_many_pixels())
    if image.format == "PNG" and getattr(image, "is_animated", False):
        raise Refused("an animated PNG, not a photo")


def _too_many_pixels() -> str:
    return f"claims more than {MAX_PIXELS // 1_000_000} million pixels"


def _verdict(error: BaseException) -> NotAPhoto:
    """Name the error for a person. Pillow tells its cases apart by message only."""
    message = str(error).lower()
    if "decompressed data too large" in message or "too much memory used in text chunks" in message:
        return Refused("its hidden text or colour profile unpacks to a huge size")
    if isinstance(error, MemoryError):
        return Quarantined("needs more memory than a decoder may use")
    if isinstance(error, UnidentifiedImageError):
        return Quarantined("the beginning of the photo is missing or damaged")
    if "truncated" in message or isinstance(error, EOFError):
        return Quarantined("ends too early: the copy from the card was cut")
    return Quarantined("its picture data is damaged")


def _upright_rgb(image: Image.Image, orientation: int, allocate: Allocate) -> Pixels:
    """Turn first (in the stored mode, which is smaller), then convert strip by strip into the final array: one copy,
    not three."""
    to_rgb = _sixteen_bit_grey if image.mode.startswith("I") else _on_white if image.has_transparency_data else _plain
    upright: Image.Image = image.transpose(TURNS[orientation]) if orientation in TURNS else image
    upright.info = image.info
    pixels = allocate((upright.height, upright.width, 3))
    for top in range(0, upright.height, STRIP_ROWS):
        bottom = min(top + STRIP_ROWS, upright.height)
        strip = upright.crop((0, top, upright.width, bottom))
        pixels[top:bottom] = to_rgb(strip)
    return pixels


def _plain(strip: Image.Image) -> Pixels:
    return np.asarray(strip if strip.mode == "RGB" else strip.convert("RGB"))


def _on_white(strip: Image.Image) -> Pixels:
    see_through = strip.convert("RGBA")
    white = Image.new("RGBA", strip.size, "white")
    return np.asarray(Image.alpha_composite(white, see_through).convert("RGB"))


def _sixteen_bit_grey(strip: Image.Image) -> NDArray[Any]:
    stored = np.asarray(strip).astype(np.uint32)
    grey = ((stored * 255 + 32767) // 65535).astype(np.uint8)
    transparent = strip.info.get("transparency")
    if isinstance(transparent, int):
        grey[stored == transparent] = 255
    return grey[:, :, None]
