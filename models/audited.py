"""The crops that were drawn by chance, to say how much of the rest is named right. What is said of them teaches nothing.

(The history of what people did to a project is in audit.py.)
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, aliased

from models.act import Act
from models.answering import BURST, EMPTY_PHOTO, STATIC
from models.box import Box, current_ids
from models.database import CHUNK_ROWS
from models.label import ANSWER, Label
from models.round import Pick, Round

SPREAD = (BURST, EMPTY_PHOTO, STATIC)  # kinds of acts


@dataclass(frozen=True)
class Audited:
    """One drawn crop. number: of its round. passed_in: the round whose strategy would
    have picked it, from which on it is no more in the audit."""

    box_id: int
    number: int
    passed_in: int | None


@dataclass(frozen=True)
class Aside:
    """What one act said about two crops, one of them of the audit. shown: whether a person looked at that one itself, on the
    desk or as a tile, or only named what is in the same photo or burst.
    """

    audited_id: int
    audited_shown: bool
    label_id: int
    shown: bool


def audited(session: Session, project_id: int) -> list[Audited]:
    """All of them by box id, but those that a person named while another crop was on the desk: they have left."""
    left = {aside.audited_id for aside in asides(session, project_id) if not aside.audited_shown}
    rows = session.execute(
        select(Pick.box_id, Round.number, Pick.passed_in)
        .join(Round, Round.id == Pick.round_id)
        .where(Round.project_id == project_id, Pick.chance.is_not(None))
        .order_by(Pick.box_id)
    )
    return [Audited(box_id, number, passed_in) for box_id, number, passed_in in rows if box_id not in left]


def audited_ids(project_id: int) -> Select[int]:
    """The boxes that were ever drawn."""
    drawn = select(Pick.box_id).join(Round, Round.id == Pick.round_id)
    return drawn.where(Round.project_id == project_id, Pick.chance.is_not(None))


def untaught(session: Session, project_id: int) -> tuple[set[int], set[int]]:
    """(box ids, label ids) that teach nothing.

    The boxes are those of the audit. The labels are what was said of other crops of a photo because one of the audit was
    on the desk ("empty photo"): what is learnt must not depend on who was drawn.
    """
    labels = {aside.label_id for aside in asides(session, project_id) if aside.audited_shown and not aside.shown}
    return set(session.scalars(audited_ids(project_id))), labels


def asides(session: Session, project_id: int) -> list[Aside]:
    """Of the acts that name more than what was looked at: a photo, a burst, a static group. Tiles were looked at one by one."""
    mine, other, here, beside = aliased(Label), aliased(Label), aliased(Box), aliased(Box)
    rows = session.execute(
        select(Act.id, mine.box_id, other.box_id, other.id)
        .join(mine, mine.act_id == Act.id)
        .join(other, other.act_id == Act.id)
        .join(here, here.id == mine.box_id)
        .join(beside, beside.id == other.box_id)
        .where(mine.box_id.in_(audited_ids(project_id)), other.box_id != mine.box_id, Act.kind.in_(SPREAD))
        .where(mine.kind == ANSWER, other.kind == ANSWER)
        .where(or_(Act.kind.in_((BURST, STATIC)), here.image_id == beside.image_id))
    ).all()
    shown = looked_at(session, {row[0] for row in rows})
    return [
        Aside(audited_id, audited_id in shown[act_id], label_id, box_id in shown[act_id])
        for act_id, audited_id, box_id, label_id in rows
    ]


def looked_at(session: Session, act_ids: set[int]) -> dict[int, set[int]]:
    """act id -> the boxes that the person saw when it was done: the one on the desk, or the tiles that were selected."""
    found: dict[int, set[int]] = {}
    wanted = sorted(act_ids)
    for start in range(0, len(wanted), CHUNK_ROWS):
        acts = select(Act.id, Act.answer).where(Act.id.in_(wanted[start : start + CHUNK_ROWS]))
        for act_id, answer in session.execute(acts):
            seen = set(answer.get("shown") or [answer.get("box_id")])
            found[act_id] = set(current_ids(session, seen).values())
    return found
