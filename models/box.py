"""One animal-like thing in a photo: where, how sure the detector was, what the classifier guesses, what people settled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, String, UniqueConstraint, and_, false, or_, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.act import Act
from models.base import Base, utc_now
from models.consensus import RULES, Outcome, Rule, Voice, consensus
from models.event import mark_photos
from models.image import Image
from models.label import ANSWER, TAKEN_BACK, Label
from models.meaning import Meanings, meanings
from models.membership import Role
from models.observed import NOTHING, Observed
from models.project import Project
from models.species import TAXON, Species

WAITS = text("waits_for IS NOT NULL")
NAMED = text("settled_label_id IS NOT NULL")  # a label that goes is looked for here


class Box(Base):
    """A bounding box, corners as shares of the upright photo (0..1 from the top left).

    Corners never change: vectors, crops and predictions are found by the id. A box that a person moves is replaced by a new row,
    which takes over its labels, picks, notes and ordinal, and the old row stays as the detector made it (models/drawing.py).
    """

    __tablename__ = "box"
    __table_args__ = (
        UniqueConstraint("image_id", "ordinal"),
        Index("ix_box_project_score", "project_id", "score"),
        Index(
            "ix_box_project_settled", "project_id", "settled_species_id", "settled_label_id"
        ),  # the newest of a species
        Index("ix_box_project_guess", "project_id", "guess_species_id"),
        Index("ix_box_waits", "project_id", "waits_for", sqlite_where=WAITS, postgresql_where=WAITS),
        Index("ix_box_project_id", "project_id", "id"),  # pages of the API
        Index("ix_box_settled_label", "settled_label_id", sqlite_where=NAMED, postgresql_where=NAMED),
        Index("ix_box_vectors", "project_id", "embedder_id", "vector_row"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    ordinal: Mapped[int]  # 1, 2, ... by falling score
    x_min: Mapped[float]
    y_min: Mapped[float]
    x_max: Mapped[float]
    y_max: Mapped[float]
    score: Mapped[float]  # the detector's; 1.0 where a person drew the box, so that it counts under every threshold
    kind: Mapped[str] = mapped_column(String(12), default="animal")  # animal | person | vehicle, as the detector says
    detector_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))

    # Where its first vector lies (DECISIONS 5). No embedder: below classify-above, so no crop was made. No file: it was removed.
    # Vectors that the same crop got later, from another embedder, lie in that one's parts (models/vectors.py).
    embedder_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    vector_file: Mapped[str | None] = mapped_column(String(120))
    vector_row: Mapped[int | None]

    # For filters only; exports read the predictions file (DECISIONS 2).
    guess_species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    guess_p: Mapped[float | None]
    guess_classifier_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))

    settled_species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    settled_label_id: Mapped[int | None] = mapped_column(ForeignKey("label.id", use_alter=True))
    settled_at: Mapped[dt.datetime | None]
    # Somebody spoke, and by the project's rule the crop has no name yet: `voice` (another person is asked) or `expert`.
    waits_for: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)

    drawn: Mapped[bool] = mapped_column(default=False, server_default=false())  # by a person
    deleted_at: Mapped[
        dt.datetime | None
    ]  # it counts no more, is not asked about and has no settled name; its labels stay
    # The box that stands in its place. No foreign key: SQLite could only add one by making the table anew.
    replaced_by_id: Mapped[int | None]

    image: Mapped[Image] = relationship(lazy="raise")

    def answer(
        self, session: Session, species: Species, *, by: int, role: Role, act: Act, certain: bool = True,
        round_id: int | None = None, guess: dict[str, Any] | None = None, observed: Observed = NOTHING,
    ) -> Label:  # fmt: skip
        """Say a name about this box. Older voices stay; the newest of each person counts."""
        label = self.voice(
            species, by=by, role=role, act=act, certain=certain, round_id=round_id, guess=guess, observed=observed
        )
        session.add(label)
        session.flush()
        settle(session, [self])
        return label

    def voice(
        self, species: Species, *, by: int, role: Role, act: Act, certain: bool, round_id: int | None,
        guess: dict[str, Any] | None, observed: Observed = NOTHING,
    ) -> Label:  # fmt: skip
        """The row that says a name about this box, for who settles it with others.

        observed: only of an animal is something kept (Camtrap DP: people, vehicles and blanks have none).
        """
        beside = asdict(observed if species.kind == TAXON else NOTHING)
        return Label(
            project_id=self.project_id, box_id=self.id, user_id=by, role=role.value, act_id=act.id, kind=ANSWER,
            species_id=species.id, certain=certain, round_id=round_id, guess=guess or {}, **beside,
        )  # fmt: skip

    def judge(self, rule: Rule, voices: Sequence[Voice], blank_id: int, meant: Meanings) -> bool:
        """What the voices make of it, of a deleted one nothing; whether that is new. meant: what their words mean now."""
        spoken = [voice.meaning(meant) for voice in voices]
        outcome = consensus(rule, spoken, blank_id) if self.deleted_at is None else Outcome(None)
        winner = outcome.winner
        label_id, species_id = (winner.id, winner.species_id) if winner else (None, None)
        settled = (self.settled_label_id, self.settled_species_id)
        if (*settled, self.waits_for) == (label_id, species_id, outcome.waits_for):
            return False
        self.settled_species_id, self.settled_label_id = species_id, label_id
        if settled[0] == label_id and label_id is not None:
            self.waits_for = outcome.waits_for  # the same word means another species: it was settled when it was
            return True
        self.settled_at = utc_now() if winner else None
        self.waits_for = outcome.waits_for
        return True


def take_back_labels(
    session: Session, boxes: Mapping[int, Box], labels: Sequence[Label], *, by: int, act: Act
) -> list[Label]:
    """Newer rows that take a person's labels back, one a box: each says again what was said before, or nothing."""
    last = {label.box_id: label for label in labels}
    before: dict[int, Label] = {}
    for label in session.scalars(select(Label).where(Label.box_id.in_(last), Label.user_id == by).order_by(Label.id)):
        if label.id < last[label.box_id].id:
            before[label.box_id] = label
    rows = [withdrawal(label, before.get(label.box_id), by=by, act=act) for label in labels]
    session.add_all(rows)
    session.flush()
    settle(session, [boxes[label.box_id] for label in labels])
    return rows


