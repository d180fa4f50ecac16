"""What a person does at the desk: answer a crop or a burst, count, skip. Each is one Act under one key (DECISIONS 7).

An answer is never refused because it is late: when somebody else has the crop now, it is kept as a second voice with its round.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from models.act import Act
from models.box import Box, askable, current_ids
from models.desk import Desk
from models.drawing import BOXES
from models.errors import Invalid
from models.image import CountCorrection, Image
from models.label import Label
from models.note import COMMENT, FLAG, UNFLAG
from models.round import ANSWERED, Pick
from models.species import TAXON, Species

ANSWER, EMPTY_PHOTO, BURST, COUNT, SKIP = "answer", "empty_photo", "burst", "count", "skip"
ANSWERS = (ANSWER, EMPTY_PHOTO, BURST, SKIP)
DOINGS = (*ANSWERS, COUNT, FLAG, UNFLAG, COMMENT, BOXES)
MOST = 100_000  # animals in a photo
GONE = "Somebody deleted this box meanwhile; your answer stays in its history."
LATE = "This crop was given to somebody else; your answer is kept as a second voice."


def answer(
    desk: Desk,
    box: Box,
    said: int | str,
    *,
    key: str,
    certain: bool = True,
    count: int | None = None,
    pick_id: int | None = None,
    token: str = "",
) -> Act:
    """Name one box. said: the id of a species or a name. count: how many of them are in the photo, where a person counted.

    Raises Invalid for a species that cannot be said and a count that cannot be, KeyReused.
    """
    body: dict[str, Any] = {"box": box.id, "species": said, "certain": certain}
    if count is not None:
        body["count"] = countable(count)
    act, fresh = Act.once(desk.session, desk.user_id, key, ANSWER, body, desk.project.id)
    if fresh:
        species = answerable(desk, said)
        act.answer = say(desk, act, [box.id], box, species, certain=certain, pick_id=pick_id, token=token)
        if count is not None and species.kind == TAXON:
            keep_count(desk, act, box, species.id, count)
    return act


def count_animals(desk: Desk, box: Box, count: int, *, key: str) -> Act:
    """So many of what this box is called are in its photo; where it has no animal's name, so many animals in all.

    Raises Invalid for a count that cannot be, KeyReused.
    """
    body = {"box": box.id, "count": countable(count)}
    act, fresh = Act.once(desk.session, desk.user_id, key, COUNT, body, desk.project.id)
    if fresh:
        box = desk.now(box.id)
        species = desk.session.get(Species, box.settled_species_id) if box.settled_species_id else None
        species = species if species and species.kind == TAXON else None
        keep_count(desk, act, box, species.id if species else None, count)
        name = f"{count:,} {species.name if species else 'in the photo'}"
        act.before = {"picks": []}
        act.answer = {
            "kind": COUNT, "box_id": box.id, "image_id": box.image_id, "boxes": [box.id], "name": name,
            "species_id": species.id if species else None, "certain": True, "late": False, "words": f"{name}, counted.",
            "round": None,
        }  # fmt: skip
    return act


def countable(count: int) -> int:
    """Raises Invalid unless so many animals can be in a photo."""
    if not 0 <= count <= MOST:
        raise Invalid(f"count: a number from 0 to {MOST:,}")
    return count


def keep_count(desk: Desk, act: Act, box: Box, species_id: int | None, count: int) -> None:
    """A newer row; the older ones stay."""
    desk.session.add(
        CountCorrection(image_id=box.image_id, species_id=species_id, count=count, user_id=desk.user_id, act_id=act.id)
    )
    desk.session.flush()


def empty_photo(desk: Desk, box: Box, *, key: str, pick_id: int | None = None, token: str = "") -> Act:
    """Nothing in the whole photo: every box that could be asked about is "not an animal", as one act."""
    act, fresh = Act.once(desk.session, desk.user_id, key, EMPTY_PHOTO, {"box": box.id}, desk.project.id)
    if fresh:
        here = select(Box.id).where(Box.image_id == box.image_id, or_(askable(desk.project), Box.id == box.id))
        species = Species.of_kind(desk.session, desk.project.id, "not_animal")
        box_ids = sorted(desk.session.scalars(here))
        act.answer = say(desk, act, box_ids, box, species, certain=True, pick_id=pick_id, token=token)
    return act


def answer_burst(
    desk: Desk,
    box: Box,
    box_ids: Sequence[int],
    said: int | str,
    *,
    key: str,
    certain: bool = True,
    pick_id: int | None = None,
    token: str = "",
) -> Act:
    """Name the crop on the desk and the others of its burst that the person saw and did not take out, as one act.

    The answer spreads: the others' labels are of this act but not its box. What this person said of one of them before stays.
    Raises Invalid for a species that cannot be said and for a box of another burst, KeyReused.
    """
    others = sorted(set(box_ids) - {box.id})
    body = {"box": box.id, "boxes": others, "species": said, "certain": certain}
    act, fresh = Act.once(desk.session, desk.user_id, key, BURST, body, desk.project.id)
    if fresh:
        species = answerable(desk, said)
        box = desk.now(box.id)
        others = sorted(set(current_ids(desk.session, others).values()) - {box.id})
        spoken = select(Label.box_id).where(Label.box_id.in_(others), Label.user_id == desk.user_id)
        mine = set(desk.session.scalars(spoken))
        spread = [box_id for box_id in in_burst(desk, box, others) if box_id not in mine]
        act.answer = say(
            desk, act, sorted([box.id, *spread]), box, species, certain=certain, pick_id=pick_id, token=token
        )
    return act


def in_burst(desk: Desk, box: Box, box_ids: list[int]) -> list[int]:
    """Those that can still be asked about. Raises Invalid where one lies in another burst than the crop on the desk."""
    burst = select(Image.sequence_id).where(Image.id == box.image_id).scalar_subquery()
    here = select(Box.id, askable(desk.project)).join(Image, Image.id == Box.image_id)
    rows = desk.session.execute(here.where(Box.id.in_(box_ids), Image.sequence_id == burst))
    found = {row[0]: row[1] for row in rows}
    for box_id in box_ids:
        if box_id not in found:
            raise Invalid(f"boxes: {box_id} is not in the burst of crop {box.id}")
    return [box_id for box_id, may in found.items() if may]


def skip(desk: Desk, box: Box, *, key: str, token: str = "") -> Act:
    """To the end of the round; the second time its place is filled unanswered."""
    act, fresh = Act.once(desk.session, desk.user_id, key, SKIP, {"box": box.id}, desk.project.id)
    if fresh:
        box = desk.now(box.id)
        picks = desk.free(desk.picks([box.id]), token)
        act.before = {"picks": remembered(picks)}
        act.taken_back = not picks  # nothing was skipped, so there is nothing to undo
        for pick in picks:
            pick.skip(desk.session)
        rounds = desk.close_rounds({pick.round_id for pick in picks})
        words = "Skipped. It comes back at the end of the round." if picks else "Somebody else has this crop now."
        act.answer = {
            "kind": SKIP, "box_id": box.id, "image_id": box.image_id, "boxes": [box.id], "name": "Skip",
            "species_id": None, "certain": True, "late": not picks, "words": words,
            "round": newest(rounds),
        }  # fmt: skip
    return act


def answerable(desk: Desk, said: int | str) -> Species:
    """The species of this id or name, if this project can say it now. Raises Invalid, so that the page keeps the draft."""
    if isinstance(said, int):
        found = desk.session.get(Species, said) if 0 < said < 2**31 else None
        found = found if found and found.project_id == desk.project.id else None
    else:
        found = Species.named(desk.session, desk.project.id, said)
    if found is None:
        raise Invalid(f"species: {said if isinstance(said, int) else said[:80]!r} is not in this project's list")
    if found.retired_at is not None:
        raise Invalid(f"species: {found.name} was taken off the list. Choose another answer.")
    return found


def say(
    desk: Desk,
    act: Act,
    box_ids: list[int],
    box: Box,
    species: Species,
    *,
    certain: bool,
    pick_id: int | None,
    token: str,
) -> dict[str, Any]:
    """Write one voice for each box, fill the picks that are this person's to fill, close what is full."""
    boxes = desk.boxes(box_ids)
    box, box_ids = desk.now(box.id) if box.replaced_by_id else box, [each.id for each in boxes]
    picks = desk.picks(box_ids)
    mine = desk.free(picks, token)
    late = bool(token) and not any(pick.box_id == box.id for pick in mine) and not desk.has_spoken(box.id)
    asked_in = rounds_of(picks, pick_id)
    for each in boxes:
        each.answer(
            desk.session, species, by=desk.user_id, role=desk.role, act=act, certain=certain,
            round_id=asked_in.get(each.id), guess=desk.guess(each.id),
        )  # fmt: skip
    act.before = {"picks": remembered(mine)}
    desk.fill(mine, ANSWERED)
    rounds = desk.close_rounds({pick.round_id for pick in mine})
    name = "Empty photo" if act.kind == EMPTY_PHOTO else species.name
    sized = f"{name}, {len(boxes)} crops" if len(boxes) > 1 else name
    gone = box.deleted_at is not None
    return {
        "kind": act.kind, "box_id": box.id, "image_id": box.image_id, "boxes": box_ids, "name": sized,
        "species_id": species.id, "certain": certain, "late": late, "gone": gone,
        "words": GONE if gone else LATE if late else f"{sized} saved.",
        "round": rounds.get(asked_in.get(box.id, 0)) or desk.standing(asked_in.get(box.id)),
    }  # fmt: skip


def rounds_of(picks: list[Pick], pick_id: int | None) -> dict[int, int]:
    """box id -> the round it was asked in: that of the named pick, else the newest one."""
    asked_in = {pick.box_id: pick.round_id for pick in picks}
    return asked_in | {pick.box_id: pick.round_id for pick in picks if pick.id == pick_id}


def remembered(picks: list[Pick]) -> list[list[Any]]:
    """What undo needs to put the picks back as they were."""
    return [[pick.id, pick.position, pick.skips] for pick in picks]


def newest(rounds: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """The standing of the latest round touched."""
    return rounds[max(rounds)] if rounds else None
