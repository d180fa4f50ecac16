"""What people said of a box, and saying something: one box, many, a whole photo; skipping, taking back, saying again.

A token speaks for its person: what is sent here counts as that person's own word (docs/api.md).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictInt, StrictStr

from app.api import box_queries
from app.api.access import Labeler, LabelerAtBox, ViewerAtBox
from app.api.shapes import Key, Keyed, Listed, Moment, Sent, Shape
from app.dependencies import LARGEST_ID, InHouse, not_yours
from app.labeling.page import desk_of
from models.act import Act
from models.answering import MOST, MOST_AT_ONCE, answer, answer_many, count_animals, empty_photo, skip
from models.box import Box
from models.observed import MOST_LETTERS, observed
from models.taking_back import redo, undo

router = APIRouter(tags=["Answers"])
Id = Annotated[StrictInt, Field(ge=1, le=LARGEST_ID)]


class LabelShape(Shape):
    """One thing that a person said of a box. Rows are never changed: the newest of each person is that person's voice."""

    id: int
    box_id: int
    user_id: int
    who: str = Field(description="The person's name.")
    role: str = Field(description="Of the person, when it was said.")
    kind: Literal["answer", "taken_back"] = Field(
        description="taken_back: says again what the person said before, or nothing."
    )
    species_id: int | None = Field(description="null: the only answer was taken back.")
    certain: bool
    sex: str
    life_stage: str
    behaviour: str
    round_id: int | None = Field(description="The round in which it was asked.")
    created_at: Moment = Field(description="UTC.")


class Leased(Keyed):
    """An act on a crop that this person may have on the desk."""

    lease_token: Annotated[
        StrictStr, Field(max_length=64, description="Of the crop, as leases gave it; may be left out.")
    ] = ""


class Answer(Leased):
    """One answer."""

    species: Id | Annotated[StrictStr, Field(min_length=1, max_length=200)] = Field(
        description="The id of a species, or any of its names.", examples=["Ocelot"]
    )
    certain: StrictBool = True
    count: Annotated[StrictInt, Field(ge=0, le=MOST)] | None = Field(
        None, description="How many of them are in the photo, where a person counted."
    )
    sex: Literal["", "female", "male"] = ""
    life_stage: Literal["", "adult", "subadult", "juvenile"] = ""
    behaviour: Annotated[StrictStr, Field(max_length=MOST_LETTERS)] = ""
    pick_id: Id | None = Field(None, description="Of the crop, as leases gave it: says in which round it was asked.")


class Named(Sent):
    """A name for one of many boxes."""

    box_id: Id
    species_id: Id


class ManyAnswers(Keyed):
    """Names for many boxes, as one act: all or nothing, and taken back as one."""

    answers: Annotated[list[Named], Field(min_length=1, max_length=MOST_AT_ONCE)]
    certain: StrictBool = True


class Count(Keyed):
    """How many of what the box is called are in its photo; of all animals where it has no animal's name."""

    count: Annotated[StrictInt, Field(ge=0, le=MOST)]


class TakeBack(Keyed):
    """The newest act of this person is taken back."""

    of: Key | None = Field(
        None,
        description="The key of the act that you mean: when it never arrived or is taken back already, nothing happens.",
    )


class Standing(Shape):
    """How a round stands."""

    id: int
    number: int
    size: int
    done: int = Field(description="Answered, skipped twice or withdrawn.")
    full: bool


class Done(Shape):
    """What became of an act."""

    act_id: int
    kind: str
    box_id: int | None = Field(description="The box that it was about; for one that was moved the one in its place.")
    boxes: list[int] = Field(description="Every box that it touched.")
    species_id: int | None = None
    name: str = ""
    certain: bool = True
    late: bool = Field(False, description="Somebody else had the crop by then: the answer is kept as a second voice.")
    nothing: bool = Field(False, description="There was nothing to take back or to say again.")
    words: str = Field(description="For people.")
    round: Standing | None = Field(None, description="The round in which the crop was asked.")


@router.get("/boxes/{box_id}/labels")
def list_labels(at: ViewerAtBox, house: InHouse) -> Listed[LabelShape]:
    """Everything that was ever said of a box, oldest first. What you are still to be asked about tells only your own words."""
    session = at.access.session
    box = box_queries.standing(session, at.box)
    silent, _blind = box_queries.untold(desk_of(at.access, house), [box])
    rows = [
        LabelShape(who=name, **{field: getattr(label, field) for field in LabelShape.model_fields if field != "who"})
        for label, name in box_queries.history(session, box.id)
        if not silent or label.user_id == at.access.user.id
    ]
    return Listed[LabelShape](items=rows)


@router.post("/boxes/{box_id}/labels")
def name_box(at: LabelerAtBox, said: Answer, house: InHouse) -> Done:
    """Name a box. Nothing that was said before is overwritten; the project's rule makes a name of the voices."""
    act = answer(
        desk_of(at.access, house), at.box, said.species, key=said.idempotency_key, certain=said.certain, count=said.count,
        observed=observed(said.sex, said.life_stage, said.behaviour), pick_id=said.pick_id, token=said.lease_token,
    )  # fmt: skip
    return done(act)


@router.post("/boxes/{box_id}/count")
def count_in_photo(at: LabelerAtBox, said: Count, house: InHouse) -> Done:
    """Count the animals of the box's photo."""
    return done(count_animals(desk_of(at.access, house), at.box, said.count, key=said.idempotency_key))


@router.post("/boxes/{box_id}/empty-photo")
def call_photo_empty(at: LabelerAtBox, said: Leased, house: InHouse) -> Done:
    """Nothing in the box's whole photo: each of its boxes is "not an animal"."""
    return done(empty_photo(desk_of(at.access, house), at.box, key=said.idempotency_key, token=said.lease_token))


@router.post("/boxes/{box_id}/skip")
def skip_box(at: LabelerAtBox, said: Leased, house: InHouse) -> Done:
    """Ask again at the end of the round."""
    return done(skip(desk_of(at.access, house), at.box, key=said.idempotency_key, token=said.lease_token))


@router.post("/projects/{project_id}/labels")
def name_many(member: Labeler, said: ManyAnswers, house: InHouse) -> Done:
    """Name up to 2,000 boxes as one act."""
    names = {each.box_id: each.species_id for each in said.answers}
    box = member.session.get(Box, said.answers[0].box_id)
    if box is None or box.project_id != member.project.id:
        raise not_yours()
    return done(answer_many(desk_of(member, house), box, names, key=said.idempotency_key, certain=said.certain))


@router.post("/projects/{project_id}/undo")
def take_back(member: Labeler, said: TakeBack, house: InHouse) -> Done:
    """Take back the newest act of this person that stands. The history keeps both."""
    return done(undo(desk_of(member, house), key=said.idempotency_key, of=said.of))


@router.post("/projects/{project_id}/redo")
def say_again(member: Labeler, said: Keyed, house: InHouse) -> Done:
    """Say again what was taken back last, unless something new was said since."""
    return done(redo(desk_of(member, house), key=said.idempotency_key))


def done(act: Act) -> Done:
    """The stored answer."""
    told: dict[str, Any] = {name: act.answer[name] for name in Done.model_fields if act.answer.get(name) is not None}
    return Done(**({"box_id": None} | told | {"act_id": act.id}))
