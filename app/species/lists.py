"""A pasted list of species: one a line, the scientific name after a semicolon or a tab."""

from __future__ import annotations

import re

from models.errors import Invalid
from models.words import say

MAX_LINES = 500


def parse(text: str) -> list[tuple[str, str]]:
    """(name, scientific name) of every line that is not empty. Raises Invalid for an empty or too long list."""
    lines = [line for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") if line.strip()]
    if not 0 < len(lines) <= MAX_LINES:
        raise Invalid("list: " + say("1 to %(max_lines)s lines, one species a line", max_lines=MAX_LINES))
    return [pair(line) for line in lines]


def pair(line: str) -> tuple[str, str]:
    """Jaguar; Panthera onca. What comes after a second separator is left out."""
    parts = [part.strip() for part in re.split(r"[;\t]", line)]
    return parts[0], parts[1] if len(parts) > 1 else ""
