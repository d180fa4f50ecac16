"""A person decides a static group: "not an animal" names every box of it that nobody has named, "an animal" lays it aside.

One act, under one key, with newer rows, so that everything before it can come back: an undo at the desk takes it back like any
other answer, and reopen() does so however long ago it was. What this person has said of a box since then stays.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.act import Act
from models.answering import MOST_AT_ONCE, STATIC, say
from models.beside import ask_voices
from models.box import Box, take_back_labels
from models.desk import Desk
from models.errors import Invalid, NotAllowed
from models.label import Label
from models.species import Species
from models.static import ANIMAL, NOTHING, VERDICTS, StaticGroup, StaticHit, is_unnamed
from models.taking_back import UNDO, labels_of, remember, reopen, told


def decide(desk: Desk, group: StaticGroup, verdict: str, *, key: str) -> Act:
    """At most MOST_AT_ONCE boxes an act, those that came first: the next decision of the same group names the next ones.

    Raises Invalid for a verdict that is none, KeyReused.
    """
    if verdict not in VERDICTS:
        raise Invalid(f"verdict: {verdict[:20]!r} is not one of {', '.join(VERDICTS)}")
    act, fresh = Act.once(
        desk.session, desk.user_id, key, STATIC, {"group": group.id, "verdict": verdict}, desk.project.id
    )
    if fresh:
        hold(desk.session, group)
        first = desk.now(group.first_box_id)
        box_ids = unnamed(desk.session, group.id) if verdict == NOTHING else []
        if box_ids:
            blank = Species.of_kind(desk.session, desk.project.id, "not_animal")
            shown = first if first.id in box_ids else desk.now(box_ids[0])
            act.answer = say(desk, act, dict.fromkeys(box_ids, blank), shown, certain=True, pick_id=None, token="")
        else:
            act.before = {"picks": []}
            name = "Static detection, an animal" if verdict == ANIMAL else "Static detection, no crop left to name"
            act.answer = {
                "kind": STATIC, "box_id": first.id, "image_id": first.image_id, "boxes": [first.id], "name": name,
                "species_id": None, "certain": True, "late": False, "words": f"{name} saved.", "round": None,
            }  # fmt: skip
        group.verdict, group.act_id = verdict, act.id
        desk.session.flush()
    return act


def unnamed(session: Session, group_id: int) -> list[int]:
    """The boxes of a group that a decision names now, by rising id."""
    hits = select(Box.id).join(StaticHit, StaticHit.box_id == Box.id).where(StaticHit.group_id == group_id)
    return list(session.scalars(hits.where(is_unnamed()).order_by(Box.id).limit(MOST_AT_ONCE)))


def reopen_group(desk: Desk, group: StaticGroup, *, key: str) -> Act:
    """Take the decision back, and every answer of it that is still this person's word about its box.

    Raises NotAllowed for another person's decision: answers are taken back by who gave them.
    """
    act, fresh = Act.once(desk.session, desk.user_id, key, UNDO, {"group": group.id}, desk.project.id)
    if fresh:
        desk.take_turn()
        hold(desk.session, group)
        target = desk.session.get(Act, group.act_id) if group.act_id else None
        if target is None or target.taken_back:
            remember(act, None, {"kind": UNDO, "of": None, "box_id": None, "boxes": [], "words": "", "nothing": True})
            return act
        if target.user_id != desk.user_id:
            raise NotAllowed("Somebody else decided this group; only that person takes it back.")
        boxes = {box.id: box for box in desk.boxes(target.answer["boxes"])}
        newest = newest_of(desk, boxes)
        labels = [label for label in labels_of(desk, target) if label.id in newest]
        take_back_labels(desk.session, boxes, labels, by=desk.user_id, act=act)
        reopen(desk, boxes, target.before["picks"])
        ask_voices(desk.session, boxes.values())
        answer = told(UNDO, target, desk.now(target.answer["box_id"]), list(boxes))
        remember(act, target, answer | {"words": f"{target.answer['name']}, taken back", "round": None})
        target.taken_back = True
        desk.session.flush()
    return act


def newest_of(desk: Desk, boxes: dict[int, Box]) -> set[int]:
    """The ids of this person's newest words about each of the boxes."""
    newest = select(func.max(Label.id)).where(Label.box_id.in_(boxes), Label.user_id == desk.user_id)
    return set(desk.session.scalars(newest.group_by(Label.box_id)))


def hold(session: Session, group: StaticGroup) -> None:
    """Two people who decide one group come one after the other."""
    session.refresh(group, with_for_update={"key_share": True})
