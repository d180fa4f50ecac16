"""What the first bytes of a file say: a JPEG or PNG photo, or which other thing that lies on camera cards."""

from __future__ import annotations

from models.words import mark, written

HEAD_BYTES = 16  # the most that a signature needs
PHOTOS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
EMPTY = mark("the file is empty")
UNKNOWN = mark("this is neither a JPEG nor a PNG photo, whatever its name says")

# (offset, bytes, what it is), the first match counts.
STRANGERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GIF8", mark("a GIF picture")),
    (8, b"WEBP", mark("a WebP picture")),
    (8, b"AVI ", mark("an AVI video")),
    (8, b"WAVE", mark("a sound recording")),
    (4, b"ftypavi", mark("an AVIF picture")),
    (4, b"ftyphei", mark("a HEIC picture, as phones take")),
    (4, b"ftyphev", mark("a HEIC picture, as phones take")),
    (4, b"ftypmif1", mark("a HEIC picture, as phones take")),
    (4, b"ftypmsf1", mark("a HEIC picture, as phones take")),
    (4, b"ftypcrx", mark("a camera's raw file")),
    (4, b"ftyp", mark("an MP4 or MOV video")),
    (4, b"moov", mark("an MP4 or MOV video")),
    (0, b"\x1aE\xdf\xa3", mark("a Matroska or WebM video")),
    (0, b"\x00\x00\x01\xba", mark("an MPEG video")),
    (4, b"jP  \r\n", mark("a JPEG 2000 picture")),
    (0, b"II*\0", mark("a TIFF picture or a camera's raw file")),
    (0, b"MM\0*", mark("a TIFF picture or a camera's raw file")),
    (0, b"BM", mark("a BMP picture")),
    (0, b"8BPS", mark("a Photoshop file")),
    (0, b"%PDF", mark("a PDF")),
    (0, b"PK\x03\x04", mark("a ZIP archive")),
    (0, b"\0\x05\x16\x07", mark("a side file that a Mac left on the card")),
    (0, b"<", mark("a web page or an SVG")),
)


def not_a_photo(head: bytes) -> str:
    """Why the file that begins with these bytes is no photo; empty for a JPEG or a PNG (by content, never by name)."""
    if not head:
        return EMPTY
    if head.startswith(PHOTOS):
        return ""
    known = (what for offset, signature, what in STRANGERS if head[offset : offset + len(signature)] == signature)
    what = next(known, "")
    return written("this is %(what)s, neither a JPEG nor a PNG photo", what=what) if what else UNKNOWN
