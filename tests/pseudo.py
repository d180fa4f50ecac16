"""A pseudo-translation: every message between ⟦ and ⟧, so that what stands outside of them was never marked for translators."""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from tests.messages import catalogue

OPENS, CLOSES = "⟦", "⟧"


def bracketed(message: str) -> str:
    """The message as the pseudo-translation has it."""
    return f"{OPENS}{message}{CLOSES}"


def write_pseudo(folder: Path, language: str = "de") -> None:
    """<language>.po with all messages of the program; placeholders and tags stay."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Catalog(locale=language)
    for message in catalogue():
        if message.id:
            one = not isinstance(message.id, tuple)
            made.add(message.id, bracketed(message.id) if one else tuple(map(bracketed, message.id)))
    with (folder / f"{language}.po").open("wb") as file:
        write_po(file, made)
