"""A drawing taken back and done again: each edit for itself, and none on which somebody else has built since."""

from __future__ import annotations

from sqlalchemy import or_, select

from models.act import Act
from models.box import Box
from models.box_edit import ADDED, DELETED, MOVED, BoxEdit
from models.desk import Desk
from models.drawing import ask_crops, delete, hold_photo, replace, restore
from models.event import mark_photos
from models.label import Label
from models.round import Pick
from models.user import User
from models.words import written


def take_drawing_back(desk: Desk, target: Act) -> tuple[list[BoxEdit], list[BoxEdit]]:
    """Each edit backwards; (done, left): those on which somebody else has built since are left as they are."""
    edits = BoxEdit.of_act(desk.session, target.id)
    boxes = photo_held(desk, target, edits)
    done = [edit for edit in reversed(edits) if BACK[edit.kind](desk, boxes, edit)]
    return done, [edit for edit in edits if edit not in done]


def draw_again(desk: Desk, act: Act, target: Act) -> tuple[list[BoxEdit], list[Pick]]:
    """The edits that can be done again, and the picks that a deleted box leaves."""
    edits = BoxEdit.of_act(desk.session, target.id)
    boxes = photo_held(desk, target, edits)
    done = [edit for edit in edits if AGAIN[edit.kind](boxes, edit)]
    closed: list[Pick] = []
    for edit in done:
        if edit.kind == MOVED and edit.becomes_id:
            replace(desk.session, boxes[edit.box_id], boxes[edit.becomes_id])
        elif edit.kind == ADDED:
            restore(desk, boxes[edit.box_id])
        else:
            closed += delete(desk, boxes[edit.box_id])
    ask_crops(desk, act, done)
    return done, closed


def photo_held(desk: Desk, target: Act, edits: list[BoxEdit]) -> dict[int, Box]:
    """Every box of an act, held."""
    hold_photo(desk.session, target.answer["image_id"])
    mark_photos(desk.session, desk.project.id, [target.answer["image_id"]])
    ids = [box_id for edit in edits for box_id in (edit.box_id, edit.becomes_id) if box_id]
    return {each.id: each for each in desk.held(ids)}


def move_back(desk: Desk, boxes: dict[int, Box], edit: BoxEdit) -> bool:
    """Unless the box was moved further or deleted."""
    new = boxes[edit.becomes_id or edit.box_id]
    if new.deleted_at is not None:
        return False
    replace(desk.session, new, boxes[edit.box_id])
    return True


def take_away(desk: Desk, boxes: dict[int, Box], edit: BoxEdit) -> bool:
    """Unless somebody else has named the box."""
    box = boxes[edit.box_id]
    others = select(Label.id).where(
        Label.box_id == box.id, Label.user_id != edit.user_id, Label.species_id.is_not(None)
    )
    if box.deleted_at is not None or desk.session.scalar(others.limit(1)) is not None:
        return False
    delete(desk, box)
    return True


def bring_back(desk: Desk, boxes: dict[int, Box], edit: BoxEdit) -> bool:
    """Nobody else can have touched a deleted box."""
    restore(desk, boxes[edit.box_id])
    return True


BACK = {MOVED: move_back, ADDED: take_away, DELETED: bring_back}
AGAIN = {
    MOVED: lambda boxes, edit: boxes[edit.box_id].deleted_at is None,
    ADDED: lambda boxes, edit: boxes[edit.box_id].deleted_at is not None and not boxes[edit.box_id].replaced_by_id,
    DELETED: lambda boxes, edit: boxes[edit.box_id].deleted_at is None,
}


def left_words(desk: Desk, left: list[BoxEdit]) -> str | None:
    """Why something of a drawing was not taken back."""
    if not left:
        return None
    of = [edit.becomes_id or edit.box_id for edit in left]
    others = (BoxEdit.user_id != desk.user_id, or_(BoxEdit.box_id.in_(of), BoxEdit.becomes_id.in_(of)))
    drew = select(User.name).join(BoxEdit, BoxEdit.user_id == User.id).where(*others).order_by(BoxEdit.id.desc())
    spoke = select(User.name).join(Label, Label.user_id == User.id)
    named = spoke.where(Label.box_id.in_(of), User.id != desk.user_id).order_by(Label.id.desc())
    name = desk.session.scalar(drew.limit(1)) or desk.session.scalar(named.limit(1)) or ""
    if not name:
        return written("Somebody has worked on this box since. It stays as it is.")
    return written("%(name)s has worked on this box since. It stays as it is.", name=name)
