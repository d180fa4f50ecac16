"""Crops that are asked beside the rounds, so that a round never waits for them: another person's voice, and gold.

A crop waits for a voice exactly while an open pick without a round asks for it, one at a time. It goes to whoever has not spoken
about the crop; a round is done with the first answers. A gold pick is for one person. Both are asked blind.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sqlalchemy import BindParameter, ColumnElement, Select, and_, bindparam, case, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from models.base import utc_now
from models.box import Box, rule_of
from models.consensus import VOICE, Voice
from models.desk import Desk
from models.event import mark_photos
from models.job import CROPS, SETTLE, Job
from models.label import Label
from models.lease import Lease
from models.meaning import meanings
from models.note import GOLD, NO_GOLD, Note
from models.project import Project
from models.queue import ask
from models.round import OPEN, WITHDRAWN, Pick, Round, ask_learn, is_with_another, lease_to, leases_of
from models.words import written


def ask_voices(session: Session, boxes: Iterable[Box]) -> None:
    """After the voices of these boxes changed: ask for another one where the rule wants it, one at a time, and no more where it
    does not.

    The caller holds the boxes.
    """
    waiting = {box.id: box.waits_for == VOICE for box in boxes}
    wanted = select(Pick).where(Pick.box_id.in_(waiting), Pick.state == OPEN, Pick.user_id.is_(None))
    picks = list(session.scalars(wanted))
    asked = {pick.box_id for pick in picks}
    session.add_all(voice_pick(box_id) for box_id, waits in waiting.items() if waits and box_id not in asked)
    beside: dict[int, list[Pick]] = defaultdict(list)
    for pick in picks:
        if pick.round_id is None:
            beside[pick.box_id].append(pick)
    gone = [
        pick
        for box_id, asking in beside.items()
        for pick in (all_but_one(session, asking) if waiting[box_id] else asking)
    ]
    for pick in gone:
        pick.state = WITHDRAWN
    session.flush()
    if gone:
        session.execute(delete(Lease).where(Lease.pick_id.in_([pick.id for pick in gone])))


def all_but_one(session: Session, picks: list[Pick]) -> list[Pick]:
    """The picks without the newest of those that lie on a desk, or of all. Undo opens one while another one waits already."""
    if len(picks) == 1:
        return []
    now = utc_now()
    on_desk = {id_ for id_, lease in leases_of(session, [pick.id for pick in picks]).items() if lease.expires_at > now}
    return sorted(picks, key=lambda pick: (pick.id in on_desk, pick.id))[:-1]


def voice_pick(box_id: int) -> Pick:
    """One more voice is asked for."""
    return Pick(round_id=None, box_id=box_id, position=0)


def ask_rule(session: Session, project: Project) -> Job:
    """After the project's rule changed: ask the worker to settle every crop anew that somebody spoke about."""
    spoken = select(func.count(Label.box_id.distinct())).where(Label.project_id == project.id)
    return ask(
        session, SETTLE, project.id, {"version": project.version}, key=f"{SETTLE}-{project.id}-{project.version}",
        total=session.scalar(spoken) or 0, unit=CROPS, line=written("Settling crops by the new rule"),
    )  # fmt: skip


def ask_meaning(session: Session, project: Project) -> Job:
    """After a species came to mean another one: ask the worker to settle every crop anew, and to bring the guesses up to date."""
    spoken = select(func.count(Label.box_id.distinct())).where(Label.project_id == project.id)
    return ask(
        session, SETTLE, project.id, {"means": True}, total=session.scalar(spoken) or 0, unit=CROPS,
        line="Settling crops by what their names mean now",
    )  # fmt: skip


def spoken_boxes(session: Session, project_id: int) -> list[int]:
    """The boxes of a project that somebody spoke about, by rising id."""
    spoken = select(Label.box_id).where(Label.project_id == project_id).distinct()
    return list(session.scalars(spoken.order_by(Label.box_id)))


def settle_by_rule(session: Session, project_id: int, box_ids: Sequence[int]) -> int:
    """Settle these boxes anew by the rule that the project has now. How many stand otherwise then."""
    locked = select(Box).where(Box.id.in_(box_ids)).order_by(Box.id).with_for_update(key_share=True)
    boxes = list(session.scalars(locked.execution_options(populate_existing=True)))
    rule, blank_id = rule_of(session, project_id)
    meant = meanings(session, project_id)
    voices: dict[int, list[Voice]] = defaultdict(list)
    for label in session.scalars(select(Label).where(Label.box_id.in_(box_ids)).order_by(Label.id)):
        voices[label.box_id].append(label.voice)
    moved = [box for box in boxes if box.judge(rule, voices[box.id], blank_id, meant)]
    session.flush()
    mark_photos(session, project_id, (box.image_id for box in moved))
    ask_voices(session, moved)
    return len(moved)


def learn_from_voices(session: Session, project: Project) -> None:
    """After a voice beside the rounds: when no crop waits for one any more and no round is left to end, learn from the names."""
    waits = select(Box.id).where(Box.project_id == project.id, Box.waits_for == VOICE)
    if session.scalar(waits.limit(1)) is None and not Round.unfinished(session, project.id):
        newest = session.scalar(select(func.max(Label.id)).where(Label.project_id == project.id))
        ask_learn(session, project, f"voices-{newest}")


