"""What the label page asks the database besides the crops themselves: rounds, rate, species, what was done last."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from app.labeling.crop_queries import voices
from models.act import Act
from models.answering import DOINGS
from models.base import utc_now
from models.box import Box
from models.checkpoint import Checkpoint
from models.consensus import VOICE
from models.database import CHUNK_ROWS
from models.desk import Desk
from models.label import ANSWER, Label
from models.lease import Lease
from models.meaning import meanings
from models.membership import Role
from models.names import called_in, other_names
from models.project import Project
from models.round import CHOSEN, OPEN, Pick, Round
from models.species import Species, shown_name

RATE_WINDOW = dt.timedelta(minutes=10)
RATE_ROWS = 600
HISTORY = 10
USED_ROWS = 1000  # answers that say what is used
BOX_IDS = bindparam("box_ids", expanding=True, type_=Integer)
OWN_BESIDE = select(Pick.box_id).where(
    Pick.box_id.in_(BOX_IDS), Pick.round_id.is_(None), Pick.state == OPEN, Pick.user_id == bindparam("user_id")
)
VOICE_WAITS = select(Box.id).where(Box.id.in_(BOX_IDS), Box.waits_for == VOICE)
PHOTOS_OF = select(Box.id, Box.image_id, Box.embedder_id).where(Box.id.in_(BOX_IDS))


def standings(session: Session, project_id: int, round_ids: Iterable[int] = ()) -> dict[int, dict[str, Any]]:
    """round id -> number, size and how many are done, for the asked rounds and the newest one that was begun."""
    begun = select(func.max(Round.number)).where(Round.project_id == project_id, Round.state != CHOSEN)
    wanted = (
        select(Round.id, Round.number, Round.size, Round.state, func.count(Pick.id).label("left"))
        .outerjoin(Pick, and_(Pick.round_id == Round.id, Pick.state == OPEN))
        .where(
            Round.project_id == project_id, or_(Round.id.in_(list(round_ids)), Round.number == begun.scalar_subquery())
        )
        .group_by(Round.id, Round.number, Round.size, Round.state)
    )
    return {
        row.id: {
            "id": row.id, "number": row.number, "size": row.size, "done": row.size - row.left,
            "full": row.state == "full",
        }
        for row in session.execute(wanted)
    }  # fmt: skip


def classifier_of(session: Session, project: Project) -> Checkpoint | None:
    """The classifier whose guesses are shown; None before the first fit."""
    return session.get_one(Checkpoint, project.classifier_id) if project.classifier_id else None


def learnt(session: Session, project: Project) -> dict[str, Any] | None:
    """The same for the page: which one, and from how many answers."""
    classifier = classifier_of(session, project)
    return {"id": classifier.id, "label_count": classifier.label_count} if classifier else None


def answers_a_minute(session: Session, project_id: int, user_id: int) -> int:
    """This person's speed over the last ten minutes, or since the first answer in them."""
    newest = (
        select(Label.created_at)
        .where(Label.user_id == user_id, Label.project_id == project_id, Label.kind == ANSWER)
        .order_by(Label.id.desc())
        .limit(RATE_ROWS)
        .subquery()
    )
    now = utc_now()
    wanted = select(func.count(), func.min(newest.c.created_at)).where(newest.c.created_at > now - RATE_WINDOW)
    count, first = session.execute(wanted).one()
    return round(count * 60 / max(60.0, (now - first).total_seconds())) if count else 0


def species_of(session: Session, project_id: int, language: str = "") -> list[dict[str, Any]]:
    """Every answer with its key, its other names and its use, retired ones too, since old answers and guesses may name them.

    language: of the common name that is shown beside it.
    """
    used, names = uses_of(session, project_id), other_names(session, project_id)
    called = called_in(session, project_id, language)
    wanted = select(
        Species.id,
        Species.kind,
        Species.name,
        Species.scientific_name,
        Species.rank,
        Species.hotkey,
        Species.retired_at,
    ).where(Species.project_id == project_id)
    return [
        {
            "id": row.id, "kind": row.kind, "name": shown_name(row.kind, row.name),
            "scientific_name": row.scientific_name, "rank": row.rank, "hotkey": row.hotkey,
            "synonyms": names.get(row.id, []), "called": called.get(row.id, ""), "retired": row.retired_at is not None,
            "used": used.get(row.id, 0),
        }
        for row in session.execute(wanted.order_by(Species.id))
    ]  # fmt: skip


def uses_of(session: Session, project_id: int) -> dict[int, int]:
    """species id -> how often it was said among the project's newest answers."""
    newest = select(Label.species_id).where(Label.project_id == project_id, Label.species_id.is_not(None))
    said = newest.order_by(Label.id.desc()).limit(USED_ROWS).subquery()
    counted = select(said.c.species_id, func.count()).group_by(said.c.species_id)
    meant = meanings(session, project_id)
    used: dict[int, int] = defaultdict(int)
    for species_id, count in session.execute(counted):
        used[meant.of(species_id)] += count
    return used


def retired_of(session: Session, project_id: int) -> set[int]:
    """The species that are not offered any more."""
    return set(
        session.scalars(select(Species.id).where(Species.project_id == project_id, Species.retired_at.is_not(None)))
    )


