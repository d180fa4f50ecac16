"""A table that somebody's spreadsheet saved, read without guessing in silence.

What was taken for its letters and its separator is told, and shown before anything is stored (FORMATS.md section 1 rule 3).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.cells import unguard
from models.errors import Invalid

MOST_BYTES = 4_000_000
MOST_ROWS = 10_000
MOST_CHARACTERS = 4_000  # of a cell
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
UTF_8, UTF_16, LATIN_1 = "UTF-8", "UTF-16", "Latin-1 (Windows-1252)"


@dataclass(frozen=True)
class Row:
    """One row: the line it begins in, and what stands under each header. Cells that are empty are left out."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """encoding and separator: how it was read, in words. headers: as written, without what is around them."""

    encoding: str
    separator: str
    headers: tuple[str, ...]
    rows: tuple[Row, ...]


def decoded(content: bytes) -> tuple[str, str]:
    """(text, encoding). Raises Invalid for what is no text, or too much."""
    if len(content) > MOST_BYTES:
        raise Invalid(f"file: more than {MOST_BYTES // 1_000_000} MB")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding, codec = UTF_16, "utf-16"
    elif b"\0" in content[:200]:
        encoding, codec = UTF_16, "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
    else:
        encoding, codec = UTF_8, "utf-8-sig"
    try:
        text = content.decode(codec)
    except UnicodeDecodeError as error:
        if encoding == UTF_16:
            raise Invalid("file: it looks like UTF-16, and is not whole") from error
        text, encoding = content.decode("cp1252", errors="replace"), LATIN_1
    if "\0" in text:
        raise Invalid("file: this is no text")
    return text, encoding


def read(text: str, encoding: str = UTF_8) -> Sheet:
    """Raises Invalid where there is no header, a column stands twice, quotes do not close, or a row or cell is too long."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=head.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        headers = tuple(header.strip() for header in first_record(lines))
        while headers and not headers[-1]:
            headers = headers[:-1]
        if not any(headers):
            raise Invalid("file: it is empty")
        plain = [header.lower() for header in headers if header]
        twice = next((header for header in plain if plain.count(header) > 1), None)
        if twice:
            raise Invalid(f"line 1, {twice}: the column stands there twice")
        rows = tuple(rows_of(lines, headers))
    except csv.Error as error:
        raise Invalid(f"file: line {lines.line_num} cannot be read as a table ({error})") from error
    return Sheet(encoding, SEPARATORS[separator], headers, rows)


def first_record(lines: Iterator[list[str]]) -> list[str]:
    """The header: the first that is not empty."""
    return next((record for record in lines if any(cell.strip() for cell in record)), [])


def rows_of(lines: Any, headers: tuple[str, ...]) -> Iterator[Row]:
    """Below the header, without empty ones."""
    begins, count = lines.line_num + 1, 0
    for record in lines:
        cells = [unguard(cell.strip(" \t")).strip() for cell in record]
        if any(cells):
            count += 1
            if count > MOST_ROWS:
                raise Invalid(f"file: more than {MOST_ROWS:,} rows")
            if len(cells) > len(headers) and any(cells[len(headers) :]):
                raise Invalid(f"file: line {begins} has more cells than the header")
            if any(len(cell) > MOST_CHARACTERS for cell in cells):
                raise Invalid(f"file: line {begins} has a cell of more than {MOST_CHARACTERS:,} characters")
            yield Row(begins, {header: cell for header, cell in zip(headers, cells, strict=False) if header and cell})
        begins = lines.line_num + 1


def listed(cell: str) -> list[str]:
    r"""The parts of a | b; \| is a bar and \\ a backslash of the text itself."""
    parts: list[str] = []
    part, escaped = "", False
    for character in cell:
        if escaped or character not in "\\|":
            part, escaped = part + character, False
        elif character == "\\":
            escaped = True
        else:
            parts, part = [*parts, part], ""
    return [each for part in [*parts, part] if (each := part.strip())]


def joined(parts: list[str]) -> str:
    """The same the other way round."""
    return " | ".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
