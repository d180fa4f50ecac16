"""Which crops come to a desk next: a fair share of the rounds, others' crops that want a second voice, gold among them."""

from __future__ import annotations

from itertools import zip_longest
from math import ceil
from typing import Any

from sqlalchemy import Integer, and_, bindparam, func, or_, select, update

from models.base import Moment, utc_now
from models.beside import add_gold, ask_voices, speaks, take_beside
from models.desk import Desk
from models.lease import Lease
from models.membership import Role
from models.presence import BUSY, arrive, present
from models.round import ANSWERED, FULL, OPEN, Pick, Round, take

Leased = tuple[Pick, Lease]
USER, NOW = bindparam("user_id", type_=Integer), bindparam("now", type_=Moment())
OPEN_PICKS = (
    select(Pick.id)
    .join(Round, Round.id == Pick.round_id)
    .where(Round.project_id == bindparam("project_id"), Round.state != FULL, Pick.state == OPEN)
)
WAITING = OPEN_PICKS.with_only_columns(func.count(Pick.id))
ON_DESK = (
    OPEN_PICKS.join(Lease, Lease.pick_id == Pick.id)
    .where(Lease.user_id == USER, Lease.expires_at > NOW)
    .order_by(Round.number, Pick.position)
)
COME_BACK = (
    OPEN_PICKS.with_only_columns(Pick.box_id)
    .outerjoin(Lease, and_(Lease.pick_id == Pick.id, Lease.slot == 0))
    .where(speaks(USER), or_(Lease.id.is_(None), Lease.expires_at <= NOW))
)


def serve(desk: Desk, count: int) -> list[Leased]:
    """Lease up to `count` crops, and gold. While the rounds have crops, up to half are asked beside them; of one that one."""
    arrive(desk.session, desk.project.id, desk.user_id)
    fill_spoken(desk)
    before = on_desk(desk)
    share = fair_share(desk)
    give_back(desk, before[share:])
    most = max(1, count // 2)
    beside = take_beside(desk, most)
    of_rounds = take(desk.session, desk.project, desk.user_id, min(share, count - len(beside)))
    if len(beside) == most and len(of_rounds) + len(beside) < count:
        beside = take_beside(desk, count - len(of_rounds))
    fresh = [pick for pick, _lease in of_rounds if pick.id not in before]
    gold = add_gold(desk, fresh) if desk.role is Role.annotator else {}
    desk.session.flush()
    return mixed(of_rounds, beside, gold)


def mixed(of_rounds: list[Leased], beside: list[Leased], gold: dict[int, Leased]) -> list[Leased]:
    """One of a round, one beside them, in turn; a gold crop behind the one whose turn it was."""
    served: list[Leased] = []
    for pair in zip_longest(of_rounds, beside):
        served += [leased for leased in pair if leased]
        if pair[0] and pair[0][0].id in gold:
            served.append(gold[pair[0][0].id])
    return served


def on_desk(desk: Desk) -> list[int]:
    """The picks of rounds that this person has, in their order."""
    return list(desk.session.scalars(ON_DESK, here(desk)))


def fair_share(desk: Desk) -> int:
    """How many crops of the rounds one person may hold: of what is open as many as everybody else who is at work."""
    people = present(desk.session, desk.project.id, BUSY) | {desk.user_id}
    return ceil((desk.session.scalar(WAITING, here(desk)) or 0) / len(people))


def here(desk: Desk) -> dict[str, Any]:
    """The values of the questions below; they are built once, since building one costs more than running it."""
    return {"project_id": desk.project.id, "user_id": desk.user_id, "now": utc_now()}


def give_back(desk: Desk, pick_ids: list[int]) -> None:
    """These go to whoever has fewer."""
    if pick_ids:
        mine = and_(Lease.pick_id.in_(pick_ids), Lease.user_id == desk.user_id)
        desk.session.execute(update(Lease).where(mine).values(expires_at=utc_now()))
        desk.session.expire_all()


def fill_spoken(desk: Desk) -> None:
    """A crop that comes back from somebody who left is not asked again of who named it meanwhile: that answer fills its place."""
    box_ids = sorted(desk.session.scalars(COME_BACK, here(desk)))
    if box_ids:
        boxes = desk.boxes(box_ids)
        picks = [pick for pick in desk.free(desk.picks(box_ids)) if pick.round_id is not None]
        desk.fill(picks, ANSWERED)
        ask_voices(desk.session, boxes)
        desk.close_rounds({pick.round_id for pick in picks})
