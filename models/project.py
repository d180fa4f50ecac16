"""A study: its photos, its people, its species list, and the wishes that shape its rounds."""

from __future__ import annotations

import datetime as dt
from math import ceil
from typing import Any

from sqlalchemy import ForeignKey, String, Text, select, true
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, utc_now
from models.consensus import RULES, SINGLE, Rule
from models.errors import Changed, Conflict, Invalid
from models.event import EVENT_RULES, LAST_INDEPENDENT
from models.languages import clean_language
from models.observed import LIFE_STAGES, SEXES, clean_behaviours
from models.rolling_up import BAR
from models.species import Species, clean_name
from models.words import figure, mark, say

FLOOR = 0.05  # boxes below were never kept
MAX_NOTE = 2000
FINE_TUNE_EVERY = 1000  # twice as often as Norouzzadeh et al. 2019, sec. 3.1: the first one pays most (docs/lab-log.md)
# who may see people on photos: the least role -> in words
OPENERS = {
    "admin": mark("administrators"),
    "expert": mark("administrators and experts"),
    "annotator": mark("administrators, experts and annotators"),
}
LOSSES = ("triplet", "softmax")  # of a fine-tune: the paper's, and its ablation (sec. 4.3.1)
FEWEST_TO_TUNE = 100
FEWEST_TO_GOLD = 5
# what a project may choose; those that look at pixels are left to `waterhole simulate`, where the pixels are at hand
STRATEGY_NAMES = (
    "k_center", "random", "confidence", "margin", "entropy", "deepfool", "bald", "batch_bald", "ensemble", "badge", "dmbal",
    "margin_cluster_mean", "margin_spread", "informative_diverse", "exploration_p", "event_aware_margin", "typiclust",
    "probcover", "discriminative", "learning_loss", "waal",
)  # fmt: skip


