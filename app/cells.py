"""Cells of a CSV that is safe to open in a spreadsheet and can be read back to the letter (FORMATS.md section 1 rule 3)."""

from __future__ import annotations

from collections.abc import Iterable

# A spreadsheet would take a cell that begins with one of these for a formula, or swallow it.
DANGEROUS = tuple("=+-@'\t\r\0")
NEEDS_QUOTES = frozenset(',"\r\n')


def line(cells: Iterable[str]) -> str:
    """One record. The csv module leaves a bare CR unquoted when lines end with LF, so the quotes are set here. Most records need
    none, which is seen at once."""
    listed = list(cells)
    text = ",".join(listed)
    if text.count(",") == len(listed) - 1 and '"' not in text and "\n" not in text and "\r" not in text:
        return text + "\n"
    return ",".join(map(quoted, listed)) + "\n"


def quoted(cell: str) -> str:
    """RFC 4180: quotes only where they are needed."""
    if NEEDS_QUOTES.isdisjoint(cell):
        return cell
    return '"' + cell.replace('"', '""') + '"'


def guard(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(DANGEROUS) else text


def unguard(text: str) -> str:
    """The text as it was: unguard(guard(text)) == text for every text."""
    return text[1:] if text.startswith("'") else text
