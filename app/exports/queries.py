"""The photos of a project in their order of export, a chunk at a time, each with the boxes that count.

Order: deployment by name, then the camera's clock, path and id; photos without a time follow by id. Every chunk starts where
the one before ended (keyset), so a million photos need the memory of one chunk.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from models.box import Box, counted
from models.checkpoint import Checkpoint
from models.deployment import Deployment
from models.image import COUNTING, CountCorrection, Image, standing
from models.imported import ImportedName
from models.label import Label, newest_label_id
from models.meaning import Meanings, meanings
from models.observed import NOTHING, Observed
from models.project import Project
from models.species import Species
from models.user import User

CHUNK = 1000
UNSAID, BLANK = ("unclassified", "unknown"), "blank"  # a machine's words for a photo that name no species


@dataclass(slots=True)
class CountedBox:
    """A box that counts as something, and who settled its name."""

    id: int
    kind: str
    species_id: int | None
    who: str
    when: dt.datetime | None
    certain: bool | None = None
    observed: Observed = NOTHING
    corners: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)  # x_min, y_min, x_max, y_max, shares of the photo
    score: float = 0.0
    is_drawn: bool = False  # by a person
    counts: bool = True  # not where every kept box was asked for and this one lies below count-above
    label_id: int | None = None  # of the voice that settled it


@dataclass(slots=True)
class Whole:
    """What is said of a photo as a whole, where no box of it counts. species_id: none where nothing is there, or where the
    project has no species of a machine's name. checkpoint_id: of the machine; none: a person says so."""

    species_id: int | None
    name: str
    count: int
    who: str = ""
    when: dt.datetime | None = None
    p: float | None = None
    checkpoint_id: int | None = None


@dataclass(slots=True)
class Photo:
    """One photo with everything an export says about it. corrections: (species id or None for the whole, count), oldest first."""

    id: int
    path: str
    deployment: str
    taken_at: dt.datetime | None
    state: str
    sequence_id: int | None
    detector_id: int | None
    has_unnamed_crop: bool = False  # a box that a round may ask about and nobody has named
    boxes: list[CountedBox] = field(default_factory=list)
    corrections: list[tuple[int | None, int]] = field(default_factory=list)
    wholes: list[Whole] = field(default_factory=list)
    row: Any = None  # what was read of it, with the columns of WIDE where they were asked for


def photos(session: Session, project: Project, asked: Asked | None = None) -> Iterator[list[Photo]]:
    """Every photo, in chunks."""
    asked = asked or Asked()
    for deployment_id, name in deployments(session, project):
        for chunk in itertools.chain(
            dated(session, deployment_id, asked.columns), undated(session, deployment_id, asked.columns)
        ):
            yield with_boxes(session, project, name, chunk, every=asked.every_box)


def deployments(session: Session, project: Project) -> list[tuple[int, str]]:
    """(id, name), sorted here: databases sort names each in their own way."""
    rows = session.execute(select(Deployment.id, Deployment.name).where(Deployment.project_id == project.id))
    return sorted(rows.all(), key=lambda row: (row[1], row[0]))


PHOTO = select(
    Image.id, Image.path, Image.taken_at, Image.state, Image.sequence_id, Image.detector_id
)  # what Photo needs
# and what formats of other programs say besides
WIDE = PHOTO.add_columns(
    Image.captured_at, Image.width_px, Image.height_px, Image.setup, Image.capture_method, Image.favorite, Image.details,
    Image.sha256, Image.reason,
)  # fmt: skip
Chunk = list[Row[int, str, dt.datetime | None, str, int | None, int | None]]


@dataclass(frozen=True)
class Asked:
    """How much of each photo is read. every_box: also those below count-above that were kept."""

    columns: Any = PHOTO
    every_box: bool = False


