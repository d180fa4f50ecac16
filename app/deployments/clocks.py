"""A correction as a form asks for it, and what it would do: six photos before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.deployments import queries
from app.deployments.reading import moment
from app.pictures import photo_pictures
from models.clock import standing
from models.correcting import DRIFT, SHIFT, SWAP, ZONE, Correction, corrected, refused
from models.deployment import Deployment
from models.errors import Invalid
from models.image import Image
from models.privacy import veils
from models.words import mark

SHOWN = 6
Typed = Mapping[str, str]
# what the form offers -> in words; "summer" is a shift by an hour from a moment on
WAYS = {
    SHIFT: mark("One pair of times: the whole roll is off by a constant"),
    DRIFT: mark("Two pairs of times: the clock ran fast or slow"),
    SWAP: mark("Day and month are swapped"),
    "later": mark("Summer time: one hour later from a moment on"),
    "earlier": mark("Summer time ended: one hour earlier from a moment on"),
    ZONE: "Summer time by the rule of a zone",
}
FIELDS = ("way", "shown_1", "true_1", "shown_2", "true_2", "zone", "set_at", "from_at", "to_at")
HOUR_S = 3600


@dataclass(frozen=True)
class Before:
    """One photo of a preview. shot, now, then: as shot, as it stands, with the correction."""

    image: Image
    pictures: dict[str, Any]
    shot: dt.datetime
    now: dt.datetime | None
    then: dt.datetime | None


@dataclass(frozen=True)
class Preview:
    """What a correction would do. photos: how many it means. refused: how many of them it cannot move."""

    correction: Correction
    rows: list[Before]
    photos: int
    refused: int


def typed_correction(typed: Typed) -> Correction:
    """Raises Invalid at the field."""
    way = typed["way"]
    from_at, to_at = needed_or_none(typed, "from_at"), needed_or_none(typed, "to_at")
    if way == SHIFT:
        shown, true = needed(typed, "shown_1"), needed(typed, "true_1")
        return Correction.checked(SHIFT, {"seconds": round((true - shown).total_seconds())}, from_at, to_at)
    if way in ("later", "earlier"):
        if from_at is None:
            raise Invalid("from_at: an hour that begins or ends needs a moment, like 2026-03-29 02:00")
        return Correction.checked(SHIFT, {"seconds": HOUR_S if way == "later" else -HOUR_S}, from_at, to_at)
    if way == DRIFT:
        pairs = {name: needed(typed, name).isoformat() for name in ("shown_1", "true_1", "shown_2", "true_2")}
        return Correction.checked(DRIFT, pairs, from_at, to_at)
    if way == ZONE:
        set_at = needed(typed, "set_at").isoformat()
        return Correction.checked(ZONE, {"zone": typed["zone"], "set_at": set_at}, from_at, to_at)
    return Correction.checked(way, {}, from_at, to_at)


def needed(typed: Typed, field: str) -> dt.datetime:
    """Raises Invalid where nothing is typed."""
    at = moment(field, typed[field])
    if at is None:
        raise Invalid(f"{field}: write a time, like 2026-03-01 10:00:00")
    return at


def needed_or_none(typed: Typed, field: str) -> dt.datetime | None:
    """A bound that may be left out."""
    return moment(field, typed[field])


def preview(session: Session, deployment: Deployment, correction: Correction) -> Preview:
    """Six of the photos that are meant, evenly spread."""
    before = standing(session, [deployment.id])[deployment.id]
    images = queries.some_photos(session, deployment.id, correction.from_at, correction.to_at, SHOWN)
    meant = [at for at in queries.times(session, deployment.id) if correction.covers(at)]
    return Preview(
        correction, rows(session, images, [*before, correction]), len(meant), refused(meant, before, correction)
    )


def rows(session: Session, images: Sequence[Image], corrections: Sequence[Correction]) -> list[Before]:
    """The photos with their three times; people are veiled as everywhere."""
    over = veils(session, [image.id for image in images])
    return [
        Before(
            image, photo_pictures(image.id, over.get(image.id)), image.captured_at, image.taken_at,
            corrected(image.captured_at, corrections),
        )
        for image in images
        if image.captured_at is not None
    ]  # fmt: skip
