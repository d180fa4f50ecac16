"""The grid: many alike crops at once. A plain form of checkboxes; static/js/labeling/grid.js adds keys, drag, a long list."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BeforeValidator
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from app.dependencies import LARGEST_ID, Access, ActingAnnotator, InHouse, Viewer, not_yours
from app.forms import go
from app.labeling import grid_queries, queries
from app.labeling.bodies import AboutMany, Body, SaidOfMany, SentFields, checked
from app.labeling.page import answer_of, desk_of, empty_panel
from app.labeling.routes import box_of, by_whom
from app.labeling.tiles import ALIKE, ALL, ROUND, SORTS, Asked, columns, grid_of
from app.labeling.veils import shown_now
from app.pages import page, wants_page
from models.act import Act
from models.answering import MOST_AT_ONCE, answer_many, answerable, empty_photos, skip
from models.box import Box
from models.desk import Desk
from models.errors import Invalid
from models.words import say, translated

router = APIRouter(max_body_size=128 << 10)
PLAIN = 100  # tiles of the page without script
ABSENT = BeforeValidator(lambda typed: None if typed == "" else typed)  # a field of a form that was left empty
OptionalId = Annotated[int | None, Query(ge=1, le=LARGEST_ID), ABSENT]


def asked_for(
    of: str = ROUND, sort: str = ALIKE, open: bool = False, differ: bool = False, species: OptionalId = None,
    camera: OptionalId = None,
) -> Asked:  # fmt: skip
    """What the address says. Raises NotYours for a word that the grid does not know."""
    if of not in (ROUND, ALL) or sort not in SORTS:
        raise not_yours()
    return Asked(of, sort, open, differ, species, camera)


AskedFor = Annotated[Asked, Depends(asked_for)]


@router.get("/projects/{project_id}/grid")
def show_grid(
    request: Request, member: Viewer, house: InHouse, asked: AskedFor, box: OptionalId = None,
    start: Annotated[int, Query(ge=0, le=grid_queries.MOST)] = 0,
    at: Annotated[int | None, Query(ge=1, le=100), ABSENT] = None,
) -> Response:  # fmt: skip
    """Tiles by the address; a hundred of them stand in the page, the script fetches all. box: the one in focus. at: tiles whose
    guess is at least so sure, in percent, come selected.
    """
    desk = desk_of(member, house)
    panel, retired = empty_panel(desk)
    cameras = grid_queries.cameras(member.session, member.project.id)
    if (asked.species and asked.species not in panel["species"]) or (asked.camera and asked.camera not in cameras):
        raise not_yours()
    grid = grid_of(desk, asked, retired)
    tiles = [tile for group in grid["groups"] for tile in group["tiles"]]
    return page(
        request, "labeling/grid.html", project=member.project, tab="Label", asked=asked, cameras=cameras,
        sorts={name: translated(words) for name, words in SORTS.items()},
        grid=grid, start=start, plain=PLAIN, shown={tile.box_id for tile in tiles[start : start + PLAIN]}, focus=box, at=at,
        people=grid_queries.people(member.session, member.project.id), crop=None, standing=grid["standing"], most=MOST_AT_ONCE,
        rate=queries.answers_a_minute(member.session, member.project.id, member.user.id),
        signed_in_at=request.state.sign_in.created_at, **panel,
    )  # fmt: skip


@router.get("/projects/{project_id}/grid/tiles")
def list_tiles(member: Viewer, house: InHouse, asked: AskedFor) -> Response:
    """The same for the script: groups, and one list a column, since there may be 20,000."""
    desk = desk_of(member, house)
    grid = grid_of(desk, asked, queries.retired_of(desk.session, desk.project.id))
    groups = [
        {"title": group["title"], "species": group["species"], "size": len(group["tiles"])} for group in grid["groups"]
    ]
    return JSONResponse(
        {
            "groups": groups,
            "tiles": columns([tile for group in grid["groups"] for tile in group["tiles"]]),
            "people": grid_queries.people(desk.session, desk.project.id),
            "rate": queries.answers_a_minute(desk.session, desk.project.id, desk.user_id),
            "total": grid["total"],
            "standing": grid["standing"],
        }
    )


@router.post("/projects/{project_id}/grid-labels")
def name_many(request: Request, sent: SentFields, member: ActingAnnotator, house: InHouse, asked: AskedFor) -> Response:
    """A name for each of the selected crops, as one act."""
    desk = desk_of(member, house)
    body = checked(SaidOfMany, sent if "said" in sent else from_boxes(desk, sent))
    said = dict(body.said)
    act = answer_many(desk, at(member, body, body.box), said, key=body.idempotency_key, certain=body.certain)
    return told_grid(request, desk, act, asked)


@router.post("/projects/{project_id}/grid-empty")
def call_photos_empty(
    request: Request, sent: SentFields, member: ActingAnnotator, house: InHouse, asked: AskedFor
) -> Response:
    """Nothing in the whole photos of the selected crops."""
    body = checked(AboutMany, with_box(sent))
    desk = desk_of(member, house)
    act = empty_photos(desk, at(member, body, body.box), body.boxes, key=body.idempotency_key)
    return told_grid(request, desk, act, asked)


@router.post("/projects/{project_id}/grid-skip")
def skip_many(request: Request, sent: SentFields, member: ActingAnnotator, house: InHouse, asked: AskedFor) -> Response:
    """Ask for the selected crops again later."""
    body = checked(AboutMany, with_box(sent))
    desk = desk_of(member, house)
    act = skip(desk, at(member, body, body.box), key=body.idempotency_key, others=body.boxes)
    return told_grid(request, desk, act, asked)


def with_box(sent: dict[str, Any]) -> dict[str, Any]:
    """A form names no crop to go back to: it is the first of the selection. Raises Invalid where nothing is selected."""
    if not sent.get("boxes"):
        raise Invalid("boxes: " + say("select at least one crop"))
    return {"box": sent["boxes"][0]} | sent


def from_boxes(desk: Desk, sent: dict[str, Any]) -> dict[str, Any]:
    """A form's selection and one name, or the classifier's word for each. Raises Invalid for crops without one."""
    sent = with_box(sent)
    if "accept" not in sent:
        species = answerable(desk, sent.get("species", ""))
        return sent | {"said": [[box_id, species.id] for box_id in sent["boxes"]]}
    blind = queries.waiting_blind(desk, sent["boxes"])
    firsts = desk.predictions.firsts(sent["boxes"])
    spoken = grid_queries.own_voices(desk, sent["boxes"]).keys() | grid_queries.settled_among(desk, sent["boxes"])
    said = []
    for box_id in sent["boxes"]:
        if box_id in spoken:
            continue
        if box_id in blind or box_id not in firsts:
            raise Invalid(
                "boxes: "
                + say(
                    "the classifier says nothing of crop %(box_id)s. Name it yourself, or leave it out.", box_id=box_id
                )
            )
        said.append([box_id, firsts[box_id][0]])
    if not said:
        raise Invalid("boxes: " + say("every one of them has a name"))
    return sent | {"said": said, "box": said[0][0]}


def at(member: Access, body: Body, box_id: int) -> Box:
    """The crop that undo leads to. Raises NotYours for one of another project, NotSignedIn for another person's answer."""
    by_whom(member, body)
    box = box_of(member.session, box_id)
    if box.project_id != member.project.id:
        raise not_yours()
    return box


def told_grid(request: Request, desk: Desk, act: Act, asked: Asked) -> Response:
    """A form goes on in the same grid; a script gets the stored answer."""
    if wants_page(request):
        return go(f"/projects/{desk.project.id}/grid{asked.but()}")
    shown = shown_now(desk.session, act.answer["boxes"], act.answer["box_id"])
    return JSONResponse(answer_of(act) | shown | {"act_id": act.id, "classifier_id": desk.project.classifier_id})
