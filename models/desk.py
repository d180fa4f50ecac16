"""One person at work in one project: which picks an answer touches, who else holds them, and what it closes.

Rows are locked in one order everywhere (boxes, picks, rounds, each by rising id), so that two people never wait for each other;
and with key_share (FOR NO KEY UPDATE), so that labels that point at them need not wait.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.box import Box
from models.label import Label
from models.lease import Lease
from models.membership import Membership, Role
from models.predictions import Predictions
from models.project import Project
from models.round import FULL, OPEN, Pick, Round, is_with_another, leases_of


@dataclass(frozen=True)
class Desk:
    """Who answers where, and what the classifier says there now."""

    session: Session
    project: Project
    user_id: int
    role: Role
    predictions: Predictions

    def boxes(self, box_ids: Iterable[int]) -> list[Box]:
        """The boxes as they are now, held until the end of the transaction; for one that was moved the one in its place."""
        found = self.held(set(box_ids))
        while any(each.replaced_by_id for each in found):
            found = self.held({each.replaced_by_id or each.id for each in found})
        return found

    def now(self, box_id: int) -> Box:
        """The same for one that there is."""
        return self.boxes([box_id])[0]

    def held(self, box_ids: Iterable[int]) -> list[Box]:
        """These very rows as they are now, held until the end of the transaction."""
        wanted = select(Box).where(Box.id.in_(box_ids)).order_by(Box.id)
        fresh = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
        return list(self.session.scalars(fresh))

    def picks(self, box_ids: list[int]) -> list[Pick]:
        """Every pick of these boxes in any round, held until the end of the transaction."""
        wanted = select(Pick).where(Pick.box_id.in_(box_ids)).order_by(Pick.id)
        fresh = wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
        return list(self.session.scalars(fresh))

    def free(self, picks: list[Pick], token: str = "") -> list[Pick]:
        """Those of the picks that are open, that nobody else has on the desk and that are not meant for somebody else."""
        now = utc_now()
        waiting = self.meant([pick for pick in picks if pick.state == OPEN])
        leases = leases_of(self.session, [pick.id for pick in waiting])
        return [pick for pick in waiting if self.may_fill(leases.get(pick.id), token, now)]

    def meant(self, picks: list[Pick]) -> list[Pick]:
        """Without those beside the rounds that are for another person: another voice never is one that the crop has."""
        beside = [pick.box_id for pick in picks if pick.round_id is None]
        labels = select(Label.box_id, Label.species_id).where(Label.box_id.in_(beside), Label.user_id == self.user_id)
        newest = (
            {row.box_id: row.species_id for row in self.session.execute(labels.order_by(Label.id))} if beside else {}
        )
        return [
            pick
            for pick in picks
            if pick.round_id is not None
            or pick.user_id == self.user_id
            or (pick.user_id is None and newest.get(pick.box_id) is None)
        ]

    def may_fill(self, lease: Lease | None, token: str, now: dt.datetime) -> bool:
        """Whether this person's answer fills the pick: the token proves the lease, or nobody else holds one."""
        return lease is None or lease.token == token or not is_with_another(lease, self.user_id, now)

    def fill(self, picks: list[Pick], state: str) -> None:
        """The picks are answered (or given up); nobody has them on the desk any more."""
        for pick in picks:
            pick.state = state
        self.session.execute(delete(Lease).where(Lease.pick_id.in_([pick.id for pick in picks])))

    def close_rounds(self, round_ids: set[int | None]) -> dict[int, dict[str, Any]]:
        """After an answer: close what is full, ask for what comes next; round id -> how it stands."""
        standings = {}
        for round_id in sorted(each for each in round_ids if each is not None):
            touched = self.session.get_one(Round, round_id, with_for_update={"key_share": True}, populate_existing=True)
            standings[round_id] = standing(touched, touched.after_answer(self.session, self.project))
        return standings

    def standing(self, round_id: int | None) -> dict[str, Any] | None:
        """How a round stands, without touching it."""
        looked_at = self.session.get(Round, round_id) if round_id else None
        return standing(looked_at, looked_at.tally(self.session).get(OPEN, 0)) if looked_at else None

    def has_spoken(self, box_id: int) -> bool:
        """Whether this person has ever said something about the box."""
        speakers = self.session.scalars(select(Label.user_id).where(Label.box_id == box_id))
        return self.user_id in set(speakers)

    def take_turn(self) -> None:
        """Two tabs of one person take back one after the other."""
        mine = (Membership.project_id == self.project.id, Membership.user_id == self.user_id)
        self.session.execute(select(Membership.id).where(*mine).with_for_update(key_share=True))

    def guess(self, box_id: int) -> dict[str, Any]:
        """What the classifier says about the box at this moment; kept beside the answer for ever (PRACTICE 1.11)."""
        for species_id, p in self.predictions.top(box_id, 1):
            return {"species_id": species_id, "p": round(p, 4), "classifier_id": self.project.classifier_id}
        return {}


def standing(of: Round, left: int) -> dict[str, Any]:
    """What a page shows of a round."""
    return {"id": of.id, "number": of.number, "size": of.size, "done": of.size - left, "full": of.state == FULL}
