"""One species that was two: some of the crops of that name get another, each by a new word of the expert who does it.

What others said stays, and the whole is one act, which that expert can take back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, select

from models.act import Act
from models.answering import MOST_AT_ONCE, SPLIT, say
from models.box import Box
from models.desk import Desk
from models.errors import Invalid, NotAllowed, NotYours
from models.image import Image
from models.label import Label
from models.membership import Role
from models.species import TAXON, Species
from models.taking_back import UNDO, nothing, remember, take_back

GONE = "This was taken back already."


@dataclass(frozen=True)
class Part:
    """Which crops of a species. Days are of the cameras' clocks, both included; what is empty is not asked."""

    species_id: int
    deployment_ids: tuple[int, ...] = ()
    first_day: dt.date | None = None
    last_day: dt.date | None = None
    person_id: int | None = None  # whose word names them

    def boxes(self, project_id: int) -> Select[int]:
        """Their ids, oldest first, by the index of settled names."""
        found = (
            select(Box.id)
            .join(Image, Image.id == Box.image_id)
            .where(
                Box.project_id == project_id, Box.settled_species_id == self.species_id, Box.deleted_at.is_(None)
            )
        )  # fmt: skip
        if self.deployment_ids:
            found = found.where(Image.deployment_id.in_(self.deployment_ids))
        if self.first_day:
            found = found.where(Image.taken_at >= dt.datetime.combine(self.first_day, dt.time()))
        if self.last_day:
            after = dt.datetime.combine(self.last_day + dt.timedelta(days=1), dt.time())
            found = found.where(Image.taken_at < after)
        if self.person_id:
            found = found.join(Label, Label.id == Box.settled_label_id).where(Label.user_id == self.person_id)
        return found.order_by(Box.id)

    @property
    def said(self) -> dict[str, Any]:
        """For the act."""
        days = [day.isoformat() if day else None for day in (self.first_day, self.last_day)]
        return {
            "species": self.species_id,
            "deployments": sorted(self.deployment_ids),
            "days": days,
            "by": self.person_id,
        }


def split(desk: Desk, part: Part, into: Species, *, key: str) -> Act:
    """The first MOST_AT_ONCE of these crops are called `into` from now on.

    Raises NotAllowed for who is no expert, Invalid where there is nothing to name or the name is the same, KeyReused.
    """
    if desk.role.rank < Role.expert.rank:
        raise NotAllowed("Only experts and administrators split a species.")
    body = part.said | {"into": into.id}
    act, fresh = Act.once(desk.session, desk.user_id, key, SPLIT, body, desk.project.id)
    if fresh:
        check(part, into)
        boxes = list(desk.session.scalars(part.boxes(desk.project.id).limit(MOST_AT_ONCE)))
        if not boxes:
            raise Invalid("from: no crop of this species is among them")
        settled = select(Label).join(Box, Box.settled_label_id == Label.id).where(Box.id.in_(boxes))
        kept = {label.box_id: label.observed for label in desk.session.scalars(settled)}
        names = dict.fromkeys(boxes, into)
        act.answer = say(desk, act, names, desk.now(boxes[0]), certain=True, kept=kept, pick_id=None, token="")
    return act


def check(part: Part, into: Species) -> None:
    """Raises Invalid for a name that they have already, that is no taxon or that is not on the list."""
    if into.kind != TAXON or into.retired_at is not None:
        raise Invalid(f"into: {into.name} is no species of the list")
    if into.id == part.species_id:
        raise Invalid(f"into: they are called {into.name} already")


def unsplit(desk: Desk, act_id: int, *, key: str) -> Act:
    """Take the new words of one split back. Raises NotYours for another person's act or one of another kind, KeyReused."""
    target = desk.session.get(Act, act_id)
    mine = (desk.user_id, desk.project.id, SPLIT)
    if target is None or (target.user_id, target.project_id, target.kind) != mine:
        raise NotYours("There is no such split of yours.")
    act, fresh = Act.once(desk.session, desk.user_id, key, UNDO, {"of": target.key}, desk.project.id)
    if fresh:
        desk.take_turn()
        desk.session.refresh(target)
        stands = not target.taken_back
        remember(act, target if stands else None, take_back(desk, act, target) if stands else nothing(UNDO, GONE))
        target.taken_back = True
    return act
