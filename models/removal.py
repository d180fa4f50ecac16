"""What a deletion does to rows: photos are hidden, come back, or go with everything that points at them.

Hidden photos keep every row: their boxes are deleted (box.deleted_at is the moment of the mark, by which they are found again),
so that they are neither asked about nor counted, and what waited for them is withdrawn. Callers hold at most CHUNK photos a
transaction.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Table, delete, exists, select, update
from sqlalchemy.orm import Session

from models.base import Base
from models.batch import DUPLICATE, HERE, Batch, BatchFile
from models.belonging import key_of
from models.beside import settle_by_rule
from models.box import Box
from models.database import CHUNK_ROWS
from models.deletion import DeletedPhoto, Deletion
from models.deployment import Deployment, ProblemPeriod
from models.event import Event, mark_cameras_of
from models.image import GONE, Image
from models.lease import Lease
from models.project import Project
from models.round import OPEN, WITHDRAWN, Pick, Round
from models.sequence import Sequence as Burst

CHUNK = 50  # photos a transaction; each has a few boxes with a few rows each
# What a project owns, in the order in which it goes. Its jobs go last, with its row: one of them is doing this.
OWNED = (
    "note", "label", "round", "estimate", "fine_tune", "vector_part", "event", "batch", "deployment", "site", "species", "act",
    "checkpoint",
)  # fmt: skip


def hide(session: Session, project: Project, image_ids: Sequence[int], state: str, at: dt.datetime) -> None:
    """The photos are removed or erased from now on: nobody is asked about them and they count nowhere."""
    wanted = select(Image).where(Image.id.in_(image_ids)).order_by(Image.id).with_for_update()
    for image in session.scalars(wanted.execution_options(populate_existing=True)):
        if image.state not in GONE:
            image.state_before = image.state
        image.state, image.job_id, image.shard = state, None, None
    boxes = select(Box).where(Box.image_id.in_(image_ids), Box.deleted_at.is_(None)).order_by(Box.id)
    held = list(session.scalars(boxes.with_for_update(key_share=True).execution_options(populate_existing=True)))
    for box in held:
        box.deleted_at, box.waits_for = at, None
        box.settled_species_id = box.settled_label_id = box.settled_at = None
    withdraw(session, project, [box.id for box in held])
    mark_cameras_of(session, project.id, image_ids)


def withdraw(session: Session, project: Project, box_ids: Sequence[int]) -> None:
    """Whoever was to be asked about these boxes is not; a round that had nothing else is full."""
    rounds: set[int] = set()
    for start in range(0, len(box_ids), CHUNK_ROWS):
        few = box_ids[start : start + CHUNK_ROWS]
        waits = select(Pick).where(Pick.box_id.in_(few), Pick.state == OPEN).order_by(Pick.id)
        picks = list(session.scalars(waits.with_for_update(key_share=True)))
        for pick in picks:
            pick.state = WITHDRAWN
        session.flush()
        session.execute(delete(Lease).where(Lease.pick_id.in_([pick.id for pick in picks])))
        rounds |= {pick.round_id for pick in picks if pick.round_id is not None}
    for round_id in sorted(rounds):
        session.get_one(Round, round_id, with_for_update={"key_share": True}).after_answer(session, project)


def show(session: Session, project_id: int, image_ids: Sequence[int], at: dt.datetime) -> None:
    """Photos that were hidden at this moment come back, with the names that their voices give them."""
    for image in session.scalars(select(Image).where(Image.id.in_(image_ids)).order_by(Image.id).with_for_update()):
        image.state, image.state_before = image.state_before or image.state, ""
    boxes = select(Box).where(Box.image_id.in_(image_ids), Box.deleted_at == at).order_by(Box.id)
    held = list(session.scalars(boxes.with_for_update(key_share=True)))
    for box in held:
        box.deleted_at = None
    session.flush()
    mark_cameras_of(session, project_id, image_ids)
    for start in range(0, len(held), CHUNK_ROWS):
        settle_by_rule(session, project_id, [box.id for box in held[start : start + CHUNK_ROWS]])


def hand_over(session: Session, batch: Batch, image_ids: Sequence[int]) -> set[int]:
    """Photos that a batch brought first and that lie in another one too become that one's. Their ids."""
    elsewhere = (
        select(BatchFile)
        .join(Batch, Batch.id == BatchFile.batch_id)
        .where(BatchFile.image_id.in_(image_ids), BatchFile.batch_id != batch.id, Batch.deletion_id.is_(None))
        .order_by(BatchFile.id)
    )
    first: dict[int, BatchFile] = {}
    for file in session.scalars(elsewhere):
        if file.image_id is not None:
            first.setdefault(file.image_id, file)
    for image in session.scalars(select(Image).where(Image.id.in_(first)).order_by(Image.id).with_for_update()):
        file = first[image.id]
        image.batch_id = file.batch_id
        if file.state == DUPLICATE:
            file.state, file.reason = HERE, ""
        mine = update(BatchFile).where(
            BatchFile.batch_id == batch.id, BatchFile.image_id == image.id, BatchFile.state == HERE
        )
        session.execute(mine.values(state=DUPLICATE, reason=f"the same photo as {file.path}"[:300]))
    return set(first)


