"""Rounds, and the next crops: what an own labeling client needs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StrictInt

from app.api import box_queries, round_queries
from app.api.access import Labeler, Viewer
from app.api.labels_routes import Id, Standing
from app.api.photo_shapes import BoxShape, Guess, PhotoShape, box_fields
from app.api.photos_routes import fields_of
from app.api.shapes import USUAL, After, Limit, Listed, Moment, Sent, Shape, listed, place_of
from app.dependencies import LARGEST_ID, Access, House, InHouse
from app.labeling.bodies import AHEAD
from app.labeling.crops import guesses
from app.labeling.page import desk_of
from app.labeling.queries import retired_of, standings
from app.labeling.rolling import Rolling
from app.labeling.waiting import why_nothing
from models.privacy import veils
from models.round import ask_next
from models.serving import Leased as Taken
from models.serving import serve

router = APIRouter(tags=["Rounds"])


class RoundShape(Shape):
    """The crops that people are asked about together."""

    id: int
    number: int
    state: str = Field(
        description="chosen: ahead. open: somebody works in it. full: every crop is answered or given up."
    )
    strategy: str = Field(description="How its crops were chosen.")
    size: int
    answered: int
    skipped: int
    left: int = Field(description="Crops without an answer.")
    chosen_at: Moment
    opened_at: Moment | None
    full_at: Moment | None


class Wanted(Sent):
    """The next crops."""

    count: Annotated[StrictInt, Field(ge=1, le=AHEAD)] = Field(AHEAD, description="How many shall lie on the desk.")
    have: Annotated[list[Id], Field(max_length=200)] = Field(
        [], description="pick_id of those that you hold: their leases are renewed and they are not sent again."
    )


class LeasedCrop(Shape):
    """A crop on this person's desk: nobody else gets it while the lease lasts (10 minutes from the last time it was asked)."""

    pick_id: int
    lease_token: str = Field(description="Send it with the answer.")
    leased_until: Moment
    round_id: int | None = Field(description="null: asked beside the rounds.")
    blind: bool = Field(description="It is to be answered without the classifier's guess.")
    box: BoxShape
    photo: PhotoShape
    guesses: list[Guess] = Field(description="The classifier's likeliest answers, at most five.")


class Desk(Shape):
    """What lies on the desk now."""

    crops: list[LeasedCrop]
    on_hand: list[int] = Field(description="pick_id of every crop on the desk, those of `have` too.")
    rounds: list[Standing]
    waiting: str | None = Field(description="Why there is no crop, for people; else null.")


class Asked(Shape):
    """Whether a round was asked for."""

    job_id: str | None = Field(description="The job that chooses it; null: one is ready, or no crop is left.")


@router.get("/projects/{project_id}/rounds")
def list_rounds(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[RoundShape]:
    """The newest first."""
    before = (place_of(after, int) or (LARGEST_ID,))[0]
    return listed(
        round_queries.rounds(member.session, member.project.id, before, limit + 1), limit, RoundShape, "number"
    )


@router.post("/projects/{project_id}/leases")
def lease_crops(member: Labeler, wanted: Wanted, house: InHouse) -> Desk:
    """The next crops for this person, in the order in which they are asked; those on the desk are renewed."""
    desk = desk_of(member, house)
    taken = serve(desk, wanted.count)
    fresh = [(pick, lease) for pick, lease in taken if pick.id not in set(wanted.have)]
    round_ids = {pick.round_id for pick, _lease in taken if pick.round_id}
    return Desk(
        crops=leased(member, house, fresh),
        on_hand=[pick.id for pick, _lease in taken],
        rounds=[Standing(**each) for each in standings(desk.session, desk.project.id, round_ids).values()],
        waiting=None if taken else why_nothing(desk)["words"],
    )


@router.post("/projects/{project_id}/rounds/next")
def start_next_round(member: Labeler) -> Asked:
    """Do not wait until the open round is full."""
    job = ask_next(member.session, member.project)
    return Asked(job_id=job.id if job else None)


def leased(member: Access, house: House, taken: list[Taken]) -> list[LeasedCrop]:
    """Each with its photo and, where it is not asked blind, with what the classifier says. Beside the rounds nobody hears what
    others said."""
    desk = desk_of(member, house)
    boxes = {box.id: box for box in round_queries.boxes(desk.session, [pick.box_id for pick, _lease in taken])}
    photos = box_queries.photos_of(desk.session, list(boxes.values()))
    fields = {each["id"]: each for each in fields_of(member, list(photos.values()))}
    over = veils(desk.session, photos)
    silent, blind = box_queries.untold(desk, list(boxes.values()))
    retired = retired_of(desk.session, desk.project.id)
    rolling = Rolling(desk, retired)
    crops = []
    for pick, lease in taken:
        box = boxes[pick.box_id]
        is_blind = pick.is_blind or box.id in blind
        shown = box_fields(
            box, over.get(box.image_id), unheard=box.id in silent or pick.round_id is None, blind=is_blind
        )
        said = [] if is_blind else [Guess(**each) for each in guesses(desk, box.id, retired, rolling)]
        crops.append(
            LeasedCrop(
                pick_id=pick.id, lease_token=lease.token, leased_until=lease.expires_at, round_id=pick.round_id,
                blind=is_blind, box=BoxShape(**shown), photo=PhotoShape(**fields[box.image_id]), guesses=said,
            )
        )  # fmt: skip
    return crops
