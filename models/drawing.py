"""What a person draws in a photo: boxes moved, added and deleted, as one Act (ui/UI.md sections 6 to 8).

A box is moved by a new row that takes the old one's place: labels, picks, notes and ordinal go over to it, since they are about
the animal; crop, vector and prediction do not, since they are of the outline. The old row stays as the detector made it, and undo
lets it take its place again, crop and vector included. The id of a box is therefore also the version of its outline: who edits
one that was replaced or deleted meanwhile is told so (Changed), and nothing of the act is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.act import Act
from models.base import utc_now
from models.box import Box, settle
from models.box_edit import ADDED, DELETED, MOVED, BoxEdit
from models.desk import Desk
from models.errors import Changed, Invalid
from models.event import mark_photos
from models.image import Image
from models.label import Label
from models.note import Note
from models.queue import ask
from models.round import OPEN, SKIPPED, Pick
from models.words import mark, say, written

BOXES = "boxes"  # the kind of act
CUT = "cut"  # the kind of job that gives drawn boxes their crops
LEAST_SIDE = 0.002  # of the photo, each way: 3 px of its preview
MOST_DRAWN = 100  # boxes of people in one photo
SCORE = 1.0

Corners = tuple[float, float, float, float]  # x_min, y_min, x_max, y_max, shares of the photo
CHANGED = {
    MOVED: mark("%(name)s moved this box meanwhile."),
    ADDED: mark("%(name)s added this box meanwhile."),
    DELETED: mark("%(name)s deleted this box meanwhile."),
}
DONE = {  # (what was done, whether to one box)
    (MOVED, True): mark("%(count)s box moved"),
    (MOVED, False): mark("%(count)s boxes moved"),
    (ADDED, True): mark("%(count)s box added"),
    (ADDED, False): mark("%(count)s boxes added"),
    (DELETED, True): mark("%(count)s box deleted"),
    (DELETED, False): mark("%(count)s boxes deleted"),
}


@dataclass(frozen=True)
class Drawing:
    """What one act does to the boxes of one photo. moved: box id -> its new corners."""

    moved: dict[int, Corners] = field(default_factory=dict)
    added: Sequence[Corners] = ()
    deleted: Sequence[int] = ()

    @property
    def body(self) -> dict[str, Any]:
        """For the key: the same drawing sent again is the same act."""
        moved = sorted([box_id, *corners] for box_id, corners in self.moved.items())
        return {"moved": moved, "added": [list(corners) for corners in self.added], "deleted": sorted(self.deleted)}

    @property
    def words(self) -> str:
        """Its name: "1 box moved, 2 boxes added"."""
        counts = ((len(self.moved), MOVED), (len(self.added), ADDED), (len(self.deleted), DELETED))
        return ", ".join(written(DONE[done, count == 1], count=count) for count, done in counts if count)


def draw(desk: Desk, box: Box, drawing: Drawing, *, key: str) -> Act:
    """Move, add and delete boxes in the photo of `box`, all or nothing.

    Raises Invalid for corners that make no box and for boxes of other photos, Changed when somebody changed one of them since the
    page was read, KeyReused.
    """
    check(drawing)
    act, fresh = Act.once(desk.session, desk.user_id, key, BOXES, {"box": box.id} | drawing.body, desk.project.id)
    if fresh:
        hold_photo(desk.session, box.image_id)
        seen = seen_boxes(desk, box.image_id, [*drawing.moved, *drawing.deleted])
        leave_room(desk.session, box.image_id, len(drawing.moved) + len(drawing.added))
        edits = [move(desk, act, seen[box_id], corners) for box_id, corners in drawing.moved.items()]
        edits += [add(desk, act, box.image_id, corners) for corners in drawing.added]
        closed = [pick for box_id in drawing.deleted for pick in delete(desk, seen[box_id])]
        edits += [note(desk, act, DELETED, box_id) for box_id in drawing.deleted]
        ask_crops(desk, act, edits)
        mark_photos(desk.session, desk.project.id, [box.image_id])
        act.before = {"picks": [[pick.id, pick.position, pick.skips] for pick in closed]}
        rounds = desk.close_rounds({pick.round_id for pick in closed})
        act.answer = {
            "kind": BOXES, "box_id": drawn_now(box, edits), "image_id": box.image_id, "boxes": touched(edits),
            "name": drawing.words, "species_id": None, "certain": True, "late": False, "words": f"{drawing.words}.",
            "round": rounds[max(rounds)] if rounds else None, "drawn": outcome(edits),
        }  # fmt: skip
    return act


def check(drawing: Drawing) -> None:
    """Raises Invalid, naming what is wrong."""
    if not (drawing.moved or drawing.added or drawing.deleted):
        raise Invalid(say("moved, added, deleted: nothing was drawn"))
    twice = set(drawing.moved) & set(drawing.deleted)
    if twice or len(set(drawing.deleted)) < len(drawing.deleted):
        raise Invalid("deleted: " + say("a box is named twice"))
    for name, every in ((MOVED, drawing.moved.values()), (ADDED, drawing.added)):
        for corners in every:
            check_corners(name, corners)


def check_corners(name: str, corners: Corners) -> None:
    """Raises Invalid unless they lie in the photo and make a box that can be seen."""
    x_min, y_min, x_max, y_max = corners
    if not all(0 <= share <= 1 for share in corners):
        raise Invalid(f"{name}: " + say("corners lie between 0 and 1, as shares of the photo"))
    if x_max - x_min < LEAST_SIDE or y_max - y_min < LEAST_SIDE:
        raise Invalid(
            f"{name}: "
            + say(
                "x_min, y_min, x_max, y_max; each side is at least %(least_side)s of the photo", least_side=LEAST_SIDE
            )
        )


def hold_photo(session: Session, image_id: int) -> None:
    """Two people who draw in one photo come one after the other."""
    session.execute(select(Image.id).where(Image.id == image_id).with_for_update(key_share=True))


def seen_boxes(desk: Desk, image_id: int, box_ids: list[int]) -> dict[int, Box]:
    """The boxes that the page showed, held. Raises Invalid where one is of another photo, Changed where one is no more."""
    found = {each.id: each for each in desk.held(box_ids)}
    for box_id in box_ids:
        if box_id not in found or found[box_id].image_id != image_id:
            raise Invalid("boxes: " + say("%(box_id)s is not in this photo", box_id=box_id))
    for each in found.values():
        if each.deleted_at is not None:
            raise Changed(who_changed(desk.session, each) + " " + say("None of your boxes is saved yet."))
    return found


def who_changed(session: Session, box: Box) -> str:
    """Maria moved this box meanwhile."""
    last = session.execute(BoxEdit.about(box.id).limit(1)).first()
    return say(CHANGED[last[0]], name=last[1]) if last else say("Somebody changed this box meanwhile.")


def leave_room(session: Session, image_id: int, more: int) -> None:
    """Raises Invalid when people have drawn too many boxes in the photo."""
    drawn = select(func.count()).where(Box.image_id == image_id, Box.drawn, Box.deleted_at.is_(None))
    if (session.scalar(drawn) or 0) + more > MOST_DRAWN:
        raise Invalid(
            "added: " + say("at most %(most_drawn)s boxes of a photo are drawn by people", most_drawn=MOST_DRAWN)
        )


def move(desk: Desk, act: Act, box: Box, corners: Corners) -> BoxEdit:
    """A new row in the box's place."""
    new = new_box(desk, box.image_id, corners, box.kind)
    replace(desk.session, box, new)
    return note(desk, act, MOVED, box.id, new.id)


