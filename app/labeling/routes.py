"""The label page: the next crops, answers, skips, undo. Every act works as a plain form and as JSON.

`sent` comes first everywhere: the body is read whole before a writer's turn is taken, so that a slow sender holds nobody up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import (
    LARGEST_ID,
    Access,
    ActingAnnotator,
    ActingViewer,
    Annotator,
    InHouse,
    Reading,
    ReadingUser,
    Writing,
    WritingUser,
    access,
    not_yours,
)
from app.forms import go
from app.labeling import queries
from app.labeling.bodies import (
    NUMBER,
    Body,
    Commented,
    Counted,
    Drawn,
    Flagged,
    Said,
    SaidOfBurst,
    SentFields,
    TakenBack,
    Wanted,
    checked,
)
from app.labeling.crops import Crop, crops_of, crops_of_photo, guesses
from app.labeling.page import answer_of, desk_of, label_page, leased_crops
from app.labeling.review_filters import Filters
from app.labeling.rolling import Rolling
from app.labeling.veils import shown_now
from app.labeling.waiting import why_nothing
from app.pages import page, wants_page
from models.act import Act
from models.answering import ANSWERS, answer, answer_burst, count_animals, empty_photo, skip
from models.box import Box, current_ids
from models.desk import Desk
from models.drawing import draw
from models.errors import NotSignedIn
from models.image import GONE, Image
from models.membership import Role
from models.noting import comment, flag, keep_gold
from models.presence import company, names_here
from models.privacy import Opening
from models.round import ask_next
from models.serving import serve
from models.taking_back import redo, undo
from models.words import say

router = APIRouter(max_body_size=64 << 10)


@dataclass(frozen=True)
class AtBox:
    """A box and the desk of the member who acts on it."""

    box: Box
    access: Access
    desk: Desk


def at_box(box_id: int, session: Writing, user: WritingUser, house: InHouse) -> AtBox:
    """Raises NotYours for strangers, NotAllowed for viewers."""
    box = box_of(session, box_id)
    member = access(session, user, box.project_id, Role.annotator)
    member.project.expect_open()
    return AtBox(box, member, desk_of(member, house))


OpenId = Annotated[int | None, Query(ge=1, le=LARGEST_ID)]
ActingAtBox = Annotated[AtBox, Depends(at_box)]


def box_of(session: Session, box_id: int) -> Box:
    """Raises NotYours when there is none, or its photo was deleted or erased."""
    found = session.get(Box, box_id) if 0 < box_id <= LARGEST_ID else None
    if found is None or session.get_one(Image, found.image_id).state in GONE:
        raise not_yours()
    return found


def standing_box(session: Session, box_id: int) -> Box:
    """The box in whose place nobody put another one. Raises NotYours when there is none."""
    return session.get_one(Box, current_ids(session, [box_of(session, box_id).id])[box_id])


@router.get("/projects/{project_id}/label")
def show_label(
    request: Request, member: ActingViewer, house: InHouse, box: int | None = None, open: OpenId = None
) -> Response:
    """The next crop, or the one named in the address. Leasing it is no act that a third party could profit from.

    open: this person opened its photo, as a moment ago the button did.
    """
    wanted = standing_box(member.session, box) if box is not None else None
    if wanted is not None and wanted.project_id != member.project.id:
        raise not_yours()
    opening = Opening.alive(member.session, open, member.user.id)
    view = label_page(desk_of(member, house), wanted, opening)
    signed_in_at = request.state.sign_in.created_at
    return page(
        request, "labeling/label.html", project=member.project, tab="Label", signed_in_at=signed_in_at, **view
    )  # fmt: skip


@router.post("/projects/{project_id}/leases")
def lease_crops(sent: SentFields, member: ActingAnnotator, house: InHouse) -> Response:
    """The next crops for this person's desk; those it holds already are only renewed."""
    wanted = checked(Wanted, sent)
    by_whom(member, wanted)
    desk = desk_of(member, house)
    taken = serve(desk, wanted.count)
    retired = queries.retired_of(desk.session, desk.project.id)
    on_hand = [pick.box_id for pick, _lease in taken]
    fresh = [(pick, lease) for pick, lease in taken if pick.id not in set(wanted.have)]
    changed = wanted.classifier_id != desk.project.classifier_id
    rolling = Rolling(desk, retired)
    return JSONResponse(
        {
            "crops": leased_crops(desk, fresh, retired),
            **shown_now(desk.session, on_hand),
            "on_hand": [[pick.id, lease.token] for pick, lease in taken],
            "guesses": {
                pick.box_id: guesses(desk, pick.box_id, retired, rolling)
                for pick, _lease in taken
                if changed and not pick.is_blind
            },
            "rounds": queries.standings(
                desk.session, desk.project.id, {pick.round_id for pick, _lease in taken if pick.round_id}
            ),
            "classifier": queries.learnt(desk.session, desk.project),
            "rate": queries.answers_a_minute(desk.session, desk.project.id, desk.user_id),
            "company": company(names_here(desk.session, desk.project.id, desk.user_id)),
            "waiting": None if taken else why_nothing(desk),
        }
    )


