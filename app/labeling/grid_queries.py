"""What the grid asks the database: up to 20,000 tiles, each with its guess, its name, and what lies around it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session

from app.pages import day_of
from models.base import utc_now
from models.beside import speaks
from models.box import Box, askable
from models.database import CHUNK_ROWS
from models.deployment import Deployment
from models.desk import Desk
from models.image import Image
from models.label import Label
from models.lease import Lease
from models.likeness import Likeness
from models.meaning import meanings
from models.membership import Membership, Role
from models.round import CHOSEN, OPEN, Pick, Round
from models.user import User
from models.words import say

AnyRow = Row[*tuple[Any, ...]]
MOST = 20_000  # tiles of one grid

COLUMNS = (
    Box.id, Box.image_id, Box.settled_species_id, Image.taken_at, Image.deployment_id, Image.sequence_id,
    Box.waits_for, Box.embedder_id, Label.user_id.label("named_by"), Label.certain, Likeness.place,
    Likeness.near_species_id,
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """Which crops. round_id: those of a round, else all of the project. open: nobody named them. species_id: called or guessed
    so. deployment_id: of this camera.
    """

    round_id: int | None = None
    open: bool = False
    species_id: int | None = None
    deployment_id: int | None = None


def tiles(desk: Desk, wanted: Wanted) -> list[AnyRow]:
    """Alike ones beside each other, those without a place last; the first MOST of them."""
    if wanted.round_id or wanted.species_id or wanted.deployment_id:
        rows = narrowed(desk, beside_box(select(*COLUMNS).select_from(Box)), wanted)
        return list(desk.session.execute(rows.order_by(Likeness.place.is_(None), Likeness.place, Box.id).limit(MOST)))
    # Of a million crops the first ones are read along the index of the places; no other index may tempt the planner.
    along = select(*COLUMNS).select_from(Likeness).join(Box, Box.id == Likeness.box_id)
    placed = narrowed(desk, beside_box(along, placed=True), wanted, by_place=True)
    placed = placed.where(Likeness.project_id == desk.project.id)
    found = list(desk.session.execute(placed.order_by(Likeness.place).limit(MOST)))
    found.sort(key=lambda row: (row.place, row.id))
    if len(found) < MOST:
        new = narrowed(desk, beside_box(select(*COLUMNS).select_from(Box)), wanted).where(Likeness.box_id.is_(None))
        found += desk.session.execute(new.order_by(Box.id).limit(MOST - len(found)))
    return found


def how_many(desk: Desk, wanted: Wanted) -> int:
    """Tiles without the limit."""
    counted = select(func.count(Box.id)).select_from(Box)
    if wanted.deployment_id:
        counted = counted.join(Image, Image.id == Box.image_id)
    return desk.session.scalar(narrowed(desk, counted, wanted)) or 0


def beside_box(asked: Any, *, placed: bool = False) -> Any:
    """The question with a box's photo, the label that names it, and its place (there already when placed)."""
    found = asked.join(Image, Image.id == Box.image_id).outerjoin(Label, Label.id == Box.settled_label_id)
    return found if placed else found.outerjoin(Likeness, Likeness.box_id == Box.id)


def narrowed(desk: Desk, found: Any, wanted: Wanted, *, by_place: bool = False) -> Any:
    """The question, for the crops of a round, else for those that can be asked about. by_place: said so that no index of the
    boxes answers it.
    """
    if by_place:
        sure = func.coalesce(Box.score, 0) >= desk.project.classify_above
        found = found.where(sure, Box.embedder_id.is_not(None))
    elif wanted.round_id:
        found = found.join(Pick, Pick.box_id == Box.id).where(Pick.round_id == wanted.round_id)
    else:
        found = found.where(askable(desk.project))
    found = found.where(Box.deleted_at.is_(None), ~unheard(desk))
    if wanted.open:
        found = found.where(Box.settled_species_id.is_(None))
    if wanted.species_id:
        named = meanings(desk.session, desk.project.id).said_as(wanted.species_id)
        guessed = and_(Box.settled_species_id.is_(None), Box.guess_species_id.in_(named))
        hidden = Box.id.in_(blind_boxes(desk.session, desk.project.id))  # else the filter tells what the tile does not
        found = found.where(or_(Box.settled_species_id.in_(named), and_(guessed, ~hidden)))
    if wanted.deployment_id:
        found = found.where(Image.deployment_id == wanted.deployment_id)
    return found


