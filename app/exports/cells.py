"""Our own tables, written and read back column by column."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from app.cells import guard, line, unguard

Row = TypeVar("Row")


@dataclass(frozen=True)
class Column(Generic[Row]):
    """One column: its header, what it says, and where its text comes from. Only free text needs the guard."""

    name: str
    meaning: str
    value: Callable[[Row], str]  # empty where there is nothing to say
    is_text: bool = False


class TextSink(Protocol):
    """Anything that takes text: a file, a response on its way."""

    def write(self, text: str, /) -> object:
        """Take the next piece."""


def write_csv(rows: Iterable[Row], columns: Sequence[Column[Row]], stream: TextSink) -> int:
    """UTF-8 is the stream's business; LF and RFC 4180 quotes are ours. Returns how many rows stand below the header."""
    stream.write(line(column.name for column in columns))
    count = 0
    for row in rows:
        count += 1
        stream.write(line(guard(column.value(row)) if column.is_text else column.value(row) for column in columns))
    return count


def read_csv(lines: Iterable[str], columns: Sequence[Column[Row]]) -> Iterator[dict[str, str]]:
    """Our own tables read back: header -> text, without the guard. lines: a file opened with newline=""."""
    text_columns = {column.name for column in columns if column.is_text}
    for row in csv.DictReader(lines):
        yield {name: unguard(cell) if name in text_columns else cell for name, cell in row.items()}
