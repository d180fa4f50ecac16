"""Files of other tools: what one says, row by row, what a dry run makes of it, and what was taken.

An Import is read whole before anything of it is stored elsewhere. Its rows wait here (ImportRow) with a verdict each; a job of
the worker then takes the good ones, a whole photo at a time (models/bringing.py). An import is never half of a photo; while it is
being taken the photos that it has reached show what it brings and the others do not, which the import's page says, and its state
turns to `taken` in the transaction of its last rows. What a file says and no label may say (a machine's name, a name for
a crop that a person has answered, a name that fits no single crop) is kept as ImportedName.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.act import Act
from models.base import Base, utc_now
from models.errors import Conflict, NotYours
from models.job import ROWS, Job
from models.queue import ask

# An import: being read; waits for a word about how it was read; read and judged; being taken; stopped half way; taken; being
# taken back; taken back; could not be read.
READING, ASKS, CHECKED, TAKING, STOPPED, TAKEN = "reading", "asks", "checked", "taking", "stopped", "taken"
UNDOING, UNDONE, FAILED = "undoing", "undone", "failed"
# A row: brings something; is wrong; is kept aside and never taken; was here already; waits until its photo was looked through; is
# about a photo that the project lacks.
GOOD, BAD, ASIDE, KNOWN, LATER, LACKING = "good", "bad", "aside", "known", "later", "lacking"
OPEN = (GOOD, KNOWN, LATER, LACKING)  # what another look may judge otherwise
DEPLOYMENT, PHOTO, SIGHTING = "deployment", "photo", "sighting"
MOST_REASON = 300
TAKE, UNTAKE = "take", "untake"  # the kinds of its jobs


class Import(Base):
    """One file (or the files of one package) that somebody brought. counts: the dry run's figures, then what was taken."""

    __tablename__ = "import"
    __table_args__ = (Index("ix_import_project", "project_id", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    format: Mapped[str] = mapped_column(String(30))
    name: Mapped[str] = mapped_column(String(255))  # of the file, or of the first one
    files: Mapped[dict[str, Any]] = mapped_column(default=dict)  # name -> {"place": below the store, "sha256", "size"}
    sha256: Mapped[str] = mapped_column(
        String(64)
    )  # of the file; of all hashes in order of the names where there are several
    by_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    state: Mapped[str] = mapped_column(String(10), default=READING)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what the file says of its detector and classifier
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    error: Mapped[str] = mapped_column(String(1000), default="")
    job_id: Mapped[str | None] = mapped_column(ForeignKey("job.id"))
    act_id: Mapped[int | None] = mapped_column(ForeignKey("act.id"))
    batch_id: Mapped[int | None] = mapped_column(
        ForeignKey("batch.id")
    )  # of the photos that it names and the project lacks
    created_at: Mapped[dt.datetime] = mapped_column(default=utc_now)
    taken_at: Mapped[dt.datetime | None]

    @classmethod
    def of(cls, session: Session, project_id: int, import_id: int) -> Import:
        """The import of the project. Raises NotYours."""
        found = session.get(cls, import_id)
        if found is None or found.project_id != project_id:
            raise NotYours("This page does not exist, or is not yours to see.")
        return found

    def act(self, session: Session) -> Act:
        """The one act under which all of it is said, of the person who brought it."""
        act, fresh = Act.once(session, self.by_id, f"import-{self.id}", "import", {"import": self.id}, self.project_id)
        if fresh:
            self.act_id = act.id
        return act

    def take(self, session: Session) -> Job:
        """Ask for the good rows. Raises Conflict when that was asked already."""
        self.expect(CHECKED, STOPPED, TAKEN)
        good = select(func.count()).where(
            ImportRow.import_id == self.id, ImportRow.verdict == GOOD, ~ImportRow.is_taken
        )
        job = ask(
            session, TAKE, self.project_id, {"import_id": self.id}, total=session.scalar(good) or 0,
            line=f"Taking {self.name} in", unit=ROWS,
        )  # fmt: skip
        self.state, self.job_id, self.error = TAKING, job.id, ""
        return job

    def take_back(self, session: Session) -> Job:
        """Ask that all of it goes. Raises Conflict when nothing was taken."""
        self.expect(TAKEN, STOPPED)
        taken = select(func.count()).where(ImportRow.import_id == self.id, ImportRow.is_taken)
        job = ask(
            session, UNTAKE, self.project_id, {"import_id": self.id}, total=session.scalar(taken) or 0,
            line=f"Taking {self.name} back", unit=ROWS,
        )  # fmt: skip
        self.state, self.job_id, self.error = UNDOING, job.id, ""
        return job

    def expect(self, *states: str) -> None:
        """Raises Conflict when it stands otherwise by now."""
        if self.state not in states:
            raise Conflict("Somebody was faster: this import stands otherwise by now. Look again.")


class ImportRow(Base):
    """One thing that the file says. place: where in the file. taken: what it made (ids), empty until then."""

    __tablename__ = "import_row"
    __table_args__ = (
        UniqueConstraint("import_id", "number"),
        Index("ix_import_row_verdict", "import_id", "verdict", "number"),
        Index("ix_import_row_photo", "import_id", "photo", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"))
    number: Mapped[int]  # 1, 2, ... in the order of the file
    place: Mapped[str] = mapped_column(String(120))  # "line 12", "images[17].detections[2].bbox"
    kind: Mapped[str] = mapped_column(String(12))
    photo: Mapped[str] = mapped_column(String(1024), default="")  # the path that it is about, as a batch writes paths
    record: Mapped[dict[str, Any]] = mapped_column(default=dict)
    verdict: Mapped[str] = mapped_column(String(8), default=GOOD)
    field: Mapped[str] = mapped_column(String(120), default="")
    reason: Mapped[str] = mapped_column(String(MOST_REASON), default="")
    image_id: Mapped[int | None]  # the project's photo; none: the project lacks it
    is_taken: Mapped[bool] = mapped_column(default=False)
    taken: Mapped[dict[str, Any]] = mapped_column(default=dict)

    def judge(self, verdict: str, reason: str = "", field: str = "") -> None:
        """Say what becomes of it and why."""
        self.verdict, self.reason, self.field = verdict, reason[:MOST_REASON], field[:120] or self.field


class ImportedName(Base):
    """What a file says about a box, or about a photo as a whole, where no label of it says so.

    rank: 1 for the first name. by_machine: the checkpoint is the classifier that the file names; else `who` is the person.
    reason: why it is no label.
    """

    __tablename__ = "imported_name"
    __table_args__ = (
        Index("ix_imported_name_image", "image_id"),
        Index("ix_imported_name_box", "box_id"),
        Index("ix_imported_name_import", "import_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    import_id: Mapped[int] = mapped_column(ForeignKey("import.id", ondelete="CASCADE"))
    image_id: Mapped[int] = mapped_column(ForeignKey("image.id", ondelete="CASCADE"))
    box_id: Mapped[int | None] = mapped_column(ForeignKey("box.id", ondelete="CASCADE"))
    rank: Mapped[int] = mapped_column(default=1)
    name: Mapped[str] = mapped_column(String(200))
    species_id: Mapped[int | None] = mapped_column(ForeignKey("species.id"))
    p: Mapped[float | None]
    count: Mapped[int | None]
    by_machine: Mapped[bool]
    checkpoint_id: Mapped[int | None] = mapped_column(ForeignKey("checkpoint.id"))
    who: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(MOST_REASON), default="")


def let_go(session: Session, job_id: str) -> None:
    """The job of an import ended before its time: what it did stays, and a person says how to go on."""
    ended = Import.job_id == job_id, Import.state.in_((TAKING, UNDOING))
    session.execute(update(Import).where(*ended).values(state=STOPPED))