def delete_photos(session: Session, deletion: Deletion, image_ids: Sequence[int]) -> None:
    """Everything about these photos goes; their hashes stay, and say what the worker has still to remove."""
    found = session.execute(select(Image.sha256).where(Image.id.in_(image_ids)).order_by(Image.id))
    session.add_all(
        DeletedPhoto(deletion_id=deletion.id, project_id=deletion.project_id, sha256=row.sha256) for row in found
    )
    mark_cameras_of(session, deletion.project_id, image_ids)
    session.execute(delete(BatchFile).where(BatchFile.image_id.in_(image_ids)))
    session.execute(delete(Event).where(Event.first_image_id.in_(image_ids)))
    boxes = select(Box.id).where(Box.image_id.in_(image_ids))
    picked = select(Pick.round_id).where(Pick.box_id.in_(boxes), Pick.round_id.is_not(None))
    for round_id, count in Counter(session.scalars(picked)).items():
        session.execute(update(Round).where(Round.id == round_id).values(size=Round.size - count))
    delete_rows(session, Image.__table__, image_ids)  # type: ignore[arg-type]


def delete_rows(session: Session, table: Table, ids: Sequence[int | str]) -> None:
    """These rows and all that cannot be without them; what may be without them points at nothing from then on."""
    key = key_of(table)
    for child in Base.metadata.tables.values():
        for column in child.columns:
            if not any(point.column is key for point in column.foreign_keys):
                continue
            for start in range(0, len(ids), CHUNK_ROWS):
                here = column.in_(ids[start : start + CHUNK_ROWS])
                if column.nullable:
                    session.execute(update(child).where(here).values({column: None}))
                elif below := list(session.scalars(select(key_of(child)).where(here))):
                    delete_rows(session, child, below)
    for start in range(0, len(ids), CHUNK_ROWS):
        session.execute(delete(table).where(key.in_(ids[start : start + CHUNK_ROWS])))


def delete_some_of_project(session: Session, project_id: int) -> int:
    """Some rows that belong to a project without photos, those of the far ends first. How many; 0: its own row alone is left."""
    for table in (Base.metadata.tables[name] for name in OWNED):
        ids = list(session.scalars(select(key_of(table)).where(table.c.project_id == project_id).limit(CHUNK_ROWS)))
        if ids:
            delete_rows(session, table, ids)
            return len(ids)
    return 0


def delete_batch(session: Session, batch: Batch) -> int:
    """Some lines of a batch without photos, or its row when no line is left. How many lines."""
    lines = list(session.scalars(select(BatchFile.id).where(BatchFile.batch_id == batch.id).limit(CHUNK_ROWS)))
    session.execute(delete(BatchFile).where(BatchFile.id.in_(lines)))
    if not lines:
        session.delete(batch)
    return len(lines)


def delete_empty(session: Session, project_id: int) -> None:
    """Bursts without photos, and cameras of which nothing else is known."""
    cameras = select(Deployment.id).where(Deployment.project_id == project_id)
    bursts = delete(Burst).where(Burst.deployment_id.in_(cameras), ~exists().where(Image.sequence_id == Burst.id))
    session.execute(bursts.execution_options(synchronize_session=False))
    plain = (Deployment.site_id.is_(None), Deployment.starts_at.is_(None), Deployment.latitude.is_(None))
    known = exists().where(ProblemPeriod.deployment_id == Deployment.id)
    empty = select(Deployment.id).where(
        Deployment.project_id == project_id, *plain, ~known, ~exists().where(Image.deployment_id == Deployment.id)
    )
    delete_rows(session, Deployment.__table__, list(session.scalars(empty)))  # type: ignore[arg-type]


def next_photos(session: Session, which: Sequence[ColumnElement[bool]], after: int) -> list[int]:
    """The next CHUNK of these photos behind an id, so that what is done is not looked at again and again."""
    wanted = select(Image.id).where(*which, Image.id > after).order_by(Image.id)
    return list(session.scalars(wanted.limit(CHUNK)))
