"""Sentences for people: every one goes through here, so that a translation is a file.

A message is its own key: `say("%(count)s crops wait", count=12)`. In templates `_()` and `{% trans %}` do the same. The language is
that of the request at hand; the worker and the command line speak English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from babel.numbers import format_decimal


@dataclass(frozen=True)
class Language:
    """A language and its messages: English message -> its forms, one unless it counts something."""

    code: str  # en, de, pt_BR
    name: str  # as its own speakers write it
    messages: Mapping[str, tuple[str, ...]]
    form: Callable[[int], int]  # number -> place among the forms


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
    """The message as it is. It stands in a table or a row, is known to translators by this, and goes through say() when it is shown."""
    return message


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
