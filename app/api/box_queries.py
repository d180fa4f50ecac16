"""Pages of boxes, each beginning in an index where the one before ended (keyset); deleted and replaced boxes are left out.

Named boxes come by species, then by the answer that named them; all others by id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.labeling.queries import chunks, unheard, waiting_blind
from models.box import Box, current_ids
from models.desk import Desk
from models.image import Image
from models.label import Label
from models.user import User

NAMED, UNNAMED, WAITS = "named", "unnamed", "waits"
ByName = tuple[int, int, int]  # species, label, box


@dataclass(frozen=True)
class Asked:
    """Which boxes. species_id: with this settled name. guess_id: that the classifier calls so. least_score: of the detector."""

    project_id: int
    state: str | None = None
    species_id: int | None = None
    guess_id: int | None = None
    least_score: float | None = None

    @property
    def by_name(self) -> bool:
        """Whether the order is that of names."""
        return self.species_id is not None or self.state == NAMED


def by_id(session: Session, asked: Asked, after: int, limit: int) -> list[Box]:
    """The next boxes by rising id, at most limit."""
    wanted = select(Box).where(Box.project_id == asked.project_id, Box.id > after, Box.deleted_at.is_(None))
    if asked.state == UNNAMED:
        wanted = wanted.where(Box.settled_species_id.is_(None))
    elif asked.state == WAITS:
        wanted = wanted.where(Box.waits_for.is_not(None))
    if asked.guess_id is not None:
        wanted = wanted.where(Box.guess_species_id == asked.guess_id)
    if asked.least_score is not None:
        wanted = wanted.where(Box.score >= asked.least_score)
    return list(session.scalars(wanted.order_by(Box.id).limit(limit)))


def by_name(session: Session, asked: Asked, after: ByName | None, limit: int) -> list[Box]:
    """The next named boxes, at most limit."""
    place = (Box.settled_species_id, Box.settled_label_id, Box.id)
    wanted = select(Box).where(Box.project_id == asked.project_id, Box.deleted_at.is_(None))
    if asked.species_id is None:
        wanted = wanted.where(Box.settled_species_id > 0)
    else:
        wanted = wanted.where(Box.settled_species_id == asked.species_id)
    if asked.state in (UNNAMED, WAITS):
        return []
    if asked.guess_id is not None:
        wanted = wanted.where(Box.guess_species_id == asked.guess_id)
    if asked.least_score is not None:
        wanted = wanted.where(Box.score >= asked.least_score)
    if after is not None:
        wanted = wanted.where(Box.settled_species_id >= after[0], tuple_(*place) > after)
    return list(session.scalars(wanted.order_by(*place).limit(limit)))


def place_of_name(box: Box) -> ByName:
    """Where a page ended."""
    return box.settled_species_id or 0, box.settled_label_id or 0, box.id


def untold(desk: Desk, boxes: Sequence[Box]) -> tuple[set[int], set[int]]:
    """(those of which this person must not hear what others said, those to be answered without the classifier's guess)."""
    ids = [box.id for box in boxes]
    blind = {box_id for few in chunks(ids) for box_id in waiting_blind(desk, few)}
    silent = unheard(desk, ids)
    return silent, blind | silent


def standing(session: Session, box: Box) -> Box:
    """The box that stands in its place now, itself where nobody moved it."""
    return session.get_one(Box, current_ids(session, [box.id])[box.id])


def photos_of(session: Session, boxes: Sequence[Box]) -> dict[int, Image]:
    """The photos of these boxes by id."""
    wanted = select(Image).where(Image.id.in_({box.image_id for box in boxes}))
    return {photo.id: photo for photo in session.scalars(wanted)}


def history(session: Session, box_id: int) -> list[tuple[Label, str]]:
    """Everything that was ever said of a box, with the name of who said it, oldest first."""
    rows = session.execute(
        select(Label, User.name).join(User, User.id == Label.user_id).where(Label.box_id == box_id).order_by(Label.id)
    )
    return [(label, name) for label, name in rows]
