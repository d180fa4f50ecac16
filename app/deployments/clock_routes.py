"""The clock of a deployment: a correction is looked at, applied, taken back; what the doctor found is mended or dismissed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form
from starlette.requests import Request
from starlette.responses import Response

from app.dependencies import Access, ActingExpert, Expert
from app.deployments import changes, clocks, queries, wording
from app.deployments.page import deployment_page, preview_page
from app.forms import Refusal, go, tried
from app.pages import wants_page
from models.clock_finding import ClockFinding
from models.deployment import Deployment
from models.errors import Invalid

router = APIRouter(prefix="/{deployment_id}")
Text = Annotated[str, Form()]


@router.get("/clock")
def look_at_correction(
    request: Request, access: Expert, deployment_id: int, way: str = "", shown_1: str = "", true_1: str = "",
    shown_2: str = "", true_2: str = "", zone: str = "", set_at: str = "", from_at: str = "", to_at: str = "",
) -> Response:  # fmt: skip
    """Six photos with the time before and after. Changes nothing."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    values = (way, shown_1, true_1, shown_2, true_2, zone, set_at, from_at, to_at)
    typed = dict(zip(clocks.FIELDS, values, strict=True))
    try:
        return preview_page(request, access, found, typed)
    except Invalid as error:
        if not wants_page(request):
            raise
        return deployment_page(request, access, found, Refusal.of(error, "clock", typed, "form"))


@router.post("/corrections")
def correct(
    request: Request, access: ActingExpert, deployment_id: int, way: Text = "", shown_1: Text = "", true_1: Text = "",
    shown_2: Text = "", true_2: Text = "", zone: Text = "", set_at: Text = "", from_at: Text = "", to_at: Text = "",
) -> Response:  # fmt: skip
    """Apply it."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    values = (way, shown_1, true_1, shown_2, true_2, zone, set_at, from_at, to_at)
    typed = dict(zip(clocks.FIELDS, values, strict=True))
    change = lambda: changes.correct(access, found, clocks.typed_correction(typed), "")  # noqa: E731
    return answered(request, access, found, change, typed)


@router.post("/corrections/{correction_id}/take-back")
def take_back(request: Request, access: ActingExpert, deployment_id: int, correction_id: int) -> Response:
    """The photos get the times that they had without it."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    return answered(request, access, found, lambda: changes.take_back(access, found, correction_id), {})


@router.post("/findings/{finding_id}/mend")
def mend(request: Request, access: ActingExpert, deployment_id: int, finding_id: int) -> Response:
    """Apply what the doctor proposes."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    finding = ClockFinding.of(access.session, found, finding_id)
    return answered(request, access, found, lambda: changes.mend(access, found, finding, wording.seen(finding)), {})


@router.post("/findings/{finding_id}/dismiss")
def dismiss(request: Request, access: ActingExpert, deployment_id: int, finding_id: int) -> Response:
    """It is not wrong."""
    found = queries.deployment(access.session, access.project.id, deployment_id)
    finding = ClockFinding.of(access.session, found, finding_id)
    return answered(request, access, found, lambda: changes.dismiss(access, found, finding), {})


def answered(
    request: Request, access: Access, deployment: Deployment, change: Callable[[], None], typed: dict[str, str]
) -> Response:
    """Back to the clock, with the change or with what is wrong."""
    refused = tried(request, access.session, change, "clock", typed, "form")
    if refused:
        return deployment_page(request, access, deployment, refused)
    return go(f"/projects/{access.project.id}/deployments/{deployment.id}?saved=clock#clock")
