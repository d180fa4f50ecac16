"""The review page: the queue of doubtful crops or a list by filters, one crop with all that was said of it, the answers."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import LARGEST_ID, InHouse, Viewer, not_yours
from app.labeling import queries, review_lists, review_queries
from app.labeling.page import desk_of, panel_of
from app.labeling.review_filters import STATES, Filters
from app.labeling.review_lists import LOOKED, SHOWN, Listed
from app.labeling.review_queries import DIFFER, DOUBTED, FLAGGED, UNCERTAIN, UNLIKE, Case
from app.labeling.veils import crops_now
from app.pages import page
from models.beside import gold_boxes
from models.box import Box, current_ids
from models.consensus import EXPERTS
from models.desk import Desk
from models.label import Label
from models.meaning import meanings
from models.membership import Role
from models.privacy import Opening
from models.words import mark, translated

router = APIRouter()
CHIPS = {
    FLAGGED: mark("Flagged"),
    DIFFER: mark("People differ"),
    UNLIKE: mark("Neighbours differ"),
    DOUBTED: mark("The classifier differs"),
    UNCERTAIN: mark("Not certain"),
}


@router.get("/projects/{project_id}/review")
def review(
    request: Request,
    member: Viewer,
    house: InHouse,
    box: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
    open: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> Response:
    """The case of the address, else the first of the queue or of the list that the filters make. open: this person opened its
    photo.
    """
    filters = Filters.read(request.query_params)
    desk = desk_of(member, house)
    every, found = queue_of(desk, filters)
    queue = found.cases
    at = next((place for place, case in enumerate(queue) if case.box_id == box), None)
    shown = box_of(desk, box) if box else queue[0].box_id if queue else None
    around = neighbours(queue, at if box else 0)
    opening = Opening.alive(member.session, open, member.user.id)
    panel = panel_of(desk, shown, opening)
    return page(
        request, "labeling/review.html", project=member.project, tab="Review", filters=filters, chips=chips(every),
        total=len(queue), queue=queue[:SHOWN], found=found, shown=shown, before=around[0], after=around[1],
        case=queue[0 if at is None else at] if queue and (at is not None or not box) else None,
        back=filters.back(around[1]), settles=member.may(Role.expert), gold_key=secrets.token_hex(16),
        pictures=crops_now(desk.session, [each.box_id for each in queue[:SHOWN]]), **choices(desk, panel["offered"]),
        **panel, **said_of(desk, shown),
    )  # fmt: skip


def queue_of(desk: Desk, filters: Filters) -> tuple[list[Case], Listed]:
    """(every doubtful crop that the filters let through, those of the reason); a list has no reasons."""
    if filters.state:
        return [], review_lists.listed(desk, filters)
    doubtful = review_queries.cases(desk.session, desk.project)
    later = queries.unheard(desk, [case.box_id for case in doubtful])
    heard = [case for case in doubtful if case.box_id not in later]
    every = review_lists.narrowed(desk.session, heard, filters)
    return every, Listed([case for case in every if filters.reason in ("", case.reason)], more=False, cut=False)


def choices(desk: Desk, offered: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """What the form of the filters offers."""
    names = [(each["id"], each["name"]) for each in offered["taxa"] + offered["others"]]
    people = review_lists.speakers(desk.session, desk.project.id)
    cameras = review_lists.cameras(desk.session, desk.project.id)
    return {
        "states": {name: translated(words) for name, words in STATES.items()},
        "names": names, "people": people, "people_by_id": dict(people), "cameras": cameras,
        "cameras_by_id": dict(cameras), "looked": LOOKED,
    }  # fmt: skip


def box_of(desk: Desk, box_id: int) -> int:
    """The box in its place now. Raises NotYours unless it is of this project."""
    found = desk.session.get(Box, box_id)
    if found is None or found.project_id != desk.project.id:
        raise not_yours()
    return current_ids(desk.session, [box_id])[box_id]


def neighbours(queue: list[Case], at: int | None) -> tuple[int | None, int | None]:
    """The boxes of the cases before and after; after one that has left the queue comes its first."""
    if at is None:
        return None, queue[0].box_id if queue else None
    before = queue[at - 1].box_id if at > 0 else None
    return before, queue[at + 1].box_id if at + 1 < len(queue) else None


def chips(every: list[Case]) -> list[tuple[str, str, int]]:
    """(reason, words, how many) of those that there are."""
    counts = [
        (reason, translated(words), sum(case.reason == reason for case in every)) for reason, words in CHIPS.items()
    ]
    return [chip for chip in counts if chip[2]]


def said_of(desk: Desk, box_id: int | None) -> dict[str, Any]:
    """Every voice about the crop, and the three flags: seen (somebody answered), reviewed (an expert did), certain (whoever
    settled it was)."""
    is_unheard = box_id is not None and bool(queries.unheard(desk, [box_id]))
    if box_id is None or is_unheard:
        return {
            "voices": [], "comments": [], "history": [], "outlines": [], "seen": 0, "reviewed": False, "certain": True,
            "is_gold": False, "waits_for": None, "is_unheard": is_unheard,
        }  # fmt: skip
    spoken = review_queries.voices_of(desk.session, [box_id], meanings(desk.session, desk.project.id)).get(box_id, [])
    settled_id = desk.session.get_one(Box, box_id).settled_label_id
    settled = desk.session.get(Label, settled_id) if settled_id else None
    return {
        "is_unheard": False,
        "voices": spoken,
        "comments": review_queries.comments_on(desk.session, box_id),
        "history": review_queries.history_of(desk.session, box_id),
        "outlines": review_queries.outlines_of(desk.session, box_id),
        "seen": len(spoken),
        "reviewed": any(voice.role in EXPERTS for voice in spoken),
        "certain": settled is None or settled.certain,
        "is_gold": desk.role.value in EXPERTS and box_id in gold_boxes(desk.session, desk.project.id, box_id),
        "waits_for": desk.session.get_one(Box, box_id).waits_for,
    }
