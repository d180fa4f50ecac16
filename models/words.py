"""Sentences for people: every one goes through here, so that a translation is a file.

A message is its own key: `say("%(count)s crops wait", count=12)`. In templates `_()` and `{% trans %}` do the same.
"""

from __future__ import annotations

from typing import Any


def say(message: str, **values: Any) -> str:
    """The message in the reader's language with its values put in; %% is a percent sign."""
    return translated(message) % values


def say_many(one: str, many: str, num: int, **values: Any) -> str:
    """The form of the message that the number asks for; the number itself is %(num)s."""
    return translated_many(one, many, num) % {"num": num, **values}


def translated(message: str) -> str:
    """The message in the reader's language, its values still to come."""
    return message


def translated_many(one: str, many: str, num: int) -> str:
    """The form that the number asks for, in the reader's language, its values still to come."""
    return one if num == 1 else many