def dated(session: Session, deployment_id: int, columns: Any = PHOTO) -> Iterator[Chunk]:
    """By the camera's clock; photos of one second by path."""
    query = columns.where(Image.deployment_id == deployment_id, Image.taken_at.is_not(None), standing()).order_by(
        Image.taken_at, Image.path, Image.id
    )
    chunk = list(session.execute(query.limit(CHUNK)))
    while chunk:
        yield chunk
        last = chunk[-1]
        after = or_(
            Image.taken_at > last.taken_at,
            and_(Image.taken_at == last.taken_at, tuple_(Image.path, Image.id) > (last.path, last.id)),
        )
        # the first condition says the same to a planner that cannot use an OR with an index
        chunk = list(session.execute(query.where(Image.taken_at >= last.taken_at, after).limit(CHUNK)))


def undated(session: Session, deployment_id: int, columns: Any = PHOTO) -> Iterator[Chunk]:
    """By id."""
    query = columns.where(Image.deployment_id == deployment_id, Image.taken_at.is_(None), standing()).order_by(Image.id)
    chunk = list(session.execute(query.limit(CHUNK)))
    while chunk:
        yield chunk
        chunk = list(session.execute(query.where(Image.id > chunk[-1].id).limit(CHUNK)))


def with_boxes(
    session: Session, project: Project, deployment: str, chunk: Chunk, *, every: bool = False
) -> list[Photo]:
    """The chunk's photos with their counted boxes (every: all that were kept) and corrections: three queries, whatever the number
    of boxes."""
    made = {
        row.id: Photo(row.id, row.path, deployment, row.taken_at, row.state, row.sequence_id, row.detector_id, row=row)
        for row in chunk
    }
    meant = meanings(session, project.id)
    ready = [photo.id for photo in made.values() if photo.state in COUNTING]
    asked = set(ready)
    least = project.count_above
    for (
        image_id, box_id, kind, species_id, label_id, who, when, certain, sex, life_stage, behaviour, x_min, y_min, x_max, y_max,
        score, drawn,
    ) in session.execute(boxes_of(project, ready, every=every)):  # fmt: skip
        beside = Observed(sex or "", life_stage or "", behaviour or "") if sex or life_stage or behaviour else NOTHING
        counts = not every or species_id is not None or score >= least
        made[image_id].boxes.append(
            CountedBox(
                box_id, kind, meant.of(species_id), who, when, certain, beside, (x_min, y_min, x_max, y_max), score, drawn,
                counts, label_id,
            )
        )  # fmt: skip
    for image_id in session.scalars(with_unnamed_crops(project, ready)):
        made[image_id].has_unnamed_crop = True
    for image_id, species_id, count in session.execute(corrections_of(ready)):
        made[image_id].corrections.append((meant.of(species_id), count))
    bare = {each.id: each for each in made.values() if each.id in asked and not any(box.counts for box in each.boxes)}
    if bare:
        say_wholes(session, meant, bare)
    return list(made.values())


def say_wholes(session: Session, meant: Meanings, bare: dict[int, Photo]) -> None:
    """What people counted in photos without a box that counts, else what a machine of another tool said of them."""
    counted_by_people = [image_id for image_id, photo in bare.items() if photo.corrections]
    if counted_by_people:
        rows = CountCorrection.standing(CountCorrection.image_id.in_(counted_by_people))
        voices = rows.join(User, User.id == CountCorrection.user_id).add_columns(User.name, CountCorrection.created_at)
        newest: dict[tuple[int, int | None], Whole] = {}
        for image_id, species_id, count, who, when in session.execute(voices):
            said = meant.of(species_id)
            newest[image_id, said] = Whole(said, "", count, who, when)
        for (image_id, said), whole in newest.items():
            if said is not None and whole.count > 0:
                bare[image_id].wholes.append(whole)
        for (image_id, said), whole in newest.items():
            if said is None and whole.count == 0 and not bare[image_id].wholes:
                bare[image_id].wholes.append(whole)
    others = [image_id for image_id, photo in bare.items() if not photo.corrections]
    names = select(ImportedName).where(
        ImportedName.image_id.in_(others),
        ImportedName.box_id.is_(None),
        ImportedName.by_machine,
        ImportedName.rank == 1,
    )
    for row in session.scalars(names.order_by(ImportedName.id)):
        if row.name not in UNSAID and all(each.name != row.name for each in bare[row.image_id].wholes):
            said, name = (None, "") if row.name == BLANK else (meant.of(row.species_id), row.name)
            count = 0 if row.name == BLANK else row.count or 1
            whole = Whole(said, name, count, p=row.p, checkpoint_id=row.checkpoint_id)
            bare[row.image_id].wholes.append(whole)


