"""A crop as the page and the script see it: the box, its photo, its burst, the classifier's five, what was said before."""

from __future__ import annotations

from typing import Any

from app.labeling import crop_queries, queries
from app.labeling.crop_queries import AnyRow
from app.labeling.rolling import Rolling
from app.labeling.veils import Veils
from app.pages import camera_time
from models.desk import Desk
from models.meaning import Meanings, meanings
from models.note import COMMENT, FLAG, UNFLAG
from models.observed import Observed
from models.privacy import Opening, veils
from models.words import say

GUESSES = 5
FRAMES = 12  # photos of a burst on the film strip

Crop = dict[str, Any]


def crops_of(desk: Desk, box_ids: list[int], retired: set[int], opening: Opening | None = None) -> dict[int, Crop]:
    """box id -> its crop, in a handful of questions for all of them. retired: species that are not offered any more.

    One that waits to be asked blind comes without guess, one about which others must not be heard yet without what they said.
    opening: of the photo that this person opened on this page.
    """
    meant = meanings(desk.session, desk.project.id)
    boxes = crop_queries.boxes_of(desk.session, box_ids)
    near = crop_queries.bursts_around(desk.session, boxes.values())
    bursts = {box.id: burst_of(box, near.get(box.sequence_id, [])) for box in boxes.values()}
    photos = {box.image_id for box in boxes.values()} | {row.id for rows in bursts.values() for row in rows}
    over = Veils(veils(desk.session, photos), opening)
    beside = crop_queries.boxes_in_photos(desk.session, desk.project, photos)
    in_sight = {*box_ids, *(each.id for every in beside.values() for each in every)}
    unheard = queries.unheard(desk, sorted(in_sight))
    blind = queries.waiting_blind(desk, box_ids)
    said = crop_queries.voices(desk.session, desk.user_id, box_ids)
    notes = crop_queries.notes_on(desk.session, box_ids)
    counts = crop_queries.counts_in(desk.session, {box.image_id for box in boxes.values()})
    rolling = Rolling(desk, retired)
    crops = {
        box_id: {
            "box_id": box_id,
            "picture": over.crop(box.image_id, box_id, is_cut=box.embedder_id is not None),
            "image": photo(box) | over.photo(box.image_id),
            **place(box, beside.get(box.image_id, []), desk.project.count_above),
            "burst": frames(box, bursts[box_id], beside, over, unheard, meant),
            "guesses": [] if box_id in blind else guesses(desk, box_id, retired, rolling),
            "said": voice(said.get(box_id), meant),
            "counts": {meant.of(each): count for each, count in counts.get(box.image_id, {}).items()},
            "flagged": is_flagged(notes.get(box_id, [])),
            "comments": [{"by": row.name, "text": row.text} for row in notes.get(box_id, []) if row.kind == COMMENT],
            "blind": box_id in blind,
            "pick_id": None,
            "lease_token": "",
            "round_id": None,
        }
        for box_id, box in boxes.items()
    }
    return {box_id: without_voices(crop) if box_id in unheard else crop for box_id, crop in crops.items()}


def without_voices(crop: Crop) -> Crop:
    """Without what others said of it: its name and its comments."""
    own = crop["box_id"]
    burst = [
        frame | {"crops": [each | {"species_id": None} if each["box_id"] == own else each for each in frame["crops"]]}
        for frame in crop["burst"]
    ]
    return crop | {"burst": burst, "comments": [], "counts": {}}


def crops_of_photo(desk: Desk, image_id: int, box_ids: list[int], retired: set[int]) -> list[Crop]:
    """Every box of a photo that can be asked about or counts, and these."""
    beside = crop_queries.boxes_in_photos(desk.session, desk.project, [image_id])[image_id]
    return list(crops_of(desk, sorted({*box_ids, *(box.id for box in beside)}), retired).values())