@router.get("/projects/{project_id}/answered")
def show_answered(member: Annotator, house: InHouse, before: int | None = None) -> Response:
    """The crops that this person answered before, the newest first: where the arrow to the left leads after a reload."""
    desk = desk_of(member, house)
    acts = queries.last_acts(desk, before=min(before, LARGEST_ID) if before else None, kinds=ANSWERS)
    now = current_ids(desk.session, [act.answer["box_id"] for act in acts])
    crops = crops_of(desk, list(now.values()), set())
    answered = [crops[now[act.answer["box_id"]]] | {"act_id": act.id, "round": act.answer["round"]} for act in acts]
    return JSONResponse({"crops": answered})


@router.post("/boxes/{box_id}/labels")
def label_box(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Name the box."""
    said = checked(Said, sent)
    by_whom(at.access, said)
    act = answer(
        at.desk, at.box, said.species, key=said.idempotency_key, certain=said.certain, count=said.count,
        observed=said.observed, pick_id=said.pick_id, token=said.lease_token,
    )  # fmt: skip
    return told(request, at.desk, act)


@router.post("/boxes/{box_id}/count")
def count_in_photo(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Count the animals of the box's photo."""
    body = checked(Counted, sent)
    by_whom(at.access, body)
    return told(request, at.desk, count_animals(at.desk, at.box, body.count, key=body.idempotency_key))


@router.post("/boxes/{box_id}/flag")
def flag_box(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Ask for an expert, or no more."""
    body = checked(Flagged, sent)
    by_whom(at.access, body)
    return told(request, at.desk, flag(at.desk, at.box, raised=body.raised, key=body.idempotency_key))


@router.post("/boxes/{box_id}/gold")
def keep_as_gold(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Judge annotators by this crop, or no more."""
    body = checked(Flagged, sent)
    by_whom(at.access, body)
    return told(
        request, at.desk, keep_gold(at.desk, at.box, raised=body.raised, key=body.idempotency_key), show_crop=True
    )


@router.post("/boxes/{box_id}/comments")
def comment_box(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Say something beside the answer."""
    body = checked(Commented, sent)
    by_whom(at.access, body)
    return told(request, at.desk, comment(at.desk, at.box, body.text, key=body.idempotency_key))


@router.post("/boxes/{box_id}/drawing")
def draw_boxes(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Move, add and delete boxes of the box's photo."""
    body = checked(Drawn, sent)
    by_whom(at.access, body)
    return told(request, at.desk, draw(at.desk, at.box, body.drawing, key=body.idempotency_key))


@router.get("/boxes/{box_id}/photo")
def show_photo(
    box_id: int,
    session: Reading,
    user: ReadingUser,
    house: InHouse,
    seen: Annotated[list[int] | None, Query(max_length=100)] = None,
) -> Response:
    """The boxes of the box's photo as they are now, for a page whose drawing came too late. seen: the boxes that it showed."""
    box = box_of(session, box_id)
    desk = desk_of(access(session, user, box.project_id, Role.annotator), house)
    now = current_ids(session, [box_id, *queries.in_photo(session, box.image_id, seen or [])])
    gone = queries.deleted_among(session, list(now.values()))
    drawn = {"moved": [[old, new] for old, new in now.items() if old != new], "added": [], "deleted": gone}
    return JSONResponse(
        {"drawn": drawn, "image_id": box.image_id, "crops": photo_of(desk, box.image_id, [now[box_id]])}
    )


@router.post("/boxes/{box_id}/burst-labels")
def label_burst(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Name the box and others of its burst."""
    said = checked(SaidOfBurst, sent)
    by_whom(at.access, said)
    act = answer_burst(
        at.desk, at.box, said.boxes, said.species, key=said.idempotency_key, certain=said.certain, observed=said.observed,
        pick_id=said.pick_id, token=said.lease_token,
    )  # fmt: skip
    return told(request, at.desk, act)


@router.post("/boxes/{box_id}/empty-photo")
def call_photo_empty(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Nothing in the whole photo."""
    body = checked(Body, sent)
    by_whom(at.access, body)
    act = empty_photo(at.desk, at.box, key=body.idempotency_key, pick_id=body.pick_id, token=body.lease_token)
    return told(request, at.desk, act)


@router.post("/boxes/{box_id}/skip")
def skip_box(request: Request, sent: SentFields, at: ActingAtBox) -> Response:
    """Ask again later."""
    body = checked(Body, sent)
    by_whom(at.access, body)
    return told(request, at.desk, skip(at.desk, at.box, key=body.idempotency_key, token=body.lease_token))


@router.post("/projects/{project_id}/undo")
def take_back(request: Request, sent: SentFields, member: ActingAnnotator, house: InHouse) -> Response:
    """Take the newest act back and go to its crop."""
    body = checked(TakenBack, sent)
    by_whom(member, body)
    desk = desk_of(member, house)
    return told(request, desk, undo(desk, key=body.idempotency_key, of=body.of), show_crop=True)


@router.post("/projects/{project_id}/redo")
def do_again(request: Request, sent: SentFields, member: ActingAnnotator, house: InHouse) -> Response:
    """Do again what was taken back last."""
    body = checked(Body, sent)
    by_whom(member, body)
    desk = desk_of(member, house)
    return told(request, desk, redo(desk, key=body.idempotency_key), bring_crop=True)


@router.post("/projects/{project_id}/rounds/next")
def start_next_round(request: Request, member: ActingAnnotator) -> Response:
    """Do not wait for the others."""
    ask_next(member.session, member.project)
    if wants_page(request):
        return go(f"/projects/{member.project.id}/label")
    return JSONResponse({})


def by_whom(member: Access, body: Body | Wanted) -> None:
    """Raises NotSignedIn when the page was made for somebody else: the answer waits for that person's own sign-in."""
    if body.by is not None and body.by != member.user.id:
        raise NotSignedIn(say("These answers belong to somebody else. That person signs in and they are sent."))


def told(request: Request, desk: Desk, act: Act, *, show_crop: bool = False, bring_crop: bool = False) -> Response:
    """A form goes on to the next crop (after undo: to the one that was taken back); a script gets the stored answer."""
    label = f"/projects/{desk.project.id}/label"
    box_id = act.answer["box_id"]
    if wants_page(request):
        way = way_back(request, desk, box_id if show_crop else None)
        return go(way or (f"{label}?box={box_id}" if show_crop and box_id else label))
    extra: dict[str, Any] = {"act_id": act.id, "classifier_id": desk.project.classifier_id}
    if act.answer["boxes"]:
        extra |= shown_now(desk.session, act.answer["boxes"], box_id)
    if "drawn" in act.answer:
        extra["crops"] = photo_of(desk, act.answer["image_id"], [box_id])
    if (show_crop or bring_crop) and box_id:
        extra["crop"] = returned_crop(desk, box_id)
    return JSONResponse(answer_of(act) | extra)


def way_back(request: Request, desk: Desk, box_id: int | None) -> str | None:
    """To the case of the review page that comes next, or to this one; None where the answer came from elsewhere."""
    filters = Filters.read_back(request.query_params)
    if filters is None:
        return None
    after = request.query_params.get("next", "")
    return (
        f"/projects/{desk.project.id}/review{filters.query(box=box_id or (after if NUMBER.fullmatch(after) else None))}"
    )


def returned_crop(desk: Desk, box_id: int) -> dict[str, Any]:
    """The crop that undo leads to, with its lease where it waits again."""
    box_id = current_ids(desk.session, [box_id])[box_id]
    retired = queries.retired_of(desk.session, desk.project.id)
    taken = queries.leased_pick(desk, box_id)
    return leased_crops(desk, taken, retired)[0] if taken else crops_of(desk, [box_id], retired)[box_id]


def photo_of(desk: Desk, image_id: int, box_ids: list[int]) -> list[Crop]:
    """The crops of a photo."""
    now = current_ids(desk.session, box_ids)
    return crops_of_photo(desk, image_id, list(now.values()), queries.retired_of(desk.session, desk.project.id))
