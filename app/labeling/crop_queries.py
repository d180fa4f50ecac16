"""What twenty crops ask of the database: a handful of questions for all of them, never one question a crop.

The questions are built once: building one costs more than running it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, or_, select
from sqlalchemy.orm import Session

from models.box import Box
from models.deployment import Deployment
from models.image import READY, CountCorrection, Image
from models.label import Label
from models.note import Note
from models.project import Project
from models.zone import said_zone

AnyRow = Row[*tuple[Any, ...]]
NEAR = dt.timedelta(seconds=60)  # how far around a photo its burst is shown
SPANS = 20  # bursts in one question

BOXES = (
    select(
        Box.id, Box.ordinal, Box.score, Box.drawn, Box.embedder_id, Box.x_min, Box.y_min, Box.x_max, Box.y_max, Box.image_id,
        Image.width_px, Image.height_px, Image.path, Image.taken_at, Image.deployment_id, Image.sequence_id,
        Image.captured_at, Deployment.name.label("camera"), said_zone().label("zone"),
    )
    .join(Image, Image.id == Box.image_id)
    .join(Deployment, Deployment.id == Image.deployment_id)
    .join(Project, Project.id == Image.project_id)
    .where(Box.id.in_(bindparam("box_ids", expanding=True)))
)  # fmt: skip

BESIDE = (
    select(
        Box.id, Box.image_id, Box.ordinal, Box.score, Box.x_min, Box.y_min, Box.x_max, Box.y_max, Box.settled_species_id,
        and_(Box.score >= bindparam("least_score"), Box.embedder_id.is_not(None)).label("askable"),
    )
    .where(
        Box.image_id.in_(bindparam("image_ids", expanding=True)),
        or_(
            and_(Box.kind == "animal", Box.score >= bindparam("least_score")),
            Box.settled_species_id.is_not(None),
        ),
        Box.deleted_at.is_(None),
    )
    .order_by(Box.image_id, Box.ordinal)
)  # fmt: skip

COUNTS = CountCorrection.standing(CountCorrection.image_id.in_(bindparam("image_ids", expanding=True)))

NOTES = Note.standing(Note.box_id.in_(bindparam("box_ids", expanding=True)))

# Not by user_id: SQLite would read everything that the person ever said.
VOICES = (
    select(Label.box_id, Label.user_id, Label.species_id, Label.certain, Label.sex, Label.life_stage, Label.behaviour)
    .where(Label.box_id.in_(bindparam("box_ids", expanding=True)))
    .order_by(Label.id)
)


def boxes_of(session: Session, box_ids: Iterable[int]) -> dict[int, AnyRow]:
    """Each box with its photo and camera."""
    return {row.id: row for row in session.execute(BOXES, {"box_ids": list(box_ids)})}


def boxes_in_photos(session: Session, project: Project, image_ids: Iterable[int]) -> dict[int, list[AnyRow]]:
    """image id -> the animals that can be asked about or count in it, by falling score."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(BESIDE, {"image_ids": list(image_ids), "least_score": project.classify_above}):
        found[row.image_id].append(row)
    return found


def counts_in(session: Session, image_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """image id -> species id (0: all animals) -> how many a person counted last."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for image_id, species_id, count in session.execute(COUNTS, {"image_ids": list(image_ids)}):
        found[image_id][species_id or 0] = count
    return found


def notes_on(session: Session, box_ids: Iterable[int]) -> dict[int, list[AnyRow]]:
    """box id -> its flags and comments, oldest first."""
    found: dict[int, list[AnyRow]] = defaultdict(list)
    for row in session.execute(NOTES, {"box_ids": list(box_ids)}):
        found[row.box_id].append(row)
    return found


def voices(session: Session, user_id: int, box_ids: Iterable[int]) -> dict[int, AnyRow]:
    """box id -> what this person said last about it."""
    spoken = session.execute(VOICES, {"box_ids": list(box_ids)})
    return {row.box_id: row for row in spoken if row.user_id == user_id}


def bursts_around(session: Session, photos: Iterable[AnyRow]) -> dict[int, list[AnyRow]]:
    """sequence id -> its photos near the asked ones, in the order of the camera."""
    spans: dict[int, tuple[int, dt.datetime, dt.datetime]] = {}
    for photo in photos:
        if photo.sequence_id is None or photo.taken_at is None:
            continue
        first, last = photo.taken_at - NEAR, photo.taken_at + NEAR
        _deployment, known_first, known_last = spans.get(photo.sequence_id, (0, first, last))
        spans[photo.sequence_id] = photo.deployment_id, min(first, known_first), max(last, known_last)
    found: dict[int, list[AnyRow]] = defaultdict(list)
    asked = [(sequence, *span) for sequence, span in spans.items()]
    for start in range(0, len(asked), SPANS):
        for row in session.execute(NEAR_PHOTOS, span_values(asked[start : start + SPANS])):
            found[row.sequence_id].append(row)
    return found


def near_photos() -> Select[int, int | None, dt.datetime | None]:
    """One range of one index for each burst."""
    ranges = [
        and_(
            Image.deployment_id == bindparam(f"deployment_{place}"),
            Image.taken_at.between(bindparam(f"first_{place}"), bindparam(f"last_{place}")),
            Image.sequence_id == bindparam(f"sequence_{place}"),
        )
        for place in range(SPANS)
    ]
    return (
        select(Image.id, Image.sequence_id, Image.taken_at)
        .where(or_(*ranges), Image.state == READY)
        .order_by(Image.sequence_id, Image.taken_at, Image.sub_second, Image.path, Image.id)
    )


def span_values(asked: list[tuple[int, int, dt.datetime, dt.datetime]]) -> dict[str, Any]:
    """The values of NEAR_PHOTOS; the last burst fills the places that are left."""
    filled = asked + asked[-1:] * (SPANS - len(asked))
    names = ("sequence", "deployment", "first", "last")
    return {
        f"{name}_{place}": value for place, span in enumerate(filled) for name, value in zip(names, span, strict=True)
    }


NEAR_PHOTOS = near_photos()
