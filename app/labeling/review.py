"""The review page: the queue of doubtful crops, one of them with everything that was said of it, and the panel of answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import LARGEST_ID, InHouse, Viewer, not_yours
from app.labeling import review_queries
from app.labeling.page import desk_of, panel_of
from app.labeling.review_queries import DIFFER, DOUBTED, FLAGGED, REASONS, UNCERTAIN, Case
from app.pages import page
from models.box import Box, current_ids
from models.desk import Desk
from models.label import EXPERTS
from models.membership import Role

router = APIRouter()
SHOWN = 100  # cases in the queue at once
CHIPS = {FLAGGED: "Flagged", DIFFER: "People differ", UNCERTAIN: "Not certain", DOUBTED: "The classifier differs"}


@router.get("/projects/{project_id}/review")
def review(
    request: Request,
    member: Viewer,
    house: InHouse,
    reason: str = "",
    box: Annotated[int | None, Query(ge=1, le=LARGEST_ID)] = None,
) -> Response:
    """The case of the address, else the first of the queue."""
    if reason not in ("", *REASONS):
        raise not_yours()
    desk = desk_of(member, house)
    every = review_queries.cases(member.session, member.project)
    queue = [case for case in every if reason in ("", case.reason)]
    at = next((place for place, case in enumerate(queue) if case.box_id == box), None)
    shown = box_of(desk, box) if box else queue[0].box_id if queue else None
    around = neighbours(queue, at if box else 0)
    return page(
        request, "labeling/review.html", project=member.project, tab="Review", reason=reason, chips=chips(every),
        total=len(queue), queue=queue[:SHOWN], shown=shown, before=around[0], after=around[1],
        case=queue[0 if at is None else at] if queue and (at is not None or not box) else None,
        settles=member.may(Role.expert), **panel_of(desk, shown), **said_of(desk, shown),
    )  # fmt: skip


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
    counts = [(reason, words, sum(case.reason == reason for case in every)) for reason, words in CHIPS.items()]
    return [chip for chip in counts if chip[2]]


def said_of(desk: Desk, box_id: int | None) -> dict[str, Any]:
    """Every voice about the crop, and the three flags: seen, reviewed, certain."""
    if box_id is None:
        return {
            "voices": [],
            "comments": [],
            "history": [],
            "outlines": [],
            "seen": 0,
            "reviewed": False,
            "certain": True,
        }
    spoken = review_queries.voices_of(desk.session, [box_id]).get(box_id, [])
    return {
        "voices": spoken,
        "comments": review_queries.comments_on(desk.session, box_id),
        "history": review_queries.history_of(desk.session, box_id),
        "outlines": review_queries.outlines_of(desk.session, box_id),
        "seen": len(spoken),
        "reviewed": any(voice.role in EXPERTS for voice in spoken),
        "certain": all(voice.certain for voice in spoken),
    }
