"""Somebody looks at a photo that counts as empty and says what is there: one act, one row, and back by another click."""

from __future__ import annotations

from sqlalchemy import select

from models.act import Act
from models.box import Box
from models.desk import Desk
from models.drawing import add, ask_crops, delete
from models.empty import ANIMAL, VERDICTS, EmptyCheck
from models.errors import Invalid
from models.event import mark_photos
from models.image import Image

KIND = "empty_check"
WHOLE = (0.0, 0.0, 1.0, 1.0)


def check(desk: Desk, image: Image, verdict: str, *, key: str) -> Act:
    """The act's answer names the box to go on with: the detector's strongest one, or one over the whole photo that a person then
    moves, where the detector found nothing at all. Raises Invalid for a verdict that is none, KeyReused."""
    if verdict not in VERDICTS:
        raise Invalid(f"verdict: {verdict[:20]!r} is not one of {', '.join(VERDICTS)}")
    act, fresh = Act.once(
        desk.session, desk.user_id, key, KIND, {"image": image.id, "verdict": verdict}, desk.project.id
    )
    if fresh:
        desk.session.add(
            EmptyCheck(
                project_id=desk.project.id, image_id=image.id, user_id=desk.user_id, act_id=act.id, verdict=verdict
            )
        )
        box_id = best_box(desk, image.id) if verdict == ANIMAL else None
        added = None
        if verdict == ANIMAL and box_id is None:
            edit = add(desk, act, image.id, WHOLE)
            ask_crops(desk, act, [edit])
            mark_photos(desk.session, desk.project.id, [image.id])
            box_id = added = edit.box_id
        act.before = {"added": added}
        act.answer = {"kind": KIND, "image_id": image.id, "verdict": verdict, "box_id": box_id}
        desk.session.flush()
    return act


def best_box(desk: Desk, image_id: int) -> int | None:
    """The box of a photo that the detector is surest of, of those that stand."""
    here = select(Box.id).where(Box.image_id == image_id, Box.deleted_at.is_(None))
    return desk.session.scalar(here.order_by(Box.score.desc(), Box.id).limit(1))


def last_check(desk: Desk) -> Act | None:
    """What this person said last here and what still stands."""
    mine = select(Act).where(
        Act.project_id == desk.project.id, Act.user_id == desk.user_id, Act.kind == KIND, ~Act.taken_back
    )
    return desk.session.scalar(mine.order_by(Act.id.desc()).limit(1))


def take_check_back(desk: Desk, act: Act) -> None:
    """The photo waits for a look again; a box that only this look made goes, unless somebody has named it."""
    if act.taken_back:
        return
    act.taken_back = True
    added = act.before.get("added")
    box = desk.now(added) if added else None
    if box is not None and box.deleted_at is None and box.settled_species_id is None:
        delete(desk, box)
    mark_photos(desk.session, desk.project.id, [act.answer["image_id"]])
