"""A form that comes back: what was typed, and what is wrong at which field. Also numbers the way people type them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.errors import status_of
from app.pages import wants_page
from models.errors import Changed, Conflict, DomainError, Invalid
from models.words import say

GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


@dataclass(frozen=True)
class Refusal:
    """One form that was sent back."""

    form: str
    typed: Mapping[str, str]
    field: str
    words: str
    status: int

    @classmethod
    def of(cls, error: DomainError, form: str, typed: Mapping[str, str], otherwise: str) -> Refusal:
        """The rules say "field: what is wrong"; words that name no field of the form stand at `otherwise`.

        Where somebody else was faster, the form shows what stands now, not what was typed.
        """
        if isinstance(error, Changed):
            typed = {}
        prefix, _colon, rest = str(error).partition(": ")
        field = re.sub(r"[ -]", "_", prefix)
        if rest and (field in typed or field == otherwise):
            return cls(form, typed, field, rest[:1].upper() + rest[1:], status_of(error))
        words = str(error)
        return cls(form, typed, otherwise, words[:1].upper() + words[1:], status_of(error))


def tried(
    request: Request, session: Session, change: Callable[[], object], form: str, typed: Mapping[str, str], field: str
) -> Refusal | None:
    """Make the change; when a rule says no, undo all of it and say what stands at which field.

    field: where words without a field belong. A script, which asks for JSON, gets the error itself.
    """
    try:
        change()
    except (Invalid, Conflict, Changed) as error:
        if not wants_page(request):
            raise
        session.rollback()
        return Refusal.of(error, form, typed, field)
    return None


def go(address: str) -> Response:
    """Where a form leads when all went well."""
    return RedirectResponse(address, status_code=303)


def decimal(field: str, text: str) -> float:
    """0.9, .9 or 0,9. Raises Invalid at the field."""
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(f"{field}: " + say("write a number, like 0.90"))
    return number


def whole(field: str, text: str) -> int:
    """1000 or 1,000. Raises Invalid at the field."""
    typed = text.strip()
    plain = typed.replace(",", "") if GROUPED.fullmatch(typed) else typed
    if not re.fullmatch(r"-?[0-9]{1,9}", plain):
        raise Invalid(f"{field}: " + say("write a whole number, like 100"))
    return int(plain)