def photo(box: AnyRow) -> dict[str, Any]:
    """The photo of a box."""
    return {
        "id": box.image_id,
        "burst": box.sequence_id,
        "width": box.width_px or 4,
        "height": box.height_px or 3,
        "file": box.path.rsplit("/", 1)[-1],
        "camera": box.camera,
        "time": camera_time(box.taken_at, box.zone, box.captured_at),
        "clock": f"{box.taken_at:%H:%M:%S}" if box.taken_at else say("no time"),
    }


def place(box: AnyRow, beside: list[AnyRow], count_above: float) -> dict[str, Any]:
    """Where the box lies, what lies beside it, and how many animals the boxes make."""
    others = [each for each in beside if each.id != box.id]
    return {
        "box": corners(box),
        "others": [corners(each) for each in others],
        "boxes": [{"box_id": each.id, "box": corners(each)} for each in beside],
        "drawn": box.drawn,
        "score": round(box.score, 2),
        "number": 1 + sum(each.ordinal < box.ordinal for each in others),
        "of": 1 + len(others),
        "counted": sum(each.score >= count_above for each in [box, *others]),
    }


def corners(box: AnyRow) -> list[float]:
    """x_min, y_min, x_max, y_max as shares of the photo."""
    return [round(share, 5) for share in (box.x_min, box.y_min, box.x_max, box.y_max)]


def burst_of(box: AnyRow, near: list[AnyRow]) -> list[AnyRow]:
    """The photos of the burst, at most FRAMES around the crop's own; none where it stands alone."""
    at = next((index for index, row in enumerate(near) if row.id == box.image_id), None)
    if at is None:
        return []
    start = max(0, min(at - FRAMES // 2, len(near) - FRAMES))
    return near[start : start + FRAMES]


def frames(
    box: AnyRow,
    shown: list[AnyRow],
    boxes: dict[int, list[AnyRow]],
    over: Veils,
    unheard: set[int],
    meant: Meanings,
) -> list[dict[str, Any]]:
    """What the film strip shows; seconds are counted from its first photo. crops: what can be asked about in each photo, with
    the settled name, which an unheard one does not tell."""
    if not shown:
        own = named(boxes.get(box.image_id, []), unheard, meant)
        return [{"id": box.image_id, "seconds": 0, "crops": own, **over.photo(box.image_id)}]
    return [
        {
            "id": row.id,
            "seconds": round((row.taken_at - shown[0].taken_at).total_seconds()),
            "crops": named(boxes.get(row.id, []), unheard, meant),
            **over.photo(row.id),
        }
        for row in shown
    ]


def named(boxes: list[AnyRow], unheard: set[int], meant: Meanings) -> list[dict[str, Any]]:
    """Box ids with the settled species, or none."""
    return [
        {"box_id": box.id, "species_id": None if box.id in unheard else meant.of(box.settled_species_id)}
        for box in boxes
        if box.askable
    ]


def guesses(desk: Desk, box_id: int, retired: set[int], rolling: Rolling) -> list[dict[str, Any]]:
    """The classifier's most likely answers; none before the first fit. The first carries what it is rolled up to, if it is."""
    if not desk.predictions.parts:
        return []
    top = desk.predictions.top(box_id, GUESSES + len(retired))
    found: list[dict[str, Any]] = [
        {"species_id": species_id, "p": round(p, 3)} for species_id, p in top if species_id not in retired
    ][:GUESSES]
    if found:
        found[0] |= rolling.beside(box_id, top[0][1])
    return found


def is_flagged(notes: list[AnyRow]) -> bool:
    """Whether the newest word about a flag raised it."""
    flags = [row.kind for row in notes if row.kind in (FLAG, UNFLAG)]
    return bool(flags) and flags[-1] == FLAG


def voice(row: AnyRow | None, meant: Meanings) -> dict[str, Any] | None:
    """What was said; nothing when it was taken back."""
    if row is None or row.species_id is None:
        return None
    beside = Observed(row.sex, row.life_stage, row.behaviour).said
    return {"species_id": meant.of(row.species_id), "certain": row.certain} | beside
