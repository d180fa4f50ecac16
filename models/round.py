"""The crops that a person is asked about together, and the rules of their order, their leases and their end.

A round is `chosen` ahead, `open` once somebody works in it, `full` when every pick is answered or skipped.
Invariant I7: open + answered + skipped + withdrawn picks = size.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, and_, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.box import Box, askable
from models.fine_tune import ask_at_threshold
from models.job import UNFINISHED, Job
from models.label import newest_label_id
from models.lease import LEASE, Lease
from models.project import Project
from models.queue import ask
from models.words import written

CHOSEN, OPEN, FULL = "chosen", "open", "full"
ANSWERED, SKIPPED, WITHDRAWN = "answered", "skipped", "withdrawn"  # a pick is open or one of these
AHEAD_AT = 0.8  # DECISIONS 9
AHEAD = "ahead"  # the reason of a learn job at 80% of a round
WISHED = "asked"  # the reason of a learn job that a person asked for, before the open round is nearly full


BLIND_ONE_IN = 14  # picks: a round has about 14 for every crop of the audit


@dataclass(frozen=True)
class Drawing:
    """What a round draws by chance beside the strategy's picks (worker/stopping/draw.py).

    chances: box id -> its probability to have been drawn by now, in this round or before. of: how many crops this round
    drew from; their ids are at most up_to, their scores at least `above`. passed: box ids drawn in earlier rounds that the
    strategy would have picked in this one; they leave the audit.
    """

    chances: Mapping[int, float]
    of: int
    up_to: int
    above: float
    passed: Sequence[int] = ()


class Round(Base):
    """One round of one project, with everything that chose it."""

    __tablename__ = "round"
    __table_args__ = (UniqueConstraint("project_id", "number"), Index("ix_round_project_state", "project_id", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=CHOSEN)
    strategy: Mapped[str] = mapped_column(String(40))
    seed: Mapped[int]
    size: Mapped[int]
    embedder_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    classifier_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"))
    chosen_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    opened_at: Mapped[dt.datetime | None]
    full_at: Mapped[dt.datetime | None]
    # Of its Drawing, what the chances of crops in later rounds are computed from.
    drawn: Mapped[int] = mapped_column(default=0)
    drawn_of: Mapped[int] = mapped_column(default=0)
    drawn_up_to: Mapped[int] = mapped_column(default=0)
    drawn_above: Mapped[float] = mapped_column(default=0.0)

    @classmethod
    def unfinished(cls, session: Session, project_id: int) -> list[Round]:
        """Open and chosen rounds, the lowest number first."""
        return list(
            session.scalars(select(cls).where(cls.project_id == project_id, cls.state != FULL).order_by(cls.number))
        )

    @classmethod
    def last_number(cls, session: Session, project_id: int) -> int:
        """The number of the newest round, 0 before the first."""
        return session.scalar(select(func.max(cls.number)).where(cls.project_id == project_id)) or 0

    @classmethod
    def choose(
        cls, session: Session, project: Project, box_ids: list[int], *, strategy: str, seed: int,
        embedder_id: int | None, classifier_id: int | None, job_id: str, drawing: Drawing | None = None,
    ) -> Round:  # fmt: skip
        """Store the next round in the order given. embedder_id: in whose space it was chosen. drawing: which are of the audit."""
        chosen = cls(
            project_id=project.id, number=cls.last_number(session, project.id) + 1, strategy=strategy, seed=seed,
            size=len(box_ids), embedder_id=embedder_id, classifier_id=classifier_id, job_id=job_id,
        )  # fmt: skip
        chances = drawing.chances if drawing else {}
        if drawing:
            chosen.drawn, chosen.drawn_of = len(drawing.chances), drawing.of
            chosen.drawn_up_to, chosen.drawn_above = drawing.up_to, drawing.above
            Pick.leave_audit(session, project.id, drawing.passed, chosen.number)
        session.add(chosen)
        session.flush()
        session.add_all(
            Pick(round_id=chosen.id, box_id=box_id, position=position, chance=chances.get(box_id))
            for position, box_id in enumerate(box_ids, start=1)
        )
        session.flush()
        return chosen

    def tally(self, session: Session) -> dict[str, int]:
        """Picks by state."""
        rows = session.execute(select(Pick.state, func.count()).where(Pick.round_id == self.id).group_by(Pick.state))
        return dict(rows.all())

    def after_answer(self, session: Session, project: Project) -> int:
        """Close the round when nothing is open; ask for the next fit at 80% and once more when it is full (DECISIONS 9).

        A full round also looks whether enough is named by now to fine-tune the embedding. How many picks are still open. The
        caller holds the round's row, so that of two last answers one sees the other.
        """
        left = self.tally(session).get(OPEN, 0)
        if left == 0 and self.state != FULL:
            self.state, self.full_at = FULL, utc_now()
            ask_learn(session, project, f"full-{self.number}")
            ask_at_threshold(session, project)
        elif self.state != FULL and self.size - left >= AHEAD_AT * self.size:
            ask_learn(session, project, f"{AHEAD}-{self.number}")
        return left


class Pick(Base):
    """One crop of a round; without a round, one that is asked beside the rounds (models/beside.py)."""

    __tablename__ = "pick"
    __table_args__ = (UniqueConstraint("round_id", "box_id"), Index("ix_pick_order", "round_id", "state", "position"))

    id: Mapped[int] = mapped_column(primary_key=True)
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id", ondelete="CASCADE"))
    box_id: Mapped[int] = mapped_column(ForeignKey("box.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(
        ForeignKey("user_account.id")
    )  # beside the rounds: asked of this person alone
    position: Mapped[int]
    state: Mapped[str] = mapped_column(String(10), default=OPEN)
    skips: Mapped[int] = mapped_column(default=0)
    chance: Mapped[
        float | None
    ]  # of a crop of the audit: its probability to have been drawn by then; none: a strategy's pick
    passed_in: Mapped[int | None]  # number of the round whose strategy would have picked it: it has left the audit

    @property
    def is_blind(self) -> bool:
        """Whether the person answers without the classifier's guess: every crop of the audit, so that the answer does not lean
        towards what it is to check, and as many others, so that nobody can tell which those are; and all beside the rounds.
        """
        if self.round_id is None:
            return True
        others = hashlib.blake2b(str(self.id).encode(), digest_size=8).digest()
        return self.chance is not None or int.from_bytes(others) % BLIND_ONE_IN == 0

    @classmethod
    def leave_audit(cls, session: Session, project_id: int, box_ids: Sequence[int], number: int) -> None:
        """The strategy of this round would have picked these crops, so they speak no more for those that are left."""
        of_project = select(Round.id).where(Round.project_id == project_id)
        audited = (cls.round_id.in_(of_project), cls.chance.is_not(None), cls.passed_in.is_(None))
        session.execute(update(cls).where(cls.box_id.in_(box_ids), *audited).values(passed_in=number))

    def skip(self, session: Session, by: int) -> None:
        """To the end of the round the first time; the second time it fills its place unanswered.

        Beside the rounds it is never asked of the same person (by) again: what was asked of anybody waits for the others, and a
        row of its own says who skipped it.
        """
        if self.round_id is None and self.user_id is None:
            session.add(Pick(round_id=None, box_id=self.box_id, user_id=by, position=self.position, state=SKIPPED))
            session.flush()
            release(session, self.id)
            return
        self.skips += 1
        if self.round_id is None or self.skips > 1:
            self.state = SKIPPED
        else:
            last = session.scalar(select(func.max(Pick.position)).where(Pick.round_id == self.round_id)) or 0
            self.position = last + 1
        release(session, self.id)


def take(session: Session, project: Project, user_id: int, count: int) -> list[tuple[Pick, Lease]]:
    """Lease up to `count` open picks to a person: those already on the desk first, then free ones in order.

    From the open round, and from the one chosen ahead when the open one runs out, so that nobody waits. No pick is ever leased
    to two people: one IMMEDIATE transaction on SQLite, FOR UPDATE SKIP LOCKED on PostgreSQL (RELIABILITY H1).
    """
    rounds = Round.unfinished(session, project.id)
    if not rounds:
        return []
    now = utc_now()
    wanted = (
        select(Pick)
        .outerjoin(Lease, and_(Lease.pick_id == Pick.id, Lease.slot == 0))
        .join(Round, Round.id == Pick.round_id)
        .where(
            Pick.round_id.in_([each.id for each in rounds]),
            Pick.state == OPEN,
            or_(Lease.id.is_(None), Lease.expires_at <= now, Lease.user_id == user_id),
        )
        .order_by(Round.number, Pick.position)
        .limit(count)
        .with_for_update(of=Pick, skip_locked=True)
    )
    picks = list(session.scalars(wanted))
    # Looked at again under the lock: on PostgreSQL somebody may have leased between our snapshot and our lock.
    held = leases_of(session, [pick.id for pick in picks])
    taken = [
        (pick, lease_to(session, pick, held.get(pick.id), user_id, now))
        for pick in picks
        if not is_with_another(held.get(pick.id), user_id, now)
    ]
    begun = {pick.round_id for pick, _lease in taken}
    for each in rounds:
        if each.id in begun and each.state == CHOSEN:
            each.state, each.opened_at = OPEN, now
    session.flush()
    return taken


def leases_of(session: Session, pick_ids: list[int]) -> dict[int, Lease]:
    """pick id -> its lease as the database has it now, live or not."""
    fresh = select(Lease).where(Lease.pick_id.in_(pick_ids), Lease.slot == 0).execution_options(populate_existing=True)
    return {lease.pick_id: lease for lease in session.scalars(fresh)}


def is_with_another(lease: Lease | None, user_id: int, now: dt.datetime) -> bool:
    """Whether somebody else has the pick on the desk at this moment."""
    return lease is not None and lease.user_id != user_id and lease.expires_at > now


def lease_to(session: Session, pick: Pick, lease: Lease | None, user_id: int, now: dt.datetime) -> Lease:
    """The person's lease on a pick, renewed or new; a new holder gets a new token."""
    if lease is None:
        lease = Lease(pick_id=pick.id, user_id=user_id, token=secrets.token_hex(16))
        session.add(lease)
    elif lease.user_id != user_id or lease.expires_at <= now:
        lease.user_id, lease.token = user_id, secrets.token_hex(16)
    lease.expires_at = now + LEASE
    return lease