class Project(Base):
    """One study. Thresholds are applied when reading, so changing them needs no new detector run."""

    __tablename__ = "project"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    note: Mapped[str] = mapped_column(Text, default="")  # shown on the overview, e.g. "Drawn scenes, not photos"
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    version: Mapped[int] = mapped_column(default=1)

    detector: Mapped[str] = mapped_column(String(300), default="starter")  # its name, or the path of a checkpoint
    embedder: Mapped[str] = mapped_column(String(300), default="starter")
    classify_above: Mapped[float] = mapped_column(default=0.90)
    count_above: Mapped[float] = mapped_column(default=0.90)

    strategy: Mapped[str] = mapped_column(String(40), default="margin_spread")  # fewest labels in docs/lab-log.md
    first_round: Mapped[int] = mapped_column(default=1000)
    round_size: Mapped[int] = mapped_column(default=100)
    seed: Mapped[int] = mapped_column(default=1)

    target: Mapped[float] = mapped_column(default=0.95)  # stop when so much of what nobody has looked at is named right
    label_budget: Mapped[int] = mapped_column(default=5000)  # answers that people mean to give in all

    fine_tune_every: Mapped[int] = mapped_column(default=FINE_TUNE_EVERY)  # settled names; 0: only when a person asks
    fine_tune_loss: Mapped[str] = mapped_column(String(20), default=LOSSES[0])

    consensus: Mapped[str] = mapped_column(String(40), default=SINGLE)  # when voices name a crop (models/consensus.py)
    gold_one_in: Mapped[int] = mapped_column(default=30)  # answers of an annotator, one is about a gold crop; 0: none
    # What may be said beside a name (models/observed.py); behaviours: one a line, none: it is not asked.
    asks_sex: Mapped[bool] = mapped_column(default=False)
    asks_life_stage: Mapped[bool] = mapped_column(default=False)
    behaviours: Mapped[str] = mapped_column(Text, default="")

    sequence_gap_s: Mapped[int] = mapped_column(default=60)
    event_gap_minutes: Mapped[int] = mapped_column(default=30)
    event_rule: Mapped[str] = mapped_column(String(20), default=LAST_INDEPENDENT, server_default=LAST_INDEPENDENT)
    # whether two cameras of one site see visits of their own (camtrapR: camerasIndependent)
    cameras_independent: Mapped[bool] = mapped_column(default=True, server_default=true())
    zone: Mapped[str] = mapped_column(
        String(64), default="UTC", server_default="UTC"
    )  # IANA name, of its cameras' clocks
    # What a publication says of the study (Camtrap DP's datapackage.json: title, contributors, licenses, project, ...).
    publication: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")

    # From which sum on a guess is rolled up to a genus, a family, ... (models/rolling_up.py); 1: never.
    roll_up_above: Mapped[float] = mapped_column(default=BAR, server_default=str(BAR))
    # BCP 47; the common names that are shown beside the list's own where there are some. Empty: none.
    names_language: Mapped[str] = mapped_column(String(35), default="", server_default="")

    opened_by: Mapped[str] = mapped_column(String(10), default="expert")  # the least role that may see people on photos
    hides_unseen: Mapped[bool] = mapped_column(
        default=False
    )  # where the detector knows no people: until somebody has looked

    archived_at: Mapped[dt.datetime | None]  # read-only for everybody since then
    deletion_id: Mapped[int | None]  # its mark (models/deletion.py): nobody sees it any more

    # The switch: one row names the networks whose vectors and predictions count now (DECISIONS 2).
    detector_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id", use_alter=True))
    embedder_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id", use_alter=True))
    classifier_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id", use_alter=True))
    # In use before the last switch: its vectors and predictions stay for a roll-back (DECISIONS 5). No foreign key, since
    # SQLite adds and drops a column with one only by making the table anew.
    previous_embedder_id: Mapped[int | None]

    @classmethod
    def start(cls, session: Session, name: str, note: str = "") -> Project:
        """A new project with the four answers that every project has. Raises Invalid for a bad or taken name or a bad note."""
        cleaned = clean_name(name)
        if len(note) > MAX_NOTE or "\0" in note:
            raise Invalid(
                "note: " + say("at most %(max_note)s characters that can be shown", max_note=figure(MAX_NOTE))
            )
        if cls.named(session, cleaned) is not None:
            raise Invalid("name: " + say("there is already a project called %(cleaned)s", cleaned=cleaned))
        project = cls(name=cleaned, note=note)
        session.add(project)
        session.flush()
        Species.add_fixed(session, project.id)
        return project

    @classmethod
    def named(cls, session: Session, name: str) -> Project | None:
        """The project with exactly this name."""
        return session.scalar(select(cls).where(cls.name == name))

    def lock(self, session: Session) -> None:
        """Nobody else changes settings, members or species of this project until the transaction ends; answers go on."""
        session.refresh(self, with_for_update={"key_share": True})

    def expect_version(self, version: int) -> None:
        """Raises Changed when somebody saved the settings since the page was read."""
        if version != self.version:
            raise Changed(say("Somebody changed these settings since you opened the page. Look at them again."))

    def set_thresholds(self, classify_above: float, count_above: float) -> None:
        """Raises Invalid when a threshold lies below what was kept, above 1, or counting is below classifying."""
        for field, value in (("classify-above", classify_above), ("count-above", count_above)):
            if not value >= FLOOR:  # not-a-number too
                raise Invalid(
                    f"{field}: " + say("boxes below %(floor)s were not kept. Choose %(floor)s or more.", floor=FLOOR)
                )
            if value > 1:
                raise Invalid(f"{field}: " + say("no score is above 1. Choose 1 or less."))
        if count_above < classify_above:
            raise Invalid(
                "count-above: "
                + say(
                    "a box that counts needs a crop. Choose %(classify_above)s or more, or make crops from %(count_above)s on.",
                    classify_above=f"{classify_above:g}",
                    count_above=f"{count_above:g}",
                )
            )
        self.classify_above, self.count_above = classify_above, count_above

    def set_rounds(self, strategy: str, first_round: int, round_size: int) -> None:
        """Raises Invalid for an unknown strategy or a size outside 1 to 10,000."""
        if strategy not in STRATEGY_NAMES:
            raise Invalid(
                "strategy: "
                + say(
                    "%(strategy)s is not one of %(names)s",
                    strategy=repr(strategy[:40]),
                    names=", ".join(STRATEGY_NAMES),
                )
            )
        for field, value in (("first round", first_round), ("round size", round_size)):
            if not 1 <= value <= 10_000:
                raise Invalid(f"{field}: " + say("between 1 and 10,000"))
        self.strategy, self.first_round, self.round_size = strategy, first_round, round_size

    def set_goal(self, target: float, label_budget: int) -> None:
        """Raises Invalid for a target that says nothing or that no sample can show, and for a budget outside sense."""
        if not 0.5 <= target <= 0.99:
            raise Invalid("target: " + say("between 50 and 99%%"))
        if not 100 <= label_budget <= 1_000_000:
            raise Invalid("label-budget: " + say("between 100 and 1,000,000 answers"))
        self.target, self.label_budget = target, label_budget

    def expect_open(self) -> None:
        """Raises Conflict in an archived project, where nothing changes."""
        if self.archived_at is not None:
            raise Conflict(
                say("This project is archived: nothing in it changes until an administrator brings it back.")
            )

    @property
    def planned_rounds(self) -> int:
        """Rounds in the label budget."""
        return 1 + ceil(max(self.label_budget - self.first_round, 0) / self.round_size)

    @property
    def rule(self) -> Rule:
        """When voices name a crop."""
        return RULES[self.consensus]

    def set_people(self, consensus: str, gold_one_in: int) -> None:
        """Raises Invalid for a rule that is none and for gold so often that little else is asked."""
        if consensus not in RULES:
            raise Invalid(
                "consensus: "
                + say(
                    "%(consensus)s is not one of %(names)s",
                    consensus=repr(consensus[:40]),
                    names=", ".join(RULES),
                )
            )
        if gold_one_in and not FEWEST_TO_GOLD <= gold_one_in <= 10_000:
            raise Invalid(
                "gold one in: "
                + say(
                    "between %(fewest_to_gold)s and 10,000 answers, or 0 for none",
                    fewest_to_gold=FEWEST_TO_GOLD,
                )
            )
        self.consensus, self.gold_one_in = consensus, gold_one_in

    def set_fields(self, asks_sex: bool, asks_life_stage: bool, behaviours: str) -> None:
        """behaviours: one a line. Raises Invalid when one of them is bad."""
        self.behaviours = "\n".join(clean_behaviours(behaviours.splitlines()))
        self.asks_sex, self.asks_life_stage = asks_sex, asks_life_stage

    @property
    def asked_fields(self) -> dict[str, list[str]]:
        """field of Observed -> the words that may be said, of those that people are asked."""
        every = {"sex": SEXES, "life_stage": LIFE_STAGES, "behaviour": self.behaviours.splitlines()}
        wished = {"sex": self.asks_sex, "life_stage": self.asks_life_stage, "behaviour": bool(self.behaviours)}
        return {field: list(words) for field, words in every.items() if wished[field]}

    def set_names(self, language: str, roll_up_above: float) -> None:
        """Raises Invalid for a language that is none, and for a bar that every guess or none could reach."""
        if not 0.5 <= roll_up_above <= 1:
            raise Invalid("roll up above: " + say("between 0.5 and 1; 1 never rolls up"))
        self.names_language = clean_language(language) if language.strip() else ""
        self.roll_up_above = roll_up_above

    def set_gaps(self, sequence_gap_s: int, event_gap_minutes: int, event_rule: str, cameras_independent: bool) -> None:
        """Raises Invalid for a gap outside sense and for a rule that is none."""
        if event_rule not in EVENT_RULES:
            raise Invalid(f"event rule: {event_rule[:40]!r} is not one of {', '.join(EVENT_RULES)}")
        if not 0 <= sequence_gap_s <= 3600:
            raise Invalid("burst gap: " + say("0 to 3,600 seconds"))
        if not 0 <= event_gap_minutes <= 7 * 24 * 60:
            raise Invalid("event gap: " + say("0 minutes to 7 days"))
        self.sequence_gap_s, self.event_gap_minutes = sequence_gap_s, event_gap_minutes
        self.event_rule, self.cameras_independent = event_rule, cameras_independent

    def set_fine_tune(self, every: int, loss: str) -> None:
        """Raises Invalid for a step outside sense and for a loss that is none."""
        if every and not FEWEST_TO_TUNE <= every <= 1_000_000:
            raise Invalid(
                "every: "
                + say(
                    "between %(fewest_to_tune)s and 1,000,000 answers, or 0 for never by itself",
                    fewest_to_tune=figure(FEWEST_TO_TUNE),
                )
            )
        if loss not in LOSSES:
            raise Invalid(
                "loss: " + say("%(loss)s is not one of %(names)s", loss=repr(loss[:40]), names=", ".join(LOSSES))
            )
        self.fine_tune_every, self.fine_tune_loss = every, loss

    def set_privacy(self, opened_by: str, hides_unseen: bool) -> None:
        """Raises Invalid for a role that cannot be chosen."""
        if opened_by not in OPENERS:
            raise Invalid(
                "opened-by: "
                + say(
                    "%(opened_by)s is not one of %(names)s",
                    opened_by=repr(opened_by[:20]),
                    names=", ".join(OPENERS),
                )
            )
        self.opened_by, self.hides_unseen = opened_by, hides_unseen
