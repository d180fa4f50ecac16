"""Everything the label page shows at once: the crop, the round, the species, the last answer."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

from app.dependencies import Access, House
from app.labeling import queries
from app.labeling.crops import Crop, crops_of, without_voices
from app.labeling.rolling import rolls
from app.labeling.veils import crops_now
from app.labeling.waiting import why_nothing
from models.act import Act
from models.base import utc_now
from models.box import Box
from models.desk import Desk
from models.lease import Lease
from models.meaning import meanings
from models.membership import Role
from models.predictions import predictions_of
from models.presence import company, names_here
from models.privacy import Opening, may_open
from models.round import Pick, lease_to, leases_of
from models.serving import serve
from models.species import FREE_KEYS, TAXON
from models.words import retold


def desk_of(access: Access, house: House) -> Desk:
    """The member's desk in the project."""
    classifier = queries.classifier_of(access.session, access.project)
    named = classifier.predictions if classifier and classifier.predictions else "predictions/none"
    predictions = predictions_of(house.store.root / named)
    meant = meanings(access.session, access.project.id)
    return Desk(access.session, access.project, access.user.id, access.role, predictions.meaning(meant))


def label_page(desk: Desk, box: Box | None, opening: Opening | None = None) -> dict[str, Any]:
    """What the template needs. box: the one asked for in the address, else the next one is leased. opening: of its photo."""
    panel, retired = empty_panel(desk)
    crop = (
        named_crop(desk, box, retired, opening)
        if box
        else next_crop(desk, retired)
        if panel["may_label"]
        else seen_crop(desk, retired)
    )
    rounds = queries.standings(desk.session, desk.project.id, [crop["round_id"]] if crop and crop["round_id"] else [])
    return {
        "crop": crop,
        "rounds": rounds,
        "standing": standing_of(crop, rounds),
        "waiting": None if crop else why_nothing(desk),
        "rate": queries.answers_a_minute(desk.session, desk.project.id, desk.user_id),
        "company": company(names_here(desk.session, desk.project.id, desk.user_id)),
    } | panel


def empty_panel(desk: Desk) -> tuple[dict[str, Any], set[int]]:
    """What the panel of answers needs besides the crop, and the species that are not offered any more."""
    species = queries.species_of(desk.session, desk.project.id, desk.project.names_language)
    panel = {
        "species": {each["id"]: each for each in species},
        "offered": offered(species),
        "rolls": rolls(desk),
        "fields": desk.project.asked_fields,
        "classifier": queries.learnt(desk.session, desk.project),
        "last": last_shown(desk),
        "may_open": may_open(desk.project, desk.role),
        "may_erase": desk.role is Role.admin,
        "may_label": desk.role.rank >= Role.annotator.rank,
        "key": secrets.token_hex(16),
    }
    return panel, {each["id"] for each in species if each["retired"]}


def panel_of(desk: Desk, box_id: int | None, opening: Opening | None = None) -> dict[str, Any]:
    """The panel for a crop that is looked at outside of its round."""
    panel, retired = empty_panel(desk)
    crop = crops_of(desk, [box_id], retired, opening)[box_id] if box_id else None
    return panel | {"crop": crop}


def next_crop(desk: Desk, retired: set[int]) -> Crop | None:
    """The person's next crop, leased."""
    taken = serve(desk, 1)
    return next(iter(leased_crops(desk, taken, retired)), None)


def named_crop(desk: Desk, box: Box, retired: set[int], opening: Opening | None) -> Crop:
    """The crop of the address; when it still waits and nobody else has it, it is leased too."""
    may_label = desk.role.rank >= Role.annotator.rank
    free = desk.free(desk.picks([box.id])) if may_label else []
    leases = leases_of(desk.session, [pick.id for pick in free])
    taken = [(pick, lease_to(desk.session, pick, leases.get(pick.id), desk.user_id, utc_now())) for pick in free[-1:]]
    leased = leased_crops(desk, taken, retired, opening)
    return leased[0] if leased else crops_of(desk, [box.id], retired, opening)[box.id]


def seen_crop(desk: Desk, retired: set[int]) -> Crop | None:
    """What a viewer looks at."""
    box_id = queries.first_to_look_at(desk.session, desk.project.id)
    return crops_of(desk, [box_id], retired)[box_id] if box_id else None


def leased_crops(
    desk: Desk, taken: Sequence[tuple[Pick, Lease]], retired: set[int], opening: Opening | None = None
) -> list[Crop]:
    """The crops of leased picks, in their order. What is asked beside the rounds looks like a crop of the newest one."""
    crops = crops_of(desk, [pick.box_id for pick, _lease in taken], retired, opening) if taken else {}
    newest = max((pick.round_id for pick, _lease in taken if pick.round_id), default=None)
    if newest is None and taken:
        newest = queries.newest_round(desk.session, desk.project.id)
    leased = []
    for pick, lease in taken:
        crop = crops[pick.box_id] | {
            "pick_id": pick.id,
            "lease_token": lease.token,
            "round_id": pick.round_id or newest,
        }
        if pick.is_blind:
            crop |= {"blind": True, "guesses": []}
        leased.append(crop if pick.round_id else without_voices(crop))
    return leased


def standing_of(crop: Crop | None, rounds: dict[int, dict[str, Any]]) -> dict[str, Any] | None:
    """The round of the crop, else the newest one."""
    if crop and crop["round_id"] in rounds:
        return rounds[crop["round_id"]]
    return rounds[max(rounds)] if rounds else None


def offered(species: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The species in the order of their keys, those without a key by name; and the four answers that are none."""
    here = [each for each in species if not each["retired"]]
    order = {key: place for place, key in enumerate(FREE_KEYS)}
    taxa = [each for each in here if each["kind"] == TAXON]
    taxa.sort(key=lambda each: (order.get(each["hotkey"], len(order)), each["name"].lower()))
    return {"taxa": taxa, "others": [each for each in here if each["kind"] != TAXON]}


def answer_of(act: Act) -> dict[str, Any]:
    """What an act answered; the row keeps its words in English, this person reads another language."""
    return act.answer | {name: retold(act.answer[name]) for name in ("name", "words") if name in act.answer}


def last_shown(desk: Desk) -> dict[str, Any]:
    """The foot of the panel: what was done last, and whether it can be taken back or done again."""
    newest = queries.newest_act(desk)
    standing = queries.last_acts(desk, 1)
    may_redo = newest is not None and newest.kind == "undo"
    return {"act": shown(desk, newest) if newest else None, "may_undo": bool(standing), "may_redo": may_redo}


def shown(desk: Desk, act: Act) -> dict[str, Any]:
    """What the foot says of an act."""
    answer = act.answer
    return {
        "box_id": answer["box_id"],
        "picture": crops_now(desk.session, [answer["box_id"]])[answer["box_id"]],
        "name": retold(answer["name"]),
        "taken_back": act.kind == "undo",
        "late": bool(answer.get("late")),
        "crop": answer["round"]["done"] if answer.get("round") else None,
    }
