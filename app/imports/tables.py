"""Tables as text: which letters, which separator, which decimal mark; rows with the line on which they begin.

UTF-8 with commas is read as it is. Anything else (a byte mark of UTF-16, Latin-1, semicolons, tabs, decimal commas) is guessed,
and the first rows are shown as they would be read: only when a person has said yes is the file taken for what it seems to be.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.imports.files import Files
from app.imports.lines import How
from models.errors import Invalid

ENCODINGS = ("utf-8", "utf-16", "latin-1", "windows-1252")
DELIMITERS = (",", ";", "\t")
PLAIN = ("utf-8", ",", ".")
FIRST_ROWS = 5
MOST_CELL = 1 << 20
GUARDED = "=+-@'\t\r\0"


class Asks(Exception):
    """A person has to look first. reading: encoding, delimiter, decimal, header, rows, and what is wanted of them."""

    def __init__(self, reading: dict[str, Any]) -> None:
        """reading: for Import.source."""
        super().__init__("look at the first rows")
        self.reading = reading


@dataclass(frozen=True)
class Row:
    """One row. line: on which it begins, 1 is the header's. cells: by column."""

    line: int
    cells: Mapping[str, str]

    def get(self, column: str) -> str:
        """The cell without blanks around it; empty where there is none."""
        return self.cells.get(column, "").strip()


@dataclass(frozen=True)
class Table:
    """A table that is being read. strange: rows with more or fewer cells than the header come without cells."""

    header: list[str]
    rows: Iterator[Row]
    decimal: str


def table(files: Files, name: str, how: How, *, asks: bool = True) -> Table:
    """Open a table. Raises Asks where its reading was guessed and nobody has said yes; Invalid for one that cannot be read."""
    encoding = how.encoding or guess_encoding(files, name)
    head = first_text(files, name, encoding)
    delimiter = how.delimiter or guess_delimiter(head)
    plain = (encoding, delimiter, how.decimal) == PLAIN
    if asks and not plain and not how.confirmed:
        raise Asks({"reading": reading(files, name, encoding, delimiter, how.decimal)})
    rows = rows_of(files, name, encoding, delimiter)
    header = next(rows)
    names = [cell.strip() for cell in header[1]]
    check_header(name, names)
    return Table(names, (row_of(line, names, cells) for line, cells in rows if any(cells)), how.decimal)


def reading(files: Files, name: str, encoding: str, delimiter: str, decimal: str) -> dict[str, Any]:
    """How the first rows look when they are read so."""
    rows = [cells for _line, cells in itertools.islice(rows_of(files, name, encoding, delimiter), FIRST_ROWS + 1)]
    return {
        "file": name, "encoding": encoding, "delimiter": delimiter, "decimal": decimal,
        "header": [cell[:80] for cell in rows[0]], "rows": [[cell[:80] for cell in row] for row in rows[1:]],
    }  # fmt: skip


def row_of(line: int, header: Sequence[str], cells: Sequence[str]) -> Row:
    """Cells by column. A short row lacks its last cells; more cells than columns are kept under an empty name."""
    found = dict(zip(header, cells, strict=False))
    if len(cells) > len(header):
        found[""] = "more"
    return Row(line, found)


def rows_of(files: Files, name: str, encoding: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """(line, cells). Raises Invalid, naming the line."""
    with files.open(name) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
        rows = csv.reader(text, delimiter=delimiter, strict=True)
        csv.field_size_limit(MOST_CELL)
        line = 1
        empty = True
        try:
            for cells in rows:
                empty = False
                yield line, cells
                line = rows.line_num + 1
        except csv.Error as error:
            raise Invalid(f"{name} line {line}: {error}") from error
        except UnicodeError as error:
            raise Invalid(f"{name} line {line}: it is not {encoding} as it should be") from error
    if empty:
        raise Invalid(f"{name}: it is empty")


def guess_encoding(files: Files, name: str) -> str:
    """By its mark; UTF-8 where all of it is; else Windows-1252, or Latin-1 where that has no letter for a byte."""
    with files.open(name) as file:
        head = file.read(4)
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return "utf-16"
    for encoding in ("utf-8", "windows-1252"):
        if reads_as(files, name, encoding):
            return encoding
    return "latin-1"


def reads_as(files: Files, name: str, encoding: str) -> bool:
    """Whether every byte of the file has a meaning so."""
    with files.open(name) as file, io.TextIOWrapper(file, encoding=encoding) as text:
        try:
            while text.read(1 << 20):
                pass
        except UnicodeError:
            return False
    return True


def first_text(files: Files, name: str, encoding: str) -> str:
    """The first line."""
    with files.open(name) as file:
        try:
            return io.TextIOWrapper(file, encoding="utf-8-sig" if encoding == "utf-8" else encoding).readline(1 << 16)
        except (UnicodeError, LookupError) as error:
            raise Invalid(f"{name}: it is not {encoding}") from error


def guess_delimiter(line: str) -> str:
    """The one that comes most often in the header."""
    return max(DELIMITERS, key=lambda mark: (line.count(mark), -DELIMITERS.index(mark)))


def check_header(name: str, header: Sequence[str]) -> None:
    """Raises Invalid where a column is named twice."""
    twice = {column for column in header if column and header.count(column) > 1}
    if twice:
        raise Invalid(f"{name} line 1: the column {min(twice)[:60]!r} comes twice")


def unguarded(text: str) -> str:
    """A cell of our own tables without the mark that keeps spreadsheets from taking it for a formula."""
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in GUARDED else text


def number(text: str, decimal: str) -> float:
    """12.5, or 12,5 where the file is read so. Raises ValueError."""
    return float(text.replace(",", ".") if decimal == "," else text)
