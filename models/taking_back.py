"""Undo and redo, of any depth, per person and project, across reloads (ui/UI.md section 8).

Undo writes newer rows that take the person's words back, so the history keeps both; redo says them again.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, and_, or_, select

from models.act import Act
from models.answering import DOINGS, SKIP
from models.base import utc_now
from models.beside import ask_voices
from models.box import Box, settle, take_back_labels
from models.consensus import EXPERTS
from models.desk import Desk
from models.drawing import BOXES, outcome
from models.event import mark_photos
from models.label import Label
from models.round import ANSWERED, OPEN, SKIPPED, WITHDRAWN, Pick, lease_to, leases_of
from models.species import Species
from models.undrawing import draw_again, left_words, take_drawing_back
from models.user import User
from models.words import mark, written

UNDO, REDO = "undo", "redo"
NOTHING_TO_UNDO = mark("There is nothing to take back.")
NOTHING_TO_REDO = mark("There is nothing to say again.")


def undo(desk: Desk, *, key: str, of: str | None = None) -> Act:
    """Take back the newest thing this person did here.

    of: the key of the act that the page means. When it never arrived (it was refused) or is taken back already, nothing happens.
    """
    act, fresh = Act.once(desk.session, desk.user_id, key, UNDO, {"of": of}, desk.project.id)
    if fresh:
        desk.take_turn()
        target = newest_doing(desk) if of is None or still_stands(desk, of) else None
        remember(act, target, take_back(desk, act, target) if target else nothing(UNDO, NOTHING_TO_UNDO))
        if target:
            target.taken_back = True
    return act


def redo(desk: Desk, *, key: str) -> Act:
    """Do again what the newest undo took back, unless something new was done since."""
    act, fresh = Act.once(desk.session, desk.user_id, key, REDO, {}, desk.project.id)
    if fresh:
        desk.take_turn()
        undone = newest_undo(desk)
        target = desk.session.get_one(Act, undone.takes_back_id) if undone else None
        remember(act, undone, do_again(desk, act, target) if target else nothing(REDO, NOTHING_TO_REDO))
        if target and undone:
            target.taken_back, undone.taken_back = False, True
    return act


def newest_doing(desk: Desk) -> Act | None:
    """What undo would take back."""
    return desk.session.scalar(acts(desk).where(Act.kind.in_(DOINGS), ~Act.taken_back).limit(1))


def newest_undo(desk: Desk) -> Act | None:
    """The undo that redo would take back; none once something new was done after it."""
    latest = desk.session.scalar(
        acts(desk).where(or_(Act.kind.in_(DOINGS), and_(Act.kind == UNDO, ~Act.taken_back))).limit(1)
    )
    return latest if latest and latest.kind == UNDO else None


def acts(desk: Desk) -> Select[Act]:
    """This person's acts in the project, the newest first."""
    return select(Act).where(Act.project_id == desk.project.id, Act.user_id == desk.user_id).order_by(Act.id.desc())


def still_stands(desk: Desk, key: str) -> bool:
    """Whether the act of this key arrived and was not taken back."""
    stands = select(Act.id).where(Act.user_id == desk.user_id, Act.key == key, ~Act.taken_back)
    return desk.session.scalar(stands) is not None


def remember(act: Act, target: Act | None, answer: dict[str, Any]) -> None:
    """What the act took back and what it answers; one that found nothing counts as taken back."""
    act.takes_back_id = target.id if target else None
    act.taken_back = target is None
    act.answer = answer


def nothing(kind: str, words: str) -> dict[str, Any]:
    """The answer when there is nothing to do."""
    return {"kind": kind, "of": None, "box_id": None, "boxes": [], "words": words, "nothing": True}


def take_back(desk: Desk, act: Act, target: Act) -> dict[str, Any]:
    """Withdraw the voices of an act and open its picks again, each back on this person's desk in its old place."""
    if target.kind == BOXES:
        return take_boxes_back(desk, target)
    mark_photos(desk.session, desk.project.id, [target.answer["image_id"]])  # a count stands no more
    labels = labels_of(desk, target)
    boxes = {box.id: box for box in desk.boxes(target.answer["boxes"])}
    take_back_labels(desk.session, boxes, labels, by=desk.user_id, act=act)
    opened = reopen(desk, boxes, target.before["picks"])
    if target.kind == SKIP:
        forget_skips(desk, list(boxes), target.before["picks"])
    ask_voices(desk.session, boxes.values())
    shown = desk.now(target.answer["box_id"])
    settled_by = None if any(pick.box_id == shown.id for pick in opened) else expert_words(desk, shown)
    return told(UNDO, target, shown, list(boxes)) | {
        "words": settled_by or written("%(name)s, taken back", name=target.answer["name"]),
        "round": desk.standing(round_id_of(target)),
    }


def take_boxes_back(desk: Desk, target: Act) -> dict[str, Any]:
    """Boxes lie as they lay before, and what was to be asked about a deleted one is asked again."""
    done, left = take_drawing_back(desk, target)
    boxes = {box.id: box for box in desk.boxes(target.answer["boxes"])}
    reopen(desk, boxes, target.before["picks"])
    ask_voices(desk.session, boxes.values())
    return told(UNDO, target, desk.now(target.answer["box_id"]), list(boxes)) | {
        "words": left_words(desk, left) or written("%(name)s, taken back", name=target.answer["name"]),
        "round": desk.standing(round_id_of(target)),
        "drawn": outcome(done, back=True),
    }