def take_beside(desk: Desk, count: int) -> list[tuple[Pick, Lease]]:
    """Lease up to `count` picks beside the rounds to a person: those on the desk or meant for this person alone first.

    Not a crop that has this person's voice, nor one that this person was asked about beside the rounds before.
    Locked and looked at again as in models.round.take().
    """
    if desk.session.scalar(ANY_BESIDE, {"project_id": desk.project.id}) is None:
        return []
    now = utc_now()
    mine = or_(Pick.user_id == desk.user_id, and_(Lease.user_id == desk.user_id, Lease.expires_at > now))
    wanted = (
        open_beside(desk.project.id)
        .outerjoin(Lease, and_(Lease.pick_id == Pick.id, Lease.slot == 0))
        .where(
            or_(mine, is_offered(desk.user_id)),
            or_(Lease.id.is_(None), Lease.expires_at <= now, Lease.user_id == desk.user_id),
        )
        .order_by(case((mine, 0), else_=1), Pick.id)
        .limit(count)
        .with_for_update(of=Pick, skip_locked=True)
    )
    picks = list(desk.session.scalars(wanted))
    held = leases_of(desk.session, [pick.id for pick in picks])
    return [
        (pick, lease_to(desk.session, pick, held.get(pick.id), desk.user_id, now))
        for pick in picks
        if not is_with_another(held.get(pick.id), desk.user_id, now)
    ]


def open_beside(project_id: int | BindParameter[int]) -> Select[Pick]:
    """The picks of a project that wait beside its rounds."""
    waiting = select(Pick).join(Box, Box.id == Pick.box_id)
    return waiting.where(Pick.round_id.is_(None), Pick.state == OPEN, Box.project_id == project_id)


def is_offered(user_id: int) -> ColumnElement[bool]:
    """Whether a pick beside the rounds may go to this person as to others."""
    return and_(Pick.user_id.is_(None), ~speaks(user_id), ~was_asked(user_id))


def voices_left(session: Session, project_id: int, user_id: int) -> int:
    """How many crops wait for a voice that this person may give."""
    waiting = open_beside(project_id).where(is_offered(user_id)).with_only_columns(func.count(Pick.id))
    return session.scalar(waiting) or 0


ANY_BESIDE = open_beside(bindparam("project_id")).with_only_columns(Pick.id).limit(1)


def speaks(user_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Whether the crop of a pick has a voice of this person that was not taken back."""
    newest = select(Label.species_id).where(Label.box_id == Pick.box_id, Label.user_id == user_id)
    return newest.order_by(Label.id.desc()).limit(1).correlate(Pick).scalar_subquery().is_not(None)


def was_asked(user_id: int) -> ColumnElement[bool]:
    """Whether this person was asked about the crop of a pick beside the rounds, and skipped it, or it was gold."""
    other = aliased(Pick)
    return exists(select(other.id).where(other.box_id == Pick.box_id, other.user_id == user_id)).correlate(Pick)


def add_gold(desk: Desk, fresh: Sequence[Pick]) -> dict[int, tuple[Pick, Lease]]:
    """pick id -> the gold crop that this person is asked about after it, for those of the new picks whose turn it is.

    Chance decides, one in so many as the project says, and always the same way for a pick and a person.
    """
    due = [pick for pick in fresh if is_due(desk, pick)]
    left = gold_left(desk) if due else []
    now = utc_now()
    added = {}
    for pick, box_id in zip(due, left, strict=False):
        gold = Pick(round_id=None, box_id=box_id, user_id=desk.user_id, position=0)
        desk.session.add(gold)
        desk.session.flush()
        added[pick.id] = gold, lease_to(desk.session, gold, None, desk.user_id, now)
    return added


def is_due(desk: Desk, pick: Pick) -> bool:
    """Whether a gold crop follows."""
    return desk.project.gold_one_in > 0 and drawn(desk.user_id, pick.id) % desk.project.gold_one_in == 0


def drawn(user_id: int, number: int) -> int:
    """A number by chance, the same each time."""
    return int.from_bytes(hashlib.blake2b(f"{user_id}/{number}".encode(), digest_size=8).digest())


def gold_left(desk: Desk) -> list[int]:
    """Gold crops that this person has never spoken about and was never asked about beside the rounds, in an order of chance."""
    gold = gold_boxes(desk.session, desk.project.id)
    spoken = select(Label.box_id).where(Label.box_id.in_(gold), Label.user_id == desk.user_id)
    asked = select(Pick.box_id).where(Pick.box_id.in_(gold), Pick.user_id == desk.user_id)
    left = gold - set(desk.session.scalars(spoken)) - set(desk.session.scalars(asked))
    return sorted(left, key=lambda box_id: drawn(desk.user_id, box_id))


def gold_boxes(session: Session, project_id: int, box_id: int | None = None) -> set[int]:
    """The crops that an expert keeps as gold and that are named. box_id: only this one."""
    here = Note.project_id == project_id if box_id is None else Note.box_id == box_id
    rows = session.execute(Note.standing(here, Note.kind.in_((GOLD, NO_GOLD)))).all()
    newest = {row.box_id: row.kind for row in rows}
    gold = [box_id for box_id, kind in newest.items() if kind == GOLD]
    return set(session.scalars(select(Box.id).where(Box.id.in_(gold), Box.settled_species_id.is_not(None))))