def add(desk: Desk, act: Act, image_id: int, corners: Corners) -> BoxEdit:
    """A box where the detector saw none: an animal until somebody names it otherwise."""
    return note(desk, act, ADDED, new_box(desk, image_id, corners, "animal").id)


def new_box(desk: Desk, image_id: int, corners: Corners, kind: str) -> Box:
    """The last of its photo; it has no crop yet."""
    last = desk.session.scalar(select(func.max(Box.ordinal)).where(Box.image_id == image_id)) or 0
    x_min, y_min, x_max, y_max = corners
    new = Box(
        project_id=desk.project.id, image_id=image_id, ordinal=last + 1, x_min=x_min, y_min=y_min, x_max=x_max,
        y_max=y_max, score=SCORE, kind=kind, drawn=True,
    )  # fmt: skip
    desk.session.add(new)
    desk.session.flush()
    return new


def replace(session: Session, old: Box, new: Box) -> None:
    """The new box stands where the old one stood; the same again the other way round is undo."""
    for table in (Label, Pick, Note):
        session.execute(update(table).where(table.box_id == old.id).values(box_id=new.id))
    places = old.ordinal, new.ordinal
    old.ordinal = -old.id  # nobody's, so that the two can change places
    session.flush()
    new.ordinal = places[0]
    session.flush()
    old.ordinal = places[1]
    old.deleted_at, old.replaced_by_id = utc_now(), new.id
    new.deleted_at, new.replaced_by_id = None, None
    session.flush()
    settle(session, [old, new])


