"""The photos of a project whose boxes people have answered, as a detector can learn from them.

Decisions: a box with a species is an animal, "Not an animal" is a false box, and its corners are what they are now, whoever drew
or moved them. A box that people deleted is a false one too, as the detector drew it, unless it shows again what another one
shows. People, vehicles and what nobody can tell teach nothing: a detector that took people for background could no longer help
to hide them. A photo counts when everything that was asked about is answered; what was too doubtful to be asked about stays
doubtful, unless somebody called the photo empty. A photo in which people counted more than is boxed is left out, and one with a
crop of the audit: those teach nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import case, or_, select
from sqlalchemy.orm import Session

from models.act import Act
from models.answering import EMPTY_PHOTO
from models.audited import audited_ids
from models.box import Box, askable
from models.box_edit import DELETED, deleted_ids, replaced
from models.database import Database
from models.deployment import Deployment
from models.image import READY, CountCorrection, Image
from models.label import Label
from models.meaning import meanings
from models.project import Project
from models.species import TAXON, Species
from models.storage import Store
from worker.boxes import Boxes, areas
from worker.learning.field_photos import TruePhoto

FALSE = "not_animal"
SHARED = 0.3  # of the smaller of two boxes: a doubtful box that shares so much with an animal is another look at it


class Answer(NamedTuple):
    """One box. said: the kind of answer that settled it, DELETED, or nothing; act: what was done to say it."""

    image_id: int
    sha256: str
    place: str
    box_xyxy: tuple[float, float, float, float]
    asked: bool
    said: str | None
    name: str | None
    act: str | None


def answered_photos(database: Database, store: Store, project_id: int) -> list[TruePhoto]:
    """In the order of their ids, each with the path of its original; place: the name of its deployment."""
    with database.reading() as session:
        answers = read_answers(session, session.get_one(Project, project_id))
        counted = counted_animals(session, project_id)
        audited = set(session.scalars(select(Box.image_id).where(Box.id.in_(audited_ids(project_id)))))
    photos = []
    for image_id, of_photo in groupby(answers, key=lambda answer: answer.image_id):
        boxes = list(of_photo)
        right = sum(box.said == TAXON for box in boxes)
        if image_id not in audited and is_answered(boxes) and counted.get(image_id, 0) <= right:
            photos.append(true_photo(store, boxes))
    return photos


def read_answers(session: Session, project: Project) -> list[Answer]:
    """Every box of the project's photos, photo by photo; not those in whose place another one stands, nor what people drew in
    vain: then the box counts that the detector drew there.
    """
    deleted = set(session.scalars(deleted_ids(project.id)))
    in_vain = {each.id for each in replaced(session, project.id) if each.now_id in deleted and not each.drawn}
    said = case((Box.deleted_at.is_not(None), DELETED), else_=Species.kind)
    rows = session.execute(
        select(
            Image.id, Image.sha256, Deployment.name, Box.x_min, Box.y_min, Box.x_max, Box.y_max,
            askable(project), said, Species.name, Act.kind, Box.id.label("box_id"), Box.replaced_by_id,
        )
        .join(Image, Image.id == Box.image_id)
        .join(Deployment, Deployment.id == Image.deployment_id)
        .outerjoin(Species, Species.id == Box.settled_species_id)
        .outerjoin(Label, Label.id == Box.settled_label_id)
        .outerjoin(Act, Act.id == Label.act_id)
        .where(Box.project_id == project.id, Image.state == READY)
        .where(or_(Box.deleted_at.is_(None), ~Box.drawn))
        .order_by(Image.id, Box.ordinal)
    )  # fmt: skip
    return [
        Answer(row[0], row[1], row[2], (row[3], row[4], row[5], row[6]), *row[7:11])
        for row in rows
        if row.replaced_by_id is None or row.box_id in in_vain
    ]


def counted_animals(session: Session, project_id: int) -> dict[int, int]:
    """Image id -> how many animals people counted in it, where somebody did."""
    newest: dict[tuple[int, int | None], int] = {}
    meant = meanings(session, project_id)
    here = select(Image.id).where(Image.project_id == project_id)
    for image_id, species_id, count in session.execute(CountCorrection.standing(CountCorrection.image_id.in_(here))):
        newest[image_id, meant.of(species_id)] = count
    counted: dict[int, int] = {}
    for (image_id, _species_id), count in newest.items():
        counted[image_id] = counted.get(image_id, 0) + count
    return counted


def is_answered(boxes: Sequence[Answer]) -> bool:
    """Whether people said something about this photo, and about everything in it that was asked."""
    return any(box.said for box in boxes) and all(box.said for box in boxes if box.asked)


def true_photo(store: Store, boxes: Sequence[Answer]) -> TruePhoto:
    """What the answers say of one photo."""
    animals = [box for box in boxes if box.said == TAXON]
    empty = any(box.said == FALSE and box.act == EMPTY_PHOTO for box in boxes)
    false = [box for box in boxes if box.said == FALSE or (box.said is None and empty)]
    deleted = corners(box for box in boxes if box.said == DELETED)
    doubtful = corners(box for box in boxes if box.said != DELETED and box not in animals and box not in false)
    right = corners(animals)
    wrong = np.concatenate([corners(false), deleted[~share(deleted, right)]])
    first = boxes[0]
    return TruePhoto(
        str(store.original(first.sha256).resolve()), first.sha256, first.place, right,
        tuple(str(box.name) for box in animals), doubtful[~share(doubtful, right)], wrong,
    )  # fmt: skip


def corners(boxes: Iterable[Answer]) -> Boxes:
    """(n, 4) xyxy, shares of the photo."""
    return np.array([box.box_xyxy for box in boxes], np.float32).reshape(-1, 4)


def share(some: Boxes, others: Boxes) -> NDArray[np.bool_]:
    """(n,) whether a box shares more than SHARED of itself, or of one of the others, with it."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    smaller = np.minimum(areas(some)[:, None], areas(others)[None, :])
    return np.asarray((shared > SHARED * smaller).any(axis=1))
