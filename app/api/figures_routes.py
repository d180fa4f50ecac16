"""The figures of the overview: what stands in a project, how sure the classifier is, and the learning curve."""

from __future__ import annotations

from math import isfinite

from fastapi import APIRouter
from pydantic import Field

from app.api.access import Viewer
from app.api.shapes import Listed, Moment, Shape, WallClock
from app.dependencies import InHouse
from app.projects.overview import counted_in
from app.projects.sureness import sureness_of
from models.estimate import Estimate

router = APIRouter(tags=["Figures"])


class SpeciesFigures(Shape):
    """What was said and guessed of one species."""

    id: int | None = Field(description="null: what nobody named yet.")
    name: str
    scientific_name: str
    people: int = Field(description="Boxes that people named so.")
    classifier: int = Field(description="Boxes without a person's name that the classifier calls so.")
    photos: int = Field(description="Photos with such a box.")


class FiguresShape(Shape):
    """Everything counted, at the project's thresholds. Kept for a short while where counting takes long."""

    photos: int
    ready: int = Field(description="Looked at by the detector.")
    waiting: int
    failed: int
    empty: int = Field(description="Looked at, and nothing in them counts.")
    cameras: int
    first_at: WallClock | None = Field(description="The first camera clock.")
    last_at: WallClock | None
    boxes: int = Field(description="That count as something.")
    crops: int = Field(description="Boxes that rounds may ask about.")
    people: int = Field(description="Boxes with a name that people settled.")
    classifier: int = Field(description="Boxes that nobody named and the classifier did.")
    unnamed: SpeciesFigures
    species: list[SpeciesFigures]
    flags: list[SpeciesFigures] = Field(description="Person, vehicle, cannot tell, not an animal.")


class Look(Shape):
    """After one round: which share of the crops that nobody has looked at is named right, by crops drawn at random."""

    round_number: int
    look: int
    created_at: Moment
    classifier_id: int
    labels: int = Field(description="Answers that it learnt from.")
    audited: int = Field(description="Answered random crops behind it.")
    rest: int = Field(description="Crops that it is about.")
    estimate: float | None = Field(description="The share, 0 to 1; null: nothing is known.")
    low: float = Field(description="Lower end of the 95% interval of this look.")
    high: float
    always_low: float = Field(description="Lower end of the interval that holds with 95% at all looks together.")
    always_high: float
    kappa: float | None = Field(description="Cohen's, between this classifier and the one before.")
    target: float = Field(description="The project's, at that look.")
    more: float | None = Field(description="Answers still needed for the target; null: the curve cannot say.")
    more_low: float | None = Field(description="Lower end of its 95% interval.")
    more_high: float | None


class EstimateShape(Shape):
    """How sure we are, as the overview says it."""

    says: bool = Field(description="Whether anything is known: it takes 30 answered random crops.")
    words: str = Field(description="Why nothing is known, or where the figure comes from.")
    verdict: str = Field(description="Whether to stop, in words; empty where nothing is known.")
    forecast: str = Field(description="How many answers more, in words.")
    reaches_target: bool = Field(description="By the interval that holds at all looks together.")
    target: float
    newest: Look | None


@router.get("/projects/{project_id}/figures")
def show_figures(member: Viewer, house: InHouse) -> FiguresShape:
    """What stands in the project."""
    return FiguresShape.model_validate(counted_in(house, member.project))


@router.get("/projects/{project_id}/estimate")
def show_estimate(member: Viewer) -> EstimateShape:
    """The newest look."""
    told = sureness_of(member.session, member.project)
    newest = Estimate.newest(member.session, member.project.id)
    return EstimateShape(
        says=told.of_100 is not None, words=told.words or told.note,
        verdict=f"{told.verdict.title}: {told.verdict.words}" if told.verdict else "",
        forecast=f"{told.forecast.title}: {told.forecast.words}" if told.forecast else "",
        reaches_target=newest is not None and newest.reaches(member.project.target), target=member.project.target,
        newest=look_of(newest) if newest else None,
    )  # fmt: skip


@router.get("/projects/{project_id}/learning-curve")
def show_curve(member: Viewer) -> Listed[Look]:
    """Every look, the oldest first: the figures behind the curve of the overview."""
    return Listed[Look](items=[look_of(each) for each in Estimate.history(member.session, member.project.id)])


def look_of(estimate: Estimate) -> Look:
    """JSON has no infinity: where the curve says "never", it cannot say."""
    endless = {name: None for name in ("more", "more_low", "more_high") if not isfinite(getattr(estimate, name) or 0.0)}
    return Look.model_validate(estimate).model_copy(update=endless)
