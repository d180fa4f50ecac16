"""Photos that count as empty: the next one to look at, what the sample says so far, and what was found."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.agreement import wilson95
from models.box import Box
from models.empty import ANIMAL, EmptyCheck, EmptyDraw, EmptySample, counts_as_empty
from models.image import Image
from models.project import Project

SAMPLE, LOW = "sample", "low"  # orders of looking; only the first feeds the estimate
FOUND = 30


@dataclass(frozen=True)
class Estimate:
    """looked: photos at the beginning of the sample that somebody looked at, without a gap; animals: those that show one.
    low, high: of 100 such photos, a 95% interval (Wilson); none before the first look."""

    sample: EmptySample
    size: int
    looked: int
    animals: int
    low: float = 0.0
    high: float = 0.0


def newest_sample(session: Session, project_id: int) -> EmptySample | None:
    """The one that is looked at now."""
    here = select(EmptySample).where(EmptySample.project_id == project_id)
    return session.scalar(here.order_by(EmptySample.id.desc()).limit(1))


def verdicts(session: Session, project_id: int, image_ids: list[int]) -> dict[int, str]:
    """Photo id -> what was said of it last."""
    rows = session.execute(EmptyCheck.standing(EmptyCheck.project_id == project_id, EmptyCheck.image_id.in_(image_ids)))
    return {image_id: verdict for image_id, verdict in rows}  # noqa: C416


def draws_of(session: Session, sample: EmptySample) -> list[int]:
    """Its photos in the order of the draw."""
    here = select(EmptyDraw.image_id).where(EmptyDraw.sample_id == sample.id)
    return list(session.scalars(here.order_by(EmptyDraw.position)))


def estimate(session: Session, sample: EmptySample) -> Estimate:
    """By the looks that follow each other from the beginning: which photo comes next was decided before anybody looked. A photo
    of the sample that somebody saw early, in another order, counts when its turn has come."""
    image_ids = draws_of(session, sample)
    said = verdicts(session, sample.project_id, image_ids)
    looked = next((at for at, image_id in enumerate(image_ids) if image_id not in said), len(image_ids))
    animals = sum(said[image_id] == ANIMAL for image_id in image_ids[:looked])
    if not looked:
        return Estimate(sample, len(image_ids), 0, 0)
    low, high = wilson95(animals, looked)
    return Estimate(sample, len(image_ids), looked, animals, 100 * low, 100 * high)


def next_photo(session: Session, project: Project, order: str) -> Image | None:
    """The next one that nobody has looked at."""
    if order == LOW:
        return next_by_low_box(session, project)
    sample = newest_sample(session, project.id)
    image_ids = draws_of(session, sample) if sample else []
    said = verdicts(session, project.id, image_ids)
    first = next((image_id for image_id in image_ids if image_id not in said), None)
    return session.get(Image, first) if first else None


def next_by_low_box(session: Session, project: Project) -> Image | None:
    """The photo with the strongest box that does not count; those without any box are never asked in this order."""
    looked = (
        EmptyCheck.standing(EmptyCheck.project_id == project.id).with_only_columns(EmptyCheck.image_id).order_by(None)
    )
    wanted = (
        select(Image)
        .join(Box, Box.image_id == Image.id)
        .where(
            Box.project_id == project.id, Box.score < project.count_above, Box.deleted_at.is_(None),
            Box.settled_species_id.is_(None), counts_as_empty(project), Image.id.not_in(looked),
        )
        .order_by(Box.score.desc(), Box.id)
    )  # fmt: skip
    return session.scalar(wanted.limit(1))


def best_box(session: Session, image_id: int) -> Box | None:
    """What the detector is surest of in the photo."""
    here = select(Box).where(Box.image_id == image_id, Box.deleted_at.is_(None), ~Box.drawn)
    return session.scalar(here.order_by(Box.score.desc(), Box.id).limit(1))


def found(session: Session, project_id: int) -> list[tuple[int, int | None, bool]]:
    """(photo id, box to go on with, whether the box has a name) of what people found, the newest first."""
    said = EmptyCheck.standing(EmptyCheck.project_id == project_id).subquery()
    newest = dict(session.execute(select(said.c.image_id, said.c.verdict)).all())
    image_ids = [image_id for image_id, verdict in newest.items() if verdict == ANIMAL][::-1][:FOUND]
    boxes: dict[int, Box] = {}
    best = select(Box).where(Box.image_id.in_(image_ids), Box.deleted_at.is_(None)).order_by(Box.score, Box.id.desc())
    for box in session.scalars(best):
        if box.image_id not in boxes or boxes[box.image_id].settled_species_id is None:
            boxes[box.image_id] = box
    shown = [(image_id, boxes.get(image_id)) for image_id in image_ids]
    return [(image_id, box.id if box else None, bool(box and box.settled_species_id)) for image_id, box in shown]


def image_of(session: Session, project_id: int, image_id: int) -> Image | None:
    """The photo, if it is of this project."""
    image = session.get(Image, image_id)
    return image if image is not None and image.project_id == project_id else None
