"""What a form or a script sends to the desk. One shape for both: a form's fields are strings, a script's JSON is typed."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, TypeVar

from fastapi import Depends
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError
from starlette.requests import ClientDisconnect, Request

from models.act import MAX_KEY
from models.answering import MOST, MOST_AT_ONCE
from models.drawing import MOST_DRAWN, Drawing
from models.errors import Invalid
from models.note import MOST_TEXT
from models.observed import Observed, observed
from models.words import say

LARGEST_ID = 2**31 - 1
NUMBER = re.compile(r"[0-9]{1,10}")
AHEAD = 20  # crops on one desk
MOST_IN_BURST = 1000
Id = Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]
Count = Annotated[StrictInt, Field(ge=0, le=MOST)]
Key = Annotated[StrictStr, Field(min_length=8, max_length=MAX_KEY)]
Word = Annotated[StrictStr, Field(max_length=200)]
Token = Annotated[StrictStr, Field(max_length=64)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Corners = tuple[Share, Share, Share, Share]  # x_min, y_min, x_max, y_max of the photo
Kind = TypeVar("Kind", bound=BaseModel)


class Body(BaseModel):
    """What every act carries. by: who said it on that page; another person's sign-in must not send it (H25)."""

    model_config = ConfigDict(extra="ignore")

    idempotency_key: Key
    lease_token: Token = ""
    pick_id: Id | None = None
    by: Id | None = None


class Said(Body):
    """One answer. species: an id, or any of its names."""

    species: Id | Annotated[StrictStr, Field(min_length=1, max_length=200)]
    certain: StrictBool = True
    count: Count | None = None
    sex: Word = ""
    life_stage: Word = ""
    behaviour: Word = ""

    @property
    def observed(self) -> Observed:
        """What is said beside the name. Raises Invalid naming the field whose word is none."""
        return observed(self.sex, self.life_stage, self.behaviour)


class Counted(Body):
    """How many of what the box is called are in the photo."""

    count: Count


class Flagged(Body):
    """Whether an expert shall look, or whether the crop is gold."""

    raised: StrictBool = True


class Commented(Body):
    """Words beside a crop."""

    text: Annotated[StrictStr, Field(min_length=1, max_length=2 * MOST_TEXT)]


class SaidOfBurst(Said):
    """One answer for the crop on the desk and these others of its burst."""

    boxes: Annotated[list[Id], Field(max_length=MOST_IN_BURST)]


class SaidOfMany(Body):
    """A name for each of many crops. said: box and species ids."""

    box: Id
    said: Annotated[list[tuple[Id, Id]], Field(min_length=1, max_length=MOST_AT_ONCE)]
    certain: StrictBool = True


class AboutMany(Body):
    """Something that is the same for many crops, box among them."""

    box: Id
    boxes: Annotated[list[Id], Field(min_length=1, max_length=MOST_AT_ONCE)]


class Moved(BaseModel):
    """A box that the page showed, and where it lies now."""

    box_id: Id
    corners: Corners


class Drawn(Body):
    """What a person did to the boxes of one photo."""

    moved: Annotated[list[Moved], Field(max_length=MOST_DRAWN)] = []
    added: Annotated[list[Corners], Field(max_length=MOST_DRAWN)] = []
    deleted: Annotated[list[Id], Field(max_length=MOST_DRAWN)] = []

    @property
    def drawing(self) -> Drawing:
        """Raises Invalid when a box is moved twice."""
        moved = {each.box_id: each.corners for each in self.moved}
        if len(moved) < len(self.moved):
            raise Invalid("moved: " + say("a box is named twice"))
        return Drawing(moved, self.added, self.deleted)


class TakenBack(Body):
    """Undo. of: the key of the act that the page means."""

    of: Key | None = None


class Wanted(BaseModel):
    """The next crops. have: the picks that the page holds already, so that they need not be sent again."""

    model_config = ConfigDict(extra="ignore")

    count: Annotated[StrictInt, Field(ge=1, le=AHEAD)] = AHEAD
    have: Annotated[list[Id], Field(max_length=200)] = []
    classifier_id: Id | None = None
    by: Id | None = None


async def sent_fields(request: Request) -> dict[str, Any]:
    """The fields of the body, whether form or JSON. Raises Invalid for anything else."""
    try:
        return await read_fields(request)
    except ClientDisconnect as error:
        raise Invalid("body: " + say("it broke off")) from error


async def read_fields(request: Request) -> dict[str, Any]:
    """By the content type: JSON, else a form."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        return json_object(await request.body())
    form = await request.form()
    sent = from_form({name: value for name, value in form.items() if isinstance(value, str) and name != "boxes"})
    boxes = [int(value) for value in form.getlist("boxes") if isinstance(value, str) and NUMBER.fullmatch(value)]
    return sent | ({"boxes": boxes} if boxes else {})


SentFields = Annotated[dict[str, Any], Depends(sent_fields)]


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises Invalid unless the bytes are one JSON object."""
    try:
        sent = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Invalid("body: " + say("it is not JSON")) from error
    if not isinstance(sent, dict):
        raise Invalid("body: " + say("it must be one JSON object"))
    return sent


def from_form(fields: dict[str, str]) -> dict[str, Any]:
    """A form's strings as what they mean: a species button sends an id, the find field a name; empty fields are absent."""
    sent: dict[str, Any] = {name: value.strip() for name, value in fields.items() if value.strip()}
    if "find" in sent:
        sent.setdefault("species", sent["find"])
    for name in ("species", "pick_id", "by", "count"):
        if NUMBER.fullmatch(sent.get(name, "")):
            sent[name] = int(sent[name])
    sent["certain"] = "not_certain" not in sent
    sent["raised"] = "lowered" not in sent
    return sent


def checked(kind: type[Kind], sent: dict[str, Any]) -> Kind:
    """The body of this kind. Raises Invalid naming the first field that is wrong."""
    try:
        return kind.model_validate(sent)
    except ValidationError as error:
        first = error.errors()[0]
        field = first["loc"][0] if first["loc"] else "body"
        words = say("choose an answer, or type a name") if field == "species" else first["msg"]
        raise Invalid(f"{field}: {words}") from error
