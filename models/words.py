"""Sentences for people: every one goes through here, so that a translation is a file.

A message is its own key: `say("%(count)s crops wait", count=12)`. In templates `_()` and `{% trans %}` do the same. The
language is that of the request at hand; the worker and the command line speak English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from babel.numbers import format_decimal

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
FEWEST_LETTERS = 6  # of its own; a sentence with fewer could be anything


@dataclass(frozen=True)
class Language:
    """A language and its messages: English message -> its forms, one unless it counts something."""

    code: str  # en, de, pt_BR
    name: str  # as its own speakers write it
    messages: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]  # number -> place among the forms

    @cached_property
    def patterns(self) -> list[tuple[re.Pattern[str], str]]:
        """(what an English sentence with its values looks like, its translation), those with the most letters first."""
        found = []
        for message, forms in self.messages.items():
            own = PLACEHOLDER.sub("", message)
            if own != message and sum(character.isalpha() for character in own) >= FEWEST_LETTERS:
                parts = [re.escape(part.replace("%%", "%")) for part in PLACEHOLDER.split(message)[::2]]
                names = PLACEHOLDER.findall(message)
                if len(names) == len(set(names)):
                    groups = [f"(?P<{name}>.*?)" for name in names] + [""]
                    found.append((len(own), "".join(map("".join, zip(parts, groups, strict=True))), forms[0]))
        found.sort(key=lambda each: -each[0])
        return [(re.compile(pattern, re.DOTALL), translation) for _letters, pattern, translation in found]


ENGLISH = Language("en", "English", {}, lambda number: int(number != 1))


class Reader:
    """Whom the sentences are for. A route runs in a copy of its request's context; the copies share this one object."""

    def __init__(self, language: Language) -> None:
        """language: as the browser asks; signing in may change it."""
        self.language = language


_reader: ContextVar[Reader | None] = ContextVar("reader", default=None)


def hear(language: Language) -> None:
    """From here on, in this context and its copies, sentences are in this language."""
    _reader.set(Reader(language))


def speak(language: Language) -> None:
    """The reader of this context turns out to read another language."""
    reader = _reader.get()
    if reader is not None:
        reader.language = language


def spoken() -> Language:
    """The language of this context."""
    reader = _reader.get()
    return ENGLISH if reader is None else reader.language


def say(message: str, **values: Any) -> str:
    """The message in the reader's language with its values put in; %% is a percent sign."""
    return translated(message) % values


def say_many(one: str, many: str, num: int, **values: Any) -> str:
    """The form of the message that the number asks for; the number itself is %(num)s."""
    return translated_many(one, many, num) % {"num": figure(num), **values}


def mark(message: str) -> str:
    """The message as it is: it stands in a table, translators know it by this, and say() or translated() shows it."""
    return message


def mark_many(one: str, many: str) -> tuple[str, str]:
    """Two forms of a sentence that a table keeps in English; say_many() says them where they are shown."""
    return one, many


def written(message: str, **values: Any) -> str:
    """The message in English with its values: for a row, which people of all languages will read. retold() shows it."""
    return message % values


def retold(sentence: str) -> str:
    """An English sentence out of a row in the reader's language; as it is where no message fits it.

    What it is made of is found by the message's own words, so a row needs no second column for message and values.
    """
    language = spoken()
    if language is ENGLISH or not sentence:
        return sentence
    forms = language.messages.get(sentence.replace("%", "%%"))
    if forms is not None:
        return forms[0].replace("%%", "%")
    for pattern, translation in language.patterns:
        match = pattern.fullmatch(sentence)
        if match:
            return translation % {name: retold(value) for name, value in match.groupdict().items()}
    return sentence


def translated(message: str) -> str:
    """The message in the reader's language, its values still to come."""
    forms = spoken().messages.get(message)
    return message if forms is None else forms[0]


def translated_many(one: str, many: str, num: int) -> str:
    """The form that the number asks for, in the reader's language, its values still to come."""
    language = spoken()
    forms = language.messages.get(one)
    if forms is None or (len(forms) < 2 and language.form(num) >= len(forms)):
        return one if num == 1 else many
    return forms[min(language.form(num), len(forms) - 1)]


def figure(number: float) -> str:
    """5657 -> 5,657, or as the reader's language groups digits."""
    language = spoken()
    return f"{number:,}" if language is ENGLISH else format_decimal(number, locale=language.code)