def delete(desk: Desk, box: Box) -> list[Pick]:
    """It counts no more; whoever was to be asked about it is not. The picks that waited for it."""
    box.deleted_at = utc_now()
    desk.session.flush()
    settle(desk.session, [box])
    waiting = [pick for pick in desk.picks([box.id]) if pick.state == OPEN]
    desk.fill(waiting, SKIPPED)
    return waiting


def restore(desk: Desk, box: Box) -> None:
    """It counts again, under the name that its voices give it."""
    box.deleted_at = None
    desk.session.flush()
    settle(desk.session, [box])


def note(desk: Desk, act: Act, kind: str, box_id: int, becomes_id: int | None = None) -> BoxEdit:
    """One row of the history."""
    edit = BoxEdit(
        project_id=desk.project.id, box_id=box_id, becomes_id=becomes_id, user_id=desk.user_id, act_id=act.id, kind=kind
    )
    desk.session.add(edit)
    desk.session.flush()
    return edit


def ask_crops(desk: Desk, act: Act, edits: list[BoxEdit]) -> None:
    """A job for the boxes that have no crop of what is inside them now."""
    wanted = [edit.becomes_id or edit.box_id for edit in edits if edit.kind != DELETED]
    lacking = select(Box.id).where(Box.id.in_(wanted), Box.embedder_id.is_(None), Box.deleted_at.is_(None))
    if box_ids := sorted(desk.session.scalars(lacking)):
        line = written("Cutting out what was drawn")
        ask(desk.session, CUT, desk.project.id, {"boxes": box_ids}, key=f"{CUT}-{act.id}", total=1, line=line)


def touched(edits: list[BoxEdit]) -> list[int]:
    """The boxes that stand after the edits, and the deleted ones."""
    return sorted(edit.becomes_id or edit.box_id for edit in edits)


def drawn_now(box: Box, edits: list[BoxEdit]) -> int:
    """The box that the page showed, as it goes on."""
    return next((edit.becomes_id for edit in edits if edit.box_id == box.id and edit.becomes_id), box.id)


def outcome(edits: list[BoxEdit], *, back: bool = False) -> dict[str, Any]:
    """What a page does to the boxes that it shows. back: the edits were taken back."""
    moved = [(edit.box_id, edit.becomes_id or edit.box_id) for edit in edits if edit.kind == MOVED]
    added, deleted = ([edit.box_id for edit in edits if edit.kind == kind] for kind in (ADDED, DELETED))
    if back:
        moved, added, deleted = [(new, old) for old, new in moved], deleted, added
    return {"moved": [list(pair) for pair in moved], "added": added, "deleted": deleted}
