"""Who said what about which box, when: append-only. The newest row of each person is that person's voice."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ForeignKey, Index, String, func, null, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.consensus import Voice, consensus
from models.meaning import meanings
from models.observed import Observed
from models.project import Project
from models.species import Species

ANSWER, TAKEN_BACK = "answer", "taken_back"
TAKES_BACK = text("takes_back_id IS NOT NULL")  # one that goes is looked for here


class Label(Base):
    """One thing said. species_id is empty when the person took the only answer back."""

    __tablename__ = "label"
    __table_args__ = (
        Index("ix_label_box", "box_id", "id"),
        Index("ix_label_project", "project_id", "id"),
        Index("ix_label_user_project", "user_id", "project_id", "id"),
        Index("ix_label_takes_back", "takes_back_id", sqlite_where=TAKES_BACK, postgresql_where=TAKES_BACK),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    box_id: Mapped[int] = mapped_column(ForeignKey("box.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    role: Mapped[str] = mapped_column(String(10))  # the person's role when it was said
    act_id: Mapped[int] = mapped_column(ForeignKey("act.id"), index=True)
    kind: Mapped[str] = mapped_column(String(12), default=ANSWER)
    species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    certain: Mapped[bool] = mapped_column(default=True)
    # what else was said of the animal, by the project's wish (models/observed.py); empty: nothing
    sex: Mapped[str] = mapped_column(String(10), default="")
    life_stage: Mapped[str] = mapped_column(String(10), default="")
    behaviour: Mapped[str] = mapped_column(String(60), default="")
    round_id: Mapped[int | None] = mapped_column(ForeignKey("round.id"))
    takes_back_id: Mapped[int | None] = mapped_column(ForeignKey("label.id"))
    guess: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the classifier said then: species, p, checkpoint
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    @property
    def voice(self) -> Voice:
        """What settling a name needs to know of it."""
        return Voice(self.id, self.user_id, self.role, self.species_id, self.guess.get("species_id"))

    @property
    def observed(self) -> Observed:
        """What was said beside the name."""
        return Observed(self.sex, self.life_stage, self.behaviour)


@dataclass(frozen=True)
class Snapshot:
    """The labels a learn job learns from, fixed by the newest label id it may see (DECISIONS 10)."""

    label_max_id: int
    names: dict[int, int]  # box id -> settled species id
    labels: dict[int, int]  # box id -> the label that settles it

    def sha256_of(self, box_ids: Iterable[int]) -> str:
        """Equal where the same labels settle the same boxes, as the same species: those that teach. A moved box is another."""
        pairs = ",".join(f"{box_id}:{self.labels[box_id]}:{self.names.get(box_id)}" for box_id in sorted(box_ids))
        return hashlib.sha256(pairs.encode()).hexdigest()


def newest_label_id(session: Session, project_id: int) -> int:
    """The id of the project's newest label, 0 when there is none."""
    return session.scalar(select(func.max(Label.id)).where(Label.project_id == project_id)) or 0


def snapshot(session: Session, project_id: int, label_max_id: int) -> Snapshot:
    """What the project's rule made of what was said when label_max_id was the newest label; later labels change nothing.

    Words mean what they mean now: a species that was merged since is the one it was merged into.
    """
    rule = session.get_one(Project, project_id).rule
    blank_id = Species.of_kind(session, project_id, "not_animal").id
    meant = meanings(session, project_id)
    guess = Label.guess if rule.trusts_guess else null()
    rows = session.execute(
        select(Label.box_id, Label.id, Label.user_id, Label.role, Label.species_id, guess)
        .where(Label.project_id == project_id, Label.id <= label_max_id)
        .order_by(Label.box_id, Label.id)
    )  # no Label objects: there may be 30,000, and a person waits for the next round
    by_box: dict[int, list[Voice]] = {}
    for box_id, label_id, user_id, role, species_id, said in rows:
        guess_id = said.get("species_id") if said else None
        by_box.setdefault(box_id, []).append(Voice(label_id, user_id, role, meant.of(species_id), meant.of(guess_id)))
    winners = {box_id: consensus(rule, labels, blank_id).winner for box_id, labels in by_box.items()}
    names = {
        box_id: winner.species_id for box_id, winner in winners.items() if winner and winner.species_id is not None
    }
    return Snapshot(label_max_id, names, {box_id: winner.id for box_id, winner in winners.items() if winner})