def photos_of(session: Session, box_ids: Iterable[int]) -> dict[int, tuple[int, bool]]:
    """Box id -> its photo, and whether its crop was cut out."""
    rows = session.execute(PHOTOS_OF, {"box_ids": list(box_ids)})
    return {row.id: (row.image_id, row.embedder_id is not None) for row in rows}


def last_acts(desk: Desk, count: int = HISTORY, before: int | None = None, kinds: Sequence[str] = DOINGS) -> list[Act]:
    """The newest things this person did here that still stand, the newest first."""
    wanted = select(Act).where(
        Act.project_id == desk.project.id, Act.user_id == desk.user_id, Act.kind.in_(kinds), ~Act.taken_back
    )
    if before is not None:
        wanted = wanted.where(Act.id < before)
    return list(desk.session.scalars(wanted.order_by(Act.id.desc()).limit(count)))


def newest_act(desk: Desk) -> Act | None:
    """The newest act of any kind that did something, for the foot of the panel."""
    wanted = select(Act).where(
        Act.project_id == desk.project.id,
        Act.user_id == desk.user_id,
        or_(Act.takes_back_id.is_not(None), ~Act.taken_back),
    )
    kinds = (*DOINGS, "undo", "redo")
    return desk.session.scalar(wanted.where(Act.kind.in_(kinds)).order_by(Act.id.desc()).limit(1))


def first_to_look_at(session: Session, project_id: int) -> int | None:
    """The box that a viewer sees: the first that waits in the newest rounds, else the one that was named last; none
    that was deleted."""
    waits = (
        select(Pick.box_id)
        .join(Round, Round.id == Pick.round_id)
        .join(Box, Box.id == Pick.box_id)
        .where(Round.project_id == project_id, Round.state != "full", Pick.state == OPEN, Box.deleted_at.is_(None))
        .order_by(Round.number, Pick.position)
        .limit(1)
    )
    named = (
        select(Label.box_id)
        .join(Box, Box.id == Label.box_id)
        .where(Label.project_id == project_id, Box.deleted_at.is_(None))
        .order_by(Label.id.desc())
        .limit(1)
    )
    return session.scalar(waits) or session.scalar(named)


def waiting_blind(desk: Desk, box_ids: Sequence[int]) -> set[int]:
    """Those of the boxes that are to be answered without a guess: by anybody, or beside the rounds by this person, who settles
    nothing.
    """
    waiting = desk.session.scalars(select(Pick).where(Pick.box_id.in_(box_ids), Pick.state == OPEN))
    asked = desk.meant(list(waiting))
    return {
        pick.box_id for pick in asked if pick.is_blind and (pick.round_id is not None or desk.role is Role.annotator)
    }


def unheard(desk: Desk, box_ids: Sequence[int]) -> set[int]:
    """Those of the boxes that this person is or may be asked about as one more voice, or as gold: what others said of them is
    not shown before. None for who settles, and none for who only looks on.
    """
    if desk.role is not Role.annotator:
        return set()
    found: set[int] = set()
    for few in chunks(box_ids):
        found |= set(desk.session.scalars(OWN_BESIDE, {"box_ids": few, "user_id": desk.user_id}))
        waiting = list(desk.session.scalars(VOICE_WAITS, {"box_ids": few}))
        said = voices(desk.session, desk.user_id, waiting) if waiting else {}
        found |= {box_id for box_id in waiting if box_id not in said or said[box_id].species_id is None}
    return found


def chunks(box_ids: Sequence[int]) -> list[Sequence[int]]:
    """As many as one question may name."""
    return [box_ids[start : start + CHUNK_ROWS] for start in range(0, len(box_ids), CHUNK_ROWS)]


def newest_round(session: Session, project_id: int) -> int | None:
    """The id of the newest round that was begun."""
    begun = select(Round.id).where(Round.project_id == project_id, Round.state != CHOSEN)
    return session.scalar(begun.order_by(Round.number.desc()).limit(1))


def in_photo(session: Session, image_id: int, box_ids: Sequence[int]) -> list[int]:
    """Those of the boxes that are of this photo, in whatever state."""
    of_photo = session.scalars(select(Box.id).where(Box.image_id == image_id).order_by(Box.id))
    return [box_id for box_id in of_photo if box_id in box_ids]


def deleted_among(session: Session, box_ids: Sequence[int]) -> list[int]:
    """Those of the boxes that people deleted, and that no other one stands for."""
    gone = (Box.deleted_at.is_not(None), Box.replaced_by_id.is_(None))
    return list(session.scalars(select(Box.id).where(Box.id.in_(box_ids), *gone).order_by(Box.id)))


def leased_pick(desk: Desk, box_id: int) -> list[tuple[Pick, Lease]]:
    """The open pick of a box that this person has on the desk, if there is one."""
    wanted = (
        select(Pick, Lease)
        .join(Lease, Lease.pick_id == Pick.id)
        .where(Pick.box_id == box_id, Pick.state == OPEN, Lease.user_id == desk.user_id, Lease.expires_at > utc_now())
        .order_by(Pick.id.desc())
        .limit(1)
    )
    return [(row[0], row[1]) for row in desk.session.execute(wanted)]
