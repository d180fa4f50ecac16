"""Which crops are doubtful, why, and what everybody said of them.

An expert's word settles a case; what others said stays readable. A case may have several reasons, and the first one counts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from app.labeling.queries import chunks
from models.act import Act
from models.box import Box
from models.box_edit import BoxEdit, deleted_ids
from models.consensus import EXPERTS
from models.label import ANSWER, TAKEN_BACK, Label
from models.likeness import Likeness
from models.meaning import Meanings, meanings
from models.note import COMMENT, FLAG, UNFLAG, Note
from models.observed import Observed
from models.project import Project
from models.user import User

AnyRow = Row[*tuple[Any, ...]]
FLAGGED, DIFFER, UNLIKE, DOUBTED, UNCERTAIN = "flagged", "differ", "unlike", "doubted", "uncertain"
REASONS = (
    FLAGGED,
    DIFFER,
    UNLIKE,
    DOUBTED,
    UNCERTAIN,
)  # in the order in which cases are shown: suspected errors before doubts
LISTED = "listed"  # no doubt: somebody asked for a list (review_lists.py)
SURE = 0.9  # of the classifier, when it says another name
AGREED = 0.8  # of the neighbours, when they say another name: four of five


@dataclass(frozen=True)
class Case:
    """One doubtful crop. names: species ids that are said of it, the settled one first. since: when the doubt came up.

    seen, reviewed and certain are told of crops of a list.
    """

    box_id: int
    reason: str
    names: tuple[int, ...]
    by: str
    since: dt.datetime
    seen: bool = True
    reviewed: bool = False
    certain: bool = True


@dataclass(frozen=True)
class Voice:
    """What one person says of a crop now; nothing when it was taken back."""

    name: str
    role: str
    species_id: int
    certain: bool
    at: dt.datetime
    observed: str  # female, adult


def cases(session: Session, project: Project) -> list[Case]:
    """All that nobody who may settle it has settled, by reason, then the newest doubt first."""
    found: dict[int, Case] = {}
    deleted = set(session.scalars(deleted_ids(project.id)))
    for case in [
        *flagged(session, project),
        *differing(session, project),
        *unlike(session, project),
        *doubted(session, project),
        *uncertain(session, project),
    ]:
        if case.box_id not in deleted:
            found.setdefault(case.box_id, case)
    return sorted(found.values(), key=lambda case: (REASONS.index(case.reason), -case.since.timestamp(), case.box_id))


def flagged(session: Session, project: Project) -> list[Case]:
    """A flag stands, and no expert has spoken since."""
    rows = session.execute(Note.standing(Note.project_id == project.id, Note.kind.in_((FLAG, UNFLAG)))).all()
    newest = {row.box_id: row for row in rows}
    raised = {box_id: row for box_id, row in newest.items() if row.kind == FLAG}
    spoken = last_word_of_experts(session, list(raised))
    names = settled_names(session, list(raised))
    return [
        Case(box_id, FLAGGED, names.get(box_id, ()), row.name, row.created_at)
        for box_id, row in raised.items()
        if box_id not in spoken or spoken[box_id] < row.created_at
    ]


def differing(session: Session, project: Project) -> list[Case]:
    """Two people say two things, and neither is an expert."""
    several = (
        select(Label.box_id)
        .where(Label.project_id == project.id)
        .group_by(Label.box_id)
        .having(func.count(Label.user_id.distinct()) > 1)
    )
    box_ids = list(session.scalars(several))
    meant = meanings(session, project.id)
    settled = settled_names(session, box_ids)
    found = []
    for box_id, spoken in voices_of(session, box_ids, meant).items():
        names = {voice.species_id for voice in spoken}
        if len(names) > 1 and not any(voice.role in EXPERTS for voice in spoken):
            first = settled.get(box_id, ())
            others = tuple(sorted(names - set(first)))
            found.append(Case(box_id, DIFFER, first + others, "", max(voice.at for voice in spoken)))
    return found


def uncertain(session: Session, project: Project) -> list[Case]:
    """Named, but not certain."""
    wanted = settled_by_others(project).where(~Label.certain)
    return [
        Case(row.id, UNCERTAIN, (row.settled_species_id,), row.name, row.created_at) for row in session.execute(wanted)
    ]


def doubted(session: Session, project: Project) -> list[Case]:
    """The classifier in use is sure of another name: a slip of the key, often."""
    wanted = settled_by_others(project).where(
        Box.guess_species_id != Box.settled_species_id,
        Box.guess_p >= SURE,
        Box.guess_classifier_id == project.classifier_id,
    )
    meant = meanings(session, project.id)
    return [
        Case(row.id, DOUBTED, (row.settled_species_id, row.guess_species_id), row.name, row.created_at)
        for row in session.execute(wanted)
        if meant.of(row.guess_species_id) != meant.of(row.settled_species_id)
    ]


def unlike(session: Session, project: Project) -> list[Case]:
    """The crops of other bursts that look most alike have another name (worker/learning/neighbours.py)."""
    wanted = (
        settled_by_others(project)
        .add_columns(Likeness.near_species_id)
        .join(Likeness, Likeness.box_id == Box.id)
        .where(Likeness.near_species_id != Box.settled_species_id, Likeness.near_share >= AGREED)
    )
    meant = meanings(session, project.id)
    return [
        Case(row.id, UNLIKE, (row.settled_species_id, meant.of(row.near_species_id)), row.name, row.created_at)
        for row in session.execute(wanted)
        if meant.of(row.near_species_id) != meant.of(row.settled_species_id)
    ]


def settled_by_others(project: Project) -> Select[int, int | None, int | None, str, dt.datetime]:
    """Boxes whose name is nobody's who may settle it."""
    return (
        select(Box.id, Box.settled_species_id, Box.guess_species_id, User.name, Label.created_at)
        .join(Label, Label.id == Box.settled_label_id)
        .join(User, User.id == Label.user_id)
        .where(Box.project_id == project.id, Box.settled_species_id.is_not(None), Label.role.not_in(EXPERTS))
    )


