"""A burst: photos of one deployment, each at most the project's gap after the one before (DECISIONS 14)."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import DateTime, ForeignKey, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base
from models.database import CHUNK_ROWS
from models.image import COUNTING, Image


class Sequence(Base):
    """One burst. An undated photo is a sequence of its own."""

    __tablename__ = "sequence"

    id: Mapped[int] = mapped_column(primary_key=True)
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    first_at: Mapped[dt.datetime | None] = mapped_column(DateTime())
    last_at: Mapped[dt.datetime | None] = mapped_column(DateTime())


def bursts(moments: list[tuple[int, dt.datetime | None]], gap_s: int) -> list[list[int]]:
    """Cut (image id, wall clock) rows, in order of time, into bursts of ids; undated ones stand alone."""
    groups: list[list[int]] = []
    last: dt.datetime | None = None
    for image_id, moment in moments:
        near = moment is not None and last is not None and (moment - last).total_seconds() <= gap_s
        if near:
            groups[-1].append(image_id)
        else:
            groups.append([image_id])
        last = moment
    return groups


def regroup(session: Session, deployment_id: int, gap_s: int) -> int:
    """Put every photo of the deployment into its burst, keeping the rows of bursts that did not change; how many changed.

    A burst whose photos stay together while their times are corrected keeps its row, with the times that are true now.
    """
    rows = session.execute(
        select(Image.id, Image.taken_at, Image.sequence_id)
        .where(Image.deployment_id == deployment_id, Image.state.in_(COUNTING))
        .order_by(Image.taken_at.is_(None), Image.taken_at, Image.sub_second, Image.path, Image.id)
    ).all()
    moment = {row.id: row.taken_at for row in rows}
    spans = {
        row.id: (row.first_at, row.last_at)
        for row in session.execute(
            select(Sequence.id, Sequence.first_at, Sequence.last_at).where(Sequence.deployment_id == deployment_id)
        )
    }
    had = {row.id: row.sequence_id if row.sequence_id in spans else None for row in rows}  # else of the camera before
    size_had: dict[int | None, int] = {}
    for row in rows:
        size_had[had[row.id]] = size_had.get(had[row.id], 0) + 1
    changed = 0
    taken: set[int] = set()
    for group in bursts([(row.id, row.taken_at) for row in rows], gap_s):
        old = {had[image_id] for image_id in group}
        first, span = had[group[0]], (moment[group[0]], moment[group[-1]])
        if len(old) == 1 and first is not None and size_had[first] == len(group):
            taken.add(first)
            if spans[first] != span:
                set_span(session, first, span)
            continue
        keep = next(
            (sequence for sequence in (had[image_id] for image_id in group) if sequence and sequence not in taken), None
        )
        sequence_id = keep if keep is not None else new_sequence(session, deployment_id)
        taken.add(sequence_id)
        set_span(session, sequence_id, span)
        for start in range(0, len(group), CHUNK_ROWS):
            chunk = group[start : start + CHUNK_ROWS]
            session.execute(update(Image).where(Image.id.in_(chunk)).values(sequence_id=sequence_id))
        changed += 1
    return changed


def set_span(session: Session, sequence_id: int, span: tuple[dt.datetime | None, dt.datetime | None]) -> None:
    """When its first and its last photo were taken."""
    session.execute(update(Sequence).where(Sequence.id == sequence_id).values(first_at=span[0], last_at=span[1]))


def new_sequence(session: Session, deployment_id: int) -> int:
    """An empty burst's id."""
    sequence = Sequence(deployment_id=deployment_id)
    session.add(sequence)
    session.flush()
    return sequence.id
