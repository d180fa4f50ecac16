"""Looks beside answers: static detections, photos that count as empty, counts of visits, flags and comments."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field, StrictBool, StrictInt, StrictStr

from app.api import check_queries
from app.api.access import Id, Labeler, LabelerAtBox, LabelerAtPhoto, Viewer, ViewerAtBox
from app.api.shapes import Keyed, Listed, Moment, Shape, WallClock
from app.checks import empties_queries, statics_queries
from app.checks.desks import desk_of
from app.dependencies import Access, InHouse, not_yours
from app.visits.queries import event_of
from models.checking import check, last_check, take_check_back
from models.deciding import decide, reopen_group
from models.empty import draw_sample
from models.note import MOST_TEXT
from models.noting import comment, flag
from models.static import StaticGroup
from models.visit_counts import MOST, count_visit

router = APIRouter(tags=["Checks"])


class GroupShape(Shape):
    """The same box on the same camera again and again: a stone, a branch."""

    id: int
    deployment: str
    photo_id: int = Field(description="One of its photos.")
    boxes: int
    unnamed: int = Field(description="Boxes that a decision would name.")
    first_at: WallClock | None
    last_at: WallClock | None
    verdict: str = Field(description="Empty while nobody has decided.")
    by: str
    at: Moment | None


class Decision(Keyed):
    """One word for all boxes of the group."""

    verdict: Annotated[
        StrictStr, Field(max_length=20, description="static: not an animal, each of them; animal: they stay.")
    ]


class EmptiesShape(Shape):
    """What a random sample of the photos that count as empty says so far."""

    sample_id: int | None = Field(description="null: nobody has drawn one.")
    size: int
    looked: int = Field(description="Photos from its beginning on that somebody looked at.")
    animals: int = Field(description="Of them those that show an animal.")
    low: float | None = Field(description="Of 100 such photos, a 95% interval (Wilson); null before the first look.")
    high: float | None
    next_photo_id: int | None = Field(description="The next one to look at.")


class EmptyLook(Keyed):
    """What is in a photo that counts as empty."""

    verdict: Literal["empty", "animal"]


class LookShape(Shape):
    """What came of it."""

    photo_id: int
    verdict: str
    box_id: int | None = Field(description="The box to go on with, where it shows an animal.")


class VisitCount(Keyed):
    """How many a person counts in a visit."""

    count: Annotated[StrictInt, Field(ge=0, le=MOST)] | None = Field(
        None, description="In place of MaxN; null: MaxN stands."
    )
    unseen: Annotated[StrictInt, Field(ge=0, le=MOST)] = Field(0, description="More that were on no photo.")


class VisitCounted(Shape):
    """Kept."""

    event_id: int
    max_count: int
    count: int | None
    unseen: int


class Flag(Keyed):
    """An expert shall look, or need not any more."""

    raised: StrictBool = True


class Comment(Keyed):
    """Words beside a crop."""

    text: Annotated[StrictStr, Field(min_length=1, max_length=MOST_TEXT)]


class NoteShape(Shape):
    """One flag raised or taken down, one comment, one crop made gold or no more."""

    kind: str
    text: str
    who: str
    at: Moment


@router.get("/projects/{project_id}/static-groups")
def list_groups(
    member: Viewer, decided: Annotated[bool, Query(description="Those that are decided.")] = False
) -> Listed[GroupShape]:
    """Groups that wait, or that are decided: the 60 with the most boxes."""
    return Listed[GroupShape](
        items=[group_shape(each) for each in statics_queries.tiles(member.session, member.project.id, decided=decided)]
    )


@router.post("/projects/{project_id}/static-groups/{group_id}")
def decide_group(member: Labeler, house: InHouse, group_id: Id, said: Decision) -> GroupShape:
    """One word for all its boxes; answers that people gave stay."""
    group = group_of(member, group_id)
    decide(desk_of(member, house), group, said.verdict, key=said.idempotency_key)
    return found_again(member, group)


@router.post("/projects/{project_id}/static-groups/{group_id}/undo")
def take_group_back(member: Labeler, house: InHouse, group_id: Id, said: Keyed) -> GroupShape:
    """Everything as it was."""
    group = group_of(member, group_id)
    reopen_group(desk_of(member, house), group, key=said.idempotency_key)
    return found_again(member, group)


@router.get("/projects/{project_id}/empties")
def show_empties(member: Viewer, order: Literal["sample", "low"] = "sample") -> EmptiesShape:
    """The estimate, and the next photo to look at: by the random sample, or the strongest boxes that do not count first."""
    return empties_shape(member, order)


@router.post("/projects/{project_id}/empties/sample")
def draw_empties(member: Labeler) -> EmptiesShape:
    """Draw a new sample of what counts as empty now; the looks stay."""
    draw_sample(member.session, member.project, member.user.id)
    member.session.flush()
    return empties_shape(member, "sample")


@router.post("/photos/{photo_id}/empty-check")
def look_at_empty(at: LabelerAtPhoto, house: InHouse, said: EmptyLook) -> LookShape:
    """Say what is in the photo."""
    act = check(desk_of(at.access, house), at.photo, said.verdict, key=said.idempotency_key)
    return LookShape(photo_id=act.answer["image_id"], verdict=act.answer["verdict"], box_id=act.answer["box_id"])


@router.post("/projects/{project_id}/empties/undo")
def take_look_back(member: Labeler, house: InHouse) -> EmptiesShape:
    """Take back this person's last look."""
    desk = desk_of(member, house)
    last = last_check(desk)
    if last is not None:
        take_check_back(desk, last)
        member.session.flush()
    return empties_shape(member, "sample")


