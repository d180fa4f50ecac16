"""What the split page shows: which crops are meant, how many, some of them, and what was split before."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.dependencies import Access, House
from app.pictures import crop_picture
from models.act import Act
from models.answering import SPLIT
from models.box import Box
from models.checkpoint import Checkpoint
from models.deployment import Deployment
from models.desk import Desk
from models.errors import Invalid
from models.label import Label
from models.meaning import meanings
from models.predictions import predictions_of
from models.privacy import veils
from models.species import Species
from models.splitting import Part
from models.user import User
from models.words import say

SHOWN = 24  # crops on the page


@dataclass(frozen=True)
class Sight:
    """count: all that are meant. crops: (box id, address of its picture) of the first. cameras, people: what one may choose."""

    count: int
    crops: list[tuple[int, str]]
    cameras: list[tuple[int, str]]
    people: list[tuple[int, str]]
    mine: list[Act]


def part_of(species: Species, cameras: Sequence[str], first: str, last: str, person: str) -> Part:
    """What a form says. Raises Invalid at the field."""
    ids = tuple(sorted({number("cameras", each) for each in cameras if each}))
    days = day("first", first), day("last", last)
    if days[0] and days[1] and days[0] > days[1]:
        raise Invalid(say("last: it is before the first day"))
    return Part(species.id, ids, *days, number("person", person) if person else None)


def number(field: str, text: str) -> int:
    """An id of a form."""
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid(say("%(field)s: %(text)s is none", field=field, text=text[:20]))
    return int(text)


def day(field: str, text: str) -> dt.date | None:
    """2026-03-01, or nothing."""
    if not text.strip():
        return None
    try:
        return dt.date.fromisoformat(text.strip())
    except ValueError:
        raise Invalid(say("%(field)s: write a day like 2026-03-01", field=field)) from None


def sight_of(session: Session, project_id: int, user_id: int, part: Part) -> Sight:
    """Six questions, each along an index of the species or the project."""
    asked = part.boxes(project_id)
    count = session.scalar(select(func.count()).select_from(asked.order_by(None).subquery())) or 0
    first = session.execute(
        select(Box.id, Box.image_id)
        .where(Box.id.in_(asked.limit(SHOWN)), Box.embedder_id.is_not(None))
        .order_by(Box.id)
    ).all()
    over = veils(session, {row.image_id for row in first})
    cameras = (
        select(Deployment.id, Deployment.name).where(Deployment.project_id == project_id).order_by(Deployment.name)
    )
    named = select(Label.user_id).join(Box, Box.settled_label_id == Label.id)
    here = named.where(Box.project_id == project_id, Box.settled_species_id == part.species_id).distinct()
    people = select(User.id, User.name).where(User.id.in_(here)).order_by(User.name)
    acts = select(Act).where(Act.project_id == project_id, Act.user_id == user_id, Act.kind == SPLIT, ~Act.taken_back)
    return Sight(
        count, [(row.id, crop_picture(row.id, over.get(row.image_id))) for row in first],
        [(row.id, row.name) for row in session.execute(cameras)], [(row.id, row.name) for row in session.execute(people)],
        list(session.scalars(acts.order_by(Act.id.desc()).limit(5))),
    )  # fmt: skip


def desk_of(access: Access, house: House) -> Desk:
    """The expert's desk, whose words keep what the classifier says at this moment."""
    project = access.project
    classifier = access.session.get(Checkpoint, project.classifier_id) if project.classifier_id else None
    named = classifier.predictions if classifier and classifier.predictions else "predictions/none"
    said = predictions_of(house.store.root / named).meaning(meanings(access.session, project.id))
    return Desk(access.session, project, access.user.id, access.role, said)
