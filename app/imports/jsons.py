"""JSON from outside: no NaN, no field twice in one object, an object at the top; what is wrong is said with its place."""

from __future__ import annotations

import json
from typing import Any, NoReturn, TypeGuard

from app.imports.lines import shown
from models.errors import Invalid


def parsed(content: bytes) -> dict[str, Any]:
    """The object at the top. Raises Invalid."""
    try:
        found = json.loads(content.decode(encoding_of(content)), parse_constant=no_constant, object_pairs_hook=no_twins)
    except Invalid:
        raise
    except RecursionError as error:
        raise Invalid("file: it is nested too deeply") from error
    except ValueError as error:  # also UnicodeDecodeError and JSONDecodeError, which names line and column
        raise Invalid(f"file: it is not JSON: {str(error)[:150]}") from error
    if not isinstance(found, dict):
        raise Invalid("file: it holds no object at its top")
    return found


def encoding_of(content: bytes) -> str:
    """UTF-8, or UTF-16 where its mark says so."""
    return "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def no_constant(name: str) -> NoReturn:
    """NaN and Infinity."""
    raise Invalid(f"file: it holds {name}, which is no JSON number")


def no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A field that comes twice could mean either."""
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _value in pairs]
        raise Invalid(
            f"file: it has the field {next(name for name in names if names.count(name) > 1)[:60]!r} twice in one object"
        )
    return found


def part(parent: dict[str, Any], name: str, kind: type) -> Any:
    """A list or an object that has to be there. Raises Invalid."""
    found = parent.get(name)
    if not isinstance(found, kind):
        raise Invalid(f"{name}: missing, or not {'a list' if kind is list else 'an object'}")
    return found


def is_number(value: object) -> TypeGuard[float]:
    """No truth value, and finite in a float."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def is_share(value: object) -> TypeGuard[float]:
    """0 to 1."""
    return is_number(value) and 0 <= value <= 1


def words(value: object, most: int = 200) -> str:
    """Text as it is, a whole number as text (ids come as both), else nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:most]
    return value.strip()[:most] if isinstance(value, str) else ""


__all__ = ["is_number", "is_share", "parsed", "part", "shown", "words"]