def boxes_of(project: Project, image_ids: list[int], *, every: bool = False) -> Select[*tuple[Any, ...]]:
    """The counted boxes of some photos (every: all that were kept) with the voice that settled them."""
    return (
        select(
            Box.image_id,
            Box.id,
            Box.kind,
            Box.settled_species_id,
            Box.settled_label_id,
            func.coalesce(User.name, "").label("who"),
            Label.created_at,
            Label.certain,
            Label.sex,
            Label.life_stage,
            Label.behaviour,
            Box.x_min,
            Box.y_min,
            Box.x_max,
            Box.y_max,
            Box.score,
            Box.drawn,
        )
        .outerjoin(Label, Label.id == Box.settled_label_id)
        .outerjoin(User, User.id == Label.user_id)
        .where(Box.image_id.in_(image_ids), Box.deleted_at.is_(None) if every else counted(project))
        .order_by(Box.image_id, Box.ordinal)
    )


def with_unnamed_crops(project: Project, image_ids: list[int]) -> Select[int]:
    """Which of the photos hold a box that rounds ask about and nobody has named: the detector names people and vehicles."""
    unnamed = and_(Box.kind == "animal", Box.score >= project.classify_above, Box.settled_species_id.is_(None))
    standing = (Box.image_id.in_(image_ids), Box.deleted_at.is_(None))
    return select(Box.image_id).where(*standing, unnamed).distinct()


def corrections_of(image_ids: list[int]) -> Select[int, int | None, int]:
    """What people counted themselves, oldest first."""
    return CountCorrection.standing(CountCorrection.image_id.in_(image_ids))


def paths_of(session: Session, image_ids: set[int]) -> dict[int, str]:
    """Photo id -> its path, of at most a chunk of photos."""
    return dict(session.execute(select(Image.id, Image.path).where(Image.id.in_(image_ids))).all())


def species_of(session: Session, project: Project) -> dict[int, tuple[str, str, str]]:
    """Species id -> (kind, name, scientific name), retired ones included."""
    rows = session.execute(
        select(Species.id, Species.kind, Species.name, Species.scientific_name).where(Species.project_id == project.id)
    )
    return {species_id: (kind, name, scientific) for species_id, kind, name, scientific in rows}


def checkpoints_of(session: Session, project: Project) -> dict[int, Checkpoint]:
    """Every checkpoint that a row of the project may name."""
    rows = session.scalars(
        select(Checkpoint).where(or_(Checkpoint.project_id.is_(None), Checkpoint.project_id == project.id))
    )
    return {checkpoint.id: checkpoint for checkpoint in rows}


def snapshot_of(session: Session, project: Project) -> dict[str, int]:
    """What names the state that an export shows: the newest label and photo it can have seen."""
    newest_image = session.scalar(select(func.max(Image.id)).where(Image.project_id == project.id))
    return {"newest_label": newest_label_id(session, project.id), "newest_photo": newest_image or 0}


def anything_looked_at(session: Session, project: Project) -> bool:
    """Whether there is anything to export."""
    return (
        session.scalar(select(Image.id).where(Image.project_id == project.id, Image.state.in_(COUNTING)).limit(1))
        is not None
    )