def reopen(desk: Desk, boxes: dict[int, Box], remembered: list[list[Any]]) -> list[Pick]:
    """Open the picks again, except where another voice names the box or somebody else has it on the desk. Those opened.

    A crop that was asked of this person alone (gold) has a name, and opens all the same.
    """
    before = {pick_id: (position, skips) for pick_id, position, skips in remembered}
    picks = [pick for pick in desk.picks(list(boxes)) if pick.id in before]
    leases = leases_of(desk.session, list(before))
    now = utc_now()
    opened = []
    for pick in picks:
        box = boxes[pick.box_id]
        is_open = box.settled_label_id is None or pick.user_id == desk.user_id
        if box.deleted_at is None and is_open and desk.may_fill(leases.get(pick.id), "", now):
            pick.state = OPEN
            pick.position, pick.skips = before[pick.id]
            lease_to(desk.session, pick, leases.get(pick.id), desk.user_id, now)
            opened.append(pick)
    desk.session.flush()
    return opened


def forget_skips(desk: Desk, box_ids: list[int], remembered: list[list[Any]]) -> None:
    """Of what was asked of anybody beside the rounds, the row that says that this person skipped it: that is nobody's now."""
    before = {pick_id for pick_id, _position, _skips in remembered}
    picks = desk.picks(box_ids)
    asked = {pick.box_id for pick in picks if pick.id in before and pick.round_id is None and pick.user_id is None}
    newest = {
        pick.box_id: pick
        for pick in picks
        if pick.box_id in asked and pick.round_id is None and pick.user_id == desk.user_id and pick.state == SKIPPED
    }
    for skipped in newest.values():
        skipped.state, skipped.user_id = WITHDRAWN, None
    desk.session.flush()


def do_again(desk: Desk, act: Act, target: Act) -> dict[str, Any]:
    """Say again what an act said, and fill its picks again where they still wait."""
    if target.kind == BOXES:
        return draw_boxes_again(desk, act, target)
    mark_photos(desk.session, desk.project.id, [target.answer["image_id"]])
    boxes = {box.id: box for box in desk.boxes(target.answer["boxes"])}
    before = {pick_id for pick_id, _position, _skips in target.before["picks"]}
    picks = [pick for pick in desk.free(desk.picks(list(boxes))) if pick.id in before]
    say_again(desk, act, boxes, labels_of(desk, target))
    fill_again(desk, target, picks)
    ask_voices(desk.session, boxes.values())
    rounds = desk.close_rounds({pick.round_id for pick in picks})
    round_id = round_id_of(target)
    words = (
        written("%(name)s, skipped again", name=target.answer["name"])
        if target.kind == SKIP
        else written("%(name)s saved.", name=target.answer["name"])
    )
    shown = desk.now(target.answer["box_id"])
    standing = rounds.get(round_id or 0) or desk.standing(round_id)
    return told(REDO, target, shown, list(boxes)) | {"words": words, "round": standing}


def draw_boxes_again(desk: Desk, act: Act, target: Act) -> dict[str, Any]:
    """Boxes lie again as they were drawn."""
    done, closed = draw_again(desk, act, target)
    rounds = desk.close_rounds({pick.round_id for pick in closed})
    boxes = [box.id for box in desk.boxes(target.answer["boxes"])]
    return told(REDO, target, desk.now(target.answer["box_id"]), boxes) | {
        "words": f"{target.answer['name']}.",
        "round": rounds.get(round_id_of(target) or 0) or desk.standing(round_id_of(target)),
        "drawn": outcome(done),
    }


def say_again(desk: Desk, act: Act, boxes: dict[int, Box], labels: list[Label]) -> None:
    """New rows with the same words. A species may have been retired since; it was said, so it may be said again."""
    wanted = select(Species).where(Species.id.in_({label.species_id for label in labels}))
    species = {each.id: each for each in desk.session.scalars(wanted)}
    desk.session.add_all(
        boxes[label.box_id].voice(
            species[label.species_id], by=desk.user_id, role=desk.role, act=act, certain=label.certain,
            round_id=label.round_id, guess=label.guess, observed=label.observed,
        )
        for label in labels
        if label.species_id is not None
    )  # fmt: skip
    desk.session.flush()
    settle(desk.session, [boxes[label.box_id] for label in labels])


def fill_again(desk: Desk, target: Act, picks: list[Pick]) -> None:
    """Answered again, or skipped again."""
    if target.kind == SKIP:
        for pick in picks:
            pick.skip(desk.session, desk.user_id)
    else:
        desk.fill(picks, ANSWERED)


def labels_of(desk: Desk, act: Act) -> list[Label]:
    """The rows that an act wrote."""
    return list(desk.session.scalars(select(Label).where(Label.act_id == act.id).order_by(Label.box_id)))


def round_id_of(act: Act) -> int | None:
    """The round that an act stood in."""
    stood = act.answer.get("round")
    return stood["id"] if stood else None


def told(kind: str, target: Act, shown: Box, box_ids: list[int]) -> dict[str, Any]:
    """What a page needs to show what was taken back or done again. shown: the crop to go to."""
    kept = {name: target.answer[name] for name in ("image_id", "name", "species_id", "certain")}
    return {"kind": kind, "of": target.kind, "nothing": False, "box_id": shown.id, "boxes": box_ids} | kept


def expert_words(desk: Desk, box: Box) -> str | None:
    """When an expert settled the crop meanwhile, taking back changes nothing but the history."""
    winner = desk.session.get(Label, box.settled_label_id) if box.settled_label_id else None
    if winner is None or winner.user_id == desk.user_id or winner.role not in EXPERTS:
        return None
    expert = desk.session.get_one(User, winner.user_id)
    return written("%(name)s has settled this crop. Your answer stays in its history.", name=expert.name)