def round_shown(session: Session, project_id: int) -> Round | None:
    """The round to work on: the first with crops that wait, else the newest that was begun."""
    rounds = Round.unfinished(session, project_id)
    for each in rounds:
        if each.state != CHOSEN or each is rounds[0]:
            return each
    newest = select(Round).where(Round.project_id == project_id).order_by(Round.number.desc()).limit(1)
    return session.scalar(newest)


def blind_boxes(session: Session, project_id: int) -> set[int]:
    """Boxes that wait to be named without a guess."""
    rounds = [each.id for each in Round.unfinished(session, project_id)]
    waiting = session.scalars(select(Pick).where(Pick.round_id.in_(rounds), Pick.state == OPEN))
    return {pick.box_id for pick in waiting if pick.is_blind}


def unheard(desk: Desk) -> ColumnElement[bool]:
    """Whether this person is or may be asked about a box beside the rounds: what others said must not be seen before."""
    if desk.role is not Role.annotator:
        return false()
    meant = or_(Pick.user_id == desk.user_id, and_(Pick.user_id.is_(None), ~speaks(desk.user_id)))
    waiting = select(Pick.id).where(Pick.box_id == Box.id, Pick.round_id.is_(None), Pick.state == OPEN, meant)
    return exists(waiting.correlate(Box))


def own_voices(desk: Desk, box_ids: list[int]) -> dict[int, tuple[int, bool]]:
    """box id -> what this person says of it (species id, certain)."""
    found: dict[int, tuple[int, bool]] = {}
    meant = meanings(desk.session, desk.project.id)
    for start in range(0, len(box_ids), CHUNK_ROWS):
        few = box_ids[start : start + CHUNK_ROWS]
        mine = select(Label.box_id, Label.species_id, Label.certain).where(Label.box_id.in_(few))
        for row in desk.session.execute(mine.where(Label.user_id == desk.user_id).order_by(Label.id)):
            found.pop(row.box_id, None)
            if row.species_id is not None:
                found[row.box_id] = (meant.of(row.species_id), row.certain)
    return found


def settled_among(desk: Desk, box_ids: list[int]) -> set[int]:
    """Those that have a name."""
    named = select(Box.id).where(Box.id.in_(box_ids), Box.settled_species_id.is_not(None))
    return set(desk.session.scalars(named))


def with_others(session: Session, project_id: int, user_id: int) -> dict[int, int]:
    """box id -> who else has it on the desk now."""
    rounds = [each.id for each in Round.unfinished(session, project_id)]
    held = (
        select(Pick.box_id, Lease.user_id)
        .join(Lease, Lease.pick_id == Pick.id)
        .where(Pick.round_id.in_(rounds), Pick.state == OPEN, Lease.user_id != user_id, Lease.expires_at > utc_now())
    )
    return {row[0]: row[1] for row in session.execute(held)}


def people(session: Session, project_id: int) -> dict[int, str]:
    """user id -> name, of who is or was a member and spoke."""
    members = select(Membership.user_id).where(Membership.project_id == project_id)
    spoke = select(Label.user_id).where(Label.project_id == project_id).distinct()
    rows = session.execute(select(User.id, User.name).where(User.id.in_(members.union(spoke))))
    return {row.id: row.name for row in rows}


def cameras(session: Session, project_id: int) -> dict[int, str]:
    """deployment id -> name, by name."""
    wanted = select(Deployment.id, Deployment.name).where(Deployment.project_id == project_id).order_by(Deployment.name)
    return {row.id: row.name for row in session.execute(wanted)}


def moment(taken_at: dt.datetime | None) -> str:
    """The camera's clock to the minute, for a burst's head."""
    return f"{day_of(taken_at)}, {taken_at:%H:%M}" if taken_at else say("no time")
