"""What one person did in a project: how many answers, how fast, and how often as an expert says; and how far people agree."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models.act import Act
from models.answering import ANSWERS, SKIP
from models.beside import gold_boxes
from models.box import Box
from models.consensus import EXPERTS
from models.database import CHUNK_ROWS
from models.label import ANSWER, Label
from models.meaning import meanings
from models.species import Species

TIMED = 5000  # newest answers whose pace is looked at


@dataclass(frozen=True)
class Judged:
    """One crop that an expert settled and this person named too. is_gold: it was kept to judge by."""

    box_id: int
    said: int
    settled: int
    is_gold: bool


def answered_count(session: Session, project_id: int, user_id: int) -> int:
    """Crops that the person named, without those that were deleted since."""
    named = (
        select(func.count(Label.box_id.distinct())).join(Box, Box.id == Label.box_id).where(Box.deleted_at.is_(None))
    )
    mine = (Label.user_id == user_id, Label.project_id == project_id, Label.kind == ANSWER)
    return session.scalar(named.where(*mine)) or 0


def answer_times(session: Session, project_id: int, user_id: int) -> list[dt.datetime]:
    """When the person's newest answers came in, oldest first."""
    kinds = [kind for kind in ANSWERS if kind != SKIP]
    acts = select(Act.created_at).where(Act.project_id == project_id, Act.user_id == user_id, Act.kind.in_(kinds))
    return list(session.scalars(acts.order_by(Act.id.desc()).limit(TIMED)))[::-1]


def judged(session: Session, project_id: int, user_id: int) -> list[Judged]:
    """The crops by which the person's answers can be judged: what the person says of them now, and what the expert says."""
    winner = aliased(Label)
    rows = session.execute(
        select(Label.box_id, Label.species_id, Box.settled_species_id)
        .join(Box, Box.id == Label.box_id)
        .join(winner, winner.id == Box.settled_label_id)
        .where(Label.user_id == user_id, Label.project_id == project_id)
        .where(winner.role.in_(EXPERTS), winner.user_id != user_id)
        .order_by(Label.id)
    )
    newest = {box_id: (said, settled) for box_id, said, settled in rows}
    gold, meant = gold_boxes(session, project_id), meanings(session, project_id)
    return [
        Judged(box_id, meant.of(said), meant.of(settled), box_id in gold)
        for box_id, (said, settled) in newest.items()
        if said is not None and settled is not None
    ]


def species_names(session: Session, project_id: int) -> dict[int, str]:
    """Every answer of the project, retired ones too."""
    return {
        row.id: row.name
        for row in session.execute(select(Species.id, Species.name).where(Species.project_id == project_id))
    }


def waiting_counts(session: Session, project_id: int) -> dict[str, int]:
    """What crops wait for -> how many."""
    waiting = select(Box.waits_for, func.count()).where(Box.project_id == project_id, Box.waits_for.is_not(None))
    return {row[0]: row[1] for row in session.execute(waiting.group_by(Box.waits_for)) if row[0]}


def crops_of_several(session: Session, project_id: int) -> list[Counter[int]]:
    """How often each name is said of the crops that two or more name, without the experts: who settles knows the voices.

    Deleted crops are none.
    """
    people = (Label.project_id == project_id, Label.role.not_in(EXPERTS))
    several = (
        select(Label.box_id)
        .join(Box, Box.id == Label.box_id)
        .where(*people, Box.deleted_at.is_(None))
        .group_by(Label.box_id)
        .having(func.count(Label.user_id.distinct()) > 1)
    )
    box_ids = list(session.scalars(several.order_by(Label.box_id)))
    newest: dict[int, dict[int, int | None]] = defaultdict(dict)
    meant = meanings(session, project_id)
    for start in range(0, len(box_ids), CHUNK_ROWS):
        said = select(Label.box_id, Label.user_id, Label.species_id).where(
            Label.box_id.in_(box_ids[start : start + CHUNK_ROWS])
        )
        for box_id, user_id, species_id in session.execute(said.where(*people).order_by(Label.id)):
            newest[box_id][user_id] = meant.of(species_id)
    counted = [Counter(name for name in voices.values() if name is not None) for voices in newest.values()]
    return [names for names in counted if names.total() > 1]
