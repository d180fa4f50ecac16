"""What every body and list of the API is made of: lists with a cursor, moments, versions."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, StrictStr, WithJsonSchema, model_validator
from starlette.exceptions import HTTPException

from app.dependencies import LARGEST_ID
from models.act import MAX_KEY
from models.errors import Changed, Invalid
from models.words import say

MOST, USUAL = 1000, 100
Item = TypeVar("Item", bound=BaseModel)

# A moment of the server. (A camera's wall clock is a plain datetime without a zone.)
Moment = Annotated[
    dt.datetime,
    PlainSerializer(lambda at: f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}", return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-03-01T05:30:00Z"]}),
]
WallClock = Annotated[dt.datetime, PlainSerializer(lambda at: at.isoformat(timespec="seconds"), return_type=str)]
Limit = Annotated[int, Query(ge=1, le=MOST, description="How many at most.")]
After = Annotated[
    str, Query(max_length=400, description="The `next` of the page before, to go on there; empty: the first page.")
]
IfMatch = Annotated[
    str | None, Header(description='The version that you read, in quotes as the ETag has it: "7". Another one: 412.')
]
KEY = Field(
    min_length=8, max_length=MAX_KEY, examples=["5b8c1d7e9f0a4c2b"],
    description="Yours, a new one for each act, best random. Sent again with the same body it changes nothing and answers "
    "as the first time, so a request whose answer was lost is simply repeated.",
)  # fmt: skip

Key = Annotated[StrictStr, KEY]


class Shape(BaseModel):
    """Something that is answered."""

    model_config = ConfigDict(from_attributes=True)


class Sent(BaseModel):
    """Something that is sent: no unknown fields, and no characters that a database cannot keep."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def refuse_unstorable(cls, sent: Any) -> Any:
        """Raises ValueError for NUL and for halves of a character."""
        for text in texts_of(sent):
            if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
                raise ValueError("it has a character that cannot be kept")
        return sent


class Keyed(Sent):
    """What every act carries."""

    idempotency_key: Key


class Listed(Shape, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(None, description="Send it as `after` for the next page; null: this was the last one.")


def listed(found: list[Any], limit: int, shape: type[Item], *place: str) -> Listed[Item]:
    """limit + 1 rows, or fewer at the end, as a page. place: the fields by which the list is ordered."""
    shown = found[:limit]
    more = len(found) > limit
    items = [shape.model_validate(each) for each in shown]
    return Listed[Item](items=items, next=cursor(*(getattr(items[-1], name) for name in place)) if more else None)


def cursor(*place: int | str | dt.datetime) -> str:
    """Where a page ended, as text for an address."""
    plain = [part.isoformat() if isinstance(part, dt.datetime) else part for part in place]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(after: str, *kinds: type[Any]) -> tuple[Any, ...] | None:
    """What a cursor says: one value of each kind; None for the first page. Raises Invalid for one that is none of ours."""
    if not after:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError
        return tuple(read(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Invalid("after: " + say("this is no `next` of this list")) from None


def read(part: Any, kind: type[Any]) -> Any:
    """Raises ValueError for a value of another kind, or one that no row can have."""
    if kind is dt.datetime:
        moment = dt.datetime.fromisoformat(part)
        if moment.tzinfo is not None:
            raise ValueError
        return moment
    if type(part) is not kind or (kind is int and not 0 <= part <= LARGEST_ID) or (kind is str and "\0" in part):
        raise ValueError
    return part


def texts_of(sent: Any) -> list[str]:
    """Every text within a body."""
    left, texts = [sent], []
    while left:
        each = left.pop()
        if isinstance(each, str):
            texts.append(each)
        elif isinstance(each, dict):
            left += [*each.keys(), *each.values()]
        elif isinstance(each, list):
            left += each
    return texts


def etag(version: int) -> dict[str, str]:
    """The header that says which version an answer shows."""
    return {"etag": f'"{version}"'}


def expect(if_match: str | None, version: int) -> None:
    """Raises HTTPException 428 where no version was sent, Changed where it is another one by now."""
    if if_match is None:
        raise HTTPException(428, "If-Match: " + say('send the version that you read, like "7"'))
    if if_match.strip().removeprefix("W/") not in (f'"{version}"', str(version)):
        raise Changed("If-Match: " + say('it is version "%(version)s" by now. Read it again.', version=version))
