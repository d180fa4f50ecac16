"""The clocks of cameras: what looks wrong, corrections with a preview, and taking them back."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field, StrictStr

from app.api import place_queries
from app.api.access import Id, PlaceEditor, PlaceReader, Viewer
from app.api.shapes import USUAL, After, Limit, Listed, Moment, Sent, Shape, WallClock, listed, place_of
from app.dependencies import Access
from app.deployments import changes, clocks, queries, wording
from models.clock import ClockCorrection
from models.clock_finding import ClockFinding

router = APIRouter(tags=["Clocks"])
Typed = Annotated[StrictStr, Field(max_length=64)]


class FindingShape(Shape):
    """Something that looks wrong about a clock, found unasked."""

    id: int
    deployment_id: int
    kind: str = Field(description="outside, reset, future, sun or pair.")
    words: str = Field(description="What is seen, for people.")
    figures: dict[str, Any] = Field(description="What is seen, for programs.")
    proposal: dict[str, Any] = Field(description="The correction that would explain it; empty where there is none.")
    found_at: Moment


class CorrectionShape(Shape):
    """A correction of a clock. It is taken back, never deleted."""

    id: int
    kind: str = Field(description="shift, drift, swap or zone.")
    words: str = Field(description="What it does, for people.")
    parameters: dict[str, Any]
    from_at: WallClock | None = Field(description="Only photos that say this time or later.")
    to_at: WallClock | None = Field(description="Or earlier.")
    reason: str
    made_at: Moment
    taken_back_at: Moment | None


class SentCorrection(Sent):
    """As the form of the page asks for it. shift: shown_1 was truly true_1. drift: two such pairs. swap: day and month.
    later, earlier: an hour from from_at on. zone: the summer time of a zone, for a clock that was set at set_at. Times are
    written like 2026-03-01 10:00:00."""

    way: Literal["shift", "drift", "swap", "later", "earlier", "zone"]
    shown_1: Typed = ""
    true_1: Typed = ""
    shown_2: Typed = ""
    true_2: Typed = ""
    zone: Typed = ""
    set_at: Typed = ""
    from_at: Typed = ""
    to_at: Typed = ""


class Seen(Shape):
    """A photo before and after."""

    photo_id: int
    shot: WallClock | None = Field(description="What the camera wrote; it never changes.")
    now: WallClock | None
    then: WallClock | None


class PreviewShape(Shape):
    """What a correction would do."""

    words: str
    photos: int = Field(description="That it means.")
    refused: int = Field(description="Of them those that it cannot move.")
    examples: list[Seen] = Field(description="Six of them, evenly spread.")


@router.get("/projects/{project_id}/clock-findings")
def list_findings(member: Viewer, limit: Limit = USUAL, after: After = "") -> Listed[FindingShape]:
    """What looks wrong and nobody has mended or dismissed, by id."""
    found = place_queries.findings(member.session, member.project.id, (place_of(after, int) or (0,))[0], limit + 1)
    return listed([finding_shape(each) for each in found], limit, FindingShape, "id")


@router.get("/projects/{project_id}/deployments/{deployment_id}/corrections")
def list_corrections(member: Viewer, deployment_id: Id) -> Listed[CorrectionShape]:
    """Every correction of the camera's clock, those that were taken back too."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    found = place_queries.corrections(member.session, deployment.id)
    return Listed[CorrectionShape](items=[correction_shape(each) for each in found])


@router.post("/projects/{project_id}/deployments/{deployment_id}/corrections/preview")
def preview_correction(member: PlaceReader, deployment_id: Id, sent: SentCorrection) -> PreviewShape:
    """What a correction would do. Changes nothing."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    seen = clocks.preview(member.session, deployment, clocks.typed_correction(sent.model_dump()))
    examples = [Seen(photo_id=each.image.id, shot=each.shot, now=each.now, then=each.then) for each in seen.rows]
    return PreviewShape(
        words=wording.told(seen.correction), photos=seen.photos, refused=seen.refused, examples=examples
    )


@router.post("/projects/{project_id}/deployments/{deployment_id}/corrections", status_code=201)
def correct_clock(member: PlaceEditor, deployment_id: Id, sent: SentCorrection) -> CorrectionShape:
    """Apply it: the photos get other times at once or by a job. One that stands already: 409."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    changes.correct(member, deployment, clocks.typed_correction(sent.model_dump()), "")
    return newest(member, deployment.id)


@router.post("/projects/{project_id}/deployments/{deployment_id}/corrections/{correction_id}/take-back")
def take_correction_back(member: PlaceEditor, deployment_id: Id, correction_id: Id) -> CorrectionShape:
    """The photos get the times that they had without it; a second time changes nothing."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    changes.take_back(member, deployment, correction_id)
    return correction_shape(ClockCorrection.of(member.session, deployment, correction_id))


@router.post("/projects/{project_id}/deployments/{deployment_id}/findings/{finding_id}/mend")
def mend_finding(member: PlaceEditor, deployment_id: Id, finding_id: Id) -> CorrectionShape:
    """Apply what is proposed."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    finding = ClockFinding.of(member.session, deployment, finding_id)
    changes.mend(member, deployment, finding, wording.seen(finding))
    return newest(member, deployment.id)


@router.post("/projects/{project_id}/deployments/{deployment_id}/findings/{finding_id}/dismiss")
def dismiss_finding(member: PlaceEditor, deployment_id: Id, finding_id: Id) -> FindingShape:
    """It is not wrong, and is not found again."""
    deployment = queries.deployment(member.session, member.project.id, deployment_id)
    finding = ClockFinding.of(member.session, deployment, finding_id)
    changes.dismiss(member, deployment, finding)
    return finding_shape(finding)


def newest(member: Access, deployment_id: int) -> CorrectionShape:
    """The correction that was made last."""
    member.session.flush()
    return correction_shape(place_queries.corrections(member.session, deployment_id)[-1])


def finding_shape(finding: ClockFinding) -> FindingShape:
    """One of them."""
    plain = {field: getattr(finding, field) for field in FindingShape.model_fields if field != "words"}
    return FindingShape(**plain, words=wording.seen(finding))


def correction_shape(correction: ClockCorrection) -> CorrectionShape:
    """One of them."""
    plain = {field: getattr(correction, field) for field in CorrectionShape.model_fields if field != "words"}
    return CorrectionShape(**plain, words=wording.told(correction.correction))
