"""What the camera wrote about a photo: moment, make, place, orientation.

Broken EXIF never spoils a photo: whatever cannot be read is None. The clock is the camera's wall clock as shot, without
a zone, and is never converted (RELIABILITY rule 15). Only DateTimeOriginal and, failing that, DateTimeDigitized are
believed: the plain DateTime tag is the moment of the last edit, and a file's mtime is the moment of a copy. Temperature
lives in the makers' own notes and is not read.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

MAX_TEXT = 200
"""Longest make, model or serial number kept, in characters."""

UPRIGHT = 1
CAMERA_SERIAL_NUMBER = 0xC62F  # an IFD0 tag of the DNG specification that some cameras write into JPEGs too
MOMENT = re.compile(r"\s*(\d{4})[:/-](\d{1,2})[:/-](\d{1,2})[ T](\d{1,2}):(\d{1,2}):(\d{1,2})")

T = TypeVar("T")


@dataclass(frozen=True)
class CameraFacts:
    """What the camera says about one photo; None where it says nothing that can be believed.

    captured_at: wall clock as shot, naive, whole seconds. sub_second: what follows the decimal point of captured_at, in
    [0, 1) s. latitude, longitude: degrees, WGS 84 as written, both or neither. orientation: EXIF 1 to 8 of the stored
    pixels (the pixels that decode() returns are upright already).
    """

    captured_at: datetime | None = None
    sub_second: float | None = None
    make: str | None = None
    model: str | None = None
    serial: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    orientation: int = UPRIGHT


def camera_facts(image: Image.Image) -> CameraFacts:
    """Read the facts of an opened Pillow image. Never raises."""
    root, details, gps = (_tags(image, block) for block in (None, IFD.Exif, IFD.GPSInfo))
    captured_at, sub_second = _moment(details)
    latitude, longitude = _place(gps)
    return CameraFacts(
        captured_at=captured_at,
        sub_second=sub_second,
        make=_text(root.get(Base.Make)),
        model=_text(root.get(Base.Model)),
        serial=_text(details.get(Base.BodySerialNumber)) or _text(root.get(CAMERA_SERIAL_NUMBER)),
        latitude=latitude,
        longitude=longitude,
        orientation=_orientation(root.get(Base.Orientation)),
    )


def _tags(image: Image.Image, block: IFD | None) -> dict[int, Any]:
    """All readable tags of one block (None: the first one), each read apart: one broken tag costs itself only."""
    nothing: dict[int, Any] = {}

    def read() -> dict[int, Any]:
        exif = image.getexif()
        tags = exif if block is None else exif.get_ifd(block)
        values = {tag: _or(lambda: None, lambda tag=tag: tags.get(tag)) for tag in list(tags)}  # type: ignore[misc]
        return {tag: value for tag, value in values.items() if value is not None}

    return _or(lambda: nothing, read)


def _or(default: Callable[[], T], read: Callable[[], T]) -> T:
    try:
        return read()
    except (
        Exception
    ):  # a parser of hostile bytes: struct.error, KeyError, OverflowError, MemoryError ... all mean "nothing there"
        return default()


def _moment(details: Mapping[int, Any]) -> tuple[datetime | None, float | None]:
    pairs = (
        (Base.DateTimeOriginal, Base.SubsecTimeOriginal),
        (Base.DateTimeDigitized, Base.SubsecTimeDigitized),
    )
    for whole, fraction in pairs:
        captured_at = _datetime(_text(details.get(whole)))
        if captured_at is not None:
            return captured_at, _fraction(_text(details.get(fraction)))
    return None, None


def _datetime(text: str | None) -> datetime | None:
    match = MOMENT.match(text or "")
    if match is None:
        return None
    try:
        return datetime(*(int(part) for part in match.groups()))  # type: ignore[arg-type]
    except ValueError:  # 0000:00:00, 2024:13:45: a clock that was never set
        return None


def _fraction(text: str | None) -> float | None:
    digits = (text or "").strip()
    return float(f"0.{digits}") if re.fullmatch(r"[0-9]{1,9}", digits) else None


def _place(gps: Mapping[int, Any]) -> tuple[float | None, float | None]:
    latitude = _degrees(gps.get(GPS.GPSLatitude), gps.get(GPS.GPSLatitudeRef), "NS", 90)
    longitude = _degrees(gps.get(GPS.GPSLongitude), gps.get(GPS.GPSLongitudeRef), "EW", 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None, None  # (0, 0) is in the Gulf of Guinea: a receiver without a fix, not a camera trap
    return latitude, longitude


def _degrees(parts: Any, reference: Any, letters: str, limit: float) -> float | None:
    """Degrees, minutes, seconds and one of the two letters -> signed degrees."""
    letter = (_text(reference) or "")[:1].upper()
    if not letter or letter not in letters:
        return None

    def read() -> float | None:
        degrees, minutes, seconds = (float(part) for part in parts)
        value = degrees + minutes / 60 + seconds / 3600
        if not math.isfinite(value) or min(degrees, minutes, seconds) < 0 or value > limit:
            return None
        return value if letter == letters[0] else -value

    return _or(lambda: None, read)


def _text(value: Any) -> str | None:
    """A short clean line: UTF-8 where it is UTF-8, no control, direction or surrogate characters, at most MAX_TEXT
    long."""
    if isinstance(value, str):
        value = _or(
            lambda: value, lambda: value.encode("latin-1").decode("utf-8")
        )  # Pillow reads ASCII tags as Latin-1
    elif isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    else:
        return None
    kept = "".join(
        letter for letter in value[: 10 * MAX_TEXT] if unicodedata.category(letter) not in ("Cc", "Cf", "Cs")
    )
    return kept.strip()[:MAX_TEXT].strip() or None


def _orientation(value: Any) -> int:
    return value if isinstance(value, int) and 1 <= value <= 8 else UPRIGHT