def release(session: Session, pick_id: int) -> None:
    """Nobody has the pick on the desk any more."""
    session.execute(update(Lease).where(Lease.pick_id == pick_id).values(expires_at=utc_now()))


def picks_of_box(session: Session, box_id: int) -> list[tuple[Pick, Round]]:
    """Every pick of a box in rounds that are not full, and in the newest full one."""
    rows = session.execute(
        select(Pick, Round)
        .join(Round, Round.id == Pick.round_id)
        .where(Pick.box_id == box_id)
        .order_by(Round.number.desc())
    )
    return [(pick, round_) for pick, round_ in rows]


def unasked_count(session: Session, project: Project) -> int:
    """How many crops nobody has spoken about and no unfinished round holds."""
    held = (
        select(Pick.box_id)
        .join(Round, Round.id == Pick.round_id)
        .where(Round.project_id == project.id, Round.state != FULL)
    )
    return (
        session.scalar(
            select(func.count())
            .select_from(Box)
            .where(askable(project), Box.settled_species_id.is_(None), Box.waits_for.is_(None), Box.id.not_in(held))
        )
        or 0
    )


def next_size(project: Project, last_number: int, crops: int, unasked: int) -> int:
    """How many crops the next round asks: the first never more than a tenth of all (at least 1), the rest as the project says.

    Norouzzadeh et al. 2019, sec. 3.1: 1,000 random ones first, then 100 a step.
    """
    wanted = min(project.first_round, max(1, crops // 10)) if last_number == 0 else project.round_size
    return min(wanted, unasked)


def ask_learn(session: Session, project: Project, reason: str) -> Job:
    """Ask for a fit on every label so far, predictions for every crop, and a next round where none is ready."""
    label_max_id = newest_label_id(session, project.id)
    return ask(
        session, "learn", project.id,
        {"label_max_id": label_max_id, "seed": project.seed, "parent_id": project.classifier_id, "reason": reason},
        key=f"learn-{project.id}-{reason}",
        line=written("Learning from your answers") if label_max_id else written("Choosing the first crops"),
    )  # fmt: skip


def ask_if_idle(session: Session, project: Project) -> Job | None:
    """After new photos: ask for a round when none is open or chosen and crops wait that nobody was asked about."""
    if Round.unfinished(session, project.id) or not unasked_count(session, project):
        return None
    newest = session.scalar(select(func.max(Box.id)).where(Box.project_id == project.id)) or 0
    return ask_learn(session, project, f"more-{Round.last_number(session, project.id)}-{newest}")


def ask_next(session: Session, project: Project) -> Job | None:
    """A person wants the next round before its time. None when one is ready or no crop is left to ask about."""
    rounds = Round.unfinished(session, project.id)
    if any(each.state == CHOSEN for each in rounds) or not unasked_count(session, project):
        return None
    labels = newest_label_id(session, project.id)
    ended = select(func.count()).where(Job.project_id == project.id, Job.kind == "learn", Job.state.not_in(UNFINISHED))
    again = f"{Round.last_number(session, project.id)}-{labels}-{session.scalar(ended)}"
    return ask_learn(session, project, f"{WISHED}-{again}")
