"""The crops that were drawn by chance, to say how much of the rest is named right. What is said of them teaches nothing.

(The history of what people did to a project is in audit.py.)
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, aliased

from models.act import Act
from models.label import ANSWER, Label
from models.round import Pick, Round


@dataclass(frozen=True)
class Audited:
    """One drawn crop. number: of its round. passed_in: the round whose strategy would
    have picked it, from which on it is no more in the audit."""

    box_id: int
    number: int
    passed_in: int | None


@dataclass(frozen=True)
class Aside:
    """What one act said about two crops, one of them of the audit. shown_id: the crop that was on the desk."""

    audited_id: int
    box_id: int
    label_id: int
    shown_id: int | None


def audited(session: Session, project_id: int) -> list[Audited]:
    """All of them by box id, but those that a person named while another crop was on the desk: they have left."""
    left = {aside.audited_id for aside in asides(session, project_id) if aside.shown_id != aside.audited_id}
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
    labels = {aside.label_id for aside in asides(session, project_id) if aside.shown_id == aside.audited_id}
    return set(session.scalars(audited_ids(project_id))), labels


def asides(session: Session, project_id: int) -> list[Aside]:
    """Few: an act names several crops only where it calls a photo empty."""
    mine, other = aliased(Label), aliased(Label)
    rows = session.execute(
        select(mine.box_id, other.box_id, other.id, Act.answer)
        .join(other, other.act_id == mine.act_id)
        .join(Act, Act.id == mine.act_id)
        .where(mine.box_id.in_(audited_ids(project_id)), other.box_id != mine.box_id)
        .where(mine.kind == ANSWER, other.kind == ANSWER)
    )
    return [Aside(audited_id, box_id, label_id, answer.get("box_id")) for audited_id, box_id, label_id, answer in rows]