@router.post("/projects/{project_id}/events/{event_id}/count")
def count_event(member: Labeler, event_id: Id, said: VisitCount) -> VisitCounted:
    """Count the animals of a visit. Older figures stay in the history."""
    event = event_of(member.session, member.project.id, event_id)
    if event is None:
        raise not_yours()
    count_visit(member.session, event, said.count, said.unseen, by=member.user.id, key=said.idempotency_key)
    return VisitCounted(event_id=event.id, max_count=event.max_count, count=said.count, unseen=said.unseen)


@router.get("/boxes/{box_id}/notes")
def list_notes(at: ViewerAtBox) -> Listed[NoteShape]:
    """Flags and comments beside a box that were not taken back, oldest first."""
    return Listed[NoteShape](items=notes(at.access, at.box.id))


@router.post("/boxes/{box_id}/flag")
def flag_box(at: LabelerAtBox, house: InHouse, said: Flag) -> Listed[NoteShape]:
    """Ask for an expert, or no more."""
    flag(desk_of(at.access, house), at.box, raised=said.raised, key=said.idempotency_key)
    return Listed[NoteShape](items=notes(at.access, at.box.id))


@router.post("/boxes/{box_id}/comments")
def comment_box(at: LabelerAtBox, house: InHouse, said: Comment) -> Listed[NoteShape]:
    """Say something beside the answer."""
    comment(desk_of(at.access, house), at.box, said.text, key=said.idempotency_key)
    return Listed[NoteShape](items=notes(at.access, at.box.id))


def notes(access: Access, box_id: int) -> list[NoteShape]:
    """Those of one box."""
    access.session.flush()
    rows = check_queries.notes(access.session, access.project.id, box_id)
    return [NoteShape(kind=kind, text=text, who=who, at=at) for kind, text, who, at in rows]


def group_of(member: Access, group_id: int) -> StaticGroup:
    """Raises NotYours for one of another project."""
    group = statics_queries.group_of(member.session, member.project.id, group_id)
    if group is None:
        raise not_yours()
    return group


def found_again(member: Access, group: StaticGroup) -> GroupShape:
    """As it stands now, wherever it is listed."""
    member.session.flush()
    tile = check_queries.tile(member.session, group)
    if tile is None:
        raise not_yours()
    return group_shape(tile)


def group_shape(tile: statics_queries.Tile) -> GroupShape:
    """One of them."""
    return GroupShape(
        id=tile.group.id, deployment=tile.camera, photo_id=tile.image_id, boxes=tile.hits, unnamed=tile.unnamed,
        first_at=tile.first_at, last_at=tile.last_at, verdict=tile.verdict, by=tile.by, at=tile.at if tile.verdict else None,
    )  # fmt: skip


def empties_shape(member: Access, order: str) -> EmptiesShape:
    """The sample that is looked at now."""
    sample = empties_queries.newest_sample(member.session, member.project.id)
    said = empties_queries.estimate(member.session, sample) if sample else None
    photo = empties_queries.next_photo(member.session, member.project, order)
    return EmptiesShape(
        sample_id=sample.id if sample else None, size=said.size if said else 0, looked=said.looked if said else 0,
        animals=said.animals if said else 0, low=said.low if said and said.looked else None,
        high=said.high if said and said.looked else None, next_photo_id=photo.id if photo else None,
    )  # fmt: skip