def settled_names(session: Session, box_ids: list[int]) -> dict[int, tuple[int, ...]]:
    """box id -> its settled name alone; not those that have none."""
    found: dict[int, tuple[int, ...]] = {}
    for few in chunks(box_ids):
        named = select(Box.id, Box.settled_species_id).where(Box.id.in_(few), Box.settled_species_id.is_not(None))
        found |= {row.id: (row.settled_species_id,) for row in session.execute(named)}
    return found


def last_word_of_experts(session: Session, box_ids: list[int]) -> dict[int, dt.datetime]:
    """box id -> when an expert spoke last."""
    found: dict[int, dt.datetime] = {}
    for few in chunks(box_ids):
        newest = select(Label.box_id, func.max(Label.created_at).label("at"))
        spoken = newest.where(Label.box_id.in_(few), Label.role.in_(EXPERTS)).group_by(Label.box_id)
        found |= {row.box_id: row.at for row in session.execute(spoken)}
    return found


def voices_of(session: Session, box_ids: list[int], meant: Meanings) -> dict[int, list[Voice]]:
    """box id -> the newest word of each person in today's words, the first who spoke first; without what was taken back."""
    newest: dict[int, dict[int, AnyRow]] = defaultdict(dict)
    for few in chunks(box_ids):
        said = (
            select(
                Label.box_id,
                Label.user_id,
                Label.species_id,
                Label.role,
                Label.certain,
                Label.created_at,
                User.name,
                Label.sex,
                Label.life_stage,
                Label.behaviour,
            )
            .join(User, User.id == Label.user_id)
            .where(Label.box_id.in_(few))
            .order_by(Label.id)
        )
        for row in session.execute(said):
            newest[row.box_id][row.user_id] = row
    return {
        box_id: [
            Voice(
                row.name,
                row.role,
                meant.of(row.species_id),
                row.certain,
                row.created_at,
                Observed(row.sex, row.life_stage, row.behaviour).words,
            )
            for row in spoken.values()
            if row.species_id is not None
        ]
        for box_id, spoken in newest.items()
    }


@dataclass(frozen=True)
class Said:
    """One row of a crop's history. species_id: None where a person took back the only thing said. by_the_way: what the act
    that said it was about, where that was another crop: a burst, or an empty photo."""

    name: str
    species_id: int | None
    certain: bool
    taken_back: bool
    by_the_way: str
    at: dt.datetime


def history_of(session: Session, box_id: int) -> list[Said]:
    """Everything that was ever said of a crop, the newest first."""
    said = (
        select(
            Label.kind, Label.species_id, Label.certain, Label.created_at, User.name, Act.kind.label("act"), Act.answer
        )
        .join(User, User.id == Label.user_id)
        .join(Act, Act.id == Label.act_id)
        .where(Label.box_id == box_id)
        .order_by(Label.id.desc())
    )
    return [
        Said(
            row.name, row.species_id, row.certain, row.kind == TAKEN_BACK,
            row.act if row.kind == ANSWER and row.answer.get("box_id") not in (None, box_id) else "", row.created_at,
        )
        for row in session.execute(said)
    ]  # fmt: skip


def outlines_of(session: Session, box_id: int) -> list[AnyRow]:
    """(kind, name, created_at) of what people did to the outline of a crop, the newest first, through all its rows."""
    edits: list[AnyRow] = []
    seen: set[int] = set()
    waiting = [box_id]
    while waiting:
        seen |= {at := waiting.pop()}
        edits += session.execute(BoxEdit.about(at)).all()
        before = select(BoxEdit.box_id).where(BoxEdit.becomes_id == at)
        waiting += [each for each in session.scalars(before) if each not in seen]
    return sorted(set(edits), key=lambda edit: edit.created_at, reverse=True)


def comments_on(session: Session, box_id: int) -> list[AnyRow]:
    """Oldest first."""
    return list(session.execute(Note.standing(Note.box_id == box_id, Note.kind == COMMENT)))
