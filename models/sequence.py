"""A burst: photos of one deployment, each at most the project's gap after the one before (DECISIONS 14)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import DateTime, ForeignKey, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, forget
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
    taken: set[int] = set()
    moved: list[dict[str, Any]] = []  # rows that stay, with their times
    fresh: list[list[int]] = []  # bursts that need a row
    placed: dict[int, int] = {}  # photo -> the row that it goes to
    groups = bursts([(row.id, row.taken_at) for row in rows], gap_s)
    changed = 0
    for group in groups:
        first, span = had[group[0]], (moment[group[0]], moment[group[-1]])
        whole = first is not None and size_had[first] == len(group) and {had[each] for each in group} == {first}
        keep = first if whole else next((own for own in map(had.get, group) if own and own not in taken), None)
        changed += not whole
        if keep is None:
            fresh.append(group)
            continue
        taken.add(keep)
        if spans[keep] != span:
            moved.append({"id": keep, "first_at": span[0], "last_at": span[1]})
        placed |= dict.fromkeys(group, keep)
    made = new_sequences(session, deployment_id, [(moment[group[0]], moment[group[-1]]) for group in fresh])
    for group, sequence_id in zip(fresh, made, strict=True):
        placed |= dict.fromkeys(group, sequence_id)
    was = {row.id: row.sequence_id for row in rows}
    put = [{"id": image_id, "sequence_id": to} for image_id, to in placed.items() if was[image_id] != to]
    for table, changes in ((Sequence, moved), (Image, put)):
        if changes:
            session.execute(update(table), changes)
    forget(session, Sequence, "first_at", "last_at")
    forget(session, Image, "sequence_id")
    return changed


def new_sequences(
    session: Session, deployment_id: int, spans: list[tuple[dt.datetime | None, dt.datetime | None]]
) -> list[int]:
    """The ids of new bursts with these times, in order."""
    if not spans:
        return []
    made = session.scalars(
        insert(Sequence).returning(Sequence.id, sort_by_parameter_order=True),
        [{"deployment_id": deployment_id, "first_at": first, "last_at": last} for first, last in spans],
    )
    return list(made)
