"""Crops by filters, those whose name the classifier doubts first; it looks through LOOKED of them, however many there are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.labeling import queries
from app.labeling.review_filters import ANSWERED, OPEN, REVIEWED, UNCERTAIN, UNREVIEWED, Filters
from app.labeling.review_queries import DOUBTED, LISTED, SURE, Case
from models.box import Box
from models.consensus import EXPERTS
from models.deployment import Deployment
from models.desk import Desk
from models.image import Image
from models.label import Label
from models.membership import Membership
from models.project import Project
from models.user import User

LOOKED = 20_000  # crops or answers, the newest ones
SHOWN = 100


@dataclass(frozen=True)
class Listed:
    """The first crops of a filter. cut: the newest LOOKED were looked through, and there are older ones."""

    cases: list[Case]
    more: bool
    cut: bool


def listed(desk: Desk, filters: Filters) -> Listed:
    """Crops that wait to be asked blind are left out: a list tells what is guessed, or what others said, of them."""
    session, project = desk.session, desk.project
    newest = candidates(project, filters)
    looked = newest.limit(LOOKED).subquery()
    once = select(looked.c.box_id, func.max(looked.c.at).label("at")).group_by(looked.c.box_id)
    source = once.subquery()
    suspect = case((doubted(project), 1), else_=0)
    wanted = (
        select(
            Box.id, Box.settled_species_id, Box.guess_species_id, Box.created_at, Label.created_at.label("said_at"),
            Label.role, Label.certain, User.name, suspect.label("suspect"),
        )
        .join(source, source.c.box_id == Box.id)
        .outerjoin(Label, Label.id == Box.settled_label_id)
        .outerjoin(User, User.id == Label.user_id)
        .where(func.coalesce(Box.project_id, 0) == project.id, STATE[filters.state](project), *narrowing(filters))
        .order_by(suspect.desc(), source.c.at.desc(), Box.id.desc())
        .limit(SHOWN + 1)
    )  # fmt: skip
    rows = session.execute(wanted).all()
    ids = [row.id for row in rows]
    blind = queries.waiting_blind(desk, ids) | queries.unheard(desk, ids)
    cases = [as_case(row) for row in rows[:SHOWN] if row.id not in blind]
    more = len(rows) > SHOWN
    cut = not more and session.execute(newest.offset(LOOKED).limit(1)).first() is not None
    return Listed(cases, more, cut)


def candidates(project: Project, filters: Filters) -> Select[Any, Any]:
    """(box id, what rises with time), the newest first, each kind by one index; a box may come more than once."""
    if filters.person or not (filters.state == OPEN or filters.species):
        said = (
            select(Label.box_id, Label.id.label("at")).where(Label.project_id == project.id).order_by(Label.id.desc())
        )
        return said.where(Label.user_id == filters.person) if filters.person else said
    if filters.state == OPEN:
        return unanswered(project, filters)
    at = Box.settled_label_id
    named = select(Box.id.label("box_id"), at.label("at"))
    return named.where(Box.project_id == project.id, Box.settled_species_id == filters.species).order_by(at.desc())


def unanswered(project: Project, filters: Filters) -> Select[Any, Any]:
    """The newest crops that were guessed to be the species, or that lie in the camera, or that nobody has named."""
    if filters.camera:
        at = Image.taken_at
        here = select(Box.id.label("box_id"), at.label("at")).join(Image, Image.id == Box.image_id)
        return here.where(Image.deployment_id == filters.camera).order_by(at.desc())
    found = select(Box.id.label("box_id"), Box.id.label("at")).where(Box.project_id == project.id)
    if filters.species:
        return found.where(Box.guess_species_id == filters.species).order_by(Box.id.desc())
    return found.where(Box.settled_species_id.is_(None), Box.settled_label_id.is_(None)).order_by(Box.id.desc())


# Of a box that was found by its number: + 0 and coalesce() keep SQLite from looking for it by another index.
STATE: dict[str, Callable[[Project], ColumnElement[bool]]] = {
    OPEN: lambda project: and_(
        func.coalesce(Box.settled_species_id, 0) == 0,
        Box.score + 0 >= project.classify_above,
        Box.embedder_id.is_not(None),
        Box.deleted_at.is_(None),
    ),
    ANSWERED: lambda _project: Box.settled_species_id.is_not(None),
    UNREVIEWED: lambda _project: Label.role.not_in(EXPERTS),
    REVIEWED: lambda _project: Label.role.in_(EXPERTS),
    UNCERTAIN: lambda _project: ~Label.certain,
}


def narrowing(filters: Filters) -> list[ColumnElement[bool]]:
    """What a box must be besides its state."""
    found: list[ColumnElement[bool]] = []
    if filters.species:
        found.append(func.coalesce(Box.settled_species_id, Box.guess_species_id) == filters.species)
    if filters.person:
        found.append(spoken_by(filters.person))
    if filters.camera:
        found.append(exists().where(Image.id == Box.image_id, Image.deployment_id == filters.camera))
    if filters.least is not None:
        found.append(Box.guess_p >= filters.least / 100)
    if filters.most is not None:
        found.append(Box.guess_p <= filters.most / 100)
    return found


def spoken_by(user_id: int) -> ColumnElement[bool]:
    """Whether this person says something of the box: what was taken back does not count.

    + 0: else SQLite reads for each box everything that the person ever said.
    """
    voice, later = aliased(Label), aliased(Label)
    newer = exists().where(later.box_id == voice.box_id, later.user_id + 0 == user_id, later.id > voice.id)
    mine = (voice.box_id == Box.id, voice.user_id + 0 == user_id, voice.species_id.is_not(None))
    return exists().where(*mine, ~newer)


def doubted(project: Project) -> ColumnElement[bool]:
    """Whether the classifier in use is sure of another name than the settled one."""
    return and_(
        Box.guess_species_id != Box.settled_species_id,
        Box.guess_p >= SURE,
        Box.guess_classifier_id == project.classifier_id,
    )


def as_case(row: Any) -> Case:
    """One crop of the list."""
    named = () if row.settled_species_id is None else (row.settled_species_id,)
    return Case(
        row.id, DOUBTED if row.suspect else LISTED, (*named, row.guess_species_id) if row.suspect else named,
        row.name or "", row.said_at or row.created_at, seen=bool(named), reviewed=row.role in EXPERTS,
        certain=row.certain is not False,
    )  # fmt: skip


def narrowed(session: Session, every: list[Case], filters: Filters) -> list[Case]:
    """The doubtful crops that the filters let through. species: one of the names that are said of it."""
    if not filters.narrows:
        return every
    named = [each for each in every if filters.species is None or filters.species in each.names]
    others = narrowing(Filters(person=filters.person, camera=filters.camera, least=filters.least, most=filters.most))
    if not others:
        return named
    kept: set[int] = set()
    for few in queries.chunks([each.box_id for each in named]):
        kept |= set(session.scalars(select(Box.id).where(Box.id.in_(few), *others)))
    return [each for each in named if each.box_id in kept]


def speakers(session: Session, project_id: int) -> list[tuple[int, str]]:
    """(id, name) of the members and of those who have said something, by name."""
    spoke = exists().where(Label.user_id == User.id, Label.project_id == project_id)
    member = exists().where(Membership.user_id == User.id, Membership.project_id == project_id)
    rows = session.execute(select(User.id, User.name).where(or_(spoke, member)))
    return sorted(((row.id, row.name) for row in rows), key=lambda row: (row[1].casefold(), row[0]))


def cameras(session: Session, project_id: int) -> list[tuple[int, str]]:
    """(id, name), by name."""
    rows: Iterable[Any] = session.execute(
        select(Deployment.id, Deployment.name).where(Deployment.project_id == project_id)
    )
    return sorted(((row.id, row.name) for row in rows), key=lambda row: (row[1], row[0]))
