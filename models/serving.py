"""Which crops come to a desk next: a fair share of the rounds, others' crops that want a second voice, gold among them."""

from __future__ import annotations

from itertools import zip_longest
from math import ceil

from sqlalchemy import and_, func, or_, select, update

from models.base import utc_now
from models.beside import add_gold, ask_voices, speaks, take_beside
from models.desk import Desk
from models.lease import Lease
from models.membership import Role
from models.presence import BUSY, arrive, present
from models.round import ANSWERED, FULL, OPEN, Pick, Round, take

Leased = tuple[Pick, Lease]


def serve(desk: Desk, count: int) -> list[Leased]:
    """Lease up to `count` crops, and gold. While the rounds have crops, up to half are asked beside them; of one that one."""
    arrive(desk.session, desk.project.id, desk.user_id)
    fill_spoken(desk)
    before = on_desk(desk)
    share = fair_share(desk)
    give_back(desk, before[share:])
    beside = take_beside(desk, max(1, count // 2))
    of_rounds = take(desk.session, desk.project, desk.user_id, min(share, count - len(beside)))
    if len(of_rounds) + len(beside) < count:
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
    wanted = (
        select(Pick.id)
        .join(Lease, Lease.pick_id == Pick.id)
        .join(Round, Round.id == Pick.round_id)
        .where(Round.project_id == desk.project.id, Round.state != FULL, Pick.state == OPEN)
        .where(Lease.user_id == desk.user_id, Lease.expires_at > utc_now())
    )
    return list(desk.session.scalars(wanted.order_by(Round.number, Pick.position)))


def fair_share(desk: Desk) -> int:
    """How many crops of the rounds one person may hold: of what is open as many as everybody else who is at work."""
    people = present(desk.session, desk.project.id, BUSY) | {desk.user_id}
    waiting = select(func.count(Pick.id)).join(Round, Round.id == Pick.round_id)
    here = waiting.where(Round.project_id == desk.project.id, Round.state != FULL, Pick.state == OPEN)
    return ceil((desk.session.scalar(here) or 0) / len(people))


def give_back(desk: Desk, pick_ids: list[int]) -> None:
    """These go to whoever has fewer."""
    if pick_ids:
        mine = and_(Lease.pick_id.in_(pick_ids), Lease.user_id == desk.user_id)
        desk.session.execute(update(Lease).where(mine).values(expires_at=utc_now()))
        desk.session.expire_all()


def fill_spoken(desk: Desk) -> None:
    """A crop that comes back from somebody who left is not asked again of who named it meanwhile: that answer fills its place."""
    back = (
        select(Pick.box_id)
        .join(Round, Round.id == Pick.round_id)
        .outerjoin(Lease, and_(Lease.pick_id == Pick.id, Lease.slot == 0))
        .where(Round.project_id == desk.project.id, Round.state != FULL, Pick.state == OPEN, speaks(desk.user_id))
        .where(or_(Lease.id.is_(None), Lease.expires_at <= utc_now()))
    )
    box_ids = sorted(desk.session.scalars(back))
    if box_ids:
        boxes = desk.boxes(box_ids)
        picks = [pick for pick in desk.free(desk.picks(box_ids)) if pick.round_id is not None]
        desk.fill(picks, ANSWERED)
        ask_voices(desk.session, boxes)
        desk.close_rounds({pick.round_id for pick in picks})