def withdrawal(label: Label, before: Label | None, *, by: int, act: Act) -> Label:
    """The row that takes a label back. before: what the person said then."""
    return Label(
        project_id=label.project_id, box_id=label.box_id, user_id=by, role=label.role, act_id=act.id, kind=TAKEN_BACK,
        species_id=before.species_id if before else None, certain=before.certain if before else True,
        round_id=label.round_id, takes_back_id=label.id, guess=before.guess if before else {},
        **asdict(before.observed if before else NOTHING),
    )  # fmt: skip


def settle(session: Session, boxes: Sequence[Box]) -> None:
    """Recompute the settled name of each box from every voice: a thousand boxes cost one question and two statements.

    boxes: of one project, whose rule is read under their locks: somebody may just change it.
    """
    if not boxes:
        return
    rule, blank_id = rule_of(session, boxes[0].project_id)
    meant = meanings(session, boxes[0].project_id)
    spoken: dict[int, list[Label]] = {box.id: [] for box in boxes}
    for label in session.scalars(select(Label).where(Label.box_id.in_(spoken)).order_by(Label.id)):
        spoken[label.box_id].append(label)
    moved = [box for box in boxes if box.judge(rule, [label.voice for label in spoken[box.id]], blank_id, meant)]
    session.flush()
    mark_photos(session, boxes[0].project_id, (box.image_id for box in moved))


def rule_of(session: Session, project_id: int) -> tuple[Rule, int]:
    """The project's rule as the database has it now, and the species that says "not an animal"."""
    wanted = select(Project.consensus, Species.id).join(Species, Species.project_id == Project.id)
    name, blank_id = session.execute(wanted.where(Project.id == project_id, Species.kind == "not_animal")).one()
    return RULES[name], blank_id


def askable(project: Project) -> ColumnElement[bool]:
    """The boxes that rounds may ask about: above the project's classify-above, with a crop, not deleted."""
    is_sure = and_(Box.project_id == project.id, Box.score >= project.classify_above)
    return and_(is_sure, Box.embedder_id.is_not(None), Box.deleted_at.is_(None))


def counted(project: Project) -> ColumnElement[bool]:
    """The boxes that count as something: above count-above, or named by a person whatever the score (PRACTICE 1.4)."""
    return or_(and_(Box.score >= project.count_above, Box.deleted_at.is_(None)), Box.settled_species_id.is_not(None))


def current_ids(session: Session, box_ids: Iterable[int]) -> dict[int, int]:
    """Box id -> the box that stands in its place now, itself where nobody moved it."""
    now = {box_id: box_id for box_id in box_ids}
    while replaced := replacements(session, set(now.values())):
        now = {box_id: replaced.get(at, at) for box_id, at in now.items()}
    return now


def replacements(session: Session, box_ids: set[int]) -> dict[int, int]:
    """Box id -> the next box in its place, of those that were replaced."""
    rows = session.execute(
        select(Box.id, Box.replaced_by_id).where(Box.id.in_(box_ids), Box.replaced_by_id.is_not(None))
    )
    return {box_id: by for box_id, by in rows if by is not None}
