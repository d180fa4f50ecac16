"""What a person does at the desk: answer a crop, a burst or many, count, skip. Each is one Act under one key (DECISIONS 7).

An answer is never refused because it is late: when somebody else has the crop now, it is kept as a second voice with its round.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import exists, or_, select

from models.act import Act
from models.beside import ask_voices, learn_from_voices
from models.box import Box, askable, current_ids, settle
from models.desk import Desk
from models.drawing import BOXES
from models.errors import Invalid
from models.event import mark_photos
from models.image import CountCorrection, Image
from models.label import Label
from models.meaning import meanings
from models.names import commonly
from models.note import COMMENT, FLAG, GOLD, NO_GOLD, UNFLAG
from models.observed import NOTHING, Observed
from models.round import ANSWERED, Pick
from models.species import TAXON, Species
from models.words import figure, mark, written
from models.words import say as in_words

ANSWER, EMPTY_PHOTO, BURST, GRID, COUNT, SKIP = "answer", "empty_photo", "burst", "grid", "count", "skip"
STATIC = "static"  # one word for a box that lies in one place again and again (models/deciding.py)
SPLIT = "split"  # one species was two (models/splitting.py)
ANSWERS = (ANSWER, EMPTY_PHOTO, BURST, GRID, STATIC, SKIP)
DOINGS = (*ANSWERS, SPLIT, COUNT, FLAG, UNFLAG, COMMENT, GOLD, NO_GOLD, BOXES)
MOST = 100_000  # animals in a photo
MOST_AT_ONCE = 2_000  # crops named by one act: half a second of a writer's turn
GONE = mark("Somebody deleted this box meanwhile; your answer stays in its history.")
LATE = mark("This crop was given to somebody else; your answer is kept as a second voice.")


def answer(
    desk: Desk,
    box: Box,
    said: int | str,
    *,
    key: str,
    certain: bool = True,
    count: int | None = None,
    observed: Observed = NOTHING,
    pick_id: int | None = None,
    token: str = "",
) -> Act:
    """Name one box. said: the id of a species or a name. count: how many of them are in the photo, where a person counted.

    Raises Invalid for a species that cannot be said and a count that cannot be, KeyReused.
    """
    body: dict[str, Any] = {"box": box.id, "species": said, "certain": certain} | observed.said
    if count is not None:
        body["count"] = countable(count)
    act, fresh = Act.once(desk.session, desk.user_id, key, ANSWER, body, desk.project.id)
    if fresh:
        species = answerable(desk, said)
        act.answer = say(
            desk, act, {box.id: species}, box, certain=certain, observed=observed, pick_id=pick_id, token=token
        )
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
        name = f"{count:,} {species.name}" if species else written("%(count)s in the photo", count=f"{count:,}")
        act.before = {"picks": []}
        act.answer = {
            "kind": COUNT, "box_id": box.id, "image_id": box.image_id, "boxes": [box.id], "name": name,
            "species_id": species.id if species else None, "certain": True, "late": False,
            "words": written("%(name)s, counted.", name=name), "round": None,
        }  # fmt: skip
    return act


def countable(count: int) -> int:
    """Raises Invalid unless so many animals can be in a photo."""
    if not 0 <= count <= MOST:
        raise Invalid("count: " + in_words("a number from 0 to %(most)s", most=figure(MOST)))
    return count


def keep_count(desk: Desk, act: Act, box: Box, species_id: int | None, count: int) -> None:
    """A newer row; the older ones stay."""
    desk.session.add(
        CountCorrection(image_id=box.image_id, species_id=species_id, count=count, user_id=desk.user_id, act_id=act.id)
    )
    desk.session.flush()
    mark_photos(desk.session, desk.project.id, [box.image_id])


def empty_photo(desk: Desk, box: Box, *, key: str, pick_id: int | None = None, token: str = "") -> Act:
    """Nothing in the whole photo: every box that could be asked about is "not an animal", as one act."""
    act, fresh = Act.once(desk.session, desk.user_id, key, EMPTY_PHOTO, {"box": box.id}, desk.project.id)
    if fresh:
        here = select(Box.id).where(Box.image_id == box.image_id, or_(askable(desk.project), Box.id == box.id))
        species = Species.of_kind(desk.session, desk.project.id, "not_animal")
        names = dict.fromkeys(sorted(desk.session.scalars(here)), species)
        act.answer = say(desk, act, names, box, certain=True, pick_id=pick_id, token=token)
    return act


def answer_burst(
    desk: Desk,
    box: Box,
    box_ids: Sequence[int],
    said: int | str,
    *,
    key: str,
    certain: bool = True,
    observed: Observed = NOTHING,
    pick_id: int | None = None,
    token: str = "",
) -> Act:
    """Name the crop on the desk and the others of its burst that the person saw and did not take out, as one act.

    The answer spreads: the others' labels are of this act but not its box. What this person said of one of them before stays.
    Raises Invalid for a species that cannot be said and for a box of another burst, KeyReused.
    """
    others = sorted(set(box_ids) - {box.id})
    body = {"box": box.id, "boxes": others, "species": said, "certain": certain} | observed.said
    act, fresh = Act.once(desk.session, desk.user_id, key, BURST, body, desk.project.id)
    if fresh:
        species = answerable(desk, said)
        box = desk.now(box.id)
        others = sorted(set(current_ids(desk.session, others).values()) - {box.id})
        spoken = select(Label.box_id).where(Label.box_id.in_(others), Label.user_id == desk.user_id)
        mine = set(desk.session.scalars(spoken))
        spread = [box_id for box_id in in_burst(desk, box, others) if box_id not in mine]
        names = dict.fromkeys(sorted([box.id, *spread]), species)
        act.answer = say(desk, act, names, box, certain=certain, observed=observed, pick_id=pick_id, token=token)
    return act


def in_burst(desk: Desk, box: Box, box_ids: list[int]) -> list[int]:
    """Those that can still be asked about. Raises Invalid where one lies in another burst than the crop on the desk."""
    burst = select(Image.sequence_id).where(Image.id == box.image_id).scalar_subquery()
    here = select(Box.id, askable(desk.project)).join(Image, Image.id == Box.image_id)
    rows = desk.session.execute(here.where(Box.id.in_(box_ids), Image.sequence_id == burst))
    found = {row[0]: row[1] for row in rows}
    for box_id in box_ids:
        if box_id not in found:
            raise Invalid(
                "boxes: "
                + in_words("%(box_id)s is not in the burst of crop %(box_id_2)s", box_id=box_id, box_id_2=box.id)
            )
    return [box_id for box_id, may in found.items() if may]


def empty_photos(desk: Desk, box: Box, box_ids: Iterable[int], *, key: str) -> Act:
    """The same for the photos of many boxes, as one act. box: where undo leads to, one of them."""
    wanted = sorted({box.id, *box_ids})
    act, fresh = Act.once(
        desk.session, desk.user_id, key, EMPTY_PHOTO, {"box": box.id, "boxes": wanted}, desk.project.id
    )
    if fresh:
        check_size(wanted)
        photos = select(Box.image_id).where(Box.id.in_(nameable(desk, wanted)))
        here = select(Box.id).where(Box.image_id.in_(photos), or_(askable(desk.project), Box.id.in_(wanted)))
        species = Species.of_kind(desk.session, desk.project.id, "not_animal")
        names = dict.fromkeys(sorted(desk.session.scalars(here)), species)
        act.answer = say(desk, act, names, box, certain=True, pick_id=None, token="") | {"shown": wanted}
    return act


def check_size(box_ids: Sequence[int]) -> None:
    """Raises Invalid for more boxes than one act can name."""
    if len(box_ids) > MOST_AT_ONCE:
        raise Invalid("boxes: " + in_words("at most %(most_at_once)s crops at once", most_at_once=figure(MOST_AT_ONCE)))


def answer_many(desk: Desk, box: Box, said: Mapping[int, int], *, key: str, certain: bool = True) -> Act:
    """Name many boxes as one act, each by what stands beside it: a selection of tiles, or the classifier's word for each.

    box: where undo leads to, one of them. said: box id -> species id. Raises Invalid for a species that cannot be said and for a
    box that is not there or cannot be asked about, KeyReused.
    """
    body = {"box": box.id, "said": sorted(said.items()), "certain": certain}
    act, fresh = Act.once(desk.session, desk.user_id, key, GRID, body, desk.project.id)
    if fresh:
        check_size(list(said))
        if box.id not in said:
            raise Invalid("said: " + in_words("crop %(box_id)s is not among those that are named", box_id=box.id))
        nameable(desk, said)
        species = {species_id: answerable(desk, species_id) for species_id in sorted(set(said.values()))}
        names = {box_id: species[said[box_id]] for box_id in sorted(said)}
        kept = said_beside(desk, names)
        act.answer = say(desk, act, names, box, certain=certain, kept=kept, pick_id=None, token="")
    return act


def said_beside(desk: Desk, names: Mapping[int, Species]) -> dict[int, Observed]:
    """What this person said beside the same name before, so that naming a selection does not take it away; by box."""
    now = current_ids(desk.session, names)
    mine = select(Label).where(Label.box_id.in_(set(now.values())), Label.user_id == desk.user_id).order_by(Label.id)
    newest = {label.box_id: label for label in desk.session.scalars(mine)}
    meant = meanings(desk.session, desk.project.id)
    return {
        now[box_id]: newest[now[box_id]].observed
        for box_id, species in names.items()
        if now[box_id] in newest and meant.of(newest[now[box_id]].species_id) == meant.of(species.id)
    }


def nameable(desk: Desk, box_ids: Iterable[int]) -> list[int]:
    """The same by rising id, for one that was moved the one in its place; a deleted one keeps what is said of it.

    Raises Invalid for one that this project cannot ask about and that nobody was ever asked about or has spoken of.
    """
    now = current_ids(desk.session, box_ids)
    here = select(Box.id).where(
        Box.id.in_(set(now.values())),
        Box.project_id == desk.project.id,
        or_(
            askable(desk.project),
            Box.deleted_at.is_not(None),
            Box.drawn,
            exists().where(Pick.box_id == Box.id),
            exists().where(Label.box_id == Box.id),
        ),
    )
    found = set(desk.session.scalars(here))
    for box_id in sorted(now):
        if now[box_id] not in found:
            raise Invalid(
                "boxes: "
                + in_words("crop %(box_id)s is not among those of this project that can be named", box_id=box_id)
            )
    return sorted(set(now.values()))


def skip(desk: Desk, box: Box, *, key: str, token: str = "", others: Iterable[int] = ()) -> Act:
    """To the end of the round; the second time its place is filled unanswered. others: boxes that are skipped with it."""
    box_ids = sorted({box.id, *others})
    body = {"box": box.id} | ({"boxes": box_ids} if len(box_ids) > 1 else {})
    act, fresh = Act.once(desk.session, desk.user_id, key, SKIP, body, desk.project.id)
    if fresh:
        box = desk.now(box.id)
        boxes = desk.boxes(nameable(desk, box_ids))
        box_ids = [each.id for each in boxes]
        picks = desk.free(desk.picks(box_ids), token)
        act.before = {"picks": remembered(picks)}
        act.taken_back = not picks  # nothing was skipped, so there is nothing to undo
        for pick in picks:
            pick.skip(desk.session, desk.user_id)
        if any(pick.round_id is None for pick in picks):
            ask_voices(desk.session, boxes)
        rounds = desk.close_rounds({pick.round_id for pick in picks})
        words = (
            written("Skipped. It comes back at the end of the round.")
            if picks
            else written("Somebody else has this crop now.")
        )
        name = written("Skip, %(count)s crops", count=len(box_ids)) if len(box_ids) > 1 else written("Skip")
        act.answer = {
            "kind": SKIP, "box_id": box.id, "image_id": box.image_id, "boxes": box_ids, "name": name,
            "species_id": None, "certain": True, "late": not picks, "words": words,
            "round": newest(rounds),
        }  # fmt: skip
    return act


def answerable(desk: Desk, said: int | str) -> Species:
    """The species of this id or name, if this project can say it now. Raises Invalid, so that the page keeps the draft.

    One that was merged is said as it is, and understood as the one it was merged into.
    """
    if isinstance(said, int):
        found = desk.session.get(Species, said) if 0 < said < 2**31 else None
        found = found if found and found.project_id == desk.project.id else None
    else:
        found = Species.named(desk.session, desk.project.id, said) or commonly(desk.session, desk.project.id, said)
    if found is None:
        raise Invalid(
            "species: "
            + in_words(
                "%(value)s is not in this project's list",
                value=repr(said if isinstance(said, int) else said[:80]),
            )
        )
    now = meant_by(desk, found)
    if now.retired_at is not None:
        raise Invalid("species: " + in_words("%(name)s was taken off the list. Choose another answer.", name=now.name))
    return found


def meant_by(desk: Desk, said: Species) -> Species:
    """The species that this one means now; a page that was open before a merge still says the old one."""
    if said.merged_into_id is None:
        return said
    return desk.session.get_one(Species, meanings(desk.session, desk.project.id).of(said.id))


def say(
    desk: Desk,
    act: Act,
    names: Mapping[int, Species],
    box: Box,
    *,
    certain: bool,
    observed: Observed = NOTHING,
    kept: Mapping[int, Observed] = MappingProxyType({}),
    pick_id: int | None,
    token: str,
) -> dict[str, Any]:
    """Write one voice for each box, fill the picks that are this person's to fill, close what is full.

    names: box id, rising -> what it is called. box: the one on the desk. observed: of all; kept: of some, by box.
    """
    boxes = desk.boxes(names)
    now = current_ids(desk.session, names)
    names = {now[box_id]: species for box_id, species in names.items()}
    box, box_ids = desk.now(box.id), [each.id for each in boxes]
    picks = desk.picks(box_ids)
    mine = desk.free(picks, token)
    late = bool(token) and not any(pick.box_id == box.id for pick in mine) and not desk.has_spoken(box.id)
    asked_in = rounds_of(picks, pick_id)
    desk.session.add_all(
        each.voice(
            names[each.id], by=desk.user_id, role=desk.role, act=act, certain=certain, round_id=asked_in.get(each.id),
            guess=desk.guess(each.id), observed=kept.get(each.id, observed),
        )
        for each in boxes
    )  # fmt: skip
    desk.session.flush()
    settle(desk.session, boxes)
    act.before = {"picks": remembered(mine)}
    desk.fill(mine, ANSWERED)
    if any(each.waits_for for each in boxes) or any(pick.round_id is None for pick in picks):
        ask_voices(desk.session, boxes)
    rounds = desk.close_rounds({pick.round_id for pick in mine})
    if any(pick.round_id is None for pick in mine):
        learn_from_voices(desk.session, desk.project)
    species = meant_by(desk, names[box.id]) if len({each.id for each in names.values()}) == 1 else None
    name = written("Empty photo") if act.kind == EMPTY_PHOTO else species.name if species else written("Several names")
    sized = written("%(name)s, %(count)s crops", name=name, count=len(boxes)) if len(boxes) > 1 else name
    gone = box.deleted_at is not None
    return {
        "kind": act.kind, "box_id": box.id, "image_id": box.image_id, "boxes": box_ids, "name": sized,
        "species_id": species.id if species else None, "certain": certain, "late": late, "gone": gone,
        "words": GONE if gone else LATE if late else written("%(name)s saved.", name=sized),
        "round": rounds.get(asked_in.get(box.id, 0)) or desk.standing(asked_in.get(box.id)),
    }  # fmt: skip


def rounds_of(picks: list[Pick], pick_id: int | None) -> dict[int, int]:
    """box id -> the round it was asked in: that of the named pick, else the newest one."""
    of_rounds = [(pick.id, pick.box_id, pick.round_id) for pick in picks if pick.round_id is not None]
    asked_in = {box_id: round_id for _id, box_id, round_id in of_rounds}
    return asked_in | {box_id: round_id for id_, box_id, round_id in of_rounds if id_ == pick_id}


def remembered(picks: list[Pick]) -> list[list[Any]]:
    """What undo needs to put the picks back as they were."""
    return [[pick.id, pick.position, pick.skips] for pick in picks]


def newest(rounds: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """The standing of the latest round touched."""
    return rounds[max(rounds)] if rounds else None
