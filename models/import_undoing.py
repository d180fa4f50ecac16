"""Take an import back, as long as nothing that a person said stands on what it brought.

Labels are withdrawn by newer rows, boxes are deleted as a person deletes them (the rows stay), counts and flags go with the
import's act; photos that only the import named are removed, and photos whose boxes it gave wait again. Deployments and species
that it made stay: other rows may use them by now, and an empty one harms nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from models.act import Act
from models.base import utc_now
from models.box import Box, settle, take_back_labels
from models.event import mark_cameras_of
from models.image import ABSENT, READY, WAITING, CountCorrection, Image
from models.imported import Import, ImportedName, ImportRow
from models.label import Label
from models.note import Note
from models.round import OPEN, SKIPPED, WITHDRAWN, Pick

ROWS = 200  # a transaction


def what_stands(session: Session, import_: Import, after: int = 0) -> str:
    """Why it cannot be taken back; empty when it can."""
    while rows := taken_rows(session, import_.id, after):
        box_ids = ids_of(rows, "boxes")
        own = set(session.scalars(select(Label.box_id).where(Label.id.in_(ids_of(rows, "labels")))))
        others = Label.act_id != (import_.act_id or 0)
        spoken = select(Label.box_id).where(Label.box_id.in_(set(box_ids) | own), others).distinct()
        count = len(session.scalars(spoken).all())
        moved = select(Box.id).where(Box.id.in_(box_ids), Box.deleted_at.is_not(None))
        count += len(session.scalars(moved).all())
        images = ids_of(rows, "image")
        counted = select(CountCorrection.id).where(
            CountCorrection.image_id.in_(images), CountCorrection.act_id != (import_.act_id or 0)
        )
        count += len(session.scalars(counted).all())
        came = select(Image.path).where(Image.id.in_(images), Image.state != ABSENT).limit(1)
        if (path := session.scalar(came)) is not None:
            return f"The file of {path} is here by now, so the photo stays, and the import with it."
        if count:
            return f"People have answered, moved or counted {count} things that it brought. They stay, and so does the import."
        after = rows[-1].id
    return ""


def undo_some(session: Session, import_: Import, after: int) -> list[int]:
    """Take the next rows behind this one back; their ids, none when none is left."""
    rows = taken_rows(session, import_.id, after)
    act = import_.act(session)
    images = [row.image_id for row in rows if row.image_id is not None]
    mark_cameras_of(session, import_.project_id, images)
    withdraw(session, import_, rows, act)
    remove_boxes(session, rows)
    for row in rows:
        put_back(session, row)
        row.is_taken, row.taken = False, {}
    session.flush()
    mark_cameras_of(session, import_.project_id, images)  # at their old cameras
    return [row.id for row in rows]


def finish(session: Session, import_: Import) -> None:
    """What hangs on the import as a whole."""
    session.execute(delete(ImportedName).where(ImportedName.import_id == import_.id))
    import_.act(session).taken_back = True


def taken_rows(session: Session, import_id: int, after: int) -> list[ImportRow]:
    """The next ones by id."""
    wanted = select(ImportRow).where(ImportRow.import_id == import_id, ImportRow.is_taken, ImportRow.id > after)
    return list(session.scalars(wanted.order_by(ImportRow.id).limit(ROWS)))


def ids_of(rows: Sequence[ImportRow], what: str) -> list[int]:
    """The ids that rows wrote down under a word."""
    found: list[int] = []
    for row in rows:
        value: Any = row.taken.get(what, [])
        found += value if isinstance(value, list) else [value]
    return found


def withdraw(session: Session, import_: Import, rows: Sequence[ImportRow], act: Act) -> None:
    """Newer rows take the labels back."""
    labels = list(session.scalars(select(Label).where(Label.id.in_(ids_of(rows, "labels"))).order_by(Label.id)))
    boxes = {box.id: box for box in session.scalars(select(Box).where(Box.id.in_({label.box_id for label in labels})))}
    if labels:
        take_back_labels(session, boxes, labels, by=import_.by_id, act=act)
    session.execute(delete(CountCorrection).where(CountCorrection.id.in_(ids_of(rows, "counts"))))


def remove_boxes(session: Session, rows: Sequence[ImportRow]) -> None:
    """Nobody is asked about them any more."""
    boxes = list(session.scalars(select(Box).where(Box.id.in_(ids_of(rows, "boxes")))))
    for box in boxes:
        box.deleted_at = utc_now()
    session.flush()
    settle(session, boxes)
    asked = Pick.box_id.in_([box.id for box in boxes]), Pick.state.in_((OPEN, SKIPPED))
    session.execute(update(Pick).where(*asked).values(state=WITHDRAWN))


def put_back(session: Session, row: ImportRow) -> None:
    """The photo as it was before: gone, waiting, or at its old camera."""
    if "image" in row.taken:
        remove_photo(session, row.taken["image"])
    if "given" in row.taken:
        image = session.get_one(Image, row.taken["given"])
        left = select(Box.id).where(Box.image_id == image.id, Box.deleted_at.is_(None)).limit(1)
        if image.state == READY and session.scalar(left) is None:
            image.state, image.job_id, image.shard, image.processed_at, image.detector_id = (
                WAITING,
                None,
                None,
                None,
                None,
            )
    if "moved_from" in row.taken and row.image_id is not None:
        image = session.get_one(Image, row.image_id)
        image.deployment_id, image.sequence_id = row.taken["moved_from"], None


def remove_photo(session: Session, image_id: int) -> None:
    """A photo that has no file, with all that hangs on it: nobody said anything about it."""
    boxes = list(session.scalars(select(Box.id).where(Box.image_id == image_id)))
    session.execute(update(Box).where(Box.id.in_(boxes)).values(settled_label_id=None, settled_species_id=None))
    session.execute(update(ImportRow).where(ImportRow.image_id == image_id).values(image_id=None))
    session.execute(delete(ImportedName).where(ImportedName.image_id == image_id))
    session.execute(delete(Note).where(Note.box_id.in_(boxes)))
    session.execute(delete(Label).where(Label.box_id.in_(boxes), Label.takes_back_id.is_not(None)))
    session.execute(delete(Label).where(Label.box_id.in_(boxes)))
    session.execute(delete(Box).where(Box.id.in_(boxes)))
    session.execute(delete(Image).where(Image.id == image_id))
